"""What a foreign header says about its voxels, in one form for every file format."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scanmill.grid import Grid, Size
from scanmill.refusal import Refusal

MAX_VOXELS = 2**31
MAX_SIDE = 2**15 - 1  # what the volume file can state

Note = tuple[str, str]  # (code, message) of a warning


@dataclass(frozen=True)
class Layout:
    """Where the voxels of a scan lie, in space and in bytes.

    path: the file that holds the voxels. dtype: as stored, byte order included. offset: bytes of
    the file before the voxels. deflated: as gzip or zlib. skip: bytes to pass over after inflating.
    slope, inter: measured value = stored value * slope + inter. notes: (code, message) pairs for
    `Record.warn`.
    """

    path: Path
    grid: Grid
    dtype: np.dtype
    offset: int
    deflated: bool = False
    skip: int = 0
    slope: float = 1.0
    inter: float = 0.0
    notes: tuple[Note, ...] = ()


@contextmanager
def parsing_header() -> Iterator[None]:
    """Turn whatever a parser raises over a header into a refusal that does not quote it."""
    try:
        yield
    except (Refusal, OSError, MemoryError):
        raise
    except Exception as error:
        raise Refusal(
            "header-invalid",
            "the header has a field that cannot be interpreted; save the scan again with a "
            "current tool",
        ) from error


@contextmanager
def permitted() -> Iterator[None]:
    """Turn a file or folder that may not be read into a refusal that does not name it."""
    try:
        yield
    except PermissionError as error:
        raise Refusal(
            "source-denied",
            "a file or folder may not be read by the user who runs ScanMill; the right to read all "
            "of the scan is needed",
        ) from error


def size_of(sizes: Sequence[int]) -> Size:
    """The (x, y, z) size of one volume, from the sizes of all axes that a header declares.

    Further axes of size 1 are dropped. Raises Refusal where the axes are not one volume in space.
    """
    sizes = [int(n) for n in sizes]
    if any(n < 0 for n in sizes):
        raise Refusal("header-invalid", "the header declares a negative image size")
    if any(n == 0 for n in sizes):
        raise Refusal("size-zero", "the header declares an image size of zero along an axis")
    if math.prod(sizes[3:]) > 1:
        raise Refusal(
            "is-4d",
            f"the image holds {math.prod(sizes[3:])} volumes; give one volume per case",
        )
    if len(sizes) < 3 or min(sizes[:3]) < 2:
        raise Refusal(
            "not-3d", "the image is a single slice; a volume of at least two slices is needed"
        )
    if math.prod(sizes) > MAX_VOXELS or max(sizes) > MAX_SIDE:
        raise Refusal(
            "data-oversized",
            f"the header declares {math.prod(sizes)} voxels; at most {MAX_VOXELS} are accepted, "
            f"and {MAX_SIDE} along an axis",
        )
    return sizes[0], sizes[1], sizes[2]
