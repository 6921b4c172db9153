"""Quirks of multi-frame images: enhanced CT, MR and PET, and Siemens mosaics."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from cases import TILTED, Case, Write, written
from compression import compressed
from instances import (
    ENHANCED_CT,
    ENHANCED_MR,
    ENHANCED_PET,
    MR,
    PLAIN,
    Frame,
    Pixels,
    decimals,
    enhanced,
    frames_of,
    group,
    save,
    series,
    uid,
)  # fmt: skip
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)  # fmt: skip
from quirks_pixels import WIDE
from stacks import Stack, brighter, facing

ENHANCED, MOSAIC, REFUSED = "enhanced multi-frame", "mosaics", "refused: enhanced multi-frame"
SHUFFLED = [4, 0, 7, 2, 8, 1, 6, 3, 5]
ORIENTATION, MEASURES = "PlaneOrientationSequence", "PixelMeasuresSequence"
TRANSFORMATION = "PixelValueTransformationSequence"
SLOPES = [0.5, 1.5, 2.0, 0.25, 1.0, 0.75, 0.3, 1.25, 0.6]
DECAYING = Pixels("<u2", 16, lambda k: (SLOPES[k], -3.0 * k))
HU = Pixels("<i2", 16, lambda k: (1.0, -1024.0))


def one(
    frames: Sequence[Frame],
    kind: str = ENHANCED_MR,
    pixels: Pixels = PLAIN,
    own: Sequence[str] = (),
    edit: Callable[[Dataset], object] = lambda image: None,
    syntax: str = ExplicitVRLittleEndian,
) -> Write:
    """Write one enhanced image, edited."""

    def write(folder: Path) -> Path:
        image = enhanced(frames, kind, pixels, own=own)
        edit(image)
        return save([image], folder / "scan", syntax=syntax)

    return write


def per_frame(image: Dataset, k: int) -> Dataset:
    """The functional groups of frame k."""
    return image.PerFrameFunctionalGroupsSequence[k]


def misnumbered(image: Dataset) -> None:
    """Dimension indices and stack positions of another order than space."""
    for k in range(9):
        content = per_frame(image, k).FrameContentSequence[0]
        content.InStackPositionNumber = 9 - k
        content.DimensionIndexValues = [1, (4 * k) % 9 + 1]


def misplaced(image: Dataset) -> None:
    """A position of the whole image, which is of no frame."""
    image.ImagePositionPatient, image.PixelSpacing = ["1", "2", "3"], ["5", "5"]
    image.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    image.RescaleSlope, image.RescaleIntercept = "9", "9"


def drop(*keywords: str) -> Callable[[Dataset], None]:
    """Leave functional groups out, shared and per frame."""

    def edit(image: Dataset) -> None:
        groups = [*image.SharedFunctionalGroupsSequence, *image.PerFrameFunctionalGroupsSequence]
        for item in groups:
            for keyword in keywords:
                if keyword in item:
                    delattr(item, keyword)

    return edit


def two_stacks() -> list[Frame]:
    """Two stacks of other orientations in one image."""
    return frames_of(TILTED) + frames_of(replace(TILTED, turn=facing("P", "I")))


def timed(order: Sequence[int]) -> list[Frame]:
    """Two temporal positions of one stack, interleaved."""
    frames = []
    for k in order:
        for t in (0, 1):
            content = group(
                StackID="1", InStackPositionNumber=k + 1, TemporalPositionIndex=t + 1,
                DimensionIndexValues=[1, k + 1, t + 1],
            )  # fmt: skip
            frames.append(Frame(brighter(TILTED, 400 * t), k, {"FrameContentSequence": content}))
    return frames


TILES = replace(TILTED, columns=8, rows=8, heights=tuple(2.5 * k for k in range(7)))


def mosaic(
    downwards: bool = False, edit: Callable[[Dataset], object] = lambda image: None
) -> Write:
    """A Siemens mosaic: seven slices as tiles of a 3x3 square in one image.

    Layout: nibabel's notes on the Siemens mosaic format. downwards: the slices were acquired
    against their normal, which only Siemens' own header says.
    """

    def write(folder: Path) -> Path:
        stack, side = TILES, 3
        order = list(range(7))[::-1] if downwards else list(range(7))
        tiles = np.zeros((side * stack.rows, side * stack.columns), "<u2")
        for n, k in enumerate(order):
            y, x = (n // side) * stack.rows, (n % side) * stack.columns
            tiles[y : y + stack.rows, x : x + stack.columns] = PLAIN.stored(stack, k)
        image = series(stack, MR)[0]
        image.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
        image.Manufacturer = "SIEMENS"
        image.Rows, image.Columns = tiles.shape
        half = (side - 1) / 2 * np.multiply(stack.pixel, (stack.columns, stack.rows))
        corner = stack.position(order[0]) - stack.axes[:, :2] @ half
        image.ImagePositionPatient = decimals(corner)
        image.SpacingBetweenSlices, image.PixelData = "2.5", tiles.tobytes()
        image.AcquisitionMatrix = [8, 0, 0, 8]
        normal = stack.axes[:, 2] * (-1 if downwards else 1)
        csa = image.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        csa.add_new(
            0x10,
            "OB",
            _csa(
                {
                    "NumberOfImagesInMosaic": ("US", ["7"]),
                    "SliceNormalVector": ("FD", [f"{x:.8f}" for x in normal]),
                }
            ),
        )
        image.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 7)
        edit(image)
        return save([image], folder / "scan")

    return write  # fmt: skip


def _csa(tags: dict[str, tuple[str, list[str]]]) -> bytes:
    """Siemens' private header, version 2: named values."""
    parts = [b"SV10\4\3\2\1", struct.pack("<2I", len(tags), 77)]
    for name, (vr, values) in tags.items():
        parts.append(struct.pack("<64si4s3i", name.encode(), len(values), vr.encode(), 6, 6, 77))
        for item in [*values, *[""] * (6 - len(values))]:
            raw = item.encode() + b"\0" if item else b""
            parts += [struct.pack("<4i", len(raw), len(raw), 77, len(raw))]
            parts += [raw, bytes(-len(raw) % 4)]
    raw = b"".join(parts)
    return raw + bytes(len(raw) % 2)


def without_count(image: Dataset) -> None:
    """No statement of how many tiles are slices."""
    for element in [e for e in image if e.tag.is_private]:
        del image[element.tag]


def _image(name: str, what: str, write: Write, stack: Stack = TILTED, **how: object) -> Case:
    return Case(ENHANCED, name, what, write, stack, **how)


def _refused(name: str, what: str, edit: Callable[[Dataset], object], *codes: str) -> Case:
    return Case(REFUSED, name, what, one(frames_of(TILTED), edit=edit), codes=frozenset(codes))


def _packed(syntax: str) -> Write:
    return written(lambda: compressed([enhanced(frames_of(WIDE, [3, 0, 4, 1, 2]))], syntax))


CASES = [
    _image("enhanced-mr", "enhanced MR", one(frames_of(TILTED))),
    _image("enhanced-ct", "enhanced CT", one(frames_of(TILTED), ENHANCED_CT, HU)),
    _image("enhanced-pet", "enhanced PET, each frame its own rescale",
           one(frames_of(TILTED), ENHANCED_PET, DECAYING, [TRANSFORMATION]), step=2),
    _image("shuffled-frames", "frames in another order", one(frames_of(TILTED, SHUFFLED))),
    _image("frames-downwards", "frames from the top", one(frames_of(TILTED, range(8, -1, -1)))),
    _image("misnumbered-frames", "dimension indices that lie",
           one(frames_of(TILTED, SHUFFLED), edit=misnumbered)),
    _image("all-per-frame", "orientation, spacing and rescale stated by each frame",
           one(frames_of(TILTED, SHUFFLED), own=[ORIENTATION, MEASURES, TRANSFORMATION])),
    _image("frame-rescale", "each frame its own rescale, frames in another order",
           one(frames_of(TILTED, SHUFFLED), ENHANCED_MR, DECAYING, [TRANSFORMATION]), step=2),
    _image("no-transformation", "enhanced MR without rescale",
           one(frames_of(TILTED), edit=drop(TRANSFORMATION))),
    _image("misplaced", "a position at the top of the header, which is of no frame",
           one(frames_of(TILTED, SHUFFLED), edit=misplaced)),
    _image("enhanced-implicit", "enhanced MR, implicit VR",
           one(frames_of(TILTED, SHUFFLED), syntax=ImplicitVRLittleEndian)),
    _image("enhanced-deflated", "enhanced MR, deflated",
           one(frames_of(TILTED, SHUFFLED), syntax=DeflatedExplicitVRLittleEndian)),
    _image("enhanced-rle", "enhanced MR, RLE", _packed(RLELossless), WIDE),
    _image("enhanced-jpeg-2000", "enhanced MR, JPEG 2000", _packed(JPEG2000Lossless), WIDE),
    _image("enhanced-jpeg-ls", "enhanced MR, JPEG-LS", _packed(JPEGLSLossless), WIDE),
    _image("enhanced-times", "the second of two temporal positions", one(timed(SHUFFLED)),
           brighter(TILTED, 400), volume="2"),
    _image("enhanced-time-value", "a temporal position by its index", one(timed(SHUFFLED)),
           TILTED, volume="TemporalPositionIndex=1"),
    Case(MOSAIC, "mosaic", "a Siemens mosaic", mosaic(), TILES, optional=True),
    Case(MOSAIC, "mosaic-downwards", "a mosaic against its normal", mosaic(True), TILES,
         optional=True),
    Case(REFUSED, "mosaic-uncounted", "a mosaic that does not say how many slices it holds",
         mosaic(edit=without_count)),
    Case(REFUSED, "enhanced-two-times", "two temporal positions and no choice",
         one(timed(range(9))), codes=frozenset({"dicom-volumes", "dicom-several", "is-4d"})),
    Case(REFUSED, "enhanced-two-stacks", "two orientations in one image and no choice",
         one(two_stacks(), own=[ORIENTATION])),
    Case(REFUSED, "enhanced-missing", "a frame is missing", one(frames_of(
        TILTED, [0, 1, 2, 4, 5, 6, 7, 8])), codes=frozenset({"dicom-irregular"})),
    _refused("no-frame-position", "no position", drop("PlanePositionSequence"), "geometry-missing",
             "header-invalid"),
    _refused("no-frame-orientation", "no orientation", drop(ORIENTATION), "geometry-missing",
             "header-invalid"),
    _refused("no-frame-spacing", "no pixel spacing", drop(MEASURES), "geometry-missing",
             "header-invalid"),
    Case(REFUSED, "enhanced-ct-unscaled", "enhanced CT without rescale", one(
        frames_of(TILTED), ENHANCED_CT, HU, edit=drop(TRANSFORMATION))),
    _refused("one-position-missing", "one frame without position",
             lambda image: delattr(per_frame(image, 8), "PlanePositionSequence")),
    _refused("more-groups", "functional groups of more frames than there are",
             lambda image: image.PerFrameFunctionalGroupsSequence.append(per_frame(image, 0))),
    _refused("fewer-groups", "functional groups of fewer frames than there are",
             lambda image: image.PerFrameFunctionalGroupsSequence.pop()),
    _refused("no-groups", "no functional groups at all",
             lambda image: delattr(image, "PerFrameFunctionalGroupsSequence")),
    _refused("more-frames", "more frames declared than pixel data",
             lambda image: setattr(image, "NumberOfFrames", 10)),
    _refused("fewer-frames", "fewer frames declared than there are",
             lambda image: setattr(image, "NumberOfFrames", 8)),
    _refused("frame-spacing-differs", "one frame of another pixel spacing",
             lambda image: setattr(per_frame(image, 8), MEASURES, [
                 group(PixelSpacing=["0.9", "0.8"], SliceThickness="2.5")])),
    Case(REFUSED, "two-enhanced", "two enhanced images of one series at one place", written(
        lambda: [enhanced(frames_of(TILTED)), _another(enhanced(frames_of(brighter(TILTED, 90))))])),
]  # fmt: skip


def _another(image: Dataset) -> Dataset:
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid("another")
    return image
