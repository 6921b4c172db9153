"""Read and write the volumes that pass between stages: NIfTI-1, gzip, geometry explicit.

Own code for the one dialect that ScanMill itself writes (foreign files go through `source`): the
libraries stamp the time into the gzip header, so that equal volumes get unequal bytes, and cost each of
a cohort's thousands of jobs their import.
Format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import deflate
import numpy as np
from isal import igzip

from scanmill.atomic import replacing
from scanmill.grid import Grid

HEADER = np.dtype(
    [
        ("sizeof_hdr", "<i4"),
        ("unused_1", "V35"),
        ("dim_info", "u1"),
        ("dim", "<i2", 8),
        ("intent_p", "<f4", 3),
        ("intent_code", "<i2"),
        ("datatype", "<i2"),
        ("bitpix", "<i2"),
        ("slice_start", "<i2"),
        ("pixdim", "<f4", 8),
        ("vox_offset", "<f4"),
        ("scl_slope", "<f4"),
        ("scl_inter", "<f4"),
        ("unused_2", "V3"),
        ("xyzt_units", "u1"),
        ("unused_3", "V24"),
        ("descrip", "S80"),
        ("aux_file", "S24"),
        ("qform_code", "<i2"),
        ("sform_code", "<i2"),
        ("quatern", "<f4", 3),
        ("qoffset", "<f4", 3),
        ("srow", "<f4", (3, 4)),
        ("intent_name", "S16"),
        ("magic", "S4"),
        ("extension", "V4"),
    ]
)
DATATYPES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768}
DTYPES = {code: np.dtype("<" + name) for name, code in DATATYPES.items()}
LPS_FROM_RAS = np.array([-1.0, -1.0, 1.0])
SCANNER_FRAME = 1
MILLIMETRES = 2
CHUNK = 1 << 20  # stays in the processor's cache
# Deflated, no name, no time, the fastest method, an unknown system.
GZIP_HEAD = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 255])
DEFLATE_LEVEL = 1


@dataclass
class Volume:
    """Voxels, [z, y, x], and where they lie.

    frame_of_reference: UID of the space that the grid's millimetres are in, where a DICOM source says
    it. It names an examination of the patient and is in no file that is written.
    """

    array: np.ndarray
    grid: Grid
    frame_of_reference: str = ""


def write_volume(path: Path, volume: Volume) -> None:
    """Write a volume as .nii.gz: equal volumes give equal bytes, and no half file is ever seen."""
    array = np.ascontiguousarray(volume.array)
    header = _header(array.dtype, volume.grid).tobytes()
    voxels = memoryview(array.astype(array.dtype.newbyteorder("<"), copy=False)).cast("B")
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        # One gzip member (RFC 1952): some readers stop after the first. The header is a stored block
        # (RFC 1951, 3.2.4), so that it and the voxels need not lie in one piece of memory.
        stream.write(GZIP_HEAD + struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF) + header)
        # libdeflate: its bytes depend on neither the processor, as isal's do, nor the system's zlib.
        stream.write(deflate.deflate_compress(voxels, DEFLATE_LEVEL))
        crc = deflate.crc32(voxels, deflate.crc32(header))
        stream.write(struct.pack("<II", crc, (len(header) + len(voxels)) % 2**32))


def read_volume(path: Path) -> Volume:
    """Read a volume that ScanMill wrote.

    Raises ValueError, EOFError, OSError or isal's IsalError on any other file.
    """
    with igzip.open(path, "rb") as stream:
        dtype, grid = _parse(stream.read(HEADER.itemsize), path)
        array = np.empty(grid.shape, dtype)
        target = memoryview(array).cast("B")
        filled = 0
        while filled < len(target):
            got = stream.readinto(target[filled : filled + CHUNK])
            if got == 0:
                raise EOFError(f"{path.name} ends after {filled} of {len(target)} bytes of voxels")
            filled += got
    return Volume(array, grid)


def read_grid(path: Path) -> Grid:
    """Read only where the voxels of a volume lie."""
    with igzip.open(path, "rb") as stream:
        return _parse(stream.read(HEADER.itemsize), path)[1]


def _header(dtype: np.dtype, grid: Grid) -> np.ndarray:
    header = np.zeros((), HEADER)
    header["sizeof_hdr"] = 348
    header["dim"] = (3, *grid.size, 1, 1, 1, 1)
    header["datatype"] = DATATYPES[dtype.str[1:]]
    header["bitpix"] = dtype.itemsize * 8
    header["vox_offset"] = HEADER.itemsize
    header["scl_slope"] = 1.0
    header["xyzt_units"] = MILLIMETRES
    header["magic"] = b"n+1"
    header["sform_code"] = SCANNER_FRAME
    ras = grid.axes * LPS_FROM_RAS[:, None]
    header["srow"] = np.column_stack([ras, LPS_FROM_RAS * grid.origin])
    header["qoffset"] = LPS_FROM_RAS * grid.origin
    rotation = ras / grid.spacing
    handedness = 1.0 if np.linalg.det(rotation) > 0 else -1.0
    rotation[:, 2] *= handedness
    header["quatern"] = _quaternion(rotation)
    # Near half a turn the format, which drops the quaternion's real part, is off by 5e-4.
    if np.abs(_rotation(header["quatern"].astype(float)) - rotation).max() < 1e-6:
        header["qform_code"] = SCANNER_FRAME
    header["pixdim"] = (handedness, *grid.spacing, 0, 0, 0, 0)
    return header


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """The (b, c, d) of a proper rotation as a unit quaternion with a >= 0."""
    # The eigenvector of the largest eigenvalue of this symmetric matrix (Bar-Itzhack 2000) is stable
    # at every angle, where the textbook division by `a` is not.
    r = rotation
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
            [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
            [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], 0],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
        ]
    )
    b, c, d, a = np.linalg.eigh(k / 3.0)[1][:, -1]
    return np.array([b, c, d]) * (1.0 if a >= 0 else -1.0)


def _rotation(quaternion: np.ndarray) -> np.ndarray:
    """The rotation that a reader makes of the (b, c, d) of a unit quaternion."""
    b, c, d = quaternion
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def _parse(raw: bytes, path: Path) -> tuple[np.dtype, Grid]:
    if len(raw) < HEADER.itemsize:
        raise EOFError(f"{path.name} ends within its header")
    header = np.frombuffer(raw, HEADER)[0]
    if (
        header["sizeof_hdr"] != 348
        or header["magic"] != b"n+1"
        or header["vox_offset"] != HEADER.itemsize
        or header["dim"][0] != 3
        or int(header["datatype"]) not in DTYPES
    ):
        raise ValueError(f"{path.name} is not a volume that ScanMill wrote")
    srow = header["srow"].astype(float) * LPS_FROM_RAS[:, None]
    # The shortest decimal that is this float32: 0.7 stays 0.7 through the file.
    spacing = tuple(float(str(x)) for x in header["pixdim"][1:4])
    origin = tuple(float(str(x)) for x in header["srow"][:, 3])
    origin = tuple(float(x) + 0.0 for x in LPS_FROM_RAS * origin)
    # float32 rows are orthonormal to 1e-7 only: the nearest rotation, so that lengths stay lengths.
    left, _, right = np.linalg.svd(srow[:, :3] / spacing)
    direction = tuple(float(x) + 0.0 for x in np.round(left @ right, 9).ravel())
    size = tuple(int(n) for n in header["dim"][1:4])
    return DTYPES[int(header["datatype"])], Grid(size, spacing, origin, direction)
