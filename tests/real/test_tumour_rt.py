"""The shipped recipe of radiotherapy on soft-tissue sarcomas: CT and MR with the contoured GTV."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from ingest import ingest
from measure import measure
from mesh import mesh
from resample import resample
from scanmill import recipe
from scanmill.stage import run_stage
from segment import segment

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SCANMILL_DATA", ROOT.parent / "shared" / "data"))
PATIENTS = DATA / "ibsi" / "ibsi_validation" / "nifti"
RECIPE = ROOT / "config" / "recipes" / "tumour-rt.yaml"
# Slices are 3.27 mm thick; each margin is exact to half a voxel of 1 mm.
ACROSS, ALONG, VOXEL = 10, 13, 1

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PATIENTS.is_dir(), reason="no real scans here"),
]


@pytest.fixture(
    scope="module", params=["STS_002/CT", "STS_002/MR_T1", "STS_008/CT", "STS_008/MR_T1"]
)
def rows(request, tmp_path_factory) -> dict[str, dict[str, str]]:
    """The rows of one patient, by structure."""
    folder = tmp_path_factory.mktemp("case")
    scan, mask = (PATIENTS / f"{request.param}_{part}.nii.gz" for part in ("image", "mask"))
    wanted = recipe.load(RECIPE)
    names = ("volume.nii.gz", "isotropic.nii.gz", "labels.nii.gz", "overlaps", "doubts", "surfaces")
    volume, isotropic, labels, overlaps, doubts, surfaces = (folder / name for name in names)
    run_stage("ingest", ingest, {"scan": [scan]}, {"volume": volume}, {})
    parameters = {"spacing": wanted.spacing, "modality": wanted.modality}
    parameters |= {"correct": wanted.correct, "expect": wanted.expect}
    made = {"isotropic": isotropic, "artefacts": isotropic.with_name("artefacts.nii.gz")}
    outputs = made | {"unsmoothed": isotropic.with_name("unsmoothed.nii.gz")}
    run_stage("resample", resample, {"volume": volume}, outputs, parameters)
    parts = {"labels": labels, "overlaps": overlaps}
    inputs = {"isotropic": isotropic, "supplied": [mask]}
    parameters = {"modality": wanted.modality, "structures": wanted.structures}
    parameters["supplied_structures"] = ["gtv"]
    run_stage("segment", segment, inputs, parts | {"doubts": doubts}, parameters)
    parameters = {"structures": wanted.structures, "formats": ["ply"]}
    parameters["pass_band"] = wanted.pass_band
    outputs = {"surfaces": surfaces, "model": folder / "model.glb"}
    run_stage("mesh", mesh, parts, outputs, parameters)
    table = folder / "measurements.csv"
    inputs = {
        "volume": volume,
        **made,
        **parts,
        "doubts": doubts,
        "surfaces": surfaces,
        "centrelines": [],
        "simulations": [],
    }
    parameters = {"case": "one", "structures": wanted.structures}
    parameters["ledger_limit"] = wanted.ledger_limit
    run_stage("measure", measure, inputs, {"measurements": table}, parameters)
    with open(table, newline="") as stream:
        return {row["structure"]: row for row in csv.DictReader(stream)}


def box(row: dict[str, str]) -> np.ndarray:
    """The least and largest LPS coordinates of a structure, mm: (2, 3)."""
    ends = [[float(row[f"bbox_{end}_{axis}_mm"]) for axis in "xyz"] for end in ("min", "max")]
    return np.array(ends)


def test_the_planning_target_volume_lies_the_margins_around_the_tumour(rows):
    grown = np.abs(box(rows["ptv"]) - box(rows["gtv"]))
    margins = np.array([[ACROSS, ACROSS, ALONG]] * 2)
    if rows["ptv"]["touches_border"] == "true":
        # The MR of one patient ends 10 mm below the tumour.
        assert grown[0, 2] < ALONG - VOXEL
        margins[0, 2] = grown[0, 2]
    assert grown == pytest.approx(margins, abs=VOXEL)


def test_the_tumour_keeps_its_volume_and_the_targets_nest(rows):
    gtv, ctv, ptv = (float(rows[name]["mask_volume_mm3"]) for name in ("gtv", "ctv", "ptv"))
    assert gtv == pytest.approx(float(rows["gtv"]["supplied_volume_mm3"]), rel=0.01)
    assert gtv < ctv < ptv
    # Of bodies of one volume, a ball grows least.
    radius = (3 * gtv / (4 * np.pi)) ** (1 / 3)
    assert ctv > 4 / 3 * np.pi * (radius + 5) ** 3


def test_organs_that_were_not_contoured_are_refused_and_no_distance_is_made_up(rows):
    organs = set(rows) - {"gtv", "ctv", "ptv"}
    assert len(organs) == 11
    assert {(rows[name]["status"], rows[name]["code"]) for name in organs} == {
        ("refused", "structure-empty")
    }
    assert not any(
        value for row in rows.values() for key, value in row.items() if key.startswith("distance_")
    )
    assert sum(key.startswith("distance_to_") for key in rows["gtv"]) == 11
