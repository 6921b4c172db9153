"""MetaImage files: .mha, and .mhd with its file of voxels, raw or zlib.

The header is parsed here and not by a library, because what it declares has to be checked against
the bytes that are there before anything is allocated or decoded. Physical space is LPS, as in ITK.
Format: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

import re
from pathlib import Path

import numpy as np

from scanmill.grid import Grid, Size
from scanmill.refusal import Refusal
from scanmill.source.detached import beside, voxels_at_end
from scanmill.source.geometry import MILLIMETRES, assumed, grid_of
from scanmill.source.layout import Layout, Note, parsing_header, size_of

LONGEST_HEADER = 1 << 16
DTYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}

Fields = dict[str, str]


def metaimage_layout(path: Path) -> Layout:
    """What a MetaImage declares. Raises Refusal where that is not one volume in space."""
    with open(path, "rb") as stream:
        raw = stream.read(LONGEST_HEADER)
    with parsing_header():
        fields, end = _fields(raw)
        dtype = _dtype(fields)
        size = _size(fields)
        grid, notes = _grid(fields, size)
        packed = _truth(fields, "CompressedData", default=False)
        skip = int(fields.get("HeaderSize", "0"))
        if fields["ElementDataFile"] == "LOCAL":
            offset = end if skip == 0 else -1
        else:
            path = _voxel_file(path, fields["ElementDataFile"])
            offset = voxels_at_end(path, size, dtype) if skip == -1 and not packed else skip
        if offset < 0:
            raise Refusal("header-invalid", "the MetaImage's HeaderSize is impossible")
    return Layout(path, grid, dtype, offset, packed, notes=tuple(notes))


def _fields(raw: bytes) -> tuple[Fields, int]:
    """The fields by name, and where the voxels of a local file begin."""
    last = re.search(rb"^ElementDataFile\s*=[^\r\n]*\r?\n?", raw, re.MULTILINE)
    if not last:
        raise Refusal(
            "header-invalid", "the MetaImage header lacks its last field, ElementDataFile"
        )
    fields: Fields = {}
    for line in raw[: last.end()].decode("utf-8", errors="replace").split("\n"):
        name, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals or name.strip() in fields:
            raise Refusal(
                "header-invalid", "the MetaImage header has a malformed or repeated field"
            )
        fields[name.strip()] = value.strip()
    return fields, last.end()


def _dtype(fields: Fields) -> np.dtype:
    name = fields.get("ElementType", "")
    if int(fields.get("ElementNumberOfChannels", "1")) != 1 or name.endswith("_ARRAY"):
        raise Refusal(
            "is-colour",
            "each voxel holds several components; one intensity or label per voxel is needed",
        )
    if name not in DTYPES:
        raise Refusal(
            "type-unsupported",
            "the MetaImage's ElementType is not of a size that is the same on every machine; use "
            "integers of 8 to 64 bits (MET_LONG_LONG for 64) or floats",
        )
    if not _truth(fields, "BinaryData", default=True):
        raise Refusal("format-unknown", "MetaImage is read with binary voxels only; save it so")
    dtype = np.dtype(DTYPES[name])
    orders = {
        _truth(fields, key)
        for key in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
        if key in fields
    }
    if dtype.itemsize == 1:
        return dtype
    if len(orders) != 1:
        raise Refusal("header-invalid", "the MetaImage header does not state one byte order")
    return dtype.newbyteorder(">" if orders.pop() else "<")


def _size(fields: Fields) -> Size:
    sizes = [int(n) for n in fields["DimSize"].split()]
    if len(sizes) != int(fields["NDims"]):
        raise Refusal("header-invalid", "the MetaImage header's fields disagree on its dimensions")
    return size_of(sizes)


def _grid(fields: Fields, size: Size) -> tuple[Grid, list[Note]]:
    count = int(fields["NDims"])
    notes = []
    spacing = _numbers(fields, ("ElementSpacing", "ElementSize"), count)
    if spacing is None:
        raise Refusal("geometry-missing", "the MetaImage header gives no ElementSpacing")
    axes = _numbers(fields, ("TransformMatrix", "Rotation", "Orientation"), count * count)
    if axes is None:
        axes = np.eye(count).ravel()
        taken = "x is taken to run to the left, y to the back, z upwards"
        notes.append(assumed("TransformMatrix", taken))
    origin = _numbers(fields, ("Offset", "Position", "Origin"), count)
    if origin is None:
        origin = np.zeros(count)
        notes.append(assumed("Offset", "the first voxel is taken to lie at 0, 0, 0"))
    # Row k of the matrix is the direction of axis k.
    columns = axes.reshape(count, count).T[:3, :3]
    if not np.allclose(np.linalg.norm(columns, axis=0), 1, atol=1e-3):
        raise Refusal("geometry-invalid", "the MetaImage's directions are not of length 1")
    unit = MILLIMETRES[fields.get("DistanceUnits", "mm")]
    millimetres = tuple(float(f"{x * unit:.12g}") for x in spacing[:3])
    return grid_of(size, columns * millimetres, origin[:3] * unit, millimetres), notes


def _voxel_file(header: Path, name: str) -> Path:
    if name.split()[:1] == ["LIST"] or "%" in name:
        raise Refusal(
            "format-unknown", "MetaImages of one file per slice are not read; save them as one file"
        )
    return beside(header, name)


def _numbers(fields: Fields, names: tuple[str, ...], count: int) -> np.ndarray | None:
    for name in names:
        if name in fields:
            numbers = np.array([float(x) for x in fields[name].split()])
            if len(numbers) != count:
                raise Refusal(
                    "header-invalid", "the MetaImage header's fields disagree on its dimensions"
                )
            return numbers
    return None


def _truth(fields: Fields, name: str, default: bool | None = None) -> bool:
    return TRUTH[fields[name].lower()] if name in fields else TRUTH[str(default).lower()]
