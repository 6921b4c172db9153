"""The images that exported objects are about: where they lie, and how they are referred to.

Attributes: DICOM PS3.3 C.7.6.16.2.6 (derivation image), C.12.4 (common instance reference).
"""

import re
from collections.abc import MutableSequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage
from pydicom.valuerep import format_number_as_ds

from scanmill.export.coding import coded
from scanmill.export.identity import EMPTY, Identity
from scanmill.grid import Grid
from scanmill.source.dicom import Found

UNKNOWN_DATE, UNKNOWN_TIME = "19000101", "000000"
MOMENTS = ("Content", "Acquisition", "Series", "Study")
# Voxels between a slice and a frame that lies there but for rounding.
SAME_HEIGHT = 1e-3
# Voxels by which frames may lie off their slices, and still tell their own positions.
EVEN = 0.01
# Values of Lossy Image Compression, and the form of its methods' names.
LOSSLESS, LOSSY = "00", "01"
METHOD = re.compile(r"ISO_\d+(_\d+)?")


@dataclass(frozen=True)
class Frame:
    """One slice of the source.

    number: from 1, in an instance of several frames; else None. position: LPS mm of the centre of the
    first pixel.
    """

    sop_class: str
    sop_instance: str
    number: int | None
    position: np.ndarray


@dataclass(frozen=True)
class SourceImages:
    """All that exported objects may tell of their source, under the identity that they carry.

    grid: that masks are exported on. frames: the source's slices along the grid's z, the k-th of which
    is slice k of the grid where `on_slices`. positions: of the grid's slices, as a frame's. subject:
    attributes of patient and study. compression: attributes of lossy compression. date, time: of the
    source, DA and TM.
    """

    grid: Grid
    frames: list[Frame]
    on_slices: bool
    positions: np.ndarray
    modality: str
    study: str
    series: str
    frame_of_reference: str
    subject: Dataset
    compression: Dataset
    date: str
    time: str
    identity: Identity
    case: str

    def position(self, k: int) -> list[str]:
        """LPS mm of the centre of the first pixel of slice k, as decimal strings."""
        return decimals(self.positions[k])

    def orientation(self) -> list[str]:
        """Direction cosines of rows, then of columns, as decimal strings."""
        direction = np.reshape(self.grid.direction, (3, 3))
        return decimals([*direction[:, 0], *direction[:, 1]])

    def reference(self, k: int) -> Dataset:
        """An item that refers to the k-th frame."""
        frame = self.frames[k]
        item = _instance(frame.sop_class, frame.sop_instance)
        if frame.number is not None:
            item.ReferencedFrameNumber = frame.number
        return item

    def derivation(self, k: int) -> list[Dataset]:
        """The items of Derivation Image Sequence of a segment's frame on slice k."""
        purpose = coded(codes.DCM.SourceImageForImageProcessingOperation)
        item = Dataset()
        item.DerivationCodeSequence = [coded(codes.DCM.Segmentation)]
        item.SourceImageSequence = [self.reference(n) for n in self._behind(k)]
        for source in item.SourceImageSequence:
            source.SpatialLocationsPreserved = "YES" if self.on_slices else "NO"
            source.PurposeOfReferenceCodeSequence = [purpose]
        return [item]

    def instances(self) -> list[Dataset]:
        """An item for each instance of the source, in the order of the slices."""
        return [_instance(*names) for names in self._instances()]

    def referenced_series(self) -> list[Dataset]:
        """The items of Referenced Series Sequence."""
        series = Dataset()
        series.SeriesInstanceUID = self.series
        series.ReferencedInstanceSequence = self.instances()
        return [series]

    def evidence(self) -> list[Dataset]:
        """Each instance of the source, as far as a library needs to refer to it."""
        return [self._named(*names) for names in self._instances()]

    def plain_image(self) -> Dataset:
        """What a library takes for the source where the real one may be of frames: its first slice."""
        header = self._named(CTImageStorage, self.frames[0].sop_instance)
        header.FrameOfReferenceUID = self.frame_of_reference
        header.Modality = self.modality
        header.Columns, header.Rows, _ = self.grid.size
        header.PixelSpacing = decimals(self.grid.spacing[1::-1])
        header.SliceThickness, header.SpacingBetweenSlices = decimals([self.grid.spacing[2]] * 2)
        header.ImageOrientationPatient = self.orientation()
        header.ImagePositionPatient = self.position(0)
        return header

    def _behind(self, k: int) -> list[int]:
        """Which frames slice k was made of: itself, or those on either side along the grid's z."""
        if self.on_slices:
            return [k]
        heights = self.grid.to_index(np.array([frame.position for frame in self.frames]))[:, 2]
        below = max(int(np.searchsorted(heights, k + SAME_HEIGHT, "right")) - 1, 0)
        above = min(int(np.searchsorted(heights, k - SAME_HEIGHT)), len(heights) - 1)
        return sorted({below, above})

    def _named(self, sop_class: str, sop_instance: str) -> Dataset:
        header = Dataset()
        header.SOPClassUID, header.SOPInstanceUID = sop_class, sop_instance
        header.StudyInstanceUID, header.SeriesInstanceUID = self.study, self.series
        # Whose it is, libraries need not know: `instance.complete` says it.
        for keyword in EMPTY:
            setattr(header, keyword, "")
        return header

    def _instances(self) -> list[tuple[str, str]]:
        """Class and UID of each instance, once."""
        return list(dict.fromkeys((f.sop_class, f.sop_instance) for f in self.frames))


def source_images(found: Found, identity: Identity, case: str) -> SourceImages:
    """What objects may tell of a source that was found, under an identity."""
    header = found.header()
    frames = [
        Frame(f.sop_class, identity.uid(f.sop_instance), f.number, np.asarray(f.position, float))
        for f in found.frames
    ]
    centres = np.zeros((found.grid.size[2], 3))
    centres[:, 2] = np.arange(found.grid.size[2])
    positions = found.grid.to_physical(centres)
    own = np.array([f.position for f in frames])
    # The source's own decimals, since a reader may compare them as text, but for those of a table
    # that wobbles: readers take frames at uneven distances for no volume.
    if found.on_slices and np.abs(own - positions).max() <= EVEN * min(found.grid.spacing):
        positions = own

    def named(uid: str, what: str) -> str:
        return identity.uid(uid) if uid else identity.derived(what, found.series, case)

    date, time = _moment(header, identity)
    return SourceImages(
        grid=found.grid,
        frames=frames,
        on_slices=found.on_slices,
        positions=positions,
        modality=found.modality,
        study=named(found.study, "study"),
        series=named(found.series, "source"),
        frame_of_reference=named(found.frame_of_reference, "frame of reference"),
        subject=identity.subject(header),
        compression=_compression(header),
        date=date,
        time=time,
        identity=identity,
        case=case,
    )


def decimals(values: Any) -> list[str]:
    """Numbers as decimal strings (DS) of at most 16 characters, as exact as these can be."""
    return [format_number_as_ds(float(value) + 0.0) for value in values]


def _instance(sop_class: str, sop_instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class
    item.ReferencedSOPInstanceUID = sop_instance
    return item


def _compression(header: Dataset) -> Dataset:
    """What is derived of lossy images says so for ever (PS3.3 C.7.6.1.1.5)."""
    told = Dataset()
    told.LossyImageCompression = LOSSLESS
    if header.get("LossyImageCompression") != LOSSY:
        return told
    told.LossyImageCompression = LOSSY
    methods = _values(header, "LossyImageCompressionMethod")
    if all(METHOD.fullmatch(method) for method in methods):
        told.LossyImageCompressionMethod = methods
        told.LossyImageCompressionRatio = _values(header, "LossyImageCompressionRatio")
    return told


def _values(header: Dataset, keyword: str) -> list[str]:
    value = header.get(keyword) or []
    return [str(one) for one in (value if isinstance(value, MutableSequence) else [value])]


def _moment(header: Dataset, identity: Identity) -> tuple[str, str]:
    for moment in MOMENTS:
        date = identity.date(header, str(header.get(f"{moment}Date") or ""))
        if date:
            time = identity.time(str(header.get(f"{moment}Time") or ""))
            return date, time or UNKNOWN_TIME
    return UNKNOWN_DATE, UNKNOWN_TIME
