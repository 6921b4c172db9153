"""RTSTRUCT and SEG of known shapes: the one written element by element, the other by highdicom."""

from pathlib import Path

import highdicom as hd
import numpy as np
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid
from scanmill.grid import Grid
from scanmill.source.segments.planes import Contours

FRAME = "1.2.826.0.1.3680043.8.498.1234"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
LIVER = ("10200004", "SCT")
KIDNEY = ("64033007", "SCT")


def circle(centre, radius, u, v, count=180) -> np.ndarray:
    """Points of a circle, LPS mm, of the area that the circle has."""
    angle = np.arange(count) * 2 * np.pi / count
    # A polygon's area is smaller than its circle's.
    radius = radius * np.sqrt(2 * np.pi / count / np.sin(2 * np.pi / count))
    return centre + radius * (np.outer(np.cos(angle), u) + np.outer(np.sin(angle), v))


def sphere_contours(centre, radius, grid: Grid, layers=None) -> list[np.ndarray]:
    """The circles of a sphere on layers along the z axis of a grid."""
    u, v, normal = np.reshape(grid.direction, (3, 3)).T
    found = []
    for layer in np.arange(grid.size[2]) if layers is None else layers:
        point = grid.to_physical(np.array([0, 0, layer]))
        height = float((point - centre) @ normal)
        if abs(height) < radius:
            found.append(circle(centre + height * normal, np.sqrt(radius**2 - height**2), u, v))
    return found


def contours_of(parts: list[np.ndarray]) -> Contours:
    return Contours(np.concatenate(parts), np.cumsum([0, *(len(part) for part in parts)]))


def keyhole(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """One contour of a ring: along the outer one, in, the inner one the other way, and out."""
    return np.concatenate([outer, outer[:1], inner[::-1], inner[-1:], outer[:1]])


def write_rtstruct(
    path: Path,
    rois: dict[str, list],
    frame: str | None = FRAME,
    syntax=ExplicitVRLittleEndian,
    **sets,
) -> Path:
    """rois: contours by name; each (n, 3) points, or a pair of geometric type and points."""
    dataset = _file(RTSTRUCT, syntax)
    dataset.Modality, dataset.PatientName, dataset.PatientID = "RTSTRUCT", "Doe^Jane", "secret-17"
    dataset.StructureSetROISequence = Sequence()
    dataset.ROIContourSequence = Sequence()
    for number, (name, contours) in enumerate(rois.items(), 1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName = number, name
        if frame:
            roi.ReferencedFrameOfReferenceUID = frame
        dataset.StructureSetROISequence.append(roi)
        item = Dataset()
        item.ReferencedROINumber = number
        item.ContourSequence = Sequence(_contour(contour) for contour in contours)
        dataset.ROIContourSequence.append(item)
    for keyword, value in sets.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _contour(contour) -> Dataset:
    kind, points = contour if isinstance(contour, tuple) else ("CLOSED_PLANAR", contour)
    item = Dataset()
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points)
    item.ContourData = [f"{x:.10g}"[:16] for x in np.ravel(points)]
    return item


def _file(sop_class: str, syntax=ExplicitVRLittleEndian) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    return dataset


def source_images(grid: Grid) -> list[Dataset]:
    """The headers of a CT on a grid, as far as a SEG needs them."""
    study, series = generate_uid(), generate_uid()
    images = []
    for layer in range(grid.size[2]):
        image = _file("1.2.840.10008.5.1.4.1.1.2", ImplicitVRLittleEndian)
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.FrameOfReferenceUID, image.Modality = FRAME, "CT"
        image.PatientID, image.PatientName, image.PatientBirthDate = "secret-17", "Doe^Jane", ""
        image.PatientSex, image.AccessionNumber, image.StudyID = "", "", ""
        image.StudyDate = image.StudyTime = image.ReferringPhysicianName = ""
        image.Rows, image.Columns = grid.size[1], grid.size[0]
        image.PixelSpacing = [grid.spacing[1], grid.spacing[0]]
        image.SliceThickness = grid.spacing[2]
        image.ImageOrientationPatient = _decimal(np.reshape(grid.direction, (3, 3)).T[:2])
        image.ImagePositionPatient = _decimal(grid.to_physical(np.array([0, 0, layer])))
        image.InstanceNumber, image.SamplesPerPixel = layer + 1, 1
        image.BitsAllocated = 16
        images.append(image)
    return images


def _decimal(values) -> list[str]:
    return [f"{x:.12f}"[:16] for x in np.ravel(values)]


def described(number: int, name: str, code=LIVER) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        number,
        name,
        codes.SCT.AnatomicalStructure,
        Code(*code, "of the test"),
        hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def segmentation(
    grid: Grid, masks: dict[str, np.ndarray], kind="BINARY", code=None, **options
) -> hd.seg.Segmentation:
    """A SEG of masks [z, y, x], by name; the segments of a LABELMAP must not overlap."""
    names = list(masks)
    if kind == "LABELMAP":
        array = np.zeros(grid.shape, np.uint8)
        for number, name in enumerate(names, 1):
            array[masks[name] > 0] = number
    else:
        array = np.stack(list(masks.values()), axis=-1)
        array = array.astype(np.float32 if kind == "FRACTIONAL" else np.uint8)
    code = code or {}
    fractional = {"fractional_type": "OCCUPANCY"} if kind == "FRACTIONAL" else {}
    return hd.seg.Segmentation(
        source_images(grid),
        array,
        kind,
        [described(n, name, code.get(name, LIVER)) for n, name in enumerate(names, 1)],
        generate_uid(),
        1,
        generate_uid(),
        1,
        "of tests",
        "of tests",
        "1",
        "1",
        **fractional,
        **options,
    )
