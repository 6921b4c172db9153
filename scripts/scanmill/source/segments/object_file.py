"""The one SEG or RTSTRUCT of a file, a folder or an archive, read whole and within bounds."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isal import isal_zlib
from pydicom import Dataset, dcmread

from scanmill.refusal import Refusal
from scanmill.source.dicom.files import files_in
from scanmill.source.layout import parsing_header

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
DEFLATED = b"1.2.840.10008.1.2.1.99"
HEAD = 2048
UNDEFINED = 0xFFFFFFFF
LARGEST_INFLATED = 2**30
# Items of sequences: each becomes an object of a kilobyte or more, however few bytes it has in the
# file. A clinical structure set has tens of thousands.
MOST_ITEMS = 500_000
ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
CLASS_TAGS = (b"\x02\0\x02\0", b"\x08\0\x16\0")
CHUNK = 1 << 20


def object_of(path: Path) -> Dataset | None:
    """The SEG or RTSTRUCT that a file is, or that a folder or archive holds; None where none is there.

    Raises Refusal where there are several, or the one is damaged or larger than memory allows.
    """
    found = [file for file in files_in(path) if _is_ours(bytes(file.read()[:HEAD]))]
    if len(found) > 1:
        raise Refusal(
            "labels-ambiguous",
            f"{len(found)} segmentations or structure sets lie there; name the file of one",
        )
    return _parsed(found[0].read()) if found else None


@contextmanager
def interpreting() -> Iterator[None]:
    """Turn what the library raises over bytes in memory into a refusal, and keep its warnings quiet.

    Both would quote the header, which names the patient.
    """
    with warnings.catch_warnings(action="ignore"), parsing_header():
        try:
            yield
        except OSError as error:
            raise Refusal(
                "data-truncated", "the supplied labels end early, or are damaged; export them again"
            ) from error


def _is_ours(head: bytes) -> bool:
    """Does a file's beginning say that it is a SEG or RTSTRUCT? With or without a preamble."""
    if head[128:132] != b"DICM" and head[:2] != b"\x08\0":
        return False
    for tag in CLASS_TAGS:
        at = head.find(tag)
        if at >= 0:
            # Explicit and implicit encodings differ in the four bytes between tag and value.
            explicit = head[at + 4 : at + 6] == b"UI"
            length = head[at + 6 : at + 8] if explicit else head[at + 4 : at + 8]
            value = head[at + 8 : at + 8 + int.from_bytes(length, "little")]
            known = (*SEGMENTATIONS, STRUCTURE_SET)
            return value.decode("ascii", "replace").rstrip("\0 ") in known
    return False


@interpreting()
def _parsed(raw: memoryview) -> Dataset:
    head = bytes(raw[:HEAD])
    items = _items_deflated(raw, head) if DEFLATED in head else _items(raw)
    if items > MOST_ITEMS:
        raise Refusal(
            "data-oversized",
            f"the supplied labels are described by {items} items; up to {MOST_ITEMS} are accepted",
        )
    dataset = dcmread(io.BytesIO(raw), force=True)
    # The library takes what is there for the whole where a file ends within an element.
    for tag in dataset.keys():  # noqa: SIM118 - its values are then left as they are stored
        element = dataset.get_item(tag)
        whole = getattr(element, "length", UNDEFINED)
        if whole not in (0, UNDEFINED) and len(element.value or b"") < whole:
            raise Refusal("data-truncated", "the supplied labels end early; export them again")
    return dataset


def _items(raw: memoryview) -> int:
    """At most how many items of sequences the bytes hold, counted by their tags."""
    # By pieces that overlap by less than a tag, so that none is missed and none counted twice.
    pieces = (bytes(raw[at : at + CHUNK + 3]) for at in range(0, len(raw), CHUNK))
    return sum(piece.count(tag) for piece in pieces for tag in ITEM_TAGS)


def _items_deflated(raw: memoryview, head: bytes) -> int:
    """The same of a deflated object, inflated by pieces, since it may be a bomb."""
    if head[132:140] != b"\x02\0\0\0UL\x04\0":
        raise Refusal(
            "header-invalid", "the file's meta information does not begin with its length"
        )
    packed = io.BytesIO(raw[144 + int.from_bytes(head[140:144], "little") :])
    inflater, size, items, end = isal_zlib.decompressobj(wbits=-15), 0, 0, b""
    while not inflater.eof:
        piece = inflater.decompress(inflater.unconsumed_tail or packed.read(CHUNK), CHUNK)
        if not piece and not inflater.eof and packed.tell() == packed.getbuffer().nbytes:
            raise Refusal("data-truncated", "the supplied labels end early; export them again")
        size += len(piece)
        if size > LARGEST_INFLATED:
            raise Refusal(
                "data-oversized",
                f"the supplied labels inflate to more than {LARGEST_INFLATED} bytes",
            )
        items += _items(memoryview(end + piece))
        end = piece[-3:]
    return items
