"""DICOM Segmentation objects: binary, in which structures may overlap, or one label map.

highdicom says what the object is and describes its segments. The frames are written here: highdicom
takes overlapping segments only as one array of all voxels times all segments (gigabytes), and refers
to no single frames of a source of several multi-frame instances.
Attributes: DICOM PS3.3 A.51 (segmentation), A.51.5 (label map segmentation), C.8.20.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from highdicom import AlgorithmIdentificationSequence, PixelMeasuresSequence
from highdicom.color import CIELabColor
from highdicom.content import PlaneOrientationSequence, PlanePositionSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from pydicom import Dataset
from pydicom.sr.codedict import codes

from scanmill import __version__
from scanmill.export.coding import category, concept, property_type
from scanmill.export.instance import (
    EQUIPMENT,
    SERIES,
    UNKNOWN_UID,
    complete,
    series_uid,
    tracking_uid,
)
from scanmill.export.source_images import SourceImages, decimals
from scanmill.export.structures import Exported
from scanmill.label_map import Region

LARGEST_BYTE = 255


def binary_segmentation(structures: list[Exported], source: SourceImages) -> Dataset:
    """A segmentation of whole structures, one segment each, numbered from 1 in their order."""
    frames = [
        (number, k, mask)
        for number, structure in enumerate(structures, 1)
        for k, mask in _slices(structure.region)
    ]
    made = _described(structures, source, "BINARY", "seg")
    made.SegmentsOverlap = "YES" if overlap(structures, source.grid.shape) else "NO"
    made.SharedFunctionalGroupsSequence[0].pop("SegmentIdentificationSequence", None)
    used = sorted({k for _, k, _ in frames})
    rank = {k: n for n, k in enumerate(used, 1)}
    groups = []
    for number, k, _ in frames:
        group = _frame_groups(source, k, [number, rank[k]])
        identification = Dataset()
        identification.ReferencedSegmentNumber = number
        group.SegmentIdentificationSequence = [identification]
        groups.append(group)
    made.PerFrameFunctionalGroupsSequence = groups
    made.NumberOfFrames = len(frames)
    shape = source.grid.shape[1:]
    boxes = [structure.region.box for structure in structures]
    made.PixelData = _packed(_whole(mask, boxes[n - 1], shape) for n, _, mask in frames)
    return complete(made, source, "seg")


def label_map_segmentation(structures: list[Exported], source: SourceImages) -> Dataset:
    """A label map of the same segments; where structures overlap, the later one lies on the earlier."""
    largest = np.uint8 if len(structures) <= LARGEST_BYTE else np.uint16
    labels = np.zeros(source.grid.shape, largest)
    for number, structure in enumerate(structures, 1):
        labels[structure.region.box][structure.region.array] = number
    made = _described(structures, source, "LABELMAP", "labelmap")
    used = np.flatnonzero(labels.any(axis=(1, 2)))
    made.PerFrameFunctionalGroupsSequence = [
        _frame_groups(source, int(k), [n]) for n, k in enumerate(used, 1)
    ]
    made.NumberOfFrames = len(used)
    voxels = labels[used].astype(labels.dtype.newbyteorder("<")).tobytes()
    made.PixelData = voxels + b"\0" * (len(voxels) % 2)
    return complete(made, source, "labelmap")


def overlap(structures: list[Exported], shape: tuple[int, int, int]) -> bool:
    """True where a voxel of a grid of that shape belongs to two structures."""
    taken = np.zeros(shape, bool)
    for structure in structures:
        under = taken[structure.region.box]
        if (under & structure.region.array).any():
            return True
        under |= structure.region.array
    return False


def _described(
    structures: list[Exported], source: SourceImages, form: str, kind: str
) -> Segmentation:
    """The object with its segments described and one empty frame in the place of all."""
    size = source.grid.shape[1:]
    stacked = (1, *size, len(structures)) if form == "BINARY" else (1, *size)
    made = Segmentation(
        source_images=[source.plain_image()],
        pixel_array=np.zeros(stacked, np.uint8),
        segmentation_type=form,
        segment_descriptions=[_segment(n, s, source) for n, s in enumerate(structures, 1)],
        series_instance_uid=series_uid(source, kind),
        series_number=SERIES[kind][0],
        sop_instance_uid=UNKNOWN_UID,
        instance_number=1,
        plane_orientation=PlaneOrientationSequence("PATIENT", source.orientation()),
        plane_positions=[PlanePositionSequence("PATIENT", source.position(0))],
        pixel_measures=_measures(source),
        content_label="SEGMENTATION",
        omit_empty_frames=False,
        **EQUIPMENT,
    )
    organization = source.identity.derived("dimensions", source.series, source.case, kind)
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    made.ReferencedSeriesSequence = source.referenced_series()
    made.update(source.compression)
    made.pop("SourceImageSequence", None)
    return made


def _measures(source: SourceImages) -> PixelMeasuresSequence:
    along_x, along_y, along_z = decimals(source.grid.spacing)
    return PixelMeasuresSequence([along_y, along_x], along_z, along_z)


def _segment(number: int, structure: Exported, source: SourceImages) -> SegmentDescription:
    red, green, blue = bytes.fromhex(structure.colour.removeprefix("#"))
    described = SegmentDescription(
        segment_number=number,
        segment_label=structure.name,
        segmented_property_category=category(structure),
        segmented_property_type=concept(structure),
        algorithm_type=SegmentAlgorithmTypeValues(structure.algorithm),
        algorithm_identification=AlgorithmIdentificationSequence(
            "ScanMill", codes.DCM.MorphologicalOperations, __version__
        ),
        tracking_id=f"{source.case}/{structure.name}",
        tracking_uid=tracking_uid(source, structure.name),
        display_color=CIELabColor.from_rgb(red, green, blue),
    )
    described.SegmentedPropertyTypeCodeSequence = [property_type(structure)]
    return described


def _frame_groups(source: SourceImages, k: int, dimensions: list[int]) -> Dataset:
    content, position, group = Dataset(), Dataset(), Dataset()
    content.DimensionIndexValues = dimensions
    position.ImagePositionPatient = source.position(k)
    group.DerivationImageSequence = source.derivation(k)
    group.FrameContentSequence = [content]
    group.PlanePositionSequence = [position]
    return group


def _slices(region: Region) -> Iterator[tuple[int, np.ndarray]]:
    """The slices of a region that hold a voxel: index in the grid, and mask [y, x] of its box."""
    start = region.box[0].start
    for k in np.flatnonzero(region.array.any(axis=(1, 2))):
        yield start + int(k), region.array[k]


def _whole(mask: np.ndarray, box: tuple[slice, ...], shape: tuple[int, int]) -> np.ndarray:
    frame = np.zeros(shape, bool)
    frame[box[1:]] = mask
    return frame


def _packed(frames: Iterable[np.ndarray]) -> bytes:
    """Frames as one string of bits, first pixel in the lowest bit (PS3.5 8.1.1), of even length."""
    rest = np.empty(0, bool)
    packed = bytearray()
    for frame in frames:
        pixels = np.concatenate([rest, frame.ravel()])
        whole = len(pixels) // 8 * 8
        packed += np.packbits(pixels[:whole], bitorder="little").tobytes()
        rest = pixels[whole:]
    packed += np.packbits(rest, bitorder="little").tobytes()
    return bytes(packed) + b"\0" * (len(packed) % 2)
