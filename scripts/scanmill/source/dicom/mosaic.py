"""Siemens mosaics: the slices of one volume as tiles of one image.

The header's position is that of an image of the mosaic's size about the same centre; the slices'
direction is in a private header only (0029,1010). Where these are missing, or the private protocol
contradicts them, the mosaic is refused. Source: nibabel's description of the format,
https://nipy.org/nibabel/dicom/dicom_mosaic.html
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydicom import Dataset

from scanmill.refusal import Refusal
from scanmill.source.dicom.attributes import Values
from scanmill.source.dicom.headers import Header, whole_header

POSITION = re.compile(
    r"^sSliceArray\.asSlice\[(\d+)\]\.sPosition\.d(Sag|Cor|Tra)\s*=\s*(\S+)", re.M
)
AGREEMENT = 0.01  # mm between neighbouring slices, of the two statements of where slices lie


def is_mosaic(values: Values) -> bool:
    """Whether an image says to be a mosaic."""
    return "MOSAIC" in (values.get("ImageType") or ())


def tiles(header: Header) -> tuple[int, list[dict[str, Any]]]:
    """How many tiles a row of the mosaic has, and the attributes of each slice, in order of tiles.

    Raises Refusal where the number, the place or the order of the slices is not certain.
    """
    import nibabel.nicom.csareader as csa

    data, values = whole_header(header), header.values
    image = _private(data, 0x10)
    if image is None:
        raise _uncertain("its private header is missing")
    fields = csa.read(image)["tags"]
    count = int(_items(fields, "NumberOfImagesInMosaic", 1)[0])
    normal = np.array(_items(fields, "SliceNormalVector", 3), float)
    side = math.ceil(math.sqrt(count))
    rows, columns = values["Rows"], values["Columns"]
    step = values.get("SpacingBetweenSlices")
    if count < 2 or rows % side or columns % side or not step or not step > 0:
        raise _uncertain("its number of slices, their size or their spacing does not add up")
    row, column = np.reshape(values["ImageOrientationPatient"], (2, 3))
    between_rows, between_columns = values["PixelSpacing"]
    size = rows // side, columns // side
    if abs(abs(normal @ np.cross(row, column)) - 1) > 1e-3:
        raise _uncertain("the normal of its slices is not at right angles to them")
    first = (
        np.array(values["ImagePositionPatient"])
        + row * between_columns * (columns - size[1]) / 2
        + column * between_rows * (rows - size[0]) / 2
    )
    _check_protocol(csa, data, count, normal * step)
    return side, [
        {
            **values,
            "Rows": size[0],
            "Columns": size[1],
            "ImagePositionPatient": tuple(float(x) for x in first + k * step * normal),
        }
        for k in range(count)
    ]


def _check_protocol(csa: Any, data: Dataset, count: int, step: np.ndarray) -> None:
    """Refuse a mosaic whose protocol puts its slices in another order or at another distance."""
    series = _private(data, 0x20)
    if series is None:
        return
    fields = csa.read(series)["tags"]
    text = "".join(
        str(item)
        for name in ("MrPhoenixProtocol", "MrProtocol")
        for item in fields.get(name, {}).get("items", [])[:1]
    )
    places = np.zeros((count, 3))
    stated = set()
    for number, axis, value in POSITION.findall(text):
        if int(number) < count:
            places[int(number), ("Sag", "Cor", "Tra").index(axis)] = float(value)
            stated.add(int(number))
    # A position of exactly zero is not written: no line at all for at most one slice.
    if len(stated) < count - 1:
        return
    if np.abs(np.diff(places, axis=0) - step).max() > AGREEMENT:
        raise _uncertain("its protocol puts the slices elsewhere than its header does")


def _private(data: Dataset, element: int) -> bytes | None:
    try:
        value = data.private_block(0x0029, "SIEMENS CSA HEADER")[element].value
    except KeyError:
        return None
    return value if isinstance(value, bytes) else None


def _items(fields: Mapping[str, Any], name: str, count: int) -> list[Any]:
    items = fields.get(name, {}).get("items", [])
    if len(items) != count:
        raise _uncertain(f"its private header does not state {name}")
    return items


def _uncertain(why: str) -> Refusal:
    return Refusal(
        "dicom-unsupported",
        f"the image is a mosaic of several slices, and {why}; convert the series to NIfTI",
    )
