"""A DICOM source with planted identity, masks that are hard to export, and independent readers."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bodies import OBLIQUE, points_of
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from scanmill.export.identity import Pseudonyms
from scanmill.export.source_images import source_images
from scanmill.export.structures import Exported
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.source.dicom import Found, FoundFrame

KEY = bytes(range(32))
CASE = "case-7"
CODE = {"scheme": "SCT", "value": "10200004", "meaning": "Liver structure"}
ROOT = "1.2.826.0.1.3680043.8.498.77"
STUDY, SERIES, FRAME = f"{ROOT}.1", f"{ROOT}.2", f"{ROOT}.3"
# What must not be in a de-identified object, by where it stands in the source.
PLANTED = {
    "PatientName": "Müstermann^Planted",
    "PatientID": "PLANTID123",
    "PatientBirthDate": "19470311",
    "PatientComments": "planted comment",
    "PatientAddress": "Plantstreet 5",
    "OtherPatientNames": "Plantother^Name",
    "AccessionNumber": "PLANTACC9",
    "StudyID": "PLANTSTUDY",
    "StudyDate": "20190704",
    "StudyDescription": "planted study",
    "SeriesDescription": "planted series",
    "SeriesDate": "20190705",
    "ContentDate": "20190706",
    "InstitutionName": "Planted Hospital",
    "ReferringPhysicianName": "Plantreferrer^Doc",
    "OperatorsName": "Plantoperator^Op",
    "StationName": "PLANTSTATION",
    "DeviceSerialNumber": "PLANTSERIAL",
    "ImageComments": "planted image comment",
    "StudyInstanceUID": STUDY,
    "SeriesInstanceUID": SERIES,
    "FrameOfReferenceUID": FRAME,
    "DeviceUID": f"{ROOT}.4",
}
PRIVATE = "planted private text"


class Planted(Found):
    """A series without files, whose header has a planted text in every place that may name someone."""

    def header(self) -> Dataset:
        header = Dataset()
        header.SpecificCharacterSet = "ISO_IR 100"
        for keyword, value in PLANTED.items():
            setattr(header, keyword, value)
        header.PatientSex = "F"
        header.StudyTime, header.ContentTime = "101500", "111213.5"
        header.private_block(0x0009, "PLANTED", create=True).add_new(1, "LO", PRIVATE)
        header.SOPClassUID = self.frames[0].sop_class
        header.SOPInstanceUID = self.frames[0].sop_instance
        header.Modality = self.modality
        return header


def found_on(grid: Grid, **said) -> Found:
    """A series of one CT image for each slice of a grid."""
    frames = tuple(
        FoundFrame(CTImageStorage, f"{ROOT}.5.{k + 1}", None, grid.to_physical(np.array([0, 0, k])))
        for k in range(grid.size[2])
    )
    plain = {
        "frames": frames,
        "modality": "CT",
        "study": STUDY,
        "series": SERIES,
        "frame_of_reference": FRAME,
        "on_slices": True,
        "notes": (),
        "first": None,
    }
    return Planted(grid, **plain | said)


def source_on(grid: Grid, identity=None, **said):
    """What objects may tell of such a series, de-identified unless said otherwise."""
    return source_images(found_on(grid, **said), identity or Pseudonyms(KEY, CASE), CASE)


def write_series(folder: Path, found: Found, values: np.ndarray | None = None) -> None:
    """The series as files: CT of 0 HU, or of values [z, y, x]."""
    folder.mkdir(parents=True)
    grid = found.grid
    direction = np.reshape(grid.direction, (3, 3))
    for k, frame in enumerate(found.frames):
        image = found.header()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPInstanceUID = frame.sop_instance
        image.file_meta.MediaStorageSOPInstanceUID = frame.sop_instance
        image.file_meta.MediaStorageSOPClassUID = frame.sop_class
        image.ImagePositionPatient = frame.position.tolist()
        image.ImageOrientationPatient = [*direction[:, 0], *direction[:, 1]]
        image.Columns, image.Rows, _ = grid.size
        image.PixelSpacing = [grid.spacing[1], grid.spacing[0]]
        image.SliceThickness = grid.spacing[2]
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 1, 1
        image.PhotometricInterpretation, image.RescaleType = "MONOCHROME2", "HU"
        image.RescaleIntercept, image.RescaleSlope = 0, 1
        image.ImageType, image.KVP = ["ORIGINAL", "PRIMARY", "AXIAL"], 120
        image.SeriesNumber, image.InstanceNumber, image.AcquisitionNumber = 3, k + 1, 1
        plane = np.zeros(grid.shape[1:]) if values is None else values[k]
        image.PixelData = plane.astype("<i2").tobytes()
        image.save_as(folder / f"{k:04}.dcm", enforce_file_format=True)


AXIAL = Grid((40, 34, 18), (1.0, 1.0, 2.0), (-83.2, 41.7, -602.4))
GRIDS = {
    "axial": AXIAL,
    "non-square pixels": Grid((40, 46, 18), (1.0, 0.8, 2.5), (13.3, -211.7, 88.1)),
    "feet first": Grid(
        AXIAL.size, AXIAL.spacing, (91.3, -17.2, 240.1), (-1.0, 0, 0, 0, 1, 0, 0, 0, -1)
    ),
    "oblique": Grid(
        AXIAL.size,
        (0.9, 0.9, 2.0),
        (31.3, -12.7, 402.9),
        tuple(OBLIQUE["oblique"].ravel().tolist()),
    ),
}


def masks_on(grid: Grid) -> dict[str, np.ndarray]:
    """The masks, [z, y, x], none at the grid's edge."""
    local = points_of(grid) - grid.to_physical((np.asarray(grid.size) - 1) / 2)
    x, y, z = np.moveaxis(local @ np.reshape(grid.direction, (3, 3)), -1, 0)
    across, apart = np.hypot(x, y), np.sqrt(x**2 + y**2 + z**2)
    inside = np.abs(z) < 12
    masks = {
        "tube with a hole": (across < 12) & (across > 5) & inside,
        "sphere with a cavity": (apart < 13) & (apart > 6),
        "two pieces": (np.hypot(x - 8, y) < 5) & inside | (np.hypot(x + 8, y - 2) < 6) & inside,
        "one-voxel sheet": np.zeros(grid.shape, bool),
        "one slice": np.zeros(grid.shape, bool),
        "nested": (across < 13) & (across > 9) & inside | (across < 5) & (across > 2) & inside,
        "scattered": (np.random.default_rng(3).random(grid.shape) < 0.5) & (apart < 12),
    }
    masks["one-voxel sheet"][4:14, 16, 6:34] = True
    masks["one slice"][9, 8:20, 8:25] = True
    return masks


def structure(name: str, mask: np.ndarray, **said) -> Exported:
    """A structure with a mask on the grid of the source."""
    values = {"code": CODE, "category": "anatomical", "laterality": None, "colour": "#dd8265"}
    return Exported(name, algorithm="AUTOMATIC", region=Region.of(mask), **values | said)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Overlap of two masks."""
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def reader(program: str) -> str | None:
    """An independent reader's program: of the folder SCANMILL_READERS, or on the PATH."""
    places = os.environ.get("SCANMILL_READERS", "") + os.pathsep + os.environ["PATH"]
    return shutil.which(program, path=places)


def run(*words) -> str:
    """Run a program; what it prints."""
    done = subprocess.run(
        [str(w) for w in words], capture_output=True, text=True, timeout=120, errors="replace"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def errors_of(path: Path) -> list[str]:
    """What dciodvfy says is wrong in an object."""
    done = subprocess.run(
        [reader("dciodvfy"), "-new", str(path)], capture_output=True, text=True, errors="replace"
    )
    return [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]


def read_by_dcmqi(path: Path, grid: Grid, folder: Path) -> list[np.ndarray]:
    """Masks of a segmentation's segments on a grid, as dcmqi reads them."""
    run(
        reader("segimage2itkimage"), "--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd"
    )
    files = sorted(folder.glob("*.nrrd"), key=lambda f: int(f.stem.split("-")[-1]))
    return [_onto(sitk.ReadImage(str(file)), grid) for file in files]


def read_by_plastimatch(path: Path, series: Path, grid: Grid, folder: Path) -> list[np.ndarray]:
    """Masks of a structure set's ROIs on a series' grid, as plastimatch fills them."""
    run(
        reader("plastimatch"), "convert", "--input", path, "--referenced-ct", series,
        "--output-prefix", folder, "--prefix-format", "nrrd", "--output-ss-list", folder / "list",
    )  # fmt: skip
    names = [
        line.split("|")[2] for line in (folder / "list").read_text().splitlines() if "|" in line
    ]
    return [_onto(sitk.ReadImage(str(folder / f"{name}.nrrd")), grid) for name in names]


def _onto(image: sitk.Image, grid: Grid) -> np.ndarray:
    """An image's voxels at the centres of a grid's, in physical space; beyond it, none."""
    target = sitk.Image(*(int(n) for n in grid.size), sitk.sitkUInt8)
    target.SetSpacing(grid.spacing)
    target.SetOrigin(grid.origin)
    target.SetDirection(grid.direction)
    same = sitk.Resample(image, target, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    return sitk.GetArrayFromImage(same) > 0
