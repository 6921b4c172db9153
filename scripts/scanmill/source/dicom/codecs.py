"""Decode one compressed frame, after its own header has proved to be that of the image.

Codecs: GDCM (JPEG; called past pydicom, which offers neither 12 bits nor the retired processes),
CharLS (JPEG-LS), OpenJPEG (JPEG 2000, HTJ2K) and pylibjpeg's run-length decoder. A decoder allocates
what a code stream declares, so the declaration is compared first.
Transfer syntaxes: DICOM PS3.5, A.4.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scanmill.refusal import Refusal

RUN_LENGTH = "1.2.840.10008.1.2.5"
JPEG = {f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 57, 70)}
JPEG_LS = {f"1.2.840.10008.1.2.4.{n}" for n in (80, 81)}
JPEG_2000 = {f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203)}
COMPRESSED = {RUN_LENGTH} | JPEG | JPEG_LS | JPEG_2000
LOSSY = {f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 81)}
PACK_BITS_RATIO = 64  # the most that DICOM's run-length encoding can shrink: PS3.5, annex G
# Frames of JPEG: baseline to lossless, Huffman coded (ITU-T T.81, table B.1), and JPEG-LS.
FRAME_STARTS = {0xC0, 0xC1, 0xC2, 0xC3, 0xF7}
BARE_MARKERS = {0x01, 0xD8, *range(0xD0, 0xD8)}


@dataclass(frozen=True)
class Shape:
    """What a frame has to be: its size, and the layout of its pixels."""

    rows: int
    columns: int
    allocated: int
    stored: int
    signed: bool

    @property
    def dtype(self) -> np.dtype:
        """Of a stored pixel."""
        return np.dtype(f"<{'iu'[not self.signed]}{self.allocated // 8}")


def decode(encoded: bytes, syntax: str, shape: Shape) -> np.ndarray:
    """The stored pixels of a frame, flat, row by row, in `shape.dtype`.

    Bits above those stored may hold anything. Raises Refusal `data-corrupt` or `data-truncated`
    where they cannot be decoded, or are not of that shape.
    """
    if syntax == RUN_LENGTH:
        return _sized(_guarded(_decode_run_length, encoded, shape), shape)
    declared = _guarded(_declared_2000 if syntax in JPEG_2000 else _declared, encoded, shape)
    if declared[:3] != (shape.rows, shape.columns, 1) or not 1 <= declared[3] <= shape.allocated:
        raise Refusal(
            "data-corrupt",
            f"a compressed slice holds {declared[1]} x {declared[0]} pixels of {declared[3]} bits "
            f"where its header declares {shape.columns} x {shape.rows} of {shape.allocated}; export "
            "the series again",
        )
    if syntax in JPEG_2000:
        return _sized(_guarded(_decode_2000, encoded, shape), shape)
    decoder = _decode_ls if syntax in JPEG_LS else _decoder_of_jpeg(syntax)
    return _sized(_guarded(decoder, encoded, shape), shape)


def _guarded(step: Callable[..., object], encoded: bytes, shape: Shape) -> object:
    """Whatever a decoder raises, as a refusal that quotes nothing."""
    try:
        return step(encoded, shape)
    except (Refusal, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a codec in Rust panics beyond Exception
        raise Refusal(
            "data-corrupt", "the pixels of a slice cannot be decoded; export the series again"
        ) from error


def _sized(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    if pixels.size != shape.rows * shape.columns:
        raise Refusal(
            "data-truncated", "a slice holds fewer pixels than it declares; export the series again"
        )
    return pixels.astype(shape.dtype, copy=False)


def _declared(encoded: bytes, shape: Shape) -> tuple[int, int, int, int]:
    """Rows, columns, components and bits that a JPEG or JPEG-LS stream declares (T.81, B.2.2)."""
    del shape
    at = 0
    while True:
        if encoded[at] != 0xFF:
            raise ValueError("no marker")
        marker = encoded[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in BARE_MARKERS:
            at += 2
        elif marker in FRAME_STARTS:
            bits, rows, columns, components = struct.unpack_from(">BHHB", encoded, at + 4)
            return rows, columns, components, bits
        else:
            at += 2 + struct.unpack_from(">H", encoded, at + 2)[0]


def _declared_2000(encoded: bytes, shape: Shape) -> tuple[int, int, int, int]:
    """Rows, columns, components and bits that a JPEG 2000 stream declares (T.800, A.5.1)."""
    del shape
    at = encoded.index(b"\xff\x4f\xff\x51")
    right, low, left, top, tile_width, tile_height, tile_left, tile_top, components = (
        struct.unpack_from(">8IH", encoded, at + 8)
    )
    del tile_width, tile_height, tile_left, tile_top
    bits, step_x, step_y = struct.unpack_from(">3B", encoded, at + 42)
    if (step_x, step_y) != (1, 1):
        raise ValueError("subsampled")
    return low - top, right - left, components, (bits & 0x7F) + 1


def _decode_2000(encoded: bytes, shape: Shape) -> np.ndarray:
    import openjpeg

    pixels = openjpeg.decode(encoded)
    # A signed stream of unsigned pixels, or the reverse, is read by its bits only where these fit.
    if pixels.dtype.kind == "i" and not shape.signed and pixels.min(initial=0) < 0:
        raise ValueError("negative values in unsigned pixels")
    return pixels.ravel()


def _decode_ls(encoded: bytes, shape: Shape) -> np.ndarray:
    import jpeg_ls

    pixels, _ = jpeg_ls.decode_pixel_data(encoded)
    bits = _declared(encoded, shape)[3]
    return np.frombuffer(pixels, np.uint8 if bits <= 8 else "<u2")


def _decoder_of_jpeg(syntax: str) -> Callable[[bytes, Shape], np.ndarray]:
    def decoder(encoded: bytes, shape: Shape) -> np.ndarray:
        import gdcm

        fragment = gdcm.Fragment()
        fragment.SetByteStringValue(encoded)
        fragments = gdcm.SequenceOfFragments.New()
        fragments.AddFragment(fragment)
        element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
        element.SetValue(fragments.__ref__())
        image = gdcm.Image()
        image.SetNumberOfDimensions(2)
        image.SetDimensions((shape.columns, shape.rows, 1))
        image.SetDataElement(element)
        monochrome = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
        image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(monochrome))
        image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
        image.SetPixelFormat(
            gdcm.PixelFormat(1, shape.allocated, shape.stored, shape.stored - 1, int(shape.signed))
        )
        # GDCM gives bytes as a str of surrogates.
        return np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), shape.dtype)

    return decoder


def _decode_run_length(encoded: bytes, shape: Shape) -> np.ndarray:
    from rle import decode_pixel_data

    if len(encoded) * PACK_BITS_RATIO < shape.rows * shape.columns * shape.allocated // 8:
        raise Refusal(
            "data-truncated", "a slice holds fewer pixels than it declares; export the series again"
        )
    pixels = decode_pixel_data(
        encoded, version=2, rows=shape.rows, columns=shape.columns, bits_allocated=shape.allocated
    )
    return np.frombuffer(pixels, shape.dtype)
