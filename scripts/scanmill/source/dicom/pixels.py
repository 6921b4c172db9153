"""The pixels of image planes, in measured values.

Measured value = stored value * slope + intercept (the modality LUT, DICOM PS3.3, C.11.1). What comes
after it is for display and changes nothing here: windows, and MONOCHROME1, which only says that the
lowest value is to be shown white (C.7.6.3.1.2). Padding (C.7.5.1.1.2) is no measurement: it is given
the value of air in CT, and 0 elsewhere.
"""

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np
from scipy import ndimage

from scanmill.refusal import Refusal
from scanmill.source.dicom.codecs import COMPRESSED, LOSSY, Shape, decode
from scanmill.source.dicom.elements import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, PIXEL_DATA
from scanmill.source.dicom.fragments import encoded_frames, joined
from scanmill.source.dicom.frames import Frame
from scanmill.source.dicom.headers import Header, content
from scanmill.source.layout import MAX_SIDE, Note
from scanmill.source.voxels import Gathered

NATIVE = {IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN}
AIR = {"CT": -1024}
LOWEST_TISSUE = -1000  # HU; values of padding above this may be those of tissue too
UNSPECIFIED = "US"  # a rescale type
MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
CHANGING = (
    "RescaleSlope", "RescaleIntercept", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit",
)  # fmt: skip


def outside_of(kind: str) -> int:
    """The value, of CT, MR or PET, where nothing was measured."""
    return AIR.get(kind, 0)


def check_pixels(frames: Sequence[Frame]) -> None:
    """Refuse, by headers alone, pixels that are not one integer intensity each, or not scaled."""
    for frame in frames:
        _check_pixels(frame)
    if len({frame.values.get("RescaleSlope") is None for frame in frames}) > 1:
        raise Refusal("header-invalid", "some slices state a rescale slope and others do not")


def _check_pixels(frame: Frame) -> None:
    values, header = frame.values, frame.header
    if (values.get("SamplesPerPixel") or 1) != 1:
        raise Refusal("is-colour", "the pixels are colours; one intensity per pixel is needed")
    if values.get("PhotometricInterpretation") not in MONOCHROME:
        raise Refusal("dicom-unsupported", "the pixels are of a palette; MONOCHROME2 is needed")
    if header.syntax not in NATIVE | COMPRESSED:
        raise Refusal(
            "dicom-unsupported",
            "the pixels are compressed in a way that is not read; decompress the series (without "
            "loss) or convert it to NIfTI",
        )
    needed = [values.get(word) for word in ("Rows", "Columns", "BitsAllocated", "BitsStored")]
    if not all(isinstance(number, int) for number in needed):
        raise Refusal("header-invalid", "a slice does not state its size, or the bits of a pixel")
    rows, columns, allocated, stored = needed
    if rows == 0 or columns == 0:
        raise Refusal("size-zero", "a slice's size is zero along an axis")
    if max(rows, columns) > MAX_SIDE:
        raise Refusal("data-oversized", f"a slice has more than {MAX_SIDE} pixels along an axis")
    if allocated not in (8, 16) or values.get("PixelRepresentation") not in (0, 1):
        raise Refusal("type-unsupported", "the pixels are not integers of 8 or 16 bits")
    if not 1 <= stored <= allocated or values.get("HighBit") != stored - 1:
        raise Refusal(
            "header-invalid", "the bits of a pixel are not where the header can have them"
        )
    if header.pixels.tag != PIXEL_DATA:
        raise Refusal("type-unsupported", "the pixels are floating-point numbers")
    if (header.pixels.length is None) != (header.syntax in COMPRESSED):
        raise Refusal("header-invalid", "the pixels are not encoded as the file says")
    scaling_of(frame)


def scaling_of(frame: Frame) -> tuple[float, float]:
    """Slope and intercept of a plane's values. Raises Refusal where they are not certain."""
    values = frame.values
    if "ModalityLUTSequence" in values:
        raise Refusal("dicom-unsupported", "values are scaled by a table, which is not read")
    slope, inter = values.get("RescaleSlope"), values.get("RescaleIntercept")
    if slope is None and inter is None and frame.kind == "MR":
        return 1.0, 0.0
    if not (isinstance(slope, float) and isinstance(inter, float)):
        raise Refusal(
            "header-invalid", "the slices lack the rescale slope and intercept of their values"
        )
    if not np.isfinite([slope, inter]).all() or slope == 0:
        raise Refusal("header-invalid", "the rescale slope is zero or not a number")
    if frame.kind == "CT" and values.get("RescaleType") not in (None, "HU", UNSPECIFIED):
        raise Refusal("dicom-unsupported", "the CT's values are not in Hounsfield units")
    return slope, inter


def digest_of(frame: Frame) -> Hashable:
    """What two planes share only where they measure the same: pixels, and what changes their values."""
    values = tuple(frame.values.get(word) for word in CHANGING)
    # As they are stored: an archive may hold one image in two encodings.
    return hashlib.sha256(Planes().stored(frame).tobytes()).digest(), values


def read_planes(frames: Sequence[Frame]) -> tuple[np.ndarray, list[Note]]:
    """The pixels of planes of one size, [n, y, x] in that order, in measured values, and notes.

    Raises Refusal with a data code where pixels are lacking, damaged or more than declared.
    """
    rows, columns = frames[0].values["Rows"], frames[0].values["Columns"]
    scalings = [scaling_of(frame) for frame in frames]
    planes = Planes()
    gathered = Gathered(rows * columns * len(frames), shape_of(frames[0]).dtype, scalings)
    padded = 0
    for frame, (slope, inter) in zip(frames, scalings, strict=True):
        stored = planes.stored(frame)
        stored, count = without_padding(stored, frame, slope, inter)
        padded += count
        gathered.add(stored.ravel(), slope, inter)
    notes = _notes(frames, padded)
    return gathered.array((len(frames), rows, columns)), notes


def shape_of(frame: Frame) -> Shape:
    """The size and the layout of pixels of the image that holds a plane; of a mosaic, the whole."""
    values = frame.header.values
    return Shape(
        values["Rows"],
        values["Columns"],
        values["BitsAllocated"],
        values["BitsStored"],
        values["PixelRepresentation"] == 1,
    )


class Planes:
    """Decodes planes, keeping the last file and its last image, since planes may share either."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._raw = memoryview(b"")
        self._frames: list[list[memoryview]] = []
        self._image: tuple[int, np.ndarray] | None = None

    def stored(self, frame: Frame) -> np.ndarray:
        """The stored pixels of a plane, [y, x]."""
        shape = shape_of(frame)
        if frame.tiles == 1:
            return self._whole(frame, shape)
        row, column = divmod(frame.index, frame.tiles)
        rows, columns = frame.values["Rows"], frame.values["Columns"]
        image = self._whole(frame, shape)
        return image[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns]

    def encoded(self, frame: Frame) -> bytes | memoryview:
        """The bytes of the plane's image as they are in the file."""
        self._open(frame.header)
        index = 0 if frame.tiles > 1 else frame.index
        if self._frames:
            return joined(self._frames[index])
        shape, pixels = shape_of(frame), frame.header.pixels
        size = shape.rows * shape.columns * shape.allocated // 8
        start = pixels.offset + index * size
        return self._raw[start : start + size]

    def _whole(self, frame: Frame, shape: Shape) -> np.ndarray:
        index = 0 if frame.tiles > 1 else frame.index
        if self._header is frame.header and self._image and self._image[0] == index:
            return self._image[1]
        encoded = self.encoded(frame)
        header = frame.header
        if header.syntax in COMPRESSED:
            pixels = decode(bytes(encoded), header.syntax, shape)
        else:
            big = header.syntax == BIG_ENDIAN
            pixels = np.frombuffer(encoded, shape.dtype.newbyteorder(">" if big else "<"))
            if big:
                pixels = _unswapped(pixels, header)
        # Bits above those stored may hold anything: shift them out, and the sign back in.
        spare = shape.allocated - shape.stored
        if spare:
            pixels = (pixels << spare) >> spare
        image = pixels.reshape(shape.rows, shape.columns)
        self._image = (index, image)
        return image

    def _open(self, header: Header) -> None:
        if self._header is header:
            return
        self._header, self._frames, self._image = None, [], None
        self._raw = content(header)
        count = header.values.get("NumberOfFrames") or 1
        if header.syntax in COMPRESSED:
            self._frames = encoded_frames(self._raw, header.pixels.offset, count)
        else:
            _check_length(header, len(self._raw), count)
        self._header = header


def _unswapped(pixels: np.ndarray, header: Header) -> np.ndarray:
    if header.pixels.swapped and pixels.itemsize == 1:
        return pixels.reshape(-1, 2)[:, ::-1].ravel()
    return pixels.astype(pixels.dtype.newbyteorder("<"))


def _check_length(header: Header, size: int, count: int) -> None:
    """Refuse uncompressed pixel data that are not of the declared size, rounded up to even."""
    values, pixels = header.values, header.pixels
    declared = values["Rows"] * values["Columns"] * values["BitsAllocated"] // 8 * count
    held = min(pixels.length, size - pixels.offset)
    if held < declared:
        raise Refusal(
            "data-truncated", "a slice holds fewer pixels than it declares; export the series again"
        )
    if pixels.length > declared + declared % 2:
        raise Refusal(
            "data-corrupt",
            "a slice holds more pixels than it declares: its size may be wrong; export the series "
            "again",
        )


def without_padding(
    stored: np.ndarray, frame: Frame, slope: float, inter: float
) -> tuple[np.ndarray, int]:
    """Stored pixels with those of padding set to what nothing measures, and how many these are.

    Padding whose value tissue may have as well is only taken for such where it reaches in from the
    image's edge, as all padding does.
    """
    low = frame.values.get("PixelPaddingValue")
    if not isinstance(low, int):
        return stored, 0
    high = frame.values.get("PixelPaddingRangeLimit")
    low, high = sorted(_as_stored(x, frame) for x in (low, low if high is None else high))
    mask = (stored >= low) & (stored <= high)
    outside = outside_of(frame.kind)
    if not mask.any() or (low == high and low * slope + inter == outside):
        return stored, 0
    if frame.kind != "CT" or max(low * slope + inter, high * slope + inter) >= LOWEST_TISSUE:
        edge = np.ones(mask.shape, bool)
        edge[1:-1, 1:-1] = False
        mask = ndimage.binary_propagation(edge & mask, mask=mask)
    cleared = stored.astype(np.int32)
    cleared[mask] = round((outside - inter) / slope)
    return cleared, int(mask.sum())


def _as_stored(value: int, frame: Frame) -> int:
    """A padding value as a pixel has it: its element may be of the other representation."""
    if frame.values["PixelRepresentation"] == 1 and value >= 1 << 15:
        return value - (1 << 16)
    return value


def _notes(frames: Sequence[Frame], padded: int) -> list[Note]:
    notes = []
    if frames[0].kind == "CT" and frames[0].values.get("RescaleType") == UNSPECIFIED:
        message = (
            "The header leaves open whether the CT's values are Hounsfield units; taken as such."
        )
        notes.append(("units-unspecified", message))
    if padded:
        notes.append(
            (
                "padding",
                f"{padded} pixels are declared to be padding: they were given the value "
                f"{outside_of(frames[0].kind)}, as where nothing was measured.",
            )
        )
    flagged = {frame.values.get("LossyImageCompression") for frame in frames}
    if "01" in flagged or {frame.header.syntax for frame in frames} & LOSSY:
        notes.append(
            (
                "lossy",
                "The images were compressed with loss: values may differ from those measured.",
            )
        )
    return notes
