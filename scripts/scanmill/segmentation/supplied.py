"""Structures from the user's own labels: a label map of any grid, or one mask file a structure.

Either may be a DICOM SEG or RTSTRUCT; then segments are found by name or code, not by value.
"""

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np

from scanmill.grid import Grid
from scanmill.label_extent import overlap
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import Region, count_voxels, regions_of
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, Structure
from scanmill.segmentation.label_source import read_labels, read_mask, segments_in
from scanmill.segmentation.painting import paint_each
from scanmill.segmentation.steps import apply
from scanmill.volume_file import Volume


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
    segments = segments_in(path, scene.scan or scene.grid)
    if segments is None:
        values = {s["name"]: 1 if is_for_one else s["segment"]["value"] for s in wanted}
        _find(read_mask(path) if is_for_one else read_labels(path), values, scene, ledger)
        return
    from scanmill.segmentation.layers import layered
    from scanmill.segmentation.segment_masks import masks_of

    masks, refusals = masks_of(segments, wanted, is_for_one, scene.frame_of_reference, scene.record)
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


def _find(labels: Volume, wanted: dict[str, int], scene: Scene, ledger: Ledger) -> None:
    """Enter into the ledger what a label map holds of the wanted values, by structure."""
    number = int(labels.array.max(initial=0)) + 1
    counts = count_voxels(labels.array, number)
    held = {name: value for name, value in wanted.items() if value < number and counts[value] > 0}
    ledger.volumes |= dict.fromkeys(wanted, 0.0)
    if not held:
        return
    if not overlap(labels.grid, scene.grid):
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
