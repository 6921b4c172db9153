"""Headers of DICOM files, without their pixels.

Whatever is not plainly encoded (no preamble, an element out of order, an end within the header) goes to
pydicom.
"""

import io
import struct
from dataclasses import dataclass

from pydicom import DataElement, Dataset, dcmread
from pydicom.errors import InvalidDicomError

from scanmill.refusal import Refusal
from scanmill.source.dicom.attributes import WANTED, Values, plain, value_of
from scanmill.source.dicom.deflated import inflated
from scanmill.source.dicom.elements import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    FLOATS,
    IMPLICIT,
    PIXEL_DATA,
    UNDEFINED,
    NotPlainError,
    Pixels,
    explicit_element,
    file_meta,
    is_marked,
    walk,
)
from scanmill.source.dicom.files import File
from scanmill.source.layout import parsing_header


@dataclass(frozen=True, slots=True)
class Header:
    """What is read of a file before its pixels: the values of attributes, and where the pixels lie."""

    file: File
    syntax: str
    values: Values
    pixels: Pixels | None


def read_header(file: File) -> Header | None:
    """The header of a file; None where it is none of DICOM.

    Raises Refusal where a file that its name, or its beginning, says to be a slice cannot be read.
    """
    raw = file.read()
    marked = is_marked(raw)
    if not marked and bytes(raw[:2]) not in (b"\x08\0", b"\x02\0"):
        if file.claims:
            raise _no_slice(len(raw))
        return None
    with parsing_header():
        try:
            syntax, start = file_meta(raw)
            if syntax == DEFLATED:
                return Header(file, syntax, *walk(inflated(raw, start), 0, EXPLICIT))
            return Header(file, syntax, *walk(raw, start, syntax))
        except (NotPlainError, struct.error):
            return _by_pydicom(file, raw, marked)


def whole_header(header: Header) -> Dataset:
    """All attributes of a file but its pixel data, as pydicom reads them. Raises Refusal."""
    raw = header.file.read()
    if header.syntax == DEFLATED:
        content(header)  # pydicom inflates at once: only what has proved to stay within bounds
    elif header.pixels is not None:
        raw = raw[: header.pixels.offset]
    with parsing_header():
        try:
            return dcmread(io.BytesIO(raw), stop_before_pixels=True, force=True)
        except OSError as error:  # pydicom's, over bytes in memory
            raise _ended() from error


def content(header: Header) -> memoryview:
    """The bytes among which `header.pixels` lies."""
    raw = header.file.read()
    if header.syntax != DEFLATED:
        return raw
    return inflated(raw, file_meta(raw)[1])


def _by_pydicom(file: File, raw: memoryview, marked: bool) -> Header | None:
    stream = io.BytesIO(raw)
    if DEFLATED.encode() in stream.getvalue():
        raise Refusal("header-invalid", "a deflated slice's header is not in order")
    try:
        read = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(WANTED))
    except (OSError, EOFError, InvalidDicomError) as error:
        raise _ended() from error
    if "SOPClassUID" not in read:
        if marked or file.claims:
            raise _no_slice(len(raw))
        return None
    little, implicit = read.original_encoding[1], read.original_encoding[0]
    order = "<" if little else ">"
    values = {}
    for tag, keyword in WANTED.items():
        if tag in read:
            found = read.get_item(tag)
            if isinstance(found, DataElement):
                values[keyword] = plain(keyword, found.value)
            elif found.value is not None and len(found.value) != found.length:
                raise _ended()
            else:
                values[keyword] = value_of(keyword, found.value or b"", order)
    meta_syntax = str(read.file_meta.get("TransferSyntaxUID", "")) or (
        IMPLICIT if implicit else EXPLICIT if little else BIG_ENDIAN
    )
    return Header(file, meta_syntax, values, _pixels_at(raw, stream.tell(), order, implicit))


def _pixels_at(raw: memoryview, at: int, order: str, implicit: bool) -> Pixels | None:
    if at + 8 > len(raw):
        return None
    if implicit:
        group, number, length = struct.unpack_from(order + "HHI", raw, at)
        tag, value = group << 16 | number, at + 8
    else:
        tag, length, value = explicit_element(raw, at, order)
    if tag not in (PIXEL_DATA, *FLOATS):
        return None
    swapped = order == ">" and bytes(raw[at + 4 : at + 6]) == b"OW"
    return Pixels(tag, value, None if length == UNDEFINED else length, swapped)


def _ended() -> Refusal:
    return Refusal("data-truncated", "a slice ends within its header; copy or export it again")


def _no_slice(size: int) -> Refusal:
    if size == 0:
        return Refusal("source-empty", "a file of the series holds 0 bytes; copy it again")
    return Refusal(
        "header-invalid",
        "a file seems to be a slice, by its name or its beginning, and is no DICOM file; export the "
        "series again",
    )
