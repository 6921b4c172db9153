"""Read the voxels that a layout declares: by chunks, into one array, no byte taken on trust."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from scanmill.refusal import Refusal
from scanmill.source.inflate import DEFLATE_RATIO, DamagedError, Inflated
from scanmill.source.layout import Layout, Note

CHUNK = 1 << 22
KEPT = ("uint8", "int16", "uint16")
WIDER = (np.dtype(np.int16), np.dtype(np.uint16), np.dtype(np.int32))


class Gathered:
    """Voxels of one volume, gathered chunk by chunk in the smallest type that holds their values.

    Integers stay integers, and a type only widens when a value asks for it, so that the array is
    held once: uint8, int16 and uint16 are kept, wider integers become int16, uint16 or int32,
    whichever holds them first. Floats, and integers with a fractional scaling, become float32.
    """

    def __init__(
        self, count: int, stored: np.dtype, scalings: Iterable[tuple[float, float]]
    ) -> None:
        scalings = set(scalings)
        self._filled = 0
        if stored.kind == "f" or not all(_keeps_integers(stored, *pair) for pair in scalings):
            dtype = np.dtype(np.float32)
        elif stored.name in KEPT and scalings == {(1.0, 0.0)}:
            dtype = np.dtype(stored.name)
        else:
            dtype = WIDER[0]
        self._array = np.empty(count, dtype)

    def add(self, stored: np.ndarray, slope: float, inter: float) -> None:
        """Append stored values, scaled. Raises Refusal where a result cannot be measured."""
        if self._array.dtype.kind == "f":
            values = _as_float(stored, slope, inter)
        else:
            values = _as_integers(stored, slope, inter)
        if values.dtype.name != self._array.dtype.name:
            self._widen(int(values.min()), int(values.max()))
        self._array[self._filled : self._filled + values.size] = values
        self._filled += values.size

    def array(self, shape: tuple[int, int, int]) -> np.ndarray:
        """The gathered voxels, [z, y, x]."""
        return self._array.reshape(shape)

    def _widen(self, low: int, high: int) -> None:
        if _holds(self._array.dtype, low, high):
            return
        filled = self._array[: self._filled]
        if filled.size:
            low, high = min(low, int(filled.min())), max(high, int(filled.max()))
        for dtype in WIDER:
            if _holds(dtype, low, high):
                self._array = self._array.astype(dtype)
                return
        raise Refusal(
            "type-unsupported", "integer values exceed 32 bits and cannot be kept without rounding"
        )


def read_voxels(layout: Layout) -> tuple[np.ndarray, list[Note]]:
    """The voxels that a layout declares, [z, y, x], in measured values, and what to warn of.

    Returns a C-contiguous array of uint8, int16, uint16, int32 or float32 in native byte order.
    Raises Refusal `data-truncated`, `data-corrupt`, `values-not-finite` or `type-unsupported`.
    """
    count = math.prod(layout.grid.size)
    declared = count * layout.dtype.itemsize
    _check_room(layout, declared)
    with _decoded(layout) as stream:
        for _ in _chunks(stream, layout.skip, 1):
            pass
        gathered = Gathered(count, layout.dtype, [(layout.slope, layout.inter)])
        for chunk in _chunks(stream, declared, layout.dtype.itemsize):
            gathered.add(np.frombuffer(chunk, layout.dtype), layout.slope, layout.inter)
        # Reading past the end also makes the decoder compare its checksum.
        rest = stream.read(1) or (layout.deflated and stream.followed)
    warnings = [("data-trailing", "Bytes after the declared voxels were not read.")] if rest else []
    return gathered.array(layout.grid.shape), warnings


def _holds(dtype: np.dtype, low: int, high: int) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= low and high <= limits.max)


def _keeps_integers(stored: np.dtype, slope: float, inter: float) -> bool:
    if (slope, inter) == (1.0, 0.0):
        return True
    whole = float(slope).is_integer() and float(inter).is_integer()
    return whole and stored.itemsize <= 4 and max(abs(slope), abs(inter)) <= 2**24


def _as_integers(stored: np.ndarray, slope: float, inter: float) -> np.ndarray:
    if (slope, inter) == (1.0, 0.0):
        return stored
    return stored.astype(np.int64) * int(slope) + int(inter)


def _as_float(stored: np.ndarray, slope: float, inter: float) -> np.ndarray:
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        raise Refusal(
            "values-not-finite", "voxels are NaN or infinite; give every voxel a measured value"
        )
    with np.errstate(over="ignore"):
        if (slope, inter) != (1.0, 0.0):
            stored = stored.astype(np.float64) * slope + inter
        values = stored.astype(np.float32)
    if not np.isfinite(values).all():
        raise Refusal("type-unsupported", "values exceed the range of 32-bit floating point")
    return values


def _check_room(layout: Layout, declared: int) -> None:
    """Refuse, before anything is allocated, what the file is too short to hold."""
    room = layout.path.stat().st_size - layout.offset
    most = room * DEFLATE_RATIO if layout.deflated else room
    if most < declared + layout.skip:
        raise _truncated()


def _truncated() -> Refusal:
    return Refusal(
        "data-truncated",
        "the file ends before the last declared voxel; copy or export the scan again",
    )


@contextmanager
def _decoded(layout: Layout) -> Iterator[BinaryIO | Inflated]:
    with open(layout.path, "rb") as raw:
        raw.seek(layout.offset)
        try:
            yield Inflated(raw) if layout.deflated else raw
        except EOFError as error:
            raise _truncated() from error
        except DamagedError as error:
            raise Refusal(
                "data-corrupt",
                "the compressed voxels are damaged or fail their checksum; copy or export the scan "
                "again",
            ) from error


def _chunks(stream: BinaryIO | Inflated, total: int, itemsize: int) -> Iterator[bytes]:
    """The next `total` bytes of a stream, in pieces that are whole items."""
    part = b""
    while total > 0:
        piece = stream.read(min(CHUNK, total))
        if not piece:
            raise EOFError
        total -= len(piece)
        part = part + piece if part else piece
        whole = len(part) - len(part) % itemsize
        if whole:
            yield part[:whole] if whole < len(part) else part
            part = part[whole:]
