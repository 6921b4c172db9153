"""What all exported objects share: whose they are, when they are from, their UIDs and their file."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from scanmill import __version__
from scanmill.atomic import replacing
from scanmill.export.source_images import SourceImages

MANUFACTURER = MODEL = "ScanMill"
# Type 1 in some modules, and the same for all: there is no device.
SERIAL_NUMBER = "0"
# Until the content is known that the instance's own UID follows from.
UNKNOWN_UID = "2.25.0"
# By kind: the number of the series and how it is called.
SERIES = {
    "seg": (9001, "ScanMill segmentation"),
    "labelmap": (9002, "ScanMill label map"),
    "rtstruct": (9003, "ScanMill contours"),
    "sr": (9004, "ScanMill measurements"),
    "stl": (9005, "ScanMill surfaces"),
}
EQUIPMENT = {
    "manufacturer": MANUFACTURER,
    "manufacturer_model_name": MODEL,
    "software_versions": __version__,
    "device_serial_number": SERIAL_NUMBER,
}


def new_object(sop_class: str, modality: str, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """An empty object that `complete` has yet to complete."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.file_meta.MediaStorageSOPClassUID = sop_class
    made.SOPClassUID = sop_class
    made.Modality = modality
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, MODEL
    made.SoftwareVersions, made.DeviceSerialNumber = __version__, SERIAL_NUMBER
    return made


def series_uid(source: SourceImages, kind: str) -> str:
    """The series of the objects of a kind that are made of a source, the same in each run."""
    return source.identity.derived("series", source.series, source.case, kind)


def tracking_uid(source: SourceImages, structure: str) -> str:
    """What one structure of a case is tracked by in all objects."""
    return source.identity.derived("tracking", source.series, source.case, structure)


def complete(made: Dataset, source: SourceImages, kind: str, number: int = 1) -> Dataset:
    """Give an object its identity, its dates (the source's) and a UID that follows from its content.

    So equal inputs give equal bytes, and objects that differ in anything never share a UID.
    number: the instance's within its series. Returns the object itself.
    """
    made.SpecificCharacterSet = "ISO_IR 192"
    made.update(source.subject)
    made.StudyInstanceUID, made.SeriesInstanceUID = source.study, series_uid(source, kind)
    made.SeriesNumber, made.SeriesDescription = SERIES[kind]
    made.InstanceNumber = number
    # A structure set has a date of its own.
    if kind != "rtstruct":
        made.ContentDate, made.ContentTime = source.date, source.time
    # Libraries state the time of the run, and themselves with it.
    for keyword in (
        "InstanceCreationDate",
        "InstanceCreationTime",
        "ContributingEquipmentSequence",
    ):
        made.pop(keyword, None)
    _name(made, UNKNOWN_UID)
    content = BytesIO()
    _write(content, made)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()
    _name(made, source.identity.derived("instance", digest))
    return made


def write_object(path: Path, made: Dataset) -> None:
    """Write a completed object as a DICOM file (PS3.10)."""
    with replacing(path) as temporary:
        _write(temporary, made)


def _name(made: Dataset, uid: str) -> None:
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = uid


def _write(target: Any, made: Dataset) -> None:
    dcmwrite(target, made, enforce_file_format=True)
