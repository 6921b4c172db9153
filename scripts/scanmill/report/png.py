"""Grey pictures, and such with a few colours, as PNG: the same bytes everywhere.

Own code for the two kinds that are needed: what libraries write depends on their zlib.
Format: https://www.w3.org/TR/png-3/
"""

import base64
import struct

import deflate
import numpy as np

GREY, INDEXED, UP = 0, 3, 2
LEVEL = 9


def png(grey: np.ndarray) -> bytes:
    """A picture of grey values, uint8 [row, column], as PNG."""
    return _file(grey, GREY, b"")


def indexed_png(indices: np.ndarray, palette: np.ndarray) -> bytes:
    """A picture of indices, uint8 [row, column], of a palette's colours, uint8 [n, RGB], as PNG."""
    return _file(indices, INDEXED, _chunk(b"PLTE", palette.astype(np.uint8).tobytes()))


def _file(pixels: np.ndarray, kind: int, palette: bytes) -> bytes:
    height, width = pixels.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = UP
    rows[:, 1:] = np.diff(pixels, axis=0, prepend=np.zeros((1, width), np.uint8))
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = bytes(deflate.zlib_compress(rows.tobytes(), LEVEL))
    chunks = _chunk(b"IHDR", head) + palette + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def data_url(grey: np.ndarray) -> str:
    """The picture as the address of itself."""
    return _url(png(grey))


def indexed_data_url(indices: np.ndarray, palette: np.ndarray) -> str:
    """The picture of indices, as for `indexed_png`, as the address of itself."""
    return _url(indexed_png(indices, palette))


def _url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    said = kind + content
    return struct.pack(">I", len(content)) + said + struct.pack(">I", deflate.crc32(said))
