"""A deflated data set, inflated within bounds."""

import struct
import zlib

from scanmill.refusal import Refusal
from scanmill.source.dicom.elements import EXPLICIT, NotPlainError, walk
from scanmill.source.dicom.files import too_large

HEADER_ROOM = 1 << 24  # bytes of a deflated header: thousands of frames
MOST_INFLATED = 1 << 29  # bytes of a deflated image: 1000 frames of 512 x 512
INFLATE_STEP = 1 << 20


def inflated(raw: memoryview, start: int) -> memoryview:
    """The deflated data set that begins at `start`, with what its header declares in memory at most.

    Inflated here, by pieces: a library that inflates at once can be made to fill the memory by a file
    of a thousandth of that. Raises Refusal `data-oversized`, `data-truncated` or `data-corrupt`.
    """
    inflater, out, room = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), None
    packed = raw[start:]
    try:
        while not inflater.eof:
            piece = inflater.decompress(packed, INFLATE_STEP)
            packed = inflater.unconsumed_tail
            out += piece
            if room is None and (len(out) > HEADER_ROOM or not piece or inflater.eof):
                room = min(_declared(memoryview(bytes(out))), MOST_INFLATED)
            if len(out) > (room if room is not None else HEADER_ROOM + INFLATE_STEP):
                raise too_large()
            if not piece and not inflater.eof:
                raise Refusal("data-truncated", "a slice ends within its deflated data")
    except zlib.error as error:
        raise Refusal("data-corrupt", "the deflated data of a slice is damaged") from error
    return memoryview(out)


def _declared(head: memoryview) -> int:
    """Bytes that a data set may have, by the first of them."""
    try:
        values, pixels = walk(head, 0, EXPLICIT)
    except (NotPlainError, struct.error, ValueError):
        return HEADER_ROOM
    if pixels is None or pixels.length is None:
        return HEADER_ROOM
    sizes = [values.get(k) or 0 for k in ("Rows", "Columns", "BitsAllocated")]
    frames = values.get("NumberOfFrames") or 1
    return pixels.offset + sizes[0] * sizes[1] * sizes[2] // 8 * frames + INFLATE_STEP
