"""Real DICOM series against their published NIfTI truths, and every file of pydicom's: no crash."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom.data
import pytest
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import generate_uid
from scanmill.refusal import Refusal
from scanmill.source import read_source
from stacks import Reading

DATA = Path(os.environ.get("SCANMILL_DATA", Path(__file__).parents[3] / "shared" / "data"))
TO_LPS = np.diag([-1.0, -1.0, 1.0])
STUBS = (
    "generic/anatomical/001", "generic/anatomical/002_non_isotropic", "generic/compressed_j2k/001",
    "generic/compressed_jpeg/001", "generic/compressed_jpegls/001", "generic/compressed_rle/001",
    "hitachi/anatomical/001", "hyperfine/anatomical/001", "philips_enhanced/anatomical/001",
    "siemens_multiframe/anatomical/001",
)  # fmt: skip
REFUSED = {
    "dicom2nifti/ge/dti/001": "dicom-irregular",  # two of the directions, of some slices only
    "dicom2nifti/generic/rgb/001": "dicom-unsupported",  # secondary captures
    "cornerstone_ts": "dicom-patients",
    "vmtk_aorta/mr-dicom.dcm": "dicom-unsupported",
}
UNCOMPRESSED = "CTImage.dcm_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm"
# Largest error of a pixel, HU; JPEG of 8 and 12 bits also rounds to a rescale of its own.
LOSSY = {
    "1.2.840.10008.1.2.4.91": 5, "1.2.840.10008.1.2.4.81": 4, "1.2.840.10008.1.2.4.50": 65,
    "1.2.840.10008.1.2.4.51": 36, "1.2.840.10008.1.2.4.53": 36, "1.2.840.10008.1.2.4.55": 36,
}  # fmt: skip
IMAGES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.128")
BUNDLED = Path(pydicom.data.__file__).parent

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared real scans are not here"),
]


def reading(path: Path) -> Reading:
    volume, _ = read_source(path)
    return Reading(volume.array, volume.grid.axes, np.array(volume.grid.origin))


def assert_as_nifti(read: Reading, path: Path, off: float = 0.05) -> None:
    """The same value at the same place, every voxel of the one a voxel of the other."""
    image = nib.load(path)
    truth = np.asarray(image.dataobj).astype(float)
    truth = truth[..., 0] if truth.ndim == 4 and truth.shape[3] == 1 else truth
    index = np.moveaxis(np.indices(truth.shape), 0, -1)
    places = index @ (TO_LPS @ image.affine[:3, :3]).T + TO_LPS @ image.affine[:3, 3]
    at = read.index_of(places)
    nearest = np.rint(at).astype(int)
    assert truth.size == read.array.size
    assert np.abs(at - nearest).max() < off
    assert (nearest >= 0).all() and (nearest < read.array.shape[::-1]).all()
    found = read.array[nearest[..., 2], nearest[..., 1], nearest[..., 0]]
    np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("name", STUBS)
def test_a_stub_is_its_nifti_truth(name):
    folder = DATA / "dicom2nifti" / name
    assert_as_nifti(reading(folder), folder.with_name(f"{folder.name}_ground_truth.nii.gz"))


@pytest.mark.parametrize("number", range(1, 10))
def test_an_encoding_of_the_mosaic_is_its_nifti_truth(number):
    assert_as_nifti(reading(DATA / f"dcm_qa_ts/In/{number}.dcm"), DATA / "dcm_qa_ts/Ref/1.nii")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_volume_is_refused(name):
    with pytest.raises(Refusal) as caught:
        read_source(DATA / name)
    assert caught.value.code == REFUSED[name]


def test_the_hippocampus_crop_is_whole_and_in_place():
    """Its NIfTI is not among the shared ones; each slice is compared with the file it came from."""
    folder = DATA / "msd_hippocampus" / "dicom_HCropVolume_study3"
    read = reading(folder)
    slices = [dcmread(path) for path in folder.iterdir()]
    assert read.array.shape == (len(slices), slices[0].Rows, slices[0].Columns)
    for image in slices:
        index = read.index_of(np.array(image.ImagePositionPatient, float))
        np.testing.assert_allclose(index, [0, 0, round(index[2])], atol=1e-6)
        np.testing.assert_array_equal(read.array[round(index[2])], image.pixel_array)


def pair(path: Path, folder: Path) -> Path:
    """A stack of a slice and its copy, 5 mm along the normal."""
    image = dcmread(path)
    image.save_as(folder / "0.dcm")
    row, column = np.reshape(np.array(image.ImageOrientationPatient, float), (2, 3))
    moved = np.array(image.ImagePositionPatient, float) + 5 * np.cross(row, column)
    image.ImagePositionPatient = [f"{x:.6f}" for x in moved]
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    image.save_as(folder / "1.dcm")
    return folder


@pytest.mark.parametrize(
    "path",
    sorted((DATA / "cornerstone_ts").glob("CTImage.dcm*")),
    ids=lambda path: path.stem[12:40],
)
def test_a_transfer_syntax_gives_the_uncompressed_pixels(path, tmp_path):
    truth = dcmread(DATA / "cornerstone_ts" / UNCOMPRESSED)
    values = truth.pixel_array * float(truth.RescaleSlope) + float(truth.RescaleIntercept)
    measured = truth.pixel_array != truth.get("PixelPaddingValue")
    syntax = dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    volume, notes = read_source(pair(path, tmp_path))
    np.testing.assert_array_equal(volume.array[0], volume.array[1])
    off = np.abs(volume.array[0] - values)[measured]
    assert off.max() <= LOSSY.get(syntax, 0)
    assert ("lossy" in [code for code, _ in notes]) == (syntax in LOSSY)


def fitting(image: Dataset | None) -> set[str]:
    """The codes that fit a single file, by what pydicom says of it; empty for a volume."""
    if image is None or "SOPClassUID" not in image:
        return {"format-unknown", "header-invalid", "dicom-unsupported", "data-truncated"}
    if image.SOPClassUID in IMAGES and "Rows" not in image:
        return {"data-truncated"}
    if image.SOPClassUID not in IMAGES or image.get("PhotometricInterpretation") not in (
        "MONOCHROME1",
        "MONOCHROME2",
    ):
        return {"dicom-unsupported", "header-invalid"}
    scout = "LOCALIZER" in image.get("ImageType", [])
    return {"dicom-unsupported"} if scout else {"not-3d"}


def as_pydicom_reads(path: Path) -> Dataset | None:
    try:
        return dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, EOFError, NotImplementedError):
        return None


def bundled() -> list[Path]:
    files = (path for path in sorted(BUNDLED.rglob("*")) if path.is_file())
    return [path for path in files if path.suffix not in (".py", ".pyc")]


@pytest.mark.filterwarnings("ignore:Expected explicit VR")
def test_a_file_of_pydicom_is_refused_for_what_it_is():
    """Single slices, other objects and damaged files, all of them; none is a volume by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.IGNORE)
        for path in bundled():
            with pytest.raises(Refusal) as caught:
                read_source(path)
            assert caught.value.code in fitting(as_pydicom_reads(path)), path.name
