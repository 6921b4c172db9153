"""The fields of a NIfTI header that say what its voxels are and where they lie.

Own code, held to nibabel's reading by the tests: importing nibabel takes 0.4 CPU seconds, as long as
decoding a large scan, in every job that reads a scan or a label map.
Format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and .../nifti2.h
"""

import numpy as np

from scanmill.refusal import Refusal

# Field: type and offset, as in the two formats' C headers.
NIFTI1 = {
    "sizeof_hdr": ("i4", 0),
    "dim": ("8i2", 40),
    "intent_code": ("i2", 68),
    "datatype": ("i2", 70),
    "bitpix": ("i2", 72),
    "pixdim": ("8f4", 76),
    "vox_offset": ("f4", 108),
    "scl_slope": ("f4", 112),
    "scl_inter": ("f4", 116),
    "xyzt_units": ("u1", 123),
    "qform_code": ("i2", 252),
    "sform_code": ("i2", 254),
    "quatern": ("3f4", 256),
    "qoffset": ("3f4", 268),
    "srow": ("(3,4)f4", 280),
}
NIFTI2 = {
    "sizeof_hdr": ("i4", 0),
    "datatype": ("i2", 12),
    "bitpix": ("i2", 14),
    "dim": ("8i8", 16),
    "pixdim": ("8f8", 104),
    "vox_offset": ("i8", 168),
    "scl_slope": ("f8", 176),
    "scl_inter": ("f8", 184),
    "qform_code": ("i4", 344),
    "sform_code": ("i4", 348),
    "quatern": ("3f8", 352),
    "qoffset": ("3f8", 376),
    "srow": ("(3,4)f8", 400),
    "xyzt_units": ("i4", 500),
    "intent_code": ("i4", 504),
}
LONGEST = 540
FIELDS = {348: NIFTI1, LONGEST: NIFTI2}
# How far above and below unit length rounding can take a quaternion, in epsilons of its numbers.
LONGER, SHORTER = 16, 3

Header = np.void  # a record of the fields above


def parse(raw: bytes) -> tuple[Header, str]:
    """The header that a file begins with, and its byte order, `<` or `>`.

    Raises Refusal `header-invalid` where there is none, `data-truncated` where it is not all there.
    """
    for order in "<>":
        length = int(np.frombuffer(raw[:4], f"{order}i4")[0])
        if length in FIELDS:
            if len(raw) < length:
                raise Refusal("data-truncated", "the file ends within its header")
            formats, offsets = zip(*FIELDS[length].values(), strict=True)
            layout = {"names": [*FIELDS[length]], "formats": formats, "offsets": offsets}
            dtype = np.dtype(layout | {"itemsize": length}).newbyteorder(order)
            return np.frombuffer(raw[:length], dtype)[0], order
    raise Refusal("header-invalid", "the header does not begin with its own length")


def spatial_unit(header: Header) -> int:
    """The code of the unit of lengths, that of time taken off."""
    return int(header["xyzt_units"]) % 8


def sform(header: Header) -> np.ndarray | None:
    """4x4, from voxel indices to RAS in the header's unit, by method 3; None where it is not set."""
    if int(header["sform_code"]) == 0:
        return None
    return np.vstack([header["srow"].astype(float), (0, 0, 0, 1)])


def qform(header: Header) -> np.ndarray | None:
    """4x4, from voxel indices to RAS in the header's unit, by method 2; None where it is not set.

    Raises Refusal `geometry-invalid` where its quaternion is no rotation.
    """
    if int(header["qform_code"]) <= 0:
        return None
    b, c, d = (float(x) for x in header["quatern"])
    left = 1 - (b * b + c * c + d * d)
    epsilon = np.finfo(header["quatern"].dtype).eps
    if -LONGER * epsilon < left < SHORTER * epsilon:
        left = 0.0
    if not left >= 0:
        raise Refusal("geometry-invalid", "the qform's quaternion is no rotation")
    handedness = float(header["pixdim"][0]) or 1.0  # 0 is 1, as the format says
    if handedness not in (-1, 1):
        raise Refusal("header-invalid", "pixdim[0], the sign of the qform's z axis, is not 1 or -1")
    affine = np.eye(4)
    affine[:3, :3] = _rotation(np.sqrt(left), b, c, d) * header["pixdim"][1:4].astype(float)
    affine[:3, 2] *= handedness
    affine[:3, 3] = header["qoffset"]
    return affine


def _rotation(a: float, b: float, c: float, d: float) -> np.ndarray:
    """The rotation of a quaternion whose length is one but for rounding."""
    s = 2 / (a * a + b * b + c * c + d * d)
    return np.array(
        [
            [1 - s * (c * c + d * d), s * (b * c - a * d), s * (b * d + a * c)],
            [s * (b * c + a * d), 1 - s * (b * b + d * d), s * (c * d - a * b)],
            [s * (b * d - a * c), s * (c * d + a * b), 1 - s * (b * b + c * c)],
        ]
    )
