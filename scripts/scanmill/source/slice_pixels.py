"""The pixels of single-frame DICOM slices, uncompressed or run-length encoded."""

import math
from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread

from scanmill.refusal import Refusal
from scanmill.source.voxels import Gathered

RUN_LENGTH = "1.2.840.10008.1.2.5"
READ = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", RUN_LENGTH}
PACK_BITS_RATIO = 64  # the most that DICOM's run-length encoding can shrink: PS3.5, annex G


def read_slice(path: Path, **how: Any) -> Dataset:
    """The data set of a DICOM file, `how` as in `pydicom.dcmread`.

    Mapped, since of a file pydicom reads as much as a damaged length asks for, and allocates that,
    up to 4 GiB; a map gives what is there.
    """
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        return dcmread(mapped, **how)


def check_pixels(header: Dataset) -> None:
    """Refuse, by the header alone, pixels that are not one integer intensity each."""
    if str(header.file_meta.TransferSyntaxUID) not in READ:
        raise Refusal(
            "dicom-unsupported",
            "the pixels are compressed in a way that is not read; decompress the series (without "
            "loss) or convert it to NIfTI",
        )
    if header.PhotometricInterpretation != "MONOCHROME2":
        raise Refusal(
            "dicom-unsupported", "the pixels are inverted or of a palette; MONOCHROME2 is needed"
        )
    allocated, stored = header.BitsAllocated, header.BitsStored
    if allocated not in (8, 16) or header.PixelRepresentation not in (0, 1):
        raise Refusal("type-unsupported", "the pixels are not integers of 8 or 16 bits")
    if not 1 <= stored <= allocated or header.HighBit != stored - 1:
        raise Refusal(
            "header-invalid", "the bits of a pixel are not where the header can have them"
        )


def read_slices(paths: Sequence[Path], headers: Sequence[Dataset]) -> np.ndarray:
    """The slices at `paths`, [z, y, x] in that order, in measured values, one slice in memory."""
    rows, columns = int(headers[0].Rows), int(headers[0].Columns)
    scalings = [_scaling(header) for header in headers]
    stored = np.dtype(f"{'iu'[headers[0].PixelRepresentation == 0]}{headers[0].BitsAllocated // 8}")
    gathered = Gathered(rows * columns * len(paths), stored, scalings)
    for path, (slope, inter) in zip(paths, scalings, strict=True):
        gathered.add(_pixels(path).ravel(), slope, inter)
    return gathered.array((len(paths), rows, columns))


def _scaling(header: Dataset) -> tuple[float, float]:
    slope, inter = header.get("RescaleSlope"), header.get("RescaleIntercept")
    return (1.0, 0.0) if slope is None else (float(slope), float(inter))


def _pixels(path: Path) -> np.ndarray:
    try:
        image = read_slice(path)
        _check_room(image)
        pixels = image.pixel_array
    except (Refusal, OSError, MemoryError):
        raise
    except Exception as error:
        raise Refusal(
            "data-corrupt", "the pixels of a slice cannot be decoded; export the series again"
        ) from error
    # Bits above those stored may hold anything: shift them out, and the sign back in.
    spare = image.BitsAllocated - image.BitsStored
    return (pixels << spare) >> spare


def _check_room(image: Dataset) -> None:
    """Refuse, before anything is allocated, pixel data too short to hold the declared slice."""
    ratio = PACK_BITS_RATIO if image.file_meta.TransferSyntaxUID == RUN_LENGTH else 1
    declared = math.prod((image.Rows, image.Columns, image.BitsAllocated // 8))
    if len(image.get("PixelData") or b"") * ratio < declared:
        raise Refusal(
            "data-truncated", "a slice holds fewer pixels than it declares; export the series again"
        )
