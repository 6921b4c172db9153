"""A structure that the edge of the scan cuts: what of it lies in the scan is what is measured."""

import csv

import numpy as np
import pytest
from bodies import DIRECTIONS
from ingest import ingest
from measure import measure
from mesh import mesh
from resample import resample
from scanmill.grid import Grid
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, read_volume, write_volume
from segment import segment

# Extents that are no multiple of the spacing: the isotropic grid reaches beyond the scan.
STACKS = [((60, 60, 5), (1.0, 1.0, 5.0), 3.0), ((60, 60, 10), (1.0, 1.0, 1.0), 1.5)]
RULES = {"method": "rules", "steps": [{"window": [0, None]}]}
LABELS = {"method": "labels", "value": 1, "steps": []}


@pytest.mark.parametrize("how", [RULES, LABELS], ids=["rules", "labels"])
@pytest.mark.parametrize(("size", "spacing", "cubic"), STACKS)
def test_a_column_through_the_stack_keeps_its_volume(tmp_path, size, spacing, cubic, how):
    direction = tuple(np.ravel(DIRECTIONS["oblique left-handed"]))
    grid = Grid(size, spacing, (-31.0, 207.5, 12.25), direction)
    y, x = np.indices(grid.shape[1:])
    disc = np.hypot((x - 29.2) * spacing[0], (y - 30.1) * spacing[1]) < 20
    column = np.broadcast_to(disc, grid.shape)
    scan, labels = tmp_path / "scan.nii.gz", tmp_path / "supplied.nii.gz"
    write_volume(scan, Volume(np.where(column, 100, -100).astype(np.int16), grid))
    write_volume(labels, Volume(column.astype(np.uint8), grid))
    row, area = measured(tmp_path / "case", scan, labels, cubic, how)
    assert float(row["volume_mm3"]) == pytest.approx(column.sum() * grid.voxel_volume, rel=0.005)
    assert area == pytest.approx(disc.sum() * spacing[0] * spacing[1], rel=0.005)
    assert row["touches_border"] == "true"


def measured(folder, scan, labels, cubic, how) -> tuple[dict[str, str], float]:
    """The only row of a case, and the area of its structure in the middle slice."""
    folder.mkdir()
    names = ("volume.nii.gz", "isotropic.nii.gz", "labels.nii.gz", "overlaps", "doubts", "surfaces")
    volume, isotropic, label_map, overlaps, doubts, surfaces = (folder / name for name in names)
    model, table = folder / "model.glb", folder / "measurements.csv"
    structure = {"name": "a", "label": 1, "colour": "#ffffff", "triangles": None, "segment": how}
    structure |= {"distances_to": [], "drawn": False}
    parts = {"labels": label_map, "overlaps": overlaps}
    run_stage("ingest", ingest, {"scan": [scan]}, {"volume": volume}, {})
    correct = {"metal": "off", "bias": "off", "noise": "off"}
    parameters = {"spacing": cubic, "modality": "MR", "correct": correct, "expect": {}}
    made = {"isotropic": isotropic, "artefacts": isotropic.with_name("artefacts.nii.gz")}
    outputs = made | {"unsmoothed": isotropic.with_name("unsmoothed.nii.gz")}
    run_stage("resample", resample, {"volume": volume}, outputs, parameters)
    parameters = {"modality": "MR", "structures": [structure], "supplied_structures": [None]}
    inputs = {"isotropic": isotropic, "supplied": [labels]}
    run_stage("segment", segment, inputs, parts | {"doubts": doubts}, parameters)
    parameters = {"structures": [structure], "formats": ["ply"], "pass_band": 0.1}
    run_stage("mesh", mesh, parts, {"surfaces": surfaces, "model": model}, parameters)
    inputs = {
        "volume": volume,
        **made,
        **parts,
        "doubts": doubts,
        "surfaces": surfaces,
        "centrelines": [],
        "simulations": [],
    }
    parameters = {"case": "a", "structures": [structure], "ledger_limit": 10.0}
    run_stage("measure", measure, inputs, {"measurements": table}, parameters)
    with open(table, newline="") as stream:
        (row,) = csv.DictReader(stream)
    middle = read_volume(label_map).array
    return row, middle[len(middle) // 2].sum() * cubic**2
