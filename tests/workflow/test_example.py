"""The shipped example: what `make run` shows a newcomer is true."""

import json
from pathlib import Path

import pytest
import yaml
from mill import ROOT, contents, mill, planned, rows, snakemake

pytestmark = pytest.mark.slow

RECIPES = {
    name: yaml.safe_load((ROOT / "config" / "recipes" / f"{name}.yaml").read_text())
    for name in ("phantom-ct", "phantom-mr")
}
SHEET = rows(ROOT / "config" / "scans.tsv")
REFUSED = {
    **{("mr-truncated", s["name"]): "data-truncated" for s in RECIPES["phantom-mr"]["structures"]},
    ("ct-one-kidney", "kidney-left"): "structure-empty",
}
STATE = {
    "case",
    "structure",
    "label",
    "status",
    "stage",
    "code",
    "reason",
    "warnings",
    "sex",
    "age",
}
# Where voxels of 3 mm meet walls of tubes and organs as small as 7 mL: see the README's limits.
LARGE_MM3, OF_LARGE, OF_SMALL = 40_000, 0.005, 0.035
# Of volumes told from the image, whatever their size.
TOLD = 0.035
HALF_A_VOXEL_MM = 0.75


def truth(results: Path, case: str) -> dict[str, dict]:
    said = json.loads((results / "phantoms" / case / "truth.json").read_text())
    return {structure["name"]: structure for structure in said["structures"]}


def test_every_structure_of_each_recipe_has_a_row_in_every_case(example):
    found = [(row["case"], row["structure"]) for row in rows(example / "cohort/measurements.csv")]
    assert found == [
        (row["case"], structure["name"])
        for row in SHEET
        for structure in RECIPES[row["recipe"]]["structures"]
    ]


def test_what_was_spoiled_is_refused_and_all_else_is_measured(example):
    for row in rows(example / "cohort/measurements.csv"):
        code = REFUSED.get((row["case"], row["structure"]), "")
        assert (row["status"], row["code"]) == ("refused" if code else "ok", code)
        assert bool(row["reason"]) == bool(code)
    states = {
        row["case"]: (row["status"], row["stage"]) for row in rows(example / "cohort/cases.tsv")
    }
    assert states.pop("mr-truncated") == ("refused", "ingest")
    assert set(states.values()) == {("ok", "")} and len(states) == 5


def test_what_was_not_measured_is_empty_and_never_zero(example):
    for row in rows(example / "cohort/measurements.csv"):
        numbers = {key: value for key, value in row.items() if key not in STATE}
        if row["status"] == "refused":
            assert set(numbers.values()) == {""}
        else:
            assert float(numbers["volume_mm3"]) > 0 and numbers["surface_volume_mm3"]


def test_volumes_and_centroids_are_those_of_the_analytic_patients(example):
    compared = 0
    for row in rows(example / "cohort/measurements.csv"):
        if row["status"] == "refused":
            continue
        # A label map holds what is visible of a structure; rules find the whole of it.
        prefix = "" if row["supplied_volume_mm3"] else "whole_"
        exact = truth(example, row["case"])[row["structure"]]
        volume = exact[f"{prefix}volume_mm3"]
        limit = OF_LARGE if volume > LARGE_MM3 else OF_SMALL
        assert float(row["mask_volume_mm3"]) == pytest.approx(volume, rel=limit), row["structure"]
        assert float(row["volume_mm3"]) == pytest.approx(volume, rel=TOLD), row["structure"]
        low, high = float(row["volume_low_mm3"]), float(row["volume_high_mm3"])
        assert low <= volume <= high, row["structure"]
        assert float(row["surface_volume_mm3"]) == pytest.approx(volume, rel=limit)
        centroid = [float(row[f"centroid_{axis}_mm"]) for axis in "xyz"]
        assert centroid == pytest.approx(exact[f"{prefix}centroid_mm"], abs=HALF_A_VOXEL_MM)
        compared += 1
    assert compared == 32


def test_so_few_cases_have_no_flag_by_chance(example):
    assert rows(example / "cohort/flags.csv") == []
    described = json.loads((example / "cohort/flags.json").read_text())
    assert list(described)[:3] == ["case", "structure", "check"]


def test_the_sheets_further_columns_and_the_dictionary_are_there(example):
    by_case = {row["case"]: row for row in SHEET}
    table = rows(example / "cohort/measurements.csv")
    for row in table:
        assert (row["sex"], row["age"]) == tuple(
            by_case[row["case"]][key] for key in ("sex", "age")
        )
    described = json.loads((example / "cohort/measurements.json").read_text())
    assert set(described) == set(table[0])


def test_seconds_of_every_stage_are_told(example):
    for row in rows(example / "cohort/cases.tsv"):
        for stage in ("ingest", "resample", "segment", "mesh", "measure"):
            assert float(row[f"{stage}_seconds"]) > 0


def test_provenance_names_every_input_by_its_checksum(example):
    said = json.loads((example / "cohort/provenance.json").read_text())
    assert said["inputs"].keys() == {row["case"] for row in SHEET}
    for inputs in said["inputs"].values():
        assert [len(i["sha256"]) for i in inputs["ingest"]] == [64]
    assert said["command"].startswith("snakemake ") and "--cores" in said["command"]
    assert "/" not in said["command"]


def test_one_core_gives_the_same_bytes_as_two(example, tmp_path):
    one, two = contents(mill(tmp_path / "one", cores=1)), contents(example)
    assert one.keys() == two.keys() and len(one) > 100
    assert [name for name in one if one[name] != two[name]] == []


def test_the_page_of_the_cohort_leads_to_the_pages_of_its_cases(example):
    page = (example / "cohort" / "report.html").read_text(encoding="utf-8")
    for row in SHEET:
        assert f'href="../cases/{row["case"]}/report.html"' in page
        assert (example / "cases" / row["case"] / "report.html").exists()
    pictures = [p for p in example.glob("cases/*/thumbnail.png") if p.stat().st_size]
    assert len(pictures) == len(SHEET) - 1 == page.count('<img src="data:image/png')
    crate = json.loads((example / "ro-crate-metadata.json").read_text())
    parts = {part["@id"]: part for part in crate["@graph"]}
    assert parts["cohort/report.html"]["encodingFormat"] == "text/html"


def test_a_second_run_does_nothing(example):
    assert planned(example.parent) == {}


def test_the_report_has_the_tables_and_their_captions(example, tmp_path):
    report = tmp_path / "report.html"
    done = snakemake(example.parent, "--report", str(report))
    assert done.returncode == 0, done.stdout
    text = report.read_text(encoding="utf-8")
    for table in ("measurements", "cases"):
        caption = (ROOT / "report" / f"{table}.rst").read_text().split("\n")[0].split(";")[0]
        assert caption.split("``")[0] in text
        assert f"{table}." in text
    assert "All cases at a glance" in text and '"results/cohort/report.html"' in text
