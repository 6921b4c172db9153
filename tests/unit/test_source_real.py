"""Real scans are read as SimpleITK reads them, or refused with the code that they deserve."""

import os
import shutil
import zlib
from itertools import product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from scanmill.refusal import Refusal
from scanmill.source import read_source
from scanmill.volume_file import Volume

DATA = Path(os.environ.get("SCANMILL_DATA", Path(__file__).parents[3] / "shared" / "data"))
SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd")
REFUSED = {
    "dicom2nifti/ge/dti/001_ground_truth.nii.gz": "is-4d",
    "dicom2nifti/generic/rgb/001_ground_truth.nii.gz": "is-colour",
    "oblique_misc/nibabel_example4d.nii.gz": "is-4d",
    "totalsegmentator/spine_report/example_ct_report/spine_report.nii.gz": "is-colour",
}
SERIES = {
    "dicom2nifti/ge/dti/001": "dicom-irregular",
    "dicom2nifti/generic/anatomical/001": None,
    "dicom2nifti/generic/anatomical/002_non_isotropic": None,
    "dicom2nifti/generic/compressed_j2k/001": None,
    "dicom2nifti/generic/compressed_jpeg/001": None,
    "dicom2nifti/generic/compressed_jpegls/001": None,
    "dicom2nifti/generic/compressed_rle/001": None,
    "dicom2nifti/generic/rgb/001": "dicom-unsupported",
    "dicom2nifti/hitachi/anatomical/001": None,
    "cornerstone_ts": "dicom-patients",
    "vmtk_aorta": "dicom-unsupported",
}
# Its sform is off a right angle by 5e-5: kept by SimpleITK, squared by a grid, 0.007 voxels apart.
NOT_QUITE_SQUARE = "dicom2nifti/siemens_multiframe/anatomical/001_ground_truth.nii.gz"
# Its header states a size of the compressed voxels that is 2 kB short of what is there. SimpleITK
# stops there without a word; the stream itself is whole and passes its checksum.
MISCOUNTED = "atlas_multilabel/frogtissue.mhd"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared real scans are not here"),
]


def scans() -> list[str]:
    names = (p.relative_to(DATA).as_posix() for p in sorted(DATA.rglob("*")))
    names = [name for name in names if name.endswith(SUFFIXES)]
    # Hundreds of alike crops: one in twenty.
    crops = [name for name in names if name.startswith("msd_hippocampus/")]
    return [name for name in names if name not in crops] + crops[::20]


def assert_as_simpleitk(read, image: sitk.Image, tolerance: float = 1e-4) -> None:
    corners = [np.multiply(k, np.array(read.grid.size) - 1) for k in product((0, 1), repeat=3)]
    for corner in corners:
        there = image.TransformIndexToPhysicalPoint([int(n) for n in corner])
        np.testing.assert_allclose(read.grid.to_physical(corner), there, atol=tolerance)
    assert read.grid.size == image.GetSize()
    values = sitk.GetArrayViewFromImage(image)
    np.testing.assert_allclose(read.array, values, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", scans())
def test_a_file_is_read_as_simpleitk_does_or_refused(name):
    path = DATA / name
    expected = REFUSED.get(name, "not-3d" if "uninformative_slice" in name else None)
    if expected:
        with pytest.raises(Refusal) as caught:
            read_source(path)
        assert caught.value.code == expected
    elif name != MISCOUNTED:
        image = sitk.ReadImage(str(path))
        assert_as_simpleitk(read_source(path)[0], image, 0.01 if name == NOT_QUITE_SQUARE else 1e-4)


def test_a_sform_that_is_not_quite_square_moves_by_less_than_a_hundredth_of_a_voxel():
    read, _ = read_source(DATA / NOT_QUITE_SQUARE)
    affine = nib.load(DATA / NOT_QUITE_SQUARE).affine
    for corner in product(*((0, n - 1) for n in read.grid.size)):
        there = (affine @ [*corner, 1])[:3] * [-1, -1, 1]
        apart = np.linalg.norm(read.grid.to_physical(np.array(corner)) - there)
        assert apart < 0.01 * min(read.grid.spacing)


def test_voxels_beyond_a_miscounted_size_are_read():
    voxels = zlib.decompress((DATA / "atlas_multilabel/frogtissue.zraw").read_bytes())
    read, _ = read_source(DATA / MISCOUNTED)
    assert read.array.tobytes() == voxels


def test_a_mosaic_in_nine_encodings_is_one_image():
    read, notes = read_source(DATA / "dcm_qa_ts/In")
    assert_same_body(read, read_source(DATA / "dcm_qa_ts/Ref/1.nii")[0], 2e-3)
    assert [code for code, _ in notes] == ["duplicates-dropped"]


@pytest.mark.parametrize("name", SERIES)
def test_a_series_is_read_as_simpleitk_does_or_refused(name):
    if SERIES[name]:
        with pytest.raises(Refusal) as caught:
            read_source(DATA / name)
        assert caught.value.code == SERIES[name]
    else:
        assert_series_as_simpleitk(DATA / name)


def test_the_loose_slices_of_a_mixed_folder(tmp_path):
    for path in (DATA / "msd_hippocampus").glob("*.dcm"):
        shutil.copy(path, tmp_path)
    assert_series_as_simpleitk(tmp_path)
    # With the folders beside them, every slice is there twice.
    read, notes = read_source(DATA / "msd_hippocampus")
    np.testing.assert_array_equal(read.array, read_source(tmp_path)[0].array)
    assert [code for code, _ in notes] == ["duplicates-dropped", "files-ignored"]


def assert_series_as_simpleitk(folder: Path) -> None:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    assert_as_simpleitk(read_source(folder)[0], reader.Execute())


ENHANCED = ("hyperfine", "philips_enhanced", "siemens_multiframe")


@pytest.mark.parametrize("vendor", ENHANCED)
def test_an_enhanced_image_is_as_its_ground_truth(vendor):
    folder = DATA / "dicom2nifti" / vendor / "anatomical"
    read, _ = read_source(folder / "001")
    truth = read_source(folder / "001_ground_truth.nii.gz")[0]
    # Slices of the truth are evenly spaced by the first two positions alone.
    assert_same_body(read, truth, 0.01)


@pytest.mark.parametrize("number", range(1, 10))
def test_a_mosaic_in_nine_encodings_is_as_its_reference(number):
    read, _ = read_source(DATA / f"dcm_qa_ts/In/{number}.dcm")
    assert_same_body(read, read_source(DATA / "dcm_qa_ts/Ref/1.nii")[0], 2e-3)


def assert_same_body(read: Volume, truth: Volume, tolerance: float = 1e-3) -> None:
    """The same values at the same LPS points, however the axes of the two arrays run."""
    index = np.moveaxis(np.indices(truth.array.shape)[::-1], 0, -1).reshape(-1, 3)
    at = read.grid.to_index(truth.grid.to_physical(index))
    nearest = np.rint(at).astype(int)
    assert np.abs((at - nearest) * read.grid.spacing).max() < tolerance
    assert read.array.size == truth.array.size
    found = read.array[nearest[:, 2], nearest[:, 1], nearest[:, 0]]
    np.testing.assert_allclose(found, truth.array.ravel(), rtol=1e-6)


SYNTAXES = sorted((DATA / "cornerstone_ts").glob("CTImage*.dcm"))


@pytest.mark.parametrize("path", SYNTAXES, ids=lambda path: path.stem)
def test_a_slice_in_each_syntax_has_the_values_that_simpleitk_reads(path):
    from scanmill.source.dicom.files import files_in
    from scanmill.source.dicom.frames import frames_of
    from scanmill.source.dicom.headers import read_header
    from scanmill.source.dicom.pixels import check_pixels, read_planes

    (file,) = files_in(path)
    (frame,) = frames_of(read_header(file))
    check_pixels([frame])
    array, _ = read_planes([frame])
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    np.testing.assert_allclose(array, truth, rtol=1e-6)
    with pytest.raises(Refusal) as caught:
        read_source(path)
    assert caught.value.code == "not-3d"
