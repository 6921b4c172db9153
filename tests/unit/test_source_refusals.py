"""What is not one measurable volume in space is refused, under its own code, naming nobody."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from scanmill.refusal import Refusal
from scanmill.source import read_source, source_format
from source_samples import tilted, write_itk, write_series


def refused(path) -> str:
    with pytest.raises(Refusal) as caught:
        read_source(path)
    assert path.name not in caught.value.reason and "/" not in caught.value.reason
    return caught.value.code


def itk_refused(path: Path, array: np.ndarray, vector: bool = False) -> str:
    image = sitk.GetImageFromArray(array, isVector=vector)
    sitk.WriteImage(image, str(path))
    return refused(path)


@pytest.mark.parametrize(
    "name",
    ["patient-7.nii", "patient-7.nii.gz", "patient-7.nrrd", "patient-7.mha", "patient-7.mhd"],
)
def test_images_that_are_not_one_volume(tmp_path, name):
    path = tmp_path / name
    assert itk_refused(path, np.zeros((3, 5, 6, 7), np.int16)) == "is-4d"
    assert itk_refused(path, np.zeros((5, 6, 7, 3), np.uint8), vector=True) == "is-colour"
    assert itk_refused(path, np.zeros((5, 6, 7, 2), np.float32), vector=True) == "is-colour"
    assert itk_refused(path, np.zeros((1, 6, 7), np.int16)) == "not-3d"
    assert itk_refused(path, np.zeros((5, 6, 1), np.int16)) == "not-3d"
    assert itk_refused(path, np.zeros((6, 7), np.int16)) == "not-3d"
    assert itk_refused(path, np.full((5, 6, 7), np.nan)) == "values-not-finite"


@pytest.mark.parametrize("name", ["patient-7.nii", "patient-7.mha"])
def test_a_fourth_dimension_of_one_is_no_dimension(tmp_path, name):
    wrote = tilted()
    sitk.WriteImage(sitk.GetImageFromArray(wrote.array[None], isVector=False), str(tmp_path / name))
    np.testing.assert_array_equal(read_source(tmp_path / name)[0].array, wrote.array)


def test_complex_and_rare_types(tmp_path):
    path = write_itk(tmp_path / "patient-7.nii", tilted())
    raw = bytearray(path.read_bytes())
    for datatype, code in (
        (32, "type-unsupported"),
        (1536, "type-unsupported"),
        (128, "is-colour"),
    ):
        raw[70:72] = np.array(datatype, "<i2").tobytes()
        path.write_bytes(raw)
        assert refused(path) == code


def test_sizes_of_zero_and_less(tmp_path):
    path = write_itk(tmp_path / "patient-7.nii", tilted())
    raw = bytearray(path.read_bytes())
    for value, code in ((0, "size-zero"), (-7, "header-invalid")):
        raw[42:44] = np.array(value, "<i2").tobytes()
        path.write_bytes(raw)
        assert refused(path) == code
    for name, old, new in (
        ("patient-7.nrrd", b"sizes: 7 6 5", b"sizes: 7 0 5"),
        ("patient-7.mha", b"DimSize = 7 6 5", b"DimSize = 7 0 5"),
    ):
        path = write_itk(tmp_path / name, tilted())
        raw = path.read_bytes()
        assert old in raw
        path.write_bytes(raw.replace(old, new))
        assert refused(path) == "size-zero"


def test_nothing_there_and_nothing_in_it(tmp_path):
    assert refused(tmp_path / "patient-7.nii") == "source-missing"
    for name in ("patient-7.nii", "patient-7.nii.gz", "patient-7.mha", "patient-7.dcm"):
        (tmp_path / name).touch()
        assert refused(tmp_path / name) == "source-empty"
    (tmp_path / "series-7").mkdir()
    assert refused(tmp_path / "series-7") == "dicom-empty"
    (tmp_path / "series-7" / "notes").write_text("no image")
    assert refused(tmp_path / "series-7") == "dicom-empty"


def test_junk_is_of_no_format(tmp_path):
    junk = np.random.default_rng(7).bytes(5000)
    for name in ("patient-7.nii", "patient-7.nrrd", "patient-7.mha", "patient-7.dcm", "patient-7"):
        (tmp_path / name).write_bytes(junk)
        assert refused(tmp_path / name) == "format-unknown"
    (tmp_path / "patient-7.nii.gz").write_bytes(gzip.compress(junk))
    assert refused(tmp_path / "patient-7.nii.gz") == "format-unknown"
    (tmp_path / "patient-7.nii.gz").write_bytes(b"\x1f\x8b\x08\0" + junk)
    assert refused(tmp_path / "patient-7.nii.gz") == "data-corrupt"


@pytest.mark.parametrize(
    ("true", "named"),
    [
        ("patient-7.nii", "patient-7.nii.gz"),
        ("patient-7.nii.gz", "patient-7.nii"),
        ("patient-7.nii", "patient-7.nrrd"),
        ("patient-7.nrrd", "patient-7.mha"),
        ("patient-7.mha", "patient-7.nii"),
        ("patient-7.nii.gz", "patient-7"),
    ],
)
def test_an_extension_that_denies_the_content(tmp_path, true, named):
    write_itk(tmp_path / true, tilted()).rename(tmp_path / named)
    assert refused(tmp_path / named) == "format-mismatch"


def test_extensions_may_be_in_capitals(tmp_path):
    write_itk(tmp_path / "patient-7.nii.gz", tilted()).rename(tmp_path / "PATIENT.NII.GZ")
    assert source_format(tmp_path / "PATIENT.NII.GZ") == "nifti-gzip"


def test_pairs_of_nifti_files_are_not_read(tmp_path):
    nib.save(nib.Nifti1Pair(tilted().array, np.eye(4)), tmp_path / "patient-7.hdr")
    assert refused(tmp_path / "patient-7.hdr") == "format-unknown"


def test_one_dicom_file_is_not_a_series(tmp_path):
    write_series(tmp_path, tilted())
    assert refused(tmp_path / "000.dcm") == "not-3d"


@pytest.mark.parametrize("name", ["patient-7.mhd", "patient-7.nhdr"])
def test_detached_voxels_stay_beside_their_header(tmp_path, name):
    here = tmp_path / "here"
    here.mkdir()
    path = write_itk(here / name, tilted())
    raw, voxels = path.read_text(), here / "patient-7.raw"
    secret = tmp_path / "secret.raw"
    secret.write_bytes(voxels.read_bytes())
    for elsewhere in (str(secret), "../secret.raw", "..\\secret.raw", "C:\\secret.raw"):
        path.write_text(raw.replace("patient-7.raw", elsewhere))
        assert refused(path) == "header-invalid"
    path.write_text(raw)
    np.testing.assert_array_equal(read_source(path)[0].array, tilted().array)
    voxels.write_bytes(voxels.read_bytes()[:-1])
    assert refused(path) == "data-truncated"
    voxels.unlink()
    assert refused(path) == "data-missing"


def test_voxels_at_the_end_of_a_detached_file(tmp_path):
    for name, old, new in (
        ("patient-7.mhd", "ElementDataFile", "HeaderSize = -1\nElementDataFile"),
        ("patient-7.nhdr", "data file", "byte skip: -1\ndata file"),
    ):
        path = write_itk(tmp_path / name, tilted())
        path.write_text(path.read_text().replace(old, new))
        (tmp_path / "patient-7.raw").write_bytes(
            b"another header" + (tmp_path / "patient-7.raw").read_bytes()
        )
        np.testing.assert_array_equal(read_source(path)[0].array, tilted().array)


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("patient-7.nrrd", b"type: short", b"type: block", "type-unsupported"),
        ("patient-7.nrrd", b"endian: little", b"endian: middle", "header-invalid"),
        ("patient-7.nrrd", b"endian: little\n", b"", "header-invalid"),
        ("patient-7.nrrd", b"encoding: raw", b"encoding: ascii", "format-unknown"),
        ("patient-7.nrrd", b"dimension: 3", b"dimension: 4", "header-invalid"),
        ("patient-7.nrrd", b"sizes: 7 6 5", b"sizes: 7 x 5", "header-invalid"),
        ("patient-7.nrrd", b"type: short", b"type: short\ntype: float", "header-invalid"),
        ("patient-7.mha", b"MET_SHORT", b"MET_LONG", "type-unsupported"),
        ("patient-7.mha", b"MET_SHORT", b"MET_SHORT_ARRAY", "is-colour"),
        ("patient-7.mha", b"BinaryData = True", b"BinaryData = False", "format-unknown"),
        ("patient-7.mha", b"NDims = 3", b"NDims = three", "header-invalid"),
        ("patient-7.mha", b"NDims = 3", b"NDims = 3\nNDims = 3", "header-invalid"),
        ("patient-7.mha", b"LOCAL", b"LIST 2", "format-unknown"),
        ("patient-7.mha", b"BinaryDataByteOrderMSB = False\n", b"", "header-invalid"),
        ("patient-7.mha", b"ElementDataFile", b"HeaderSize = 3\nElementDataFile", "header-invalid"),
    ],
)
def test_headers_that_break_their_rules(tmp_path, name, old, new, code):
    path = write_itk(tmp_path / name, tilted())
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new, 1))
    assert refused(path) == code


def test_a_reason_never_quotes_the_header(tmp_path):
    path = write_itk(tmp_path / "patient-7.mha", tilted())
    path.write_bytes(path.read_bytes().replace(b"Offset = ", b"Offset = Jane-Doe ", 1))
    with pytest.raises(Refusal) as caught:
        read_source(path)
    assert caught.value.code == "header-invalid"
    assert "Jane" not in caught.value.reason
