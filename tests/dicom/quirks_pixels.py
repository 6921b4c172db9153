"""Quirks of values and of their encoding."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from cases import TILTED, Case, Write, stacked, written
from compression import compressed, frames_packed, repack
from instances import (
    CT,
    HOUNSFIELD,
    MR,
    PET,
    PLAIN,
    Pixels,
    enhanced,
    frames_of,
    group,
    series,
)  # fmt: skip
from pydicom import Dataset
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)  # fmt: skip
from stacks import Stack

SYNTAX, VALUES, RARE = "transfer syntaxes", "values", "rare: read right or refused"
# JPEG 2000 needs a few more pixels; 8 bits need a flatter ramp.
WIDE = Stack(40, 36, (0.7, 0.9), TILTED.heights[:5], turn=TILTED.turn, gradient=(12.0, 25.0, 18.0))
FLAT = replace(WIDE, gradient=(0.9, 1.9, 1.3), middle=120.0)
SIGNED = Pixels("<i2", 16, lambda k: (1.0, 0.0))
BYTES = Pixels("u1", 8)
PADDED = replace(TILTED, padded=True)
LOSSLESS = {
    "rle": RLELossless, "jpeg-lossless-57": JPEGLossless, "jpeg-lossless-70": JPEGLosslessSV1,
    "jpeg-ls": JPEGLSLossless, "jpeg-2000": JPEG2000Lossless,
}  # fmt: skip
UNCOMPRESSED = {
    "implicit": ImplicitVRLittleEndian, "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}  # fmt: skip


def packed(syntax: str, stack: Stack = WIDE, pixels: Pixels = HOUNSFIELD, **how: object) -> Write:
    """Write a compressed CT series."""
    return written(lambda: compressed(series(stack, CT, pixels), syntax, **how))


def fragmented() -> list[Dataset]:
    """Each frame in several fragments, without a table of their offsets."""
    slices = compressed(series(WIDE), JPEG2000Lossless)
    return [repack(s, frames_packed(s), fragments_per_frame=4, has_bot=False) for s in slices]


def fragmented_frames() -> list[Dataset]:
    """An enhanced image, its frames in several fragments, with a table of their offsets."""
    image = enhanced(frames_of(WIDE))
    compressed([image], JPEGLSLossless)
    return [repack(image, frames_packed(image), fragments_per_frame=3)]


def mixed() -> list[Dataset]:
    """One series, its slices in several transfer syntaxes."""
    slices = series(WIDE)
    for k, syntax in enumerate((RLELossless, JPEGLSLossless, JPEG2000Lossless)):
        compressed(slices[k : k + 1], syntax)
    return slices


def dirty(pixels: Pixels, mask: int) -> list[Dataset]:
    """Other bits set in the part of a pixel that is not stored."""
    slices = series(TILTED, CT, pixels)
    for image in slices:
        stored = np.frombuffer(image.PixelData, "<u2") & ~np.uint16(mask)
        noise = np.arange(stored.size, dtype=np.uint16) * 40503 & np.uint16(mask)
        image.PixelData = (stored | noise).tobytes()
    return slices


def high() -> list[Dataset]:
    """Twelve bits in the upper part of sixteen."""
    slices = series(TILTED)
    for image in slices:
        image.PixelData = (np.frombuffer(image.PixelData, "<u2") << 4).tobytes()
        image.HighBit = 15
    return slices


def overlaid() -> list[Dataset]:
    """A graphic in an unused bit, as old scanners had it."""
    slices = dirty(HOUNSFIELD, 0x1000)
    for image in slices:
        image.add_new(0x60000010, "US", TILTED.rows)
        image.add_new(0x60000011, "US", TILTED.columns)
        image.add_new(0x60000040, "CS", "G")
        image.add_new(0x60000050, "SS", [1, 1])
        image.add_new(0x60000100, "US", 16)
        image.add_new(0x60000102, "US", 12)
    return slices


def with_padding(
    value: int, pixels: Pixels, limit: int | None = None, **fields: object
) -> Sequence[Dataset]:
    """A corner of padding in each slice."""
    slices = series(PADDED, CT, replace(pixels, padding=value), **fields)
    for image in slices:
        vr = "SS" if image.PixelRepresentation else "US"
        image.add_new("PixelPaddingValue", vr, value)
        if limit is not None:
            image.add_new("PixelPaddingRangeLimit", vr, limit)
    return slices


def wrong_representation() -> Sequence[Dataset]:
    """Padding -2000 whose element is of the unsigned kind, as some writers have it."""
    slices = with_padding(-2000, SIGNED)
    for image in slices:
        image["PixelPaddingValue"].VR, image["PixelPaddingValue"].value = "US", 63536
    return slices


def mapped() -> list[Dataset]:
    """A real world mapping to another unit, beside no rescale."""
    item = group(
        RealWorldValueFirstValueMapped=0, RealWorldValueLastValueMapped=4095,
        RealWorldValueIntercept=-7.0, RealWorldValueSlope=3.0,
    )  # fmt: skip
    slices = series(TILTED, MR, RealWorldValueMappingSequence=[item])
    for image in slices:
        for keyword in ("FirstValueMapped", "LastValueMapped"):
            image.RealWorldValueMappingSequence[0][f"RealWorldValue{keyword}"].VR = "US"
    return slices


def private_scaled() -> list[Dataset]:
    """Philips' own scale slope, beside the rescale."""
    pixels = replace(PLAIN, scaling=lambda k: (0.5, 3.0))
    slices = series(TILTED, MR, pixels)
    for image in slices:
        block = image.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.0125)
        block.add_new(0x0D, "FL", 4.0)
    return slices


def _value(name: str, what: str, write: Write, stack: Stack = TILTED, **how: object) -> Case:
    return Case(VALUES, name, what, write, stack, **how)


SLOPES = [0.5, 1.5, 2.0, 0.25, 1.0, 0.75, 0.3, 1.25, 0.6]
DECAYING = Pixels("<i2", 16, lambda k: (SLOPES[k], 0.0))
CASES = [
    *(Case(SYNTAX, name, name, written(lambda: series(TILTED), syntax=syntax), TILTED)
      for name, syntax in UNCOMPRESSED.items()),
    *(Case(SYNTAX, name, name, packed(syntax), WIDE) for name, syntax in LOSSLESS.items()),
    *(Case(SYNTAX, f"{name}-signed", f"{name}, signed", packed(syntax, WIDE, SIGNED), WIDE)
      for name, syntax in LOSSLESS.items()),
    Case(SYNTAX, "rle-8-bit", "RLE of bytes", packed(RLELossless, FLAT, BYTES), FLAT),
    Case(SYNTAX, "jpeg-ls-near", "JPEG-LS, near lossless",
         packed(JPEGLSNearLossless, jls_error=2), WIDE, step=5),
    Case(SYNTAX, "jpeg-2000-lossy", "JPEG 2000, lossy", packed(JPEG2000, j2k_psnr=[90]), WIDE,
         step=5),
    Case(SYNTAX, "jpeg-baseline", "JPEG baseline of 8 bits", packed(JPEGBaseline8Bit, FLAT, BYTES),
         FLAT, step=5),
    Case(SYNTAX, "jpeg-extended", "JPEG extended of 8 bits", packed(JPEGExtended12Bit, FLAT, BYTES),
         FLAT, step=5),
    Case(SYNTAX, "fragments", "several fragments a frame, no offset table", written(fragmented), WIDE),
    Case(SYNTAX, "fragments-of-frames", "several fragments for each of several frames",
         written(fragmented_frames), WIDE),
    Case(RARE, "jpeg-extended-12", "JPEG extended of 12 bits", packed(JPEGExtended12Bit), WIDE,
         optional=True, step=5),
    Case(RARE, "mixed-syntaxes", "several transfer syntaxes in one series", written(mixed), WIDE,
         optional=True),
    Case(RARE, "high-bits", "12 bits in the upper part of 16", written(high), TILTED, optional=True),
    Case(RARE, "32-bits", "pixels of 32 bits", stacked(
        kind=MR, pixels=Pixels("<u4", 32)), TILTED, optional=True),
    _value("unsigned", "16 bits unsigned, above 32767", stacked(
        replace(TILTED, middle=60000.0), MR, Pixels("<u2", 16)), replace(TILTED, middle=60000.0)),
    _value("signed", "16 bits signed, negative", stacked(
        replace(TILTED, middle=-200.0), CT, SIGNED), replace(TILTED, middle=-200.0)),
    _value("bytes", "8 bits", stacked(
        replace(TILTED, gradient=FLAT.gradient, middle=120.0), MR, BYTES),
        replace(TILTED, gradient=FLAT.gradient, middle=120.0)),
    _value("dirty-bits", "12 bits stored, anything above them",
           written(lambda: dirty(HOUNSFIELD, 0xF000))),
    _value("dirty-signed-bits", "12 bits stored signed, anything above them", written(
        lambda: dirty(Pixels("<i2", 12, lambda k: (1.0, 1024.0)), 0xF000))),
    _value("signed-12", "12 bits stored signed, no sign above them", written(
        lambda: _cleared(Pixels("<i2", 12, lambda k: (1.0, 1024.0))))),
    _value("overlay-bit", "a graphic in an unused bit", written(overlaid)),
    _value("odd-rows", "8 bits, an odd number of bytes", stacked(
        replace(FLAT, columns=11, rows=9), MR, BYTES), replace(FLAT, columns=11, rows=9)),
    _value("pet", "PET: each slice its own rescale", stacked(kind=PET, pixels=DECAYING), step=2),
    _value("ct-slopes", "CT: each slice its own rescale", stacked(pixels=Pixels(
        "<i2", 16, lambda k: (1.0 + k % 2, -1000.0 - k))), step=2),
    _value("fraction", "a slope that is no whole number", stacked(
        kind=MR, pixels=Pixels("<u2", 16, lambda k: (0.3712, -12.5)))),
    _value("negative-slope", "a negative slope", stacked(
        kind=MR, pixels=Pixels("<u2", 16, lambda k: (-1.0, 3000.0)))),
    _value("monochrome1", "MONOCHROME1: how it is shown, not what it measures", stacked(
        PhotometricInterpretation="MONOCHROME1")),
    _value("window", "a window, which is for display", stacked(
        WindowCenter="40", WindowWidth="80", VOILUTFunction="LINEAR")),
    _value("real-world", "MR without rescale, with a real world mapping", written(mapped)),
    _value("private-scale", "Philips' private scale beside the rescale", written(private_scaled)),
    _value("padding", "padding below the air", written(lambda: with_padding(-2000, SIGNED)), PADDED),
    _value("padding-dark", "padding far below, rescaled", written(
        lambda: with_padding(-32768, Pixels("<i2", 16, lambda k: (1.0, -1024.0)))), PADDED),
    _value("padding-bright", "padding as the largest value", written(
        lambda: with_padding(4095, HOUNSFIELD)), PADDED),
    _value("padding-range", "padding as a range of values", written(
        lambda: with_padding(3990, HOUNSFIELD, 4095)), PADDED),
    _value("padding-representation", "padding of the wrong representation",
           written(wrong_representation), PADDED),
    _value("long-text", "a large private element before the pixels", written(
        lambda: [_weighed(image) for image in series(TILTED)])),
]  # fmt: skip


def _cleared(pixels: Pixels) -> list[Dataset]:
    slices = dirty(pixels, 0xF000)
    for image in slices:
        image.PixelData = (np.frombuffer(image.PixelData, "<u2") & 0x0FFF).tobytes()
    return slices


def _weighed(image: Dataset) -> Dataset:
    image.private_block(0x0009, "SOMEBODY", create=True).add_new(0x10, "OB", bytes(70_000))
    return image
