"""RTSTRUCT: the ROIs of a structure set, as closed planar contours.

Attributes: DICOM PS3.3, C.8.8.5 (structure set), C.8.8.6 (ROI contour).
"""

import warnings
from collections import Counter

import numpy as np
from pydicom import Dataset

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.geometry import FARTHEST
from scanmill.source.layout import Note
from scanmill.source.segments.contour_mask import mask_of
from scanmill.source.segments.object_file import interpreting
from scanmill.source.segments.planes import Contours
from scanmill.source.segments.segment import Mask, Segment

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


class StructureSet:
    """The ROIs of an RTSTRUCT, in its order; contours are read when a mask is asked for.

    scan: the grid of the scan's slices as acquired; contours on them are drawn in its pixels.
    """

    def __init__(self, dataset: Dataset, scan: Grid) -> None:
        self._scan = scan
        rois = list(dataset.StructureSetROISequence)
        self.listed = [
            Segment(str(roi.get("ROIName", "")), _frame_of_reference(roi, dataset)) for roi in rois
        ]
        drawn: dict[int, list[Dataset]] = {}
        for item in dataset.ROIContourSequence:
            drawn.setdefault(int(item.ReferencedROINumber), []).append(item)
        self._items = [drawn.get(int(roi.ROINumber), []) for roi in rois]
        numbers = Counter(int(roi.ROINumber) for roi in rois)
        if max(numbers.values(), default=1) > 1:
            raise Refusal("labels-unreadable", "two ROIs of the supplied labels have one number")

    def mask(self, number: int) -> tuple[Mask, list[Note]]:
        """The mask of the ROI at that place in the list; see `contour_mask`.

        Raises Refusal where it has no closed contour, or its contours cannot be trusted.
        """
        with interpreting():
            contours, notes = _contours(self._items[number])
        mask, drawing_notes = mask_of(contours, self._scan)
        return mask, notes + drawing_notes


def _frame_of_reference(roi: Dataset, dataset: Dataset) -> str | None:
    stated = roi.get("ReferencedFrameOfReferenceUID") or dataset.get("FrameOfReferenceUID")
    return str(stated) if stated else None


def _contours(items: list[Dataset]) -> tuple[Contours, list[Note]]:
    parts: dict[bytes, np.ndarray] = {}
    open_ones = repeated = 0
    for contour in (c for item in items for c in item.get("ContourSequence") or []):
        if any(contour.get("ContourOffsetVector") or []):
            raise Refusal("labels-unreadable", "contours of this structure are offset; none may be")
        points = _points(contour)
        if contour.ContourGeometricType not in CLOSED or len(points) < 3:
            open_ones += 1
        elif (key := points.tobytes()) in parts:
            repeated += 1
        else:
            parts[key] = points
    if not parts:
        raise Refusal(
            "structure-empty",
            "the ROI of this structure holds no closed contour"
            + (f", but {open_ones} open ones or points" if open_ones else ""),
        )
    bounds = np.cumsum([0, *(len(points) for points in parts.values())])
    notes: list[Note] = []
    if open_ones:
        notes.append(
            ("contours-open", f"{open_ones} contours that are open, or points, were left out.")
        )
    if repeated:
        notes.append(
            ("contours-repeated", f"{repeated} contours that are there twice were dropped.")
        )
    return Contours(np.concatenate(list(parts.values())), bounds), notes


def _points(contour: Dataset) -> np.ndarray:
    """The contour's points, (n, 3), LPS mm.

    From the text as stored: millions of points a file would each become an object of the library's.
    """
    element = contour.get_item("ContourData")
    text = element.value if isinstance(element.value, bytes) else None
    if text is None:
        text = "\\".join(map(str, element.value or [])).encode()
    with warnings.catch_warnings(action="error"):
        # It only warns of what is no number, and leaves out all that follows.
        numbers = np.fromstring(text.decode("ascii").strip(" \0"), sep=" \\ ")
    stated = contour.get("NumberOfContourPoints")
    if numbers.size % 3 or (stated is not None and int(stated) * 3 != numbers.size):
        raise Refusal(
            "labels-unreadable",
            f"a contour of this structure holds {numbers.size} coordinates, which is not what it "
            "states, three for each of its points",
        )
    if not np.abs(numbers).max(initial=0) <= FARTHEST:
        raise Refusal(
            "labels-unreadable",
            "a contour of this structure lies more than 100 m from the origin of space, or nowhere",
        )
    return numbers.reshape(-1, 3)
