"""Series whole in themselves that must be refused: their geometry, their values, their kind."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from cases import LAST, TILTED, Case, Write, in_slice, stacked, written
from instances import CT, MR, PET, Pixels, decimals, enhanced, frames_of, group, series
from pydicom import Dataset
from stacks import turned

GEOMETRY, VALUES = "refused: geometry", "refused: values"
KINDS = "refused: unsupported kinds"
IRREGULAR = ("dicom-irregular", "dicom-several", "dicom-volumes", "geometry-invalid", "not-3d")
MISSING, INVALID = ("geometry-missing", "header-invalid"), ("geometry-invalid", "header-invalid")


def moved(at: int, along_row: float = 0.0, along_column: float = 0.0, up: float = 0.0) -> Callable:
    """Positions of which one lies elsewhere, in mm along a row, a column and the normal."""
    step = TILTED.axes @ [along_row, along_column, up]
    return lambda k: decimals(TILTED.position(k) + (step if k == at else 0))


def orientations(at: int, degrees: float) -> Callable:
    """Orientations of which one is turned, about the slices' row."""
    other = replace(TILTED, turn=tuple((TILTED.axes @ np.reshape(turned(degrees), (3, 3))).ravel()))
    return lambda k: decimals((other if k == at else TILTED).axes[:, :2].T.ravel())


def drifting(k: int) -> list[str]:
    """Slices that move along their columns by a growing step: a bent stack."""
    return decimals(TILTED.position(k) + TILTED.axes[:, 1] * 0.05 * k * k)


def of_kind(kind: str, modality: str, **fields: Any) -> Write:
    """A regular stack in images of another kind."""
    return stacked(SOPClassUID=kind, Modality=modality, **fields)


def cine(kind: str = MR, **fields: Any) -> Write:
    """A multi-frame image of times, not of places: 33 ms from frame to frame."""

    def make() -> list[Dataset]:
        stack = replace(TILTED, heights=(0.0,))
        image = series(stack, kind, SOPClassUID=kind, **fields)[0]
        image.NumberOfFrames, image.FrameTime = 9, "33.3"
        image.FrameIncrementPointer = 0x00181063
        image.PixelData = image.PixelData * 9
        return [image]

    return written(make)


def enhanced_cine() -> list[Dataset]:
    """Nine frames at one place."""
    image = enhanced(frames_of(TILTED))
    for item in image.PerFrameFunctionalGroupsSequence:
        item.PlanePositionSequence = image.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    image.FrameTime = "2.5"
    return [image]


def coloured() -> list[Dataset]:
    images = series(TILTED)
    for image in images:
        image.SamplesPerPixel, image.PhotometricInterpretation = 3, "RGB"
        image.PlanarConfiguration, image.BitsAllocated, image.BitsStored = 0, 8, 8
        image.HighBit, image.PixelData = 7, bytes(360)
    return images


def floating() -> list[Dataset]:
    """Pixels as floats that are not finite."""
    images = series(TILTED, MR)
    for k, image in enumerate(images):
        pixels = np.where(TILTED.values()[k] > 1100, np.nan, TILTED.values()[k]).astype("<f4")
        del image.PixelData
        image.FloatPixelData, image.BitsAllocated = pixels.tobytes(), 32
    return images


def table() -> Dataset:
    """An item of a modality look-up table."""
    item = group(ModalityLUTType="HU", LUTData=bytes(8))
    item.add_new(0x00283002, "US", [4, 0, 16])
    return item


def one_signed() -> list[Dataset]:
    """Slices of which the last says that its pixels are signed."""
    images = series(TILTED)
    images[-1].PixelRepresentation = 1
    images[-1].BitsStored, images[-1].HighBit = 11, 10
    return images


def _all(group: str, name: str, what: str, codes: Sequence[str] = (), **fields: Any) -> Case:
    kind = fields.pop("kind", CT)
    return Case(group, name, what, stacked(kind=kind, **fields), codes=frozenset(codes))


def _case(group: str, name: str, what: str, write: Write, *codes: str) -> Case:
    return Case(group, name, what, write, codes=frozenset(codes))


CASES = [
    _all(GEOMETRY, "no-spacing", "no PixelSpacing", MISSING, PixelSpacing=None),
    _all(GEOMETRY, "imager-spacing", "ImagerPixelSpacing alone", MISSING, PixelSpacing=None,
         ImagerPixelSpacing=["0.9", "0.7"]),
    _all(GEOMETRY, "nominal-spacing", "NominalScannedPixelSpacing alone", MISSING,
         PixelSpacing=None, NominalScannedPixelSpacing=["0.9", "0.7"]),
    _all(GEOMETRY, "no-position", "no ImagePositionPatient", MISSING, ImagePositionPatient=None),
    _all(GEOMETRY, "no-orientation", "no ImageOrientationPatient", MISSING,
         ImageOrientationPatient=None),
    _all(GEOMETRY, "empty-position", "an empty position", (), ImagePositionPatient=""),
    _all(GEOMETRY, "location-alone", "SliceLocation in place of a position", (),
         ImagePositionPatient=None, SliceLocation=lambda k: f"{2.5 * k}"),
    _all(GEOMETRY, "one-without-position", "the last slice without position", (),
         ImagePositionPatient=lambda k: decimals(TILTED.position(k)) if k < LAST else None),
    _all(GEOMETRY, "one-without-orientation", "the last slice without orientation", (),
         ImageOrientationPatient=lambda k: orientations(0, 0)(k) if k < LAST else None),
    _all(GEOMETRY, "drift", "one slice shifted in its plane", IRREGULAR,
         ImagePositionPatient=moved(4, along_row=0.4)),
    _all(GEOMETRY, "drift-at-end", "the last slice shifted in its plane", IRREGULAR,
         ImagePositionPatient=moved(LAST, along_column=-0.5)),
    _all(GEOMETRY, "bent", "slices that drift more and more", IRREGULAR,
         ImagePositionPatient=drifting),
    _all(GEOMETRY, "moved-slice", "one slice moved along the normal", IRREGULAR,
         ImagePositionPatient=moved(4, up=0.5)),
    _all(GEOMETRY, "moved-end", "the last slice moved along the normal", IRREGULAR,
         ImagePositionPatient=moved(LAST, up=1.0)),
    _all(GEOMETRY, "turned-slice", "one slice turned by 3 degrees", IRREGULAR,
         ImageOrientationPatient=orientations(4, 3.0)),
    _all(GEOMETRY, "turned-end", "the last slice turned by 3 degrees", IRREGULAR,
         ImageOrientationPatient=orientations(LAST, 3.0)),
    _all(GEOMETRY, "long-cosines", "direction cosines of length 2", INVALID,
         ImageOrientationPatient=["2", "0", "0", "0", "1", "0"]),
    _all(GEOMETRY, "skew-cosines", "rows and columns at 80 degrees", INVALID,
         ImageOrientationPatient=["1", "0", "0", "0.17364818", "0.98480775", "0"]),
    _all(GEOMETRY, "zero-cosines", "direction cosines of zero", INVALID,
         ImageOrientationPatient=["0"] * 6),
    _all(GEOMETRY, "zero-spacing", "a pixel spacing of zero", INVALID, PixelSpacing=["0", "0.7"]),
    _all(GEOMETRY, "negative-spacing", "a negative pixel spacing", INVALID,
         PixelSpacing=["-0.9", "0.7"]),
    _all(GEOMETRY, "one-spacing", "a pixel spacing of one number", (), PixelSpacing="0.9"),
    _all(GEOMETRY, "spacing-differs", "the last slice of another pixel spacing", IRREGULAR,
         PixelSpacing=in_slice(LAST, ["0.9", "0.75"], lambda k: ["0.9", "0.7"])),
    _all(GEOMETRY, "fan", "slices that turn about one axis", IRREGULAR,
         ImageOrientationPatient=lambda k: orientations(k, 4.0 * k)(k)),
    _case(GEOMETRY, "rows-differ", "the last slice of more rows", written(lambda: [
        *series(TILTED)[:LAST], series(replace(TILTED, rows=12))[LAST]])),
    _case(GEOMETRY, "cine-in-one-image", "a multi-frame MR whose frame time is no spacing", cine()),
    _case(GEOMETRY, "cine-thick", "the same, with a SliceThickness and distance",
          cine(SpacingBetweenSlices="2.5")),
    _case(GEOMETRY, "enhanced-cine", "an enhanced MR of nine times at one place",
          written(enhanced_cine)),
    _all(VALUES, "ct-unscaled", "CT without rescale", ("header-invalid", "not-hounsfield"),
         RescaleSlope=None, RescaleIntercept=None),
    _all(VALUES, "ct-no-intercept", "CT without intercept", (), RescaleIntercept=None),
    _all(VALUES, "ct-one-unscaled", "CT, the last slice without rescale", (),
         RescaleSlope=lambda k: "1" if k < LAST else None,
         RescaleIntercept=lambda k: "-1024" if k < LAST else None),
    _all(VALUES, "mr-one-unscaled", "MR, the last slice without rescale", (), kind=MR,
         pixels=Pixels("<u2", 16, lambda k: (0.5, 0.0)),
         RescaleSlope=lambda k: "0.5" if k < LAST else None,
         RescaleIntercept=lambda k: "0" if k < LAST else None),
    _all(VALUES, "pet-unscaled", "PET without rescale", (), kind=PET, RescaleSlope=None,
         RescaleIntercept=None),
    _all(VALUES, "zero-slope", "a slope of zero", (), RescaleSlope="0"),
    _all(VALUES, "not-hounsfield", "CT in another unit", (), RescaleType="OD"),
    _all(VALUES, "table", "values by a look-up table", (), RescaleSlope=None, RescaleType=None,
         RescaleIntercept=None, ModalityLUTSequence=[table()]),
    _all(VALUES, "palette", "palette colours", (), PhotometricInterpretation="PALETTE COLOR"),
    _case(VALUES, "colour", "colours", written(coloured), "is-colour", "dicom-unsupported"),
    _case(VALUES, "not-finite", "pixels that are no numbers", written(floating)),
    _case(VALUES, "units-differ", "PET, slices of two units", stacked(
        kind=PET, Units=lambda k: "BQML" if k < LAST else "CNTS")),
    _case(VALUES, "sign-differs", "the last slice says that its pixels are signed",
          written(one_signed)),
    _case(VALUES, "stored-17", "more bits stored than allocated", stacked(
        BitsStored=17, HighBit=16)),
    *(_case(KINDS, name, what, of_kind(kind, modality, **fields)) for name, what, kind, modality,
      fields in (
        ("secondary-capture", "secondary captures", "1.2.840.10008.5.1.4.1.1.7", "OT", {}),
        ("radiograph", "computed radiographs", "1.2.840.10008.5.1.4.1.1.1", "CR", {}),
        ("digital-x-ray", "digital X-ray", "1.2.840.10008.5.1.4.1.1.1.1", "DX", {}),
        ("angiography", "X-ray angiography", "1.2.840.10008.5.1.4.1.1.12.1", "XA", {}),
        ("ultrasound", "ultrasound", "1.2.840.10008.5.1.4.1.1.6.1", "US", {}),
        ("unknown-class", "a private SOP class", "1.2.826.0.1.3680043.9.99.1", "CT", {}),
        ("no-class", "no SOP class", "", "CT", {}),
        ("localizers", "nothing but localizers", CT, "CT",
         {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
    )),
    *(_case(KINDS, name, what, cine(kind, Modality=modality)) for name, what, kind, modality in (
        ("dose", "a dose", "1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE"),
        ("segmentation", "a segmentation", "1.2.840.10008.5.1.4.1.1.66.4", "SEG"),
        ("ultrasound-clip", "an ultrasound clip", "1.2.840.10008.5.1.4.1.1.3.1", "US"),
        ("captured-clip", "a multi-frame capture", "1.2.840.10008.5.1.4.1.1.7.2", "OT"),
    )),
]  # fmt: skip
