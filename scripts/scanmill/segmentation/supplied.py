"""Structures from the user's own labels: a label map of any grid, or one mask file a structure.

Either may be a DICOM SEG or RTSTRUCT; then segments are found by name or code, not by value.
"""

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import Region, count_voxels, regions_of
from scanmill.refusal import Refusal
from scanmill.segmentation import OF_ONE_STRUCTURE, Scene, Structure
from scanmill.segmentation.painting import paint_each
from scanmill.segmentation.steps import apply
from scanmill.source import read_source
from scanmill.source.segments import read_segments
from scanmill.volume_file import Volume

if TYPE_CHECKING:
    from scanmill.source.segments.segment import Segments

LARGEST_VALUE = 65535


@dataclass
class Ledger:
    """What was supplied, by structure: its region on the scene's grid, its volume, mm3, or why none."""

    regions: dict[str, Region] = field(default_factory=dict)
    volumes: dict[str, float] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint the supplied structures, brought onto the scene's grid in physical space.

    The volume of each, as supplied, goes into the record's details, `supplied_volume_mm3`, by name.
    Raises Refusal where there are no labels, or none that can be read or that lie on the scan.
    """
    if not scene.supplied:
        raise Refusal("labels-missing", "the recipe takes structures from labels; none are given")
    ledger = Ledger()
    for name, path in scene.supplied:
        wanted = [s for s in structures if name in (None, s["name"])]
        try:
            if wanted:
                _take(path, wanted, name is not None, scene, ledger)
        except Refusal as refusal:
            if name is None:
                raise
            ledger.refusals[name] = refusal
    scene.record.details.setdefault("supplied_volume_mm3", {}).update(ledger.volumes)

    def region_of(structure: Structure, scene: Scene) -> Region:
        name = structure["name"]
        if name in ledger.refusals:
            raise ledger.refusals[name]
        if ledger.volumes.get(name, 0.0) == 0:
            raise Refusal("structure-empty", "the supplied labels hold no voxel of this structure")
        if name not in ledger.regions:
            raise Refusal(
                "structure-empty",
                f"the supplied labels hold {ledger.volumes[name]:.4g} mm3 of this structure, none of "
                "which lies in the scan or is large enough for its isotropic grid",
            )
        return apply(structure["segment"]["steps"], ledger.regions[name], scene)

    paint_each(structures, scene, region_of)


def _take(
    path: Path, wanted: list[Structure], is_for_one: bool, scene: Scene, ledger: Ledger
) -> None:
    """Enter into the ledger what a file, or a folder, holds of the wanted structures."""
    segments = _segments(path, scene)
    if segments is None:
        values = {s["name"]: 1 if is_for_one else s["segment"]["value"] for s in wanted}
        _find(_read_mask(path) if is_for_one else _read(path), values, scene, ledger)
        return
    from scanmill.segmentation.layers import layered
    from scanmill.segmentation.segment_masks import masks_of

    masks, refusals = masks_of(segments, wanted, is_for_one, scene)
    absent = [name for name, refusal in refusals.items() if refusal.code == "structure-empty"]
    ledger.volumes |= dict.fromkeys(absent, 0.0)
    for labels, values in layered(masks):
        try:
            _find(labels, values, scene, ledger)
        except Refusal as refusal:
            refusals |= dict.fromkeys(values, refusal)
    if masks and masks.keys() <= refusals.keys():
        raise refusals[next(iter(masks))]
    ledger.refusals |= refusals


def _segments(path: Path, scene: Scene) -> "Segments | None":
    """The segments of a DICOM object; None where the labels are a label map."""
    try:
        return read_segments(path, scene.scan or scene.grid)
    except Refusal as refusal:
        if refusal.code in OF_ONE_STRUCTURE:
            raise
        raise Refusal("labels-unreadable", f"the supplied labels: {refusal.reason}") from None


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


def _find(labels: Volume, wanted: dict[str, int], scene: Scene, ledger: Ledger) -> None:
    """Enter into the ledger what a label map holds of the wanted values, by structure."""
    number = int(labels.array.max(initial=0)) + 1
    counts = count_voxels(labels.array, number)
    held = {name: value for name, value in wanted.items() if value < number and counts[value] > 0}
    ledger.volumes |= dict.fromkeys(wanted, 0.0)
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
    regions = _brought(labels, scene.grid)
    for name, value in held.items():
        ledger.volumes[name] = float(counts[value] * labels.grid.voxel_volume)
        if value in regions:
            ledger.regions[name] = regions[value]


def _brought(labels: Volume, grid: Grid) -> dict[int, Region]:
    """The regions of a label map on another grid, of which only the part is touched that it fills."""
    if labels.grid.same_as(grid):
        return regions_of(labels.array)
    ends = np.array(list(product(*((-0.5, n - 0.5) for n in labels.grid.size))))
    index = grid.to_index(labels.grid.to_physical(ends))
    low = np.clip(np.floor(index.min(axis=0)), 0, np.asarray(grid.size) - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, low + 1, grid.size).astype(int)
    part = grid.crop(tuple(low.tolist()), tuple((high - low).tolist()))
    found = regions_of(resample_labels(labels, part))
    for region in found.values():
        region.box = tuple(
            slice(side.start + first, side.stop + first)
            for side, first in zip(region.box, low[::-1].tolist(), strict=True)
        )
    return found


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
