"""Readers of DICOM series, each as its users would call it: a reading, or an exception."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from cases import Case
from highdicom import get_volume_from_series, imread
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from scanmill.refusal import Refusal
from scanmill.source import read_source
from stacks import Reading

Reader = Callable[[Path], Reading]
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])


def scanmill(case: Case, path: Path) -> Reading | None:
    """ScanMill, asked as the case says; None is a refusal, any exception a crash."""
    try:
        volume, _ = read_source(path, case.series, case.volume, case.allow_uneven)
    except Refusal:
        return None
    return Reading(volume.array, volume.grid.axes, np.array(volume.grid.origin))


def simpleitk(path: Path) -> Reading:
    """SimpleITK's series reader on the first series that GDCM finds; ReadImage on a file."""
    if path.is_dir():
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path), recursive=True)
        image = sitk.ReadImage(names)
    else:
        image = sitk.ReadImage(str(path))
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    return Reading(sitk.GetArrayFromImage(image), axes, np.array(image.GetOrigin()))


def by_instance_number(path: Path) -> Reading:
    """The recipe of many tutorials: pydicom, sorted by InstanceNumber, spaced by SliceThickness."""
    slices = sorted(_data_sets(path), key=lambda image: int(image.InstanceNumber))
    first = slices[0]
    array = np.stack([image.pixel_array for image in slices]).astype(float)
    array = array * float(first.get("RescaleSlope", 1)) + float(first.get("RescaleIntercept", 0))
    row, column = np.reshape(np.array(first.ImageOrientationPatient, float), (2, 3))
    between_rows, between_columns = (float(x) for x in first.PixelSpacing)
    step = np.cross(row, column) * float(first.SliceThickness)
    axes = np.column_stack([row * between_columns, column * between_rows, step])
    return Reading(array, axes, np.array(first.ImagePositionPatient, float))


def highdicom(path: Path) -> Reading:
    """highdicom's volume of a series, or of one multi-frame image; measured values."""
    images = _data_sets(path)
    values = {"apply_real_world_transform": False, "apply_presentation_lut": False}
    if len(images) == 1:
        volume = imread(images[0].filename).get_volume(**values)
    else:
        volume = get_volume_from_series(images, **values)
    return Reading(volume.array, volume.affine[:3, 2::-1], volume.affine[:3, 3])


def dcm2niix(path: Path) -> Reading:
    """dcm2niix, where it writes exactly one volume."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["dcm2niix", "-z", "n", "-b", "n", "-f", "%s_%p_%q", "-o", folder, str(path)]
        subprocess.run(command, check=True, capture_output=True)
        (name,) = Path(folder).glob("*.nii")
        image = nib.load(name)
        array = np.asarray(image.dataobj).transpose()
        affine = image.affine
    return Reading(array, LPS_FROM_RAS @ affine[:3, :3], LPS_FROM_RAS @ affine[:3, 3])


def others() -> dict[str, Reader]:
    """The other readers that are here, by name."""
    readers: dict[str, Reader] = {
        "SimpleITK": simpleitk,
        "pydicom by InstanceNumber": by_instance_number,
        "highdicom": highdicom,
    }
    return readers | ({"dcm2niix": dcm2niix} if shutil.which("dcm2niix") else {})


def _data_sets(path: Path) -> list[Dataset]:
    found = []
    for name in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        try:
            found.append(dcmread(name))
        except InvalidDicomError:
            continue
    return found
