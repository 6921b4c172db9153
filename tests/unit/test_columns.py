"""The dictionary of the table against what measure writes."""

import csv
import re

import numpy as np
import pytest
from bodies import BODIES, CENTRE, OBLIQUE, grid_over, mask_of
from measure import measure
from mesh import mesh
from scanmill.columns import CENTRELINE, COLUMNS, INTERVALS, SHAPE_MODEL, SIMULATION
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import write_doubts, write_label_map
from scanmill.phantom.body import sphere
from scanmill.sidecar import write_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, write_volume

STRUCTURES = [
    {
        "name": name,
        "label": label,
        "colour": "#c5a591",
        "triangles": triangles,
        "distances_to": [],
        "drawn": False,
    }
    for name, label, triangles in (("organ", 1, 900), ("tumour", 2, None), ("spleen", 3, None))
]
REFUSED = {"status": "refused", "code": "structure-empty", "reason": "no voxel was found"}
STATE = {"case", "structure", "label", "status", "stage", "code", "reason", "warnings"}


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> dict[str, dict[str, str]]:
    """The rows of an organ, a tumour within it and a spleen that was not found."""
    folder = tmp_path_factory.mktemp("case")
    organ, tumour = BODIES["ellipsoid"], sphere(5, CENTRE)
    grid = grid_over(organ, (1.2, 1.2, 1.2), OBLIQUE["oblique left-handed"])
    labels = LabelMap.empty(grid, 3)
    labels.paint(1, Region.of(mask_of(organ, grid)))
    labels.paint(2, Region.of(mask_of(tumour, grid)))
    image = np.where(labels.array > 0, 40, -100).astype(np.int16) + labels.array
    paths = {
        "volume": folder / "volume.nii.gz",
        "isotropic": folder / "isotropic.nii.gz",
        "artefacts": folder / "artefacts.nii.gz",
        "labels": folder / "labels.nii.gz",
        "overlaps": folder / "overlaps",
        "doubts": folder / "doubts",
    }
    for name in ("volume", "isotropic"):
        write_volume(paths[name], Volume(image.astype(np.int16), grid))
    write_volume(paths["artefacts"], Volume(np.zeros(grid.shape, np.uint8), grid))
    names = {s["name"]: s["label"] for s in STRUCTURES}
    write_label_map(paths["labels"], paths["overlaps"], labels, names)
    write_doubts(paths["doubts"], {}, grid)
    said = {
        "status": "ok",
        "warnings": [{"code": "x", "message": "y", "structure": "organ"}],
        "structures": {"spleen": REFUSED},
        "native_size": list(grid.size),
        "native_spacing_mm": list(grid.spacing),
        "shapes": {"organ": dict.fromkeys(SHAPE_MODEL, 1.0)},
        "supplied_volume_mm3": {"organ": 1000.0, "tumour": 500.0, "spleen": 0.0},
    }
    for path in paths.values():
        write_sidecar(path, said)
    parts = {"labels": paths["labels"], "overlaps": paths["overlaps"]}
    surfaces = {"surfaces": folder / "surfaces", "model": folder / "model.glb"}
    parameters = {"structures": STRUCTURES, "formats": ["ply"], "pass_band": 0.1}
    run_stage("mesh", mesh, parts, surfaces, parameters)
    inputs = paths | {"surfaces": surfaces["surfaces"]}
    for name, columns in (("centrelines", CENTRELINE), ("simulations", SIMULATION)):
        (folder / name).mkdir()
        told = {"structures": {"organ": dict.fromkeys(columns, 1.0)}}
        write_sidecar(folder / name, {"status": "ok", "warnings": []} | told)
        inputs |= {name: [folder / name]}
    table = folder / "measurements.csv"
    parameters = {"case": "a", "structures": STRUCTURES, "ledger_limit": 10.0}
    run_stage("measure", measure, inputs, {"measurements": table}, parameters)
    with open(table, newline="") as stream:
        reader = csv.DictReader(stream)
        found = {row["structure"]: row for row in reader}
        assert reader.fieldnames == list(COLUMNS)
    return found


def test_every_column_is_filled_for_some_structure_and_no_other_is_written(rows):
    filled = {key for row in rows.values() for key, value in row.items() if value}
    assert filled == set(COLUMNS)


def test_a_structure_that_was_not_found_has_no_number(rows):
    row = rows["spleen"]
    assert (row["status"], row["stage"]) == ("refused", "segment")
    assert (row["code"], row["reason"]) == ("structure-empty", "no voxel was found")
    assert {key for key, value in row.items() if value} <= STATE | {"supplied_volume_mm3"}


def test_measures_are_those_of_the_whole_structures(rows):
    organ, tumour = BODIES["ellipsoid"], sphere(5, CENTRE)
    for name, body in (("organ", organ), ("tumour", tumour)):
        row = rows[name]
        assert row["status"] == "ok"
        assert float(row["surface_volume_mm3"]) == pytest.approx(body.volume, rel=0.02)
        assert float(row["volume_mm3"]) == pytest.approx(body.volume, rel=0.02)
        assert abs(float(row["surface_vs_isotropic_percent"])) < 0.1
        centroid = [float(row[f"centroid_{axis}_mm"]) for axis in "xyz"]
        assert centroid == pytest.approx(CENTRE, abs=0.1)
        assert (row["watertight"], row["manifold"]) == ("true", "true")
        assert (row["components"], row["touches_border"]) == ("1", "false")
    assert float(rows["tumour"]["stat_mean"]) == 42


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_says_what_it_is(name):
    column = COLUMNS[name]
    assert len(column.meaning) > 4
    if name.startswith(("morph_", "stat_")) and name not in INTERVALS:
        assert column.source.startswith("IBSI")
    unit = re.search(r"(?<!_per)_(mm[23]?)$", name)
    if unit:
        assert column.unit == unit[1]
    if re.search(r"_[xyz]_mm$", name):
        assert column.frame == "LPS"
