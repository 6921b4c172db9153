"""Structures found by atlases: labelled scans of the cohort, registered to the case and fused."""

from scanmill.fusion.candidate import Posterior
from scanmill.fusion.multi_atlas import Atlas, segmented
from scanmill.label_map import Region
from scanmill.registration.pyramid import finest_spacing
from scanmill.segmentation import Scene, Structure, exemplars, steps
from scanmill.segmentation.doubt import SURE
from scanmill.segmentation.painting import paint_each
from scanmill.volume_file import Volume, read_grid


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint what the atlases find of each structure, cleaned up by its steps.

    All structures of a run are found together; where one lies on another, each voxel is of one alone.
    Raises Refusal `atlases-missing` where no atlas could be made, `registration-failed` where none
    fits the scan.
    """
    posterior = _posterior(structures, scene)
    likely = posterior.labels()
    numbers = {structure["name"]: n for n, structure in enumerate(structures, 1)}

    def region_of(structure: Structure, scene: Scene) -> Region:
        number = numbers[structure["name"]]
        if scene.lean == 0:
            region = Region.of(likely == number)
        else:
            part = posterior.parts[number - 1]
            region = Region(part.box, part.fractions > (SURE if scene.lean < 0 else 1 - SURE))
        return steps.apply(structure["segment"]["steps"], region, scene)

    paint_each(structures, scene, region_of)


def _posterior(structures: list[Structure], scene: Scene) -> Posterior:
    """How likely each voxel is of each structure, numbered from 1 in their order."""
    ready = exemplars.usable(scene.atlases, 1, scene.record)
    finest = max(finest_spacing(scene.grid, read_grid(atlas.scan)) for atlas in ready)
    numbers = [scene.labels[structure["name"]] for structure in structures]
    atlases = [Atlas.of(*exemplars.read(atlas, numbers), finest) for atlas in ready]
    return segmented(Volume(scene.image(), scene.grid), atlases, len(structures) + 1)
