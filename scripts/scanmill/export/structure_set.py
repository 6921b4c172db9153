"""RT Structure Set: contours on the outer edge of the pixels, as planning systems take them in.

Own code, since rt-utils, the library for it, traces pixel centres: an independent reader that fills
its contours finds 0 to 0.97 of the mask (Dice). Each contour here encloses exactly the squares of its
pixels, on the source's own slices, so that the mask comes back whole.
Attributes: DICOM PS3.3 A.19, C.8.8.5 (structure set), C.8.8.6 (ROI contour), C.8.8.8 (observations).
"""

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage

from scanmill.export.coding import category, coded, property_type
from scanmill.export.instance import complete, new_object
from scanmill.export.outlines import outlines
from scanmill.export.source_images import SourceImages
from scanmill.export.structures import Exported

CONTOUR_DATA = Tag("ContourData")
# By category: ORGAN is what planning systems call anatomy; the rest they leave open.
INTERPRETED = {"anatomical": "ORGAN", "tissue": "ORGAN"}
# Names that radiotherapy gives its volumes (ICRU 83).
TARGETS = ("GTV", "CTV", "PTV")
LABEL = "ScanMill"
# Detached Study Management, retired, and still what this reference is written with.
DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"


def structure_set(structures: list[Exported], source: SourceImages) -> Dataset:
    """A structure set with an ROI for each structure, on slices that are the source's own.

    Implicit VR, the only one in which a contour may hold more than 64 KB.
    """
    made = new_object(RTStructureSetStorage, "RTSTRUCT", ImplicitVRLittleEndian)
    made.StructureSetLabel = LABEL
    made.StructureSetDate, made.StructureSetTime = source.date, source.time
    made.ApprovalStatus = "UNAPPROVED"
    made.OperatorsName = ""
    made.FrameOfReferenceUID = source.frame_of_reference
    made.PositionReferenceIndicator = ""
    made.ReferencedFrameOfReferenceSequence = [_referenced_frame(source)]
    made.StructureSetROISequence = [_roi(n, s, source) for n, s in enumerate(structures, 1)]
    made.ROIContourSequence = [_contours(n, s, source) for n, s in enumerate(structures, 1)]
    made.RTROIObservationsSequence = [_observation(n, s) for n, s in enumerate(structures, 1)]
    return complete(made, source, "rtstruct")


def _referenced_frame(source: SourceImages) -> Dataset:
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = source.series
    series.ContourImageSequence = [source.reference(k) for k in range(len(source.frames))]
    study.ReferencedSOPClassUID = DETACHED_STUDY
    study.ReferencedSOPInstanceUID = source.study
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = source.frame_of_reference
    frame.RTReferencedStudySequence = [study]
    return frame


def _roi(number: int, structure: Exported, source: SourceImages) -> Dataset:
    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = source.frame_of_reference
    roi.ROIName = structure.name
    roi.ROIGenerationAlgorithm = structure.algorithm
    return roi


def _contours(number: int, structure: Exported, source: SourceImages) -> Dataset:
    contours = Dataset()
    contours.ReferencedROINumber = number
    contours.ROIDisplayColor = list(bytes.fromhex(structure.colour.removeprefix("#")))
    region = structure.region
    contours.ContourSequence = [
        _contour(points, region.box[0].start + int(k), source)
        for k in np.flatnonzero(region.array.any(axis=(1, 2)))
        for points in _placed(outlines(region.array[k]), region.box)
    ]
    for n, contour in enumerate(contours.ContourSequence, 1):
        contour.ContourNumber = n
    return contours


def _placed(pieces: list[np.ndarray], box: tuple[slice, ...]) -> list[np.ndarray]:
    """Points of a region's box as points of its grid's slice."""
    return [points + np.array([box[2].start, box[1].start]) for points in pieces]


def _contour(points: np.ndarray, k: int, source: SourceImages) -> Dataset:
    contour = Dataset()
    contour.ContourImageSequence = [source.reference(k)]
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(points)
    space = source.positions[k] + points @ source.grid.axes[:, :2].T
    text = _decimal_strings(space)
    # As bytes: pydicom makes an object of each of millions of numbers.
    contour[CONTOUR_DATA] = RawDataElement(CONTOUR_DATA, "DS", len(text), text, 0, True, True)
    return contour


def _decimal_strings(points: np.ndarray) -> bytes:
    r"""LPS mm, joined by \, of even length. Four decimals: rounding moves a point by 50 nm at most."""
    numbers = (np.round(points, 4) + 0.0).ravel().tolist()
    text = "\\".join([f"{number:.4f}" for number in numbers])
    return (text + " " * (len(text) % 2)).encode("ascii")


def _observation(number: int, structure: Exported) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    target = structure.name[:3].upper()
    observation.RTROIInterpretedType = (
        target if target in TARGETS else INTERPRETED.get(structure.category, "")
    )
    observation.ROIInterpreter = ""
    observation.SegmentedPropertyCategoryCodeSequence = [coded(category(structure))]
    observation.RTROIIdentificationCodeSequence = [property_type(structure)]
    return observation
