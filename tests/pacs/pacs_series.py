"""Series of every transfer syntax for a PACS, with the patient's identity planted in them."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset, uid
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_preamble

SECRETS = ("SECRETNAME", "SECRETID", "SECRETTEXT")
STUDY = "1.2.826.0.1.3680043.8.498.71"
SYNTAXES = {
    "explicit": uid.ExplicitVRLittleEndian,
    "implicit": uid.ImplicitVRLittleEndian,
    "big-endian": uid.ExplicitVRBigEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "rle": uid.RLELossless,
    "jpeg-ls": uid.JPEGLSLossless,
    "jpeg-2000": uid.JPEG2000Lossless,
}
SLICES = 6


@dataclass
class Made:
    """A series on disk, and what identifies it."""

    uid: str
    number: int
    files: list[Path]


def write_all(folder: Path) -> dict[str, Made]:
    """A study with a series in each syntax, numbered from 1."""
    return {
        name: write(folder / name, number, syntax)
        for number, (name, syntax) in enumerate(SYNTAXES.items(), 1)
    }


def write(folder: Path, number: int, syntax: uid.UID, slices=SLICES, study=STUDY, edge=40) -> Made:
    """A CT of a ball of 12 mm radius, oblique, shifted and anisotropic."""
    folder.mkdir()
    made = Made(f"{study}.{number}", number, [])
    for k in range(slices):
        file = folder / f"{slices - k}.dcm"
        _write_slice(file, made, k, syntax, study, slices, edge)
        made.files.append(file)
    return made


def _write_slice(file: Path, made: Made, k: int, syntax, study, slices, edge) -> None:
    turn = np.radians(20)
    across, down = (
        np.array([np.cos(turn), np.sin(turn), 0]),
        np.array([-np.sin(turn), np.cos(turn), 0]),
    )
    columns, rows, along = 1.1, 0.9, 30 / slices
    corner = np.array([-31.5, 17.25, -402.0 + k * along])
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.SOPClassUID = uid.CTImageStorage
    d.SOPInstanceUID = f"{made.uid}.{k + 1}"
    d.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID
    d.SpecificCharacterSet = "ISO_IR 192"
    d.PatientName, d.PatientID, d.PatientBirthDate = "SECRETNAME^Ärla", "SECRETID", "19700101"
    d.PatientSex, d.AccessionNumber, d.StudyID = "O", "SECRETACC", "SECRETSTUDY"
    d.StudyDate, d.StudyTime, d.StudyDescription = "20200131", "101500", "SECRETTEXT study"
    d.ReferringPhysicianName, d.Manufacturer, d.ImageType = "", "", ["ORIGINAL", "PRIMARY", "AXIAL"]
    d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = study, made.uid, f"{study}.0"
    d.SeriesNumber, d.Modality = made.number, "CT"
    d.SeriesDescription = f"SECRETTEXT {made.number}"
    d.InstanceNumber, d.AcquisitionNumber, d.PatientPosition = slices - k, 1, "HFS"
    d.PositionReferenceIndicator, d.KVP, d.SliceThickness = "", 120, along
    d.ImageOrientationPatient = [f"{v:.9f}" for v in (*across, *down)]
    d.ImagePositionPatient = [f"{v:.6f}" for v in corner]
    d.PixelSpacing = [rows, columns]
    d.RescaleIntercept, d.RescaleSlope, d.RescaleType = -1024, 1, "HU"
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
    d.Rows, d.Columns = edge, edge
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
    j, i = np.mgrid[:edge, :edge]
    away = (i - edge / 2) ** 2 * columns**2 + (j - edge / 2) ** 2 * rows**2
    away = away + (along * (k - slices / 2 + 0.5)) ** 2
    pixels = np.where(away < 12**2, 1324, 64 + k).astype("<u2")
    d.PixelData = pixels.tobytes()
    d["PixelData"].VR = "OW"
    if syntax == uid.ExplicitVRBigEndian:
        d.PixelData = pixels.byteswap().tobytes()
    if syntax.is_compressed and syntax != uid.DeflatedExplicitVRLittleEndian:
        d.compress(syntax, generate_instance_uid=False)
    d.file_meta.TransferSyntaxUID = syntax
    d.save_as(
        file,
        enforce_file_format=True,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
    )


def data_set(file):
    """All that follows the file meta group, inflated: servers may pad what is deflated."""
    with open(file, "rb") as stream:
        read_preamble(stream, force=False)
        meta = pydicom.dcmread(file, stop_before_pixels=True).file_meta
        stream.seek(132 + 12 + meta.FileMetaInformationGroupLength)
        content = stream.read()
    if meta.TransferSyntaxUID == uid.DeflatedExplicitVRLittleEndian:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content)
    return content
