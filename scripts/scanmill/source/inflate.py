"""Decode a deflated stream no further than it is asked for."""

from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from scanmill.refusal import Refusal

DEFLATE_RATIO = 1032  # the most that deflate can shrink: https://zlib.net/zlib_tech.html
PIECE = 1 << 18
HEAD_PIECE = 1 << 12  # planning reads the heads of a whole cohort
GZIP = b"\x1f\x8b"
GZIP_OR_ZLIB = 47

DamagedError = isal_zlib.error


class Inflated:
    """The bytes of a zlib stream, or of gzip members one after another.

    The libraries' gzip readers decode ahead, so that what follows the stream looks like damage to
    it; here the two are told apart. Checksums are compared where a stream, or a member, ends.
    """

    def __init__(self, raw: BinaryIO, piece: int = PIECE) -> None:
        self.followed = False
        self._raw = raw
        self._piece = piece
        self._packed = b""
        self._inflater = isal_zlib.decompressobj(wbits=GZIP_OR_ZLIB)

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end, when `followed` tells whether the file goes on.

        Raises EOFError where the file ends within the stream, DamagedError where it cannot be
        decoded or fails its checksum.
        """
        while not self._inflater.eof or self._next_member():
            packed = self._packed or self._raw.read(self._piece)
            if not packed:
                raise EOFError
            got = self._inflater.decompress(packed, size)
            self._packed = self._inflater.unconsumed_tail
            if got:
                return got
        return b""

    def _next_member(self) -> bool:
        rest = self._inflater.unused_data
        rest += self._raw.read(self._piece if len(rest) < len(GZIP) else 0)
        self.followed = bool(rest)
        if not rest.startswith(GZIP):
            return False
        self._packed = rest
        self._inflater = isal_zlib.decompressobj(wbits=GZIP_OR_ZLIB)
        return True


def head_of(path: Path, size: int) -> tuple[bool, bytes]:
    """Whether a file is gzipped, and the first bytes of its content, at most `size`.

    Raises Refusal where they cannot be decoded.
    """
    with open(path, "rb") as raw:
        head = raw.read(size)
        if not head.startswith(GZIP):
            return False, head
        raw.seek(0)
        stream, head = Inflated(raw, HEAD_PIECE), b""
        try:
            while len(head) < size and (got := stream.read(size - len(head))):
                head += got
        except EOFError as error:
            raise Refusal("data-truncated", "the compressed file ends within its header") from error
        except DamagedError as error:
            raise Refusal("data-corrupt", "the compressed file cannot be decoded") from error
    return True, head
