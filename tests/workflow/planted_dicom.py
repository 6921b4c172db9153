"""A DICOM scan and its labels with a patient's name in every place that can hold one."""

import zipfile
from pathlib import Path

import numpy as np
from planted import NAME, recipe, scan
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGLSLossless
from scanmill.volume_file import Volume
from segment_samples import FRAME, segmentation, sphere_contours, write_rtstruct
from source_samples import write_series

SECRET = NAME.partition("^")[0]
STUDY, BORN = "1.2.826.0.1.4444.5555", "19470311"
SECRETS = tuple(text.encode() for text in (SECRET, STUDY, BORN, FRAME))
TEXTS = (
    "PatientName", "PatientID", "OtherPatientIDs", "PatientComments", "StudyDescription",
    "SeriesDescription", "ProtocolName", "ReferringPhysicianName", "InstitutionName",
    "ImageComments", "SequenceName", "ConvolutionKernel", "AccessionNumber",
)  # fmt: skip
CENTRE, RADII = np.array([21.0, -33.0, -402.0]), {"organ": 18, "ball": 11}


def write_all(folder: Path) -> Path:
    """The folder, named after the patient: a series, the same in a zip, its SEG and its RTSTRUCT."""
    folder = folder / NAME
    volume, _ = scan("LPS", (8, 15, -30))
    write_slices(folder / f"{NAME} CT", volume)
    rois = {f"{n} of {NAME}": sphere_contours(CENTRE, r, volume.grid) for n, r in RADII.items()}
    structures = folder / f"{NAME} RTSTRUCT.dcm"
    write_rtstruct(structures, rois, StructureSetLabel=NAME, StudyInstanceUID=STUDY)
    masks = {f"{n} of {NAME}": ball(volume, r) for n, r in RADII.items()}
    segments = segmentation(volume.grid, masks)
    segments.SeriesDescription = segments.PatientName = NAME
    segments.save_as(folder / f"{NAME} SEG.dcm")
    slices = sorted((folder / f"{NAME} CT").iterdir())
    zip_up(folder / f"{NAME} CT.zip", slices)
    zip_up(folder / f"{NAME} SEG.zip", [folder / f"{NAME} SEG.dcm"])
    named = [f"{{method: labels, named: ['{name} of *']}}" for name in RADII]
    (folder / "recipe.yaml").write_text(recipe(named, spacing=2.4))
    return folder


def ball(volume: Volume, radius: float) -> np.ndarray:
    """The voxels of a sphere, [z, y, x]."""
    index = np.moveaxis(np.indices(volume.array.shape)[::-1], 0, -1)
    return np.linalg.norm(volume.grid.to_physical(index) - CENTRE, axis=-1) < radius


def zip_up(path: Path, files: list[Path]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = NAME.encode()
        for file in files:
            archive.write(file, f"{NAME}/{file.name}")


def write_slices(folder: Path, volume: Volume) -> None:
    """JPEG-LS, the name in texts, private tags, overlays, the preamble and the code streams."""
    fields = dict.fromkeys(TEXTS, NAME) | {"PatientBirthDate": BORN, "FrameOfReferenceUID": FRAME}
    write_series(folder, volume, StudyInstanceUID=STUDY, **fields)
    for path in list(folder.iterdir()):
        image = dcmread(path)
        image.private_block(0x0029, NAME, create=True).add_new(0x10, "LO", NAME)
        image.private_block(0x0031, "SOMEBODY", create=True).add_new(0x10, "SQ", [nested()])
        image.add_new(0x60003000, "OW", NAME.encode() * 8)
        image.add_new(0x60001500, "LO", NAME)
        image.compress(JPEGLSLossless, generate_instance_uid=False)
        (stream,) = generate_frames(image.PixelData, number_of_frames=1)
        image.PixelData = encapsulate([with_comment(stream)])
        image.preamble = NAME.encode().ljust(128, b"\0")
        image.save_as(folder / f"{NAME} {path.name}", enforce_file_format=True)
        path.unlink()


def nested() -> Dataset:
    item = Dataset()
    item.PatientName = NAME
    return item


def with_comment(stream: bytes) -> bytes:
    """A JPEG-LS stream with a comment (ITU-T T.81, B.2.4.5) after its beginning."""
    text = NAME.encode()
    return stream[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + stream[2:]
