"""DICOM images of one volume, proven to be a regular stack, or refused.

The headers of all files are read and judged before any pixel is. What is not certain (several series
or volumes, uneven stacks, unlike slices, scalings that are not stated) is never guessed.
Attributes: DICOM PS3.3, C.7.6.2 (image plane), C.7.6.3 (pixels), C.7.6.16 (multi-frame functional
groups), C.11.1 (modality LUT).
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.dicom.aside import check_none_left_out, without_scouts
from scanmill.source.dicom.choice import (
    DIRECTORY,
    check_one_patient,
    choose_series,
    choose_volume,
)
from scanmill.source.dicom.files import files_in
from scanmill.source.dicom.frames import Frame, frames_of, triple
from scanmill.source.dicom.headers import Header, read_header, whole_header
from scanmill.source.dicom.pixels import check_pixels, digest_of, outside_of, read_planes
from scanmill.source.dicom.real_world import real_world_notes
from scanmill.source.dicom.stack import Stack, stack_of
from scanmill.source.dicom.straightening import straighten
from scanmill.source.layout import Note, parsing_header
from scanmill.volume_file import Volume


@dataclass(frozen=True)
class FoundFrame:
    """A plane of a volume, as an object that refers to it names it.

    number: of the frame, from 1, in a multi-frame instance. position: LPS mm of the first pixel.
    """

    sop_class: str
    sop_instance: str
    number: int | None
    position: np.ndarray


@dataclass(frozen=True)
class Found:
    """A volume by its headers.

    grid: of the volume that is read. frames: in order along the grid's z axis. study, series,
    frame_of_reference: UIDs. on_slices: whether slice k of the grid is frame k, which it is not
    where slices were resampled or are tiles of a mosaic. notes: what to warn of.
    """

    grid: Grid
    frames: tuple[FoundFrame, ...]
    modality: str
    study: str
    series: str
    frame_of_reference: str
    on_slices: bool
    notes: tuple[Note, ...]
    first: Header

    def header(self) -> Dataset:
        """The whole header of the first frame's instance, without its pixel data."""
        with warnings.catch_warnings(action="ignore"):
            return whole_header(self.first)


def find_volume(
    path: Path, series: str = "", volume: str = "", allow_uneven: bool = False
) -> Found:
    """The volume of a folder, an archive or a file, by its headers alone.

    series: UID, number or description; volume: number or `Keyword=value`; either may be empty where
    there is one only. allow_uneven: whether unevenly spaced slices may be resampled. Raises Refusal
    with a `dicom-*`, geometry or data code where it is not certain.
    """
    with warnings.catch_warnings(action="ignore"):
        stack, notes = _stack(Path(path), series, volume, allow_uneven)
    values = stack.frames[0].values
    return Found(
        grid=stack.grid,
        frames=tuple(_found(frame) for frame in stack.frames),
        modality=values.get("Modality") or "",
        study=values.get("StudyInstanceUID") or "",
        series=values.get("SeriesInstanceUID") or "",
        frame_of_reference=values.get("FrameOfReferenceUID") or "",
        on_slices=stack.on_slices and stack.frames[0].tiles == 1,
        notes=tuple(notes),
        first=stack.frames[0].header,
    )


def read_series(
    path: Path, series: str = "", volume: str = "", allow_uneven: bool = False
) -> tuple[Volume, list[Note]]:
    """Read a volume from a folder, an archive or a file; arguments and refusals as `find_volume`.

    Returns the volume in measured values (HU for CT), LPS mm, and what to warn of.
    """
    # pydicom's warnings quote the header, which names the patient.
    with warnings.catch_warnings(action="ignore"):
        stack, notes = _stack(Path(path), series, volume, allow_uneven)
        array, more = read_planes(stack.frames)
        if not stack.on_slices:
            array = straighten(array, stack, outside_of(stack.frames[0].kind))
    frame_of_reference = stack.frames[0].values.get("FrameOfReferenceUID") or ""
    return Volume(array, stack.grid, frame_of_reference), [*notes, *more]


def _stack(path: Path, series: str, volume: str, allow_uneven: bool) -> tuple[Stack, list[Note]]:
    headers, ignored = _headers(path)
    with parsing_header():
        check_one_patient(headers)
        chosen, notes = choose_series(headers, series)
        slices, scouts = without_scouts([f for header in chosen for f in frames_of(header)])
        check_pixels(slices)
        planes, more = choose_volume(slices, volume, digest_of)
        stack = stack_of(planes, allow_uneven)
        kept = set(map(id, chosen))
        others = [] if series else [header.values for header in headers if id(header) not in kept]
        check_none_left_out(stack, [*(scout.values for scout in scouts), *others])
        notes += [*more, *stack.notes, *real_world_notes(stack.frames[0])]
    if scouts:
        message = f"Scouts in the series were set aside: {len(scouts)} images."
        notes.append(("scouts-set-aside", message))
    if ignored:
        message = f"Files of the folder that are not DICOM were not read: {ignored}."
        notes.append(("files-ignored", message))
    return stack, notes


def _headers(path: Path) -> tuple[list[Header], int]:
    """The header of each DICOM file, in order, and the number of files of other kinds."""
    read = [read_header(file) for file in files_in(path)]
    headers = [
        header
        for header in read
        if header is not None and header.values.get("SOPClassUID") != DIRECTORY
    ]
    if not headers:
        raise Refusal(
            "dicom-empty",
            "the scan holds no DICOM image (a DICOMDIR is an index only, and archives within it are "
            "not opened); name the folder of the slices",
        )
    return headers, sum(header is None for header in read)


def _found(frame: Frame) -> FoundFrame:
    return FoundFrame(
        frame.values.get("SOPClassUID") or "",
        frame.values.get("SOPInstanceUID") or "",
        frame.number,
        triple(frame, "ImagePositionPatient"),
    )
