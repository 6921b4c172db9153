"""Damage to DICOM files: bytes, lengths, types, attributes, fragments; the same in every run."""

import io
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

GEOMETRY = (
    "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "Rows", "Columns",
)  # fmt: skip
LIES: dict[str, tuple] = {
    "Rows": (0, 1, 5, 7, 12, 65535),
    "Columns": (0, 1, 7, 9, 16, 65535),
    "NumberOfFrames": ("0", "1", "3", "5", "2147483647", "-1"),
    "BitsAllocated": (0, 1, 8, 12, 32, 64),
    "BitsStored": (0, 1, 8, 11, 13, 17, 32),
    "HighBit": (0, 7, 10, 12, 15, 31),
    "PixelRepresentation": (2, 65535),
    "SamplesPerPixel": (0, 2, 3, 4),
    "PhotometricInterpretation": ("RGB", "PALETTE COLOR", "YBR_FULL", ""),
    "PixelSpacing": (
        ["0", "0"], ["1e-30", "1"], ["nan", "nan"], ["-0.9", "0.7"], ["0.7", "0.9"], ["0.9"],
        ["1e300", "1e300"], ["0.9", "0.7", "0.7"], ["0.95", "0.7"], [""],
    ),
    "ImagePositionPatient": (
        ["nan"] * 3, ["inf", "0", "0"], ["1e30", "0", "0"], ["1", "2"], [""], ["0", "0", "0"],
        ["-31.5", "12.25", "71"],
    ),
    "ImageOrientationPatient": (
        ["0"] * 6, ["nan"] * 6, ["1", "0", "0", "0", "1", "0"], ["1", "0", "0", "1", "0", "0"],
        ["1", "0", "0"], ["2", "0", "0", "0", "2", "0"], [""],
    ),
    "RescaleSlope": ("0", "nan", "inf", "1e400", "", "x"),
    "RescaleIntercept": ("nan", "-inf", "1e400", "", "x"),
    "SOPClassUID": ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.2.1", "1.2"),
    "PatientID": ("another", ""),
    "FrameOfReferenceUID": ("1.2.3.4", ""),
    "EchoTime": ("5", "nan", ""),
    "ImageType": (["ORIGINAL", "PRIMARY", "MOSAIC"], ["DERIVED"], []),
    "TemporalPositionIdentifier": (1, 2),
    "PixelPaddingValue": (0, 1100),
    "SpacingBetweenSlices": ("nan", "0", "1e300"),
}  # fmt: skip
UNDEFINED = 0xFFFFFFFF
DEFLATED = b"1.2.840.10008.1.2.1.99"


@dataclass(frozen=True)
class Damage:
    """A file's bytes after damage, and what it did. touches: the attribute, or 'pixels', or ''."""

    raw: bytes
    how: str
    touches: str


@dataclass(frozen=True)
class Layout:
    """Where the values of a file's top-level elements lie: keyword, first and last byte + 1."""

    values: list[tuple[str, int, int]]

    def at(self, place: int) -> str:
        """The attribute whose value, or whose element, a byte is of."""
        for keyword, start, end in self.values:
            if place < end:
                return keyword if place >= start else f"header of {keyword}"
        return "pixels"


def layout_of(raw: bytes) -> Layout:
    """The layout of a file; a deflated data set is one element."""
    start = 144 + int.from_bytes(raw[140:144], "little")
    if DEFLATED in raw[:start]:
        return Layout([("deflated", start, len(raw))])
    image = dcmread(io.BytesIO(raw), defer_size=None)
    values = []
    for tag in sorted(image.keys()):
        element = image.get_item(tag)
        length = getattr(element, "length", None)
        start = getattr(element, "value_tell", None) or getattr(element, "file_tell", None)
        if start is None:
            continue
        pixels = element.tag == 0x7FE00010
        end = len(raw) if pixels or length in (None, UNDEFINED) else start + length
        values.append(("pixels" if pixels else _keyword(element.tag), start, end))
    # A sequence of undefined length ends where the next element's header begins.
    ends = [start - 8 for _, start, _ in values[1:]] + [len(raw)]
    return Layout([(k, a, min(b, e)) for (k, a, b), e in zip(values, ends, strict=True)])


def _keyword(tag: int) -> str:
    return keyword_for_tag(tag) or "private"


def flipped(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """One flipped bit in the header, or anywhere."""
    end = layout.values[-1][1] if draw.random() < 0.8 else len(raw)
    place = draw.randrange(132, end)
    return _with(raw, place, bytes([raw[place] ^ 1 << draw.randrange(8)]), "flip", layout)


def replaced(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """One byte of a value of the geometry, or of any attribute, is another digit or byte."""
    wanted = [v for v in layout.values if v[0] in GEOMETRY] or layout.values
    keyword, start, end = draw.choice(wanted if draw.random() < 0.5 else layout.values)
    if start == end:
        return flipped(raw, layout, draw)
    place = draw.randrange(start, end)
    value = draw.choice(b"0123456789-.\\e \0\xff")
    return Damage(_patched(raw, place, bytes([value])), f"byte of {keyword}", keyword)


def cut(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """The file ends early."""
    place = draw.randrange(0, len(raw)) if draw.random() < 0.5 else len(raw) - draw.randrange(1, 40)
    return Damage(raw[:place], f"cut to {place}", "cut")


def length_of_another(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """The length field of an element lies."""
    keyword, start, _ = draw.choice(layout.values)
    wide = draw.random() < 0.5
    lies = (
        (0, 1, 2, 8, 0x7FFF, 0xFFFE) if not wide else (0, 2, 0x7FFFFFFF, UNDEFINED - 1, UNDEFINED)
    )
    lie = struct.pack("<I" if wide else "<H", draw.choice(lies))
    return Damage(
        _patched(raw, start - len(lie), lie), f"length of {keyword}", f"header of {keyword}"
    )


def retyped(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """The value representation of an element is another."""
    keyword, start, _ = draw.choice(layout.values)
    vr = draw.choice((b"DS", b"US", b"SS", b"SQ", b"UN", b"OB", b"UI", b"FD", b"IS", b"??"))
    back = 4 if raw[start - 4 : start - 2].isalpha() else 8
    return Damage(_patched(raw, start - back, vr), f"type of {keyword}", f"header of {keyword}")


def spliced(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """Bytes left out, twice, or put in."""
    place, size = draw.randrange(132, len(raw)), draw.choice((1, 2, 8, 50))
    part = draw.choice((b"", raw[place : place + size] * 2, draw.randbytes(size)))
    # What begins in a header may end in the pixels.
    touched = layout.at(place + size)
    touched = touched if touched in ("pixels", "deflated") else f"header of {touched}"
    return Damage(raw[:place] + part + raw[place + size :], f"splice at {place}", touched)


def edited(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """An attribute lies: at the top, or in a functional group."""
    image = dcmread(io.BytesIO(raw))
    keyword = draw.choice(list(LIES))
    holder = draw.choice([item for item in _items(image) if keyword in item] or [image])
    value = draw.choice(LIES[keyword])
    return Damage(
        _saved(image, lambda: _lie(holder, keyword, value)), f"{keyword}={value}", keyword
    )


def deleted(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """An attribute is not there: at the top, or in a functional group."""
    image = dcmread(io.BytesIO(raw))
    holder = draw.choice(list(_items(image)))
    elements = [element for element in holder if element.keyword] or list(image)
    holder = holder if elements[0].tag in holder else image
    element = draw.choice(elements)
    touches = "pixels" if element.keyword == "PixelData" else f"without {element.keyword}"
    return Damage(_saved(image, lambda: holder.__delitem__(element.tag)), touches, touches)


def fragments(raw: bytes, layout: Layout, draw: random.Random) -> Damage:
    """Items of the pixel data, their lengths and offsets, or the code stream's markers lie."""
    start = layout.values[-1][1]
    items = [k for k in range(start, len(raw) - 8) if raw[k : k + 4] == b"\xfe\xff\x00\xe0"]
    place = draw.choice(items) + draw.randrange(0, 90) if items else draw.randrange(start, len(raw))
    place = min(place, len(raw) - 4)
    lie = draw.choice(
        (b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\xfe", b"\x01", b"\xff")
    )
    return Damage(_patched(raw, place, lie), f"fragment byte {place - start}", layout.at(start))


def _items(image: Dataset) -> list[Dataset]:
    found = [image]
    for element in image:
        if element.VR == "SQ":
            found += [nested for item in element.value for nested in _items(item)]
    return found


def _lie(holder: Dataset, keyword: str, value: object) -> None:
    # Past pydicom's own checks, which would not let most lies be written.
    tag, vr = Tag(tag_for_keyword(keyword)), dictionary_VR(keyword).split(" ")[0]
    if vr == "US":
        text = struct.pack("<H", value)
    else:
        text = "\\".join(value if isinstance(value, list) else [str(value)]).encode()
        text += b" " * (len(text) % 2)
    holder[tag] = RawDataElement(tag, vr, len(text), text, 0, holder.is_implicit_VR or False, True)


def _saved(image: Dataset, change: Callable[[], None]) -> bytes:
    change()
    out = io.BytesIO()
    image.save_as(out, enforce_file_format=False)
    return out.getvalue()


def _patched(raw: bytes, place: int, patch: bytes) -> bytes:
    return raw[:place] + patch + raw[place + len(patch) :]


def _with(raw: bytes, place: int, patch: bytes, how: str, layout: Layout) -> Damage:
    touched = layout.at(place)
    return Damage(_patched(raw, place, patch), f"{how} at {place} in {touched}", touched)


BY_BYTES = (
    flipped,
    flipped,
    replaced,
    replaced,
    cut,
    length_of_another,
    retyped,
    spliced,
    fragments,
)
BY_ATTRIBUTE = (edited, edited, edited, deleted)
