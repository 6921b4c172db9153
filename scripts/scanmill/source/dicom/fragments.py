"""The encoded frames of encapsulated pixel data (DICOM PS3.5, A.4).

The tables of offsets are not used, since they may lie: code streams say themselves where each begins,
and of run-length encoded frames each is one fragment.
"""

import struct
from collections.abc import Sequence

from scanmill.refusal import Refusal

ITEM, SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")  # JPEG, JPEG 2000, its file format


def encoded_frames(raw: memoryview, at: int, count: int) -> list[list[memoryview]]:
    """The fragments of each of `count` frames; `at` is where the first item lies.

    Raises Refusal where fragments end beyond the file, or are not those of so many frames.
    """
    fragments = _fragments(raw, at)[1:]
    if count == 1 and fragments:
        return [fragments]
    if len(fragments) == count:
        return [[fragment] for fragment in fragments]
    frames: list[list[memoryview]] = []
    for fragment in fragments:
        if bytes(fragment[:6]).startswith(STARTS):
            frames.append([])
        if not frames:
            break
        frames[-1].append(fragment)
    if len(frames) != count:
        raise Refusal(
            "data-truncated" if len(frames) < count else "data-corrupt",
            f"the pixel data holds {len(frames)} frames where {count} are declared; export the "
            "series again",
        )
    return frames


def joined(fragments: Sequence[memoryview]) -> bytes:
    """The bytes of a frame."""
    return b"".join(fragments)


def _fragments(raw: memoryview, at: int) -> list[memoryview]:
    """All items, the table of offsets first."""
    found = []
    while at + 8 <= len(raw):
        group, element, length = struct.unpack_from("<HHI", raw, at)
        tag, at = group << 16 | element, at + 8
        if tag == SEQUENCE_END:
            return found
        if tag != ITEM or at + length > len(raw):
            break
        found.append(raw[at : at + length])
        at += length
    raise Refusal(
        "data-truncated", "the compressed pixels of a slice end too early; export the series again"
    )
