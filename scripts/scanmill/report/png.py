"""Grey pictures as PNG, the same bytes everywhere.

Own code for the one kind that is needed: what libraries write depends on their zlib.
Format: https://www.w3.org/TR/png-3/
"""

import base64
import struct

import deflate
import numpy as np

GREY, UP = 0, 2
LEVEL = 9


def png(grey: np.ndarray) -> bytes:
    """A picture of grey values, uint8 [row, column], as PNG."""
    height, width = grey.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = UP
    rows[:, 1:] = np.diff(grey, axis=0, prepend=np.zeros((1, width), np.uint8))
    head = struct.pack(">IIBBBBB", width, height, 8, GREY, 0, 0, 0)
    body = bytes(deflate.zlib_compress(rows.tobytes(), LEVEL))
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def data_url(grey: np.ndarray) -> str:
    """The picture as the address of itself."""
    return "data:image/png;base64," + base64.b64encode(png(grey)).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    said = kind + content
    return struct.pack(">I", len(content)) + said + struct.pack(">I", deflate.crc32(said))
