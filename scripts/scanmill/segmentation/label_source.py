"""The user's label files as they are: label maps, masks of one structure, and DICOM objects."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scanmill.grid import Grid
from scanmill.label_map import count_voxels
from scanmill.refusal import Refusal
from scanmill.segmentation import OF_ONE_STRUCTURE
from scanmill.source import read_source
from scanmill.source.segments import read_segments
from scanmill.volume_file import Volume

if TYPE_CHECKING:
    from scanmill.source.segments.segment import Segments

LARGEST_VALUE = 65535


def segments_in(path: Path, scan: Grid) -> "Segments | None":
    """The segments of a DICOM object; None where the labels are a label map.

    scan: the grid of the scan's slices as acquired. Raises Refusal.
    """
    try:
        return read_segments(path, scan)
    except Refusal as refusal:
        if refusal.code in OF_ONE_STRUCTURE:
            raise
        raise Refusal("labels-unreadable", f"the supplied labels: {refusal.reason}") from None


def read_labels(path: Path) -> Volume:
    """A label map with unsigned values. Warnings about its place are the scan's to give.

    Raises Refusal `labels-unreadable`.
    """
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


def read_mask(path: Path) -> Volume:
    """A mask of one structure: 1 where it is. Raises Refusal where it is a map of several."""
    labels = read_labels(path)
    held = np.flatnonzero(count_voxels(labels.array, int(labels.array.max(initial=0)) + 1))
    several = held[held > 0]
    if len(several) > 1:
        raise Refusal(
            "labels-unreadable",
            f"the mask of this structure holds {len(several)} values, from {several[0]} to "
            f"{several[-1]}; a mask has one, and a map of several goes into the sheet without a name",
        )
    return Volume((labels.array > 0).astype(np.uint8), labels.grid)
