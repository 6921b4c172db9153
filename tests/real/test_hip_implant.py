"""Artefacts of real scans: a hip implant is found, and in clean scans nothing is."""

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from scanmill.corrections.artefacts import MARKS, Examination, examine_ct, examine_mr
from scanmill.grid import Grid
from scanmill.volume_file import Volume

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SCANMILL_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared scans are not here"),
]
CLEAN_CT = (
    "totalsegmentator/example_ct_sm.nii.gz",
    "ibsi/ibsi_validation/nifti/STS_002/CT_image.nii.gz",
    "ibsi/ibsi_validation/nifti/STS_008/CT_image.nii.gz",
)
CLEAN_MR = (
    "totalsegmentator/example_mr_sm.nii.gz",
    "seg3d_mr/MR.nii.gz",
    "pyradiomics/brain1_image.nrrd",
    "dicom2nifti/generic/anatomical/001_ground_truth.nii.gz",
)


def volume(name: str) -> Volume:
    image = SimpleITK.ReadImage(str(DATA / name))
    grid = Grid(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return Volume(SimpleITK.GetArrayFromImage(image), grid)


def nothing(found: Examination) -> bool:
    """Nothing but a table, perhaps."""
    marks = np.zeros(1) if found.marks is None else found.marks
    return np.isin(marks, (0, MARKS["table"])).all() and not found.warnings


@pytest.mark.parametrize("name", CLEAN_CT)
def test_nothing_is_found_in_a_clean_ct(name):
    assert nothing(examine_ct(volume(name), "mark"))


@pytest.mark.parametrize("name", CLEAN_MR)
def test_nothing_is_found_in_a_clean_mr(name):
    assert nothing(examine_mr(volume(name)))


def test_a_hip_implant_and_its_streaks_are_marked():
    scan = volume("totalsegmentator/example_ct.nii.gz")
    found = examine_ct(scan, "mark")
    assert [code for code, _ in found.warnings] == ["metal"]
    metal = found.marks == MARKS["metal"]
    # A stem and a head of tens of millilitres, in the lowest 5 cm of the scan.
    assert 5000 < metal.sum() * scan.grid.voxel_volume < 50_000
    assert np.isin(found.marks[18:], (0, MARKS["table"])).all()
    assert metal.sum() < (found.marks == MARKS["streak"]).sum() < 0.4 * found.marks[:17].size


def test_the_table_of_a_cropped_scan_is_taken_away_and_the_patient_is_not():
    scan = volume(CLEAN_CT[1])
    found = examine_ct(scan, "mark")
    table = found.marks == MARKS["table"]
    # The shell that lies 2 to 3 cm below the thigh; flesh is brighter than its foam.
    assert table.any(axis=(1, 2)).all() and 0.04 < table.mean() < 0.08
    patient = SimpleITK.GetArrayFromImage(
        SimpleITK.ReadImage(str(DATA / CLEAN_CT[1].replace("CT_image", "CT_mask")))
    )
    assert not (table & (patient > 0)).any()
    assert (found.image[table] == -1000).all()
