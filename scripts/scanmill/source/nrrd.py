"""NRRD files, attached (.nrrd) or detached (.nhdr), raw or gzip.

The header is parsed here and not by a library, because what it declares has to be checked against
the bytes that are there before anything is allocated or decoded.
Format: https://teem.sourceforge.net/nrrd/format.html
"""

import re
from pathlib import Path

import numpy as np

from scanmill.grid import Grid, Size
from scanmill.refusal import Refusal
from scanmill.source.detached import beside, voxels_at_end
from scanmill.source.geometry import MILLIMETRES, assumed, grid_of
from scanmill.source.layout import Layout, Note, parsing_header, size_of

LONGEST_HEADER = 1 << 20
PIECE = 1 << 13
END = re.compile(rb"\r?\n\r?\n")
DTYPES = {
    name: dtype
    for dtype, names in {
        "i1": "signed char, int8, int8_t",
        "u1": "uchar, unsigned char, uint8, uint8_t",
        "i2": "short, short int, signed short, signed short int, int16, int16_t",
        "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
        "i4": "int, signed int, int32, int32_t",
        "u4": "uint, unsigned int, uint32, uint32_t",
        "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, "
        "int64_t",
        "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
        "f4": "float",
        "f8": "double",
    }.items()
    for name in names.split(", ")
}
DEFLATED = {"raw": False, "gzip": True, "gz": True}
LPS_FROM = {
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
    "las": (1.0, -1.0, 1.0),
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
}
SEVERAL = ("list", "time", "none", "???", "domain", "space", "stub", "scalar")

Fields = dict[str, str]


def nrrd_layout(path: Path) -> Layout:
    """What an NRRD file declares. Raises Refusal where that is not one volume in space."""
    raw = _head(path)
    with parsing_header():
        fields, end = _fields(raw)
        dtype = _dtype(fields)
        size = _size(fields)
        grid, notes = _grid(fields, size)
        deflated = _deflated(fields)
        if "data file" in fields:
            path, end = beside(path, fields["data file"]), 0
        elif end == 0:
            raise Refusal("data-truncated", "the file ends within its header")
        skipped = _skipped(fields, path, size, dtype, deflated)
    return Layout(
        path=path,
        grid=grid,
        dtype=dtype,
        offset=end if deflated else end + skipped,
        deflated=deflated,
        skip=skipped if deflated else 0,
        notes=tuple(notes),
    )


def _head(path: Path) -> bytes:
    """The file's header, and little more: planning reads those of a whole cohort."""
    raw = b""
    with open(path, "rb") as stream:
        while len(raw) < LONGEST_HEADER and not END.search(raw) and (piece := stream.read(PIECE)):
            raw += piece
    return raw


def _fields(raw: bytes) -> tuple[Fields, int]:
    """The fields by lower-case name, and where attached voxels begin (0: nowhere)."""
    blank = END.search(raw)
    text = raw[: blank.start()] if blank else raw
    fields: Fields = {}
    for line in text.decode("utf-8", errors="replace").split("\n")[1:]:
        if not line.strip() or line.startswith("#") or re.match(r"[^:]*:=", line):
            continue
        name, colon, value = line.partition(": ")
        name = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip"}.get(
            name.lower(), name.lower()
        )
        if not colon or name in fields:
            raise Refusal("header-invalid", "the NRRD header has a malformed or repeated field")
        fields[name] = value.strip()
    return fields, blank.end() if blank else 0


def _dtype(fields: Fields) -> np.dtype:
    name = " ".join(_needed(fields, "type").lower().split())
    if name not in DTYPES:
        raise Refusal(
            "type-unsupported",
            "the NRRD type is not an integer of 8 to 64 bits or a float of 32 or 64 bits",
        )
    dtype = np.dtype(DTYPES[name])
    if dtype.itemsize == 1:
        return dtype
    order = {"little": "<", "big": ">"}.get(_needed(fields, "endian").lower())
    if order is None:
        raise Refusal("header-invalid", "the NRRD header's endian is neither little nor big")
    return dtype.newbyteorder(order)


def _size(fields: Fields) -> Size:
    sizes = [int(n) for n in _needed(fields, "sizes").split()]
    kinds = fields.get("kinds", "domain " * len(sizes)).lower().split()
    # An axis of direction "none" does not run through space.
    axes = re.findall(r"none|\([^)]*\)", fields.get("space directions", "()" * len(sizes)).lower())
    if {len(sizes), len(kinds), len(axes)} != {int(_needed(fields, "dimension"))}:
        raise Refusal("header-invalid", "the NRRD header's fields disagree on its dimensions")
    if any(n > 1 and kind not in SEVERAL for n, kind in zip(sizes, kinds, strict=True)):
        raise Refusal(
            "is-colour",
            "each voxel holds several components; one intensity or label per voxel is needed",
        )
    spatial = [n for n, axis in zip(sizes, axes, strict=True) if axis != "none"]
    others = [n for n, axis in zip(sizes, axes, strict=True) if axis == "none"]
    return size_of([*spatial, *[1] * (3 - len(spatial)), *others])


def _grid(fields: Fields, size: Size) -> tuple[Grid, list[Note]]:
    if "space directions" not in fields:
        return _unplaced(fields, size)
    space = fields.get("space", "").lower()
    if space not in LPS_FROM:
        raise Refusal(
            "geometry-missing",
            "the NRRD header's space is not one of RAS, LAS and LPS, so its axes cannot be placed",
        )
    unit = _unit(fields)
    vectors = re.findall(r"\([^)]*\)", fields["space directions"])
    columns = np.array([_vector(v) for v in vectors[:3]]).T
    to_lps = np.array(LPS_FROM[space])
    notes = []
    if "space origin" in fields:
        origin = np.array(_vector(fields["space origin"]))
    else:
        origin = np.zeros(3)
        notes = [assumed("space origin", "the first voxel is taken to lie at 0, 0, 0")]
    return grid_of(size, to_lps[:, None] * columns * unit, to_lps * origin * unit), notes


def _unplaced(fields: Fields, size: Size) -> tuple[Grid, list[Note]]:
    if "spacings" not in fields:
        raise Refusal(
            "geometry-missing",
            "the NRRD header gives neither space directions nor spacings; one is needed",
        )
    spacing = np.array([float(x) for x in fields["spacings"].split()[:3]])
    grid = grid_of(size, np.diag(spacing), np.zeros(3))
    return grid, [
        assumed(
            "space directions",
            "x is taken to run to the left, y to the back, z upwards, from the origin, in mm",
        )
    ]


def _unit(fields: Fields) -> float:
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", '"mm"'))) - {"", "???"}
    if len(units) > 1 or not units <= MILLIMETRES.keys():
        raise Refusal("geometry-invalid", "the NRRD header's space units are not one known length")
    return MILLIMETRES[units.pop()] if units else 1.0


def _vector(text: str) -> list[float]:
    numbers = [float(x) for x in text.strip("() ").split(",")]
    if len(numbers) != 3:
        raise Refusal("geometry-invalid", "the NRRD header's vectors are not three numbers each")
    return numbers


def _deflated(fields: Fields) -> bool:
    deflated = DEFLATED.get(_needed(fields, "encoding").lower())
    if deflated is None or int(fields.get("line skip", "0")) != 0:
        raise Refusal(
            "format-unknown",
            "NRRD is read with encoding raw or gzip and without line skip; save it so",
        )
    return deflated


def _skipped(fields: Fields, path: Path, size: Size, dtype: np.dtype, deflated: bool) -> int:
    """Bytes to pass over before the voxels; -1 in the header means that they end the file."""
    skip = int(fields.get("byte skip", "0"))
    if skip == -1 and not deflated and "data file" in fields:
        return voxels_at_end(path, size, dtype)
    if skip < 0:
        raise Refusal("header-invalid", "the NRRD header's byte skip is impossible")
    return skip


def _needed(fields: Fields, name: str) -> str:
    if name not in fields:
        raise Refusal("header-invalid", f"the NRRD header lacks its field '{name}'")
    return fields[name]
