"""The stored values of a segmentation's frames: bits packed across frames, bytes, or compressed.

Bits are unpacked here: frames of a number of pixels that is no multiple of eight begin within a byte,
which libraries get wrong one frame at a time, and all at once a SEG takes eight times its size.
"""

import math

import numpy as np
from pydicom import Dataset

from scanmill.refusal import Refusal
from scanmill.source.dicom.codecs import COMPRESSED, Shape, decode
from scanmill.source.dicom.fragments import encoded_frames, joined

NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"}
# As in a file; the library cuts it off.
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


class FramePixels:
    """The frames of a segmentation. Raises Refusal where its pixel data cannot hold them."""

    def __init__(self, dataset: Dataset) -> None:
        self._shape = int(dataset.Rows), int(dataset.Columns)
        self._bits = int(dataset.BitsAllocated)
        self._syntax = str(dataset.file_meta.TransferSyntaxUID)
        if self._bits not in (1, 8, 16) or int(dataset.get("SamplesPerPixel") or 1) != 1:
            raise Refusal("labels-unreadable", "its pixels are not one integer of 1, 8 or 16 bits")
        data = dataset.get("PixelData") or b""
        frames = int(dataset.get("NumberOfFrames") or 1)
        if self._syntax in COMPRESSED and self._bits > 1:
            self._encoded = encoded_frames(memoryview(data + SEQUENCE_END), 0, frames)
        elif self._syntax in NATIVE:
            self._data = np.frombuffer(data, np.uint8)
            if len(data) * 8 < math.prod((frames, *self._shape, self._bits)):
                raise Refusal(
                    "data-truncated",
                    "the segmentation holds fewer pixels than it declares; export it again",
                )
        else:
            raise Refusal(
                "labels-unreadable", "its pixels are compressed in a way that is not read"
            )

    @property
    def dtype(self) -> np.dtype:
        """Of a stored value."""
        return np.dtype(np.uint16 if self._bits == 16 else np.uint8)

    def read(self, frame: int) -> np.ndarray:
        """The stored values of a frame, [y, x]; frames count from 0."""
        if self._syntax in COMPRESSED:
            shape = Shape(*self._shape, self._bits, self._bits, False)
            return decode(joined(self._encoded[frame]), self._syntax, shape).reshape(self._shape)
        size = math.prod(self._shape)
        first, last = frame * size * self._bits, (frame + 1) * size * self._bits
        held = self._data[first // 8 : -(-last // 8)]
        if self._bits == 1:
            bits = np.unpackbits(held, bitorder="little")
            return bits[first % 8 : first % 8 + size].reshape(self._shape)
        return held.view(f"<u{self._bits // 8}").reshape(self._shape)
