"""Structures found by atlases: labelled scans of the cohort, registered to the case and fused."""

import numpy as np

from scanmill.fusion.candidate import Posterior
from scanmill.fusion.multi_atlas import Atlas, segmented
from scanmill.label_map import Region
from scanmill.refusal import Refusal
from scanmill.registration.pyramid import finest_spacing
from scanmill.segmentation import Exemplar, Scene, Structure, paint_each, steps
from scanmill.sidecar import read_sidecar
from scanmill.volume_file import Volume, read_grid, read_volume


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint what the atlases find of each structure, cleaned up by its steps.

    All structures of a run are found together; where one lies on another, each voxel is of one alone.
    Raises Refusal `atlases-missing` where no atlas could be made, `registration-failed` where none
    fits the scan.
    """
    found = _posterior(structures, scene).labels()
    numbers = {structure["name"]: n for n, structure in enumerate(structures, 1)}

    def region_of(structure: Structure) -> Region:
        region = Region.of(found == numbers[structure["name"]])
        return steps.apply(structure["segment"]["steps"], region, scene)

    paint_each(structures, scene, region_of)


def _posterior(structures: list[Structure], scene: Scene) -> Posterior:
    """How likely each voxel is of each structure, numbered from 1 in their order."""
    ready = [atlas for atlas in scene.atlases if read_sidecar(atlas.labels)["status"] == "ok"]
    spoiled = len(scene.atlases) - len(ready)
    if not ready:
        raise Refusal(
            "atlases-missing",
            f"none of the {spoiled} atlases of the recipe could be read; their own sidecars say why",
        )
    if spoiled:
        message = f"{spoiled} of {len(scene.atlases)} atlases could not be read and had no say"
        scene.record.warn("atlases-missing", message)
    finest = max(finest_spacing(scene.grid, read_grid(atlas.scan)) for atlas in ready)
    numbers = [scene.labels[structure["name"]] for structure in structures]
    atlases = [Atlas.of(*_read(atlas, numbers), finest) for atlas in ready]
    return segmented(Volume(scene.image(), scene.grid), atlases, len(structures) + 1)


def _read(atlas: Exemplar, numbers: list[int]) -> tuple[Volume, Volume]:
    """An atlas's scan, and its labels as 1, 2, ... in the order of `numbers`, background elsewhere."""
    labels = read_volume(atlas.labels)
    places = np.zeros(max(int(labels.array.max()), *numbers) + 1, np.min_scalar_type(len(numbers)))
    places[numbers] = range(1, len(numbers) + 1)
    return read_volume(atlas.scan), Volume(places[labels.array], labels.grid)
