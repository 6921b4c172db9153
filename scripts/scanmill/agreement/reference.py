"""What the user's reference holds of each structure, as it was drawn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scanmill.agreement.comparison import mask_of
from scanmill.grid import Grid
from scanmill.label_extent import overlap
from scanmill.label_map import regions_of
from scanmill.refusal import Refusal
from scanmill.segmentation import Structure
from scanmill.segmentation.label_source import read_labels, read_mask, segments_in
from scanmill.source.segments.segment import Mask
from scanmill.stage import Record


@dataclass(frozen=True)
class Drawn:
    """A structure in the reference. mask: None where it has no voxel.

    whole: whether it is there with what others cover of it, which a map of several cannot show. ends:
    where the reference ends; None where that is not known: a DICOM object holds what was drawn.
    """

    mask: Mask | None
    whole: bool = True
    ends: Grid | None = None

    def volume(self) -> float:
        """Of its voxels, mm3."""
        if self.mask is None:
            return 0.0
        return float(np.count_nonzero(self.mask.array) * self.mask.lattice.voxel_volume)


def read_reference(
    files: list[tuple[str | None, Path]],
    structures: list[Structure],
    scan: Grid,
    frame: dict[str, str] | None,
    record: Record,
) -> tuple[dict[str, Drawn], dict[str, Refusal]]:
    """What the files hold of the structures, by name, and why some cannot be compared.

    files: each with the structure that it is the mask of, or None for a map of several. structures:
    name, and segment with value and named. scan: the grid of its slices as acquired; frame: its frame
    of reference, sealed. Warnings go to the record. Raises Refusal where a map of several cannot be
    read, or lies elsewhere.
    """
    drawn: dict[str, Drawn] = {}
    refusals: dict[str, Refusal] = {}
    for name, path in files:
        wanted = [s for s in structures if name in (None, s["name"])]
        try:
            found, refused = _read(path, wanted, name is not None, scan, frame, record)
        except Refusal as refusal:
            if name is None:
                raise
            refusals[name] = refusal
        else:
            drawn |= found
            refusals |= refused
    return drawn, refusals


def _read(
    path: Path,
    wanted: list[Structure],
    is_for_one: bool,
    scan: Grid,
    frame: dict[str, str] | None,
    record: Record,
) -> tuple[dict[str, Drawn], dict[str, Refusal]]:
    segments = segments_in(path, scan)
    if segments is None:
        values = {s["name"]: 1 if is_for_one else s["segment"]["value"] for s in wanted}
        return _in_map(path, values, is_for_one, scan), {}
    from scanmill.segmentation.segment_masks import masks_of

    masks, refusals = masks_of(segments, wanted, is_for_one, frame, record)
    found = {name: Drawn(mask if mask.array.any() else None) for name, mask in masks.items()}
    absent = [name for name, refusal in refusals.items() if refusal.code == "structure-empty"]
    found |= dict.fromkeys(absent, Drawn(None))
    return found, {name: why for name, why in refusals.items() if name not in absent}


def _in_map(path: Path, values: dict[str, int], is_for_one: bool, scan: Grid) -> dict[str, Drawn]:
    labels = read_mask(path) if is_for_one else read_labels(path)
    if not overlap(labels.grid, scan):
        raise Refusal(
            "labels-elsewhere", "the reference and the scan do not overlap in physical space"
        )
    regions = regions_of(labels.array)
    masks = {
        name: mask_of(region, labels.grid)
        for name, value in values.items()
        if (region := regions.get(value))
    }
    return {name: Drawn(masks.get(name), is_for_one, labels.grid) for name in values}
