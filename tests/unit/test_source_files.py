"""Which files a scan lies in: what a change to one of them must be seen in."""

import numpy as np
import pytest
import SimpleITK as sitk
from scanmill.source import files_of


@pytest.mark.parametrize(("header", "voxels"), [("a.mhd", "a.raw"), ("a.nhdr", "a.raw")])
def test_a_detached_header_names_its_voxels(tmp_path, header, voxels):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5, 6), np.int16)), tmp_path / header)
    assert files_of(tmp_path / header) == [tmp_path / header, tmp_path / voxels]


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd", "a.nii.gz"])
def test_an_attached_header_is_all_there_is(tmp_path, name):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5, 6), np.int16)), tmp_path / name)
    assert files_of(tmp_path / name) == [tmp_path / name]


def test_a_header_that_cannot_be_read_is_left_to_ingest(tmp_path):
    (tmp_path / "a.mhd").write_text("junk")
    assert files_of(tmp_path / "a.mhd") == [tmp_path / "a.mhd"]
