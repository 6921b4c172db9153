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
    "dicom2nifti/generic/compressed_j2k/001": "dicom-unsupported",
    "dicom2nifti/generic/compressed_jpeg/001": "dicom-unsupported",
    "dicom2nifti/generic/compressed_jpegls/001": "dicom-unsupported",
    "dicom2nifti/generic/compressed_rle/001": None,
    "dicom2nifti/generic/rgb/001": "is-colour",
    "dicom2nifti/hitachi/anatomical/001": None,
    "dicom2nifti/hyperfine/anatomical/001": "dicom-unsupported",
    "dicom2nifti/philips_enhanced/anatomical/001": "dicom-unsupported",
    "dicom2nifti/siemens_multiframe/anatomical/001": "dicom-unsupported",
    "dcm_qa_ts/In": "dicom-unsupported",
    "cornerstone_ts": "dicom-several",
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
    with pytest.raises(Refusal) as caught:
        read_source(DATA / "msd_hippocampus")
    assert caught.value.code == "dicom-irregular"


def assert_series_as_simpleitk(folder: Path) -> None:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    assert_as_simpleitk(read_source(folder)[0], reader.Execute())


@pytest.mark.parametrize(
    "path", sorted((DATA / "cornerstone_ts").glob("*.dcm")), ids=lambda p: p.stem
)
def test_a_folder_of_one_slice_is_never_a_volume(tmp_path, path):
    shutil.copy(path, tmp_path)
    with pytest.raises(Refusal) as caught:
        read_source(tmp_path)
    assert caught.value.code in ("not-3d", "dicom-unsupported")
    with pytest.raises(Refusal) as caught:
        read_source(path)
    assert caught.value.code == "dicom-unsupported"
