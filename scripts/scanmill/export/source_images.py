"""The images that exported objects are about: where they lie, and how they are referred to.

Attributes: DICOM PS3.3 C.7.6.16.2.6 (derivation image), C.12.4 (common instance reference).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage
from pydicom.valuerep import format_number_as_ds

from scanmill.export.coding import coded
from scanmill.export.identity import EMPTY, Identity, time_of
from scanmill.grid import Grid

UNKNOWN_DATE, UNKNOWN_TIME = "19000101", "000000"
MOMENTS = ("Content", "Acquisition", "Series", "Study")


@dataclass(frozen=True)
class Frame:
    """One slice of the source. number: from 1, in an instance of several frames; else None."""

    sop_class: str
    sop_instance: str
    number: int | None


@dataclass(frozen=True)
class SourceImages:
    """All that exported objects may tell of their source, under the identity that they carry.

    grid: of the source's slices. frames: one for each slice along the grid's z where the slices are
    the source's own (`on_slices`); all of the source's where not. subject: attributes of patient and
    study. date, time: of the source, DA and TM.
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
        """An item that refers to the frame of slice k."""
        frame = self.frames[k]
        item = _instance(frame)
        if frame.number is not None:
            item.ReferencedFrameNumber = frame.number
        return item

    def derivation(self, k: int) -> list[Dataset]:
        """The items of Derivation Image Sequence of a segment's frame on slice k."""
        if not self.on_slices:
            return []
        source = self.reference(k)
        source.SpatialLocationsPreserved = "YES"
        source.PurposeOfReferenceCodeSequence = [
            coded(codes.DCM.SourceImageForImageProcessingOperation)
        ]
        item = Dataset()
        item.DerivationCodeSequence = [coded(codes.DCM.Segmentation)]
        item.SourceImageSequence = [source]
        return [item]

    def instances(self) -> list[Dataset]:
        """An item for each instance of the source, in the order of the slices."""
        return [_instance(frame) for frame in self._instances()]

    def referenced_series(self) -> list[Dataset]:
        """The items of Referenced Series Sequence."""
        series = Dataset()
        series.SeriesInstanceUID = self.series
        series.ReferencedInstanceSequence = self.instances()
        return [series]

    def evidence(self) -> list[Dataset]:
        """Each instance of the source, as far as a library needs to refer to it."""
        return [self._named(frame.sop_class, frame.sop_instance) for frame in self._instances()]

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

    def _named(self, sop_class: str, sop_instance: str) -> Dataset:
        header = Dataset()
        header.SOPClassUID, header.SOPInstanceUID = sop_class, sop_instance
        header.StudyInstanceUID, header.SeriesInstanceUID = self.study, self.series
        # Whose it is, libraries need not know: `instance.complete` says it.
        for keyword in EMPTY:
            setattr(header, keyword, "")
        return header

    def _instances(self) -> Iterator[Frame]:
        seen = dict.fromkeys((frame.sop_class, frame.sop_instance) for frame in self.frames)
        return (Frame(*names, None) for names in seen)


def source_images(found: Any, identity: Identity, case: str) -> SourceImages:
    """What objects may tell of a source that `source.dicom.find_volume` found."""
    header = found.header()
    frames = [Frame(f.sop_class, identity.uid(f.sop_instance), f.number) for f in found.frames]
    centres = np.zeros((found.grid.size[2], 3))
    centres[:, 2] = np.arange(found.grid.size[2])
    # The source's own decimals where it has them: a reader may compare them as text.
    own = np.array([f.position for f in found.frames]) if found.on_slices else None

    def named(uid: str, what: str) -> str:
        return identity.uid(uid) if uid else identity.derived(what, found.series, case)

    date, time = _moment(header, identity)
    return SourceImages(
        grid=found.grid,
        frames=frames,
        on_slices=found.on_slices,
        positions=found.grid.to_physical(centres) if own is None else own,
        modality=found.modality,
        study=named(found.study, "study"),
        series=named(found.series, "source"),
        frame_of_reference=named(found.frame_of_reference, "frame of reference"),
        subject=identity.subject(header),
        date=date,
        time=time,
        identity=identity,
        case=case,
    )


def decimals(values: Any) -> list[str]:
    """Numbers as decimal strings (DS) of at most 16 characters, as exact as these can be."""
    return [format_number_as_ds(float(value) + 0.0) for value in values]


def _instance(frame: Frame) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = frame.sop_class
    item.ReferencedSOPInstanceUID = frame.sop_instance
    return item


def _moment(header: Dataset, identity: Identity) -> tuple[str, str]:
    for moment in MOMENTS:
        date = identity.date(header, str(header.get(f"{moment}Date") or ""))
        if date:
            return date, time_of(header, f"{moment}Time") or UNKNOWN_TIME
    return UNKNOWN_DATE, UNKNOWN_TIME
