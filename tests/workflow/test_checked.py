"""A cohort that checks itself: the tables of a run, and what is built only where it is asked for."""

import json
import subprocess
import sys

import numpy as np
import planted
import pytest
from mill import ROOT, mill, planned, rows, snakemake
from scanmill.grid import Grid
from scanmill.volume_file import Volume

RECIPE = """\
description: An organ and its neighbour
modality: CT
spacing: 2
structures:
  - name: organ-left
    label: 1
    code: {scheme: 99TEST, value: left, meaning: left}
    colour: "#ff0000"
    segment: {method: labels}
    shape_check: true
  - name: organ-right
    label: 2
    code: {scheme: 99TEST, value: right, meaning: right}
    colour: "#00ff00"
    segment: {method: labels}
"""
SETTINGS = ("--config", "scans=scans.tsv", "recipe=pair.yaml", "report=false")
GRID = Grid((44, 30, 30), (2.0, 2.0, 2.0), (-43.0, -29.0, -29.0))
WRONG = 3


def write_case(folder, n):
    """An ellipsoid on either side; those of one case are swapped."""
    random = np.random.default_rng([19, n])
    z, y, x = np.indices(GRID.shape)
    points = GRID.to_physical(np.stack([x, y, z], axis=-1))
    labels = np.zeros(GRID.shape, np.uint8)
    for label, side in ((1, 1), (2, -1)):
        radii = np.array([14, 18, 20]) * np.exp(random.normal(0, 0.05, 3))
        inside = (((points - [side * 20, 0, 0]) / radii) ** 2).sum(axis=-1) < 1
        labels[inside] = 3 - label if n == WRONG else label
    image = np.where(labels > 0, 60, -80) + random.normal(0, 8, GRID.shape)
    planted.write_itk(folder / f"s{n}.nrrd", Volume(image.astype(np.int16), GRID))
    planted.write_itk(folder / f"l{n}.nrrd", Volume(labels, GRID))


def write_cohort(folder, cases):
    folder.mkdir(exist_ok=True)
    for n in range(cases):
        write_case(folder, n)
    lines = [f"c{n}\ts{n}.nrrd\tl{n}.nrrd\n" for n in range(cases)]
    (folder / "scans.tsv").write_text("".join(["case\tscan\tlabels\n", *lines]))
    (folder / "pair.yaml").write_text(RECIPE)
    return folder


def test_shapes_are_compared_where_enough_cases_have_them(tmp_path):
    assert planned(write_cohort(tmp_path, 15), *SETTINGS)["vary"] == 1
    assert "vary" not in planned(write_cohort(tmp_path, 14), *SETTINGS)
    jobs = planned(write_cohort(tmp_path, 15), "--batch", "collect=1/3", *SETTINGS)
    assert jobs["measure"] == 5 and "vary" not in jobs
    jobs = planned(tmp_path, *SETTINGS, "check=false")
    assert "check" not in jobs and "collect" in jobs


@pytest.fixture(scope="module")
def cohort_of_15(tmp_path_factory):
    """Where one was run."""
    folder = write_cohort(tmp_path_factory.mktemp("cohort"), 15)
    mill(folder, *SETTINGS)
    return folder


@pytest.mark.slow
def test_a_run_flags_the_case_that_is_wrong_and_tells_how_shapes_vary(cohort_of_15):
    results = cohort_of_15 / "results"
    flags = rows(results / "cohort/flags.csv")
    assert {flag["case"] for flag in flags} == {f"c{WRONG}"}
    assert (flags[0]["structure"], flags[0]["check"]) == ("organ-left", "sides")
    assert "to the patient's right of organ-right" in flags[0]["message"]
    (model,) = rows(results / "cohort/shapes.csv")
    assert (model["recipe"], model["structure"], model["cases"]) == ("pair", "organ-left", "15")
    errors = rows(results / "cohort/reconstruction.csv")
    assert [row["case"] for row in errors] == [f"c{n}" for n in range(15)]
    surfaces = results / "cohort/shapes/pair/organ-left/surfaces"
    assert (surfaces / "mode-1-plus-2sd.ply").exists()
    for name in ("flags", "shapes", "reconstruction"):
        table = rows(results / f"cohort/{name}.csv")
        described = json.loads((results / f"cohort/{name}.json").read_text())
        assert list(described) == list(table[0])
    parts = json.loads((results / "ro-crate-metadata.json").read_text())["@graph"]
    assert {"cohort/flags.csv", "cohort/shapes.csv"} < {part["@id"] for part in parts}
    assert planned(cohort_of_15, *SETTINGS) == {}


@pytest.mark.slow
def test_two_cases_are_held_against_another_cohort_and_the_run_can_be_done_again(
    cohort_of_15, tmp_path
):
    known = cohort_of_15 / "results" / "cohort" / "shapes"
    own = write_cohort(tmp_path / "own", 2)
    results = mill(own, *SETTINGS, f"shape_models={known}")
    (model,) = rows(results / "cohort/shapes.csv")
    assert (model["source"], model["cases"]) == ("loaded", "15")
    assert [row["status"] for row in rows(results / "cohort/reconstruction.csv")] == ["ok", "ok"]
    assert rows(results / "cohort/flags.csv") == []
    script = ROOT / "scripts" / "reproduce.py"
    command = [sys.executable, script, results, "--to", tmp_path / "again"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(tmp_path / "again/results/cohort/shapes.csv") == [model]
    done = snakemake(own, *SETTINGS, f"shape_models={results / 'cohort/shapes'}")
    assert done.returncode and "is where this run writes its own" in done.stdout
