"""Structures from the user's own labels: a label map of any grid, or one mask file a structure."""

from pathlib import Path

import numpy as np

from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import Region, count_voxels, regions_of
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, Structure, paint_each
from scanmill.segmentation.steps import apply
from scanmill.source import read_source
from scanmill.volume_file import Volume

LARGEST_VALUE = 65535


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint the supplied structures, brought onto the scene's grid in physical space.

    The volume of each, as supplied, goes into the record's details, `supplied_volume_mm3`, by name.
    Raises Refusal where there are no labels, or none that can be read or that lie on the scan.
    """
    if not scene.supplied:
        raise Refusal("labels-missing", "the recipe takes structures from labels; none are given")
    found: dict[str, Region] = {}
    volumes: dict[str, float] = {}
    values = {s["name"]: s["segment"]["value"] for s in structures}
    elsewhere: dict[str, Refusal] = {}
    for name, path in scene.supplied:
        if name is None:
            _find(_read(path), values, scene, found, volumes)
        elif name in values:
            try:
                _find(_read_mask(path), {name: 1}, scene, found, volumes)
            except Refusal as refusal:
                elsewhere[name] = refusal
    scene.record.details.setdefault("supplied_volume_mm3", {}).update(volumes)
    nothing = Region((slice(0, 0),) * 3, np.zeros((0, 0, 0), bool))

    def region_of(structure: Structure) -> Region:
        name = structure["name"]
        if name in elsewhere:
            raise elsewhere[name]
        if volumes.get(name, 0.0) == 0:
            raise Refusal("structure-empty", "the supplied labels hold no voxel of this structure")
        if name not in found:
            raise Refusal(
                "structure-empty",
                f"the supplied labels hold {volumes[name]:.4g} mm3 of this structure, none of which "
                "lies in the scan or is large enough for its isotropic grid",
            )
        return apply(structure["segment"]["steps"], found.get(name, nothing), scene)

    paint_each(structures, scene, region_of)


def _read(path: Path) -> Volume:
    """A label map with unsigned values. Warnings about its place are the scan's to give."""
    try:
        volume, _ = read_source(path)
    except Refusal as refusal:
        raise Refusal("labels-unreadable", f"the supplied labels: {refusal.reason}") from None
    values = volume.array
    if values.dtype.kind == "f":
        rounded = np.rint(values)
        if np.abs(values - rounded).max(initial=0) > 1e-3:
            raise Refusal(
                "labels-unreadable", "the supplied labels hold fractions, not whole numbers"
            )
        values = rounded
    low, high = values.min(initial=0), values.max(initial=0)
    if low < 0 or high > LARGEST_VALUE:
        raise Refusal(
            "labels-unreadable",
            f"the supplied labels hold values from {low} to {high}; 0 to {LARGEST_VALUE} are right",
        )
    return Volume(values.astype(np.min_scalar_type(int(high)), copy=False), volume.grid)


def _read_mask(path: Path) -> Volume:
    """A mask of one structure: 1 where it is. Raises Refusal where it is a map of several."""
    labels = _read(path)
    held = np.flatnonzero(count_voxels(labels.array, int(labels.array.max(initial=0)) + 1))
    several = held[held > 0]
    if len(several) > 1:
        raise Refusal(
            "labels-unreadable",
            f"the mask of this structure holds {len(several)} values, from {several[0]} to "
            f"{several[-1]}; a mask has one, and a map of several goes into the sheet without a name",
        )
    return Volume((labels.array > 0).astype(np.uint8), labels.grid)


def _find(
    labels: Volume,
    wanted: dict[str, int],
    scene: Scene,
    found: dict[str, Region],
    volumes: dict[str, float],
) -> None:
    """Add to `found` and `volumes` what a label map holds of the wanted values, by structure."""
    number = int(labels.array.max(initial=0)) + 1
    counts = count_voxels(labels.array, number)
    held = {name: value for name, value in wanted.items() if value < number and counts[value] > 0}
    volumes |= dict.fromkeys(wanted, 0.0)
    if not held:
        return
    if not _overlap(labels.grid, scene.grid):
        raise Refusal(
            "labels-elsewhere",
            "the supplied labels and the scan do not overlap in physical space",
        )
    kept = np.zeros(number, labels.array.dtype)
    kept[list(held.values())] = list(held.values())
    if (kept[counts > 0] != np.flatnonzero(counts)).any():
        labels = Volume(kept[labels.array], labels.grid)
    regions = regions_of(resample_labels(labels, scene.grid))
    for name, value in held.items():
        volumes[name] = float(counts[value] * labels.grid.voxel_volume)
        if value in regions:
            found[name] = regions[value]


def _overlap(one: Grid, other: Grid) -> bool:
    """Have the blocks of space that two grids fill a point in common?

    They have none where some plane lies between them, and then one that is parallel to a face of
    either, or to an edge of each (separating axes: Gottschalk 1996, doi:10.1145/237170.237244).
    """
    blocks = [grid.axes * (np.asarray(grid.size) / 2) for grid in (one, other)]
    centres = [grid.to_physical((np.asarray(grid.size) - 1) / 2) for grid in (one, other)]
    edges = np.cross(blocks[0].T[:, None], blocks[1].T).reshape(-1, 3)
    across = np.vstack([blocks[0].T, blocks[1].T, edges])
    reach = sum(np.abs(across @ block).sum(axis=1) for block in blocks)
    return bool((np.abs(across @ (centres[1] - centres[0])) <= reach).all())
