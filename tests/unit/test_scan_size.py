"""How large scans are, by one header, and where there is none."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from scanmill import scan_size
from scanmill.grid import Grid
from scanmill.scan_size import ScanSize
from source_samples import tilted, write_itk, write_series


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
def test_a_file_declares_its_size(tmp_path, name):
    volume = tilted()
    found = scan_size.of_scan(write_itk(tmp_path / name, volume))
    assert found.size == volume.grid.size
    np.testing.assert_allclose(found.spacing, volume.grid.spacing, rtol=1e-5)


def test_one_header_tells_for_all_files_of_a_dicom_folder(tmp_path):
    volume = tilted()
    folder = write_series(tmp_path / "dicom", volume, SpacingBetweenSlices="2.5")
    (folder / "notes.txt").touch()
    found = scan_size.of_scan(folder)
    assert found == ScanSize((7, 6, 5 + 1), (0.7, 0.9, 2.5))


def test_the_thickness_stands_for_an_untold_distance_of_slices(tmp_path):
    folder = write_series(tmp_path / "dicom", tilted(), SliceThickness="3")
    assert scan_size.of_scan(folder).spacing == (0.7, 0.9, 3)


@pytest.mark.parametrize("content", [b"", b"NRRD0004\n", b"\x1f\x8b\x08\x00", b"none of scans"])
def test_what_has_no_header_is_as_large_as_its_bytes(tmp_path, content):
    (tmp_path / "scan.nrrd").write_bytes(content)
    found = scan_size.of_scan(tmp_path / "scan.nrrd")
    assert (
        found.voxels("native") == found.voxels(1.0 if content else "native") == len(content) / 1e6
    )


def test_a_folder_without_dicom_is_as_large_as_its_bytes(tmp_path):
    assert scan_size.of_scan(tmp_path).voxels("native") == 0
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"none of scans")
    assert scan_size.of_scan(tmp_path).voxels("native") == 39e-6


@pytest.mark.parametrize("form", ["zip", "tar", "gztar"])
def test_an_archive_is_as_large_as_its_bytes(tmp_path, form):
    folder = write_series(tmp_path / "dicom", tilted())
    archive = Path(shutil.make_archive(tmp_path / "archive", form, folder))
    assert scan_size.of_scan(archive).voxels(1.0) == archive.stat().st_size / 1e6


@pytest.mark.parametrize("spacing", [0.3, 0.7, 1.0, 2.5, 40.0])
def test_voxels_on_the_recipes_grid_are_those_of_the_stage(spacing):
    size, steps = (512, 511, 100), (0.7, 0.7, 3.0)
    expected = math.prod(Grid(size, steps).isotropic(spacing).size) / 1e6
    assert ScanSize(size, steps).voxels(spacing) == expected


def test_thin_slices_make_a_scan_larger_than_it_was():
    scan = ScanSize((512, 512, 100), (0.7, 0.7, 3.0))
    assert scan.voxels("native") == pytest.approx(26.2144)
    assert scan.voxels(0.7) == pytest.approx(512 * 512 * 429 / 1e6)
