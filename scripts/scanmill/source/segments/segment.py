"""What a SEG or an RTSTRUCT says of one of its segments or ROIs, and the mask that comes of it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from pydicom.sr.coding import Code

from scanmill.grid import Grid
from scanmill.source.layout import Note

# Voxels of a box that one segment may span: above any scan's, below what a job's memory holds.
LARGEST_BOX = 2**30


@dataclass(frozen=True)
class Segment:
    """One segment or ROI. name: free text, which must not reach results. frame_of_reference: UID.

    code: its coded type. laterality: `left`, `right` or `both`. Each None where it is not stated.
    """

    name: str
    frame_of_reference: str | None
    code: Code | None = None
    laterality: str | None = None


@dataclass(frozen=True)
class Mask:
    """A segment's voxels: bool, [z, y, x], from voxel `start` (x, y, z) of a lattice on.

    Of the lattice, size is nothing: `start` may be negative, and the array may end beyond it.
    """

    lattice: Grid
    start: tuple[int, int, int]
    array: np.ndarray


class Segments(Protocol):
    """The segments of one DICOM object, found by their headers; masks are made when asked for."""

    listed: list[Segment]

    def mask(self, number: int) -> tuple[Mask, list[Note]]:
        """The mask of the segment at that place in the list, and what to warn of.

        Raises Refusal where the segment cannot be trusted.
        """
        ...
