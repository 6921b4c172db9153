"""References and timepoints in the sheet: what they add to a run, and nothing where there are none."""

import json

import numpy as np
import planted
import pytest
from mill import mill, planned, rows
from scanmill.volume_file import Volume

SHEET = (
    "case\tscan\treference\tsubject\ttimepoint\tsite\n"
    "second\tsecond.nrrd\tball=ball.nrrd;organ=organ.nrrd\ts1\t2024-03-31\tA\n"
    "first\tfirst.nrrd\tmap.nrrd\ts1\t2024-03-01\tB\n"
    "unusable\tfirst.nrrd\tbroken.nrrd\t\t\tC\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A patient scanned twice, each time with a reference, and once with one that is no image."""
    folder = tmp_path_factory.mktemp("compared")
    for name, axes in (("first", "PIL"), ("second", "RAS")):
        image, labels = planted.scan(axes)
        planted.write_itk(folder / f"{name}.nrrd", image)
    # Of the second; of the first the map was drawn on another grid.
    whole = (labels.array > 0).astype(np.uint8)
    planted.write_itk(folder / "organ.nrrd", Volume(whole, labels.grid))
    planted.write_itk(
        folder / "ball.nrrd", Volume((labels.array == 2).astype(np.uint8), labels.grid)
    )
    planted.write_itk(folder / "map.nrrd", labels)
    (folder / "broken.nrrd").write_bytes(b"no image")
    (folder / "recipe.yaml").write_text(planted.recipe(spacing=2.5) + "surface_dice_tolerance: 2\n")
    (folder / "scans.tsv").write_text(SHEET)
    (folder / "config.yaml").write_text("scans: scans.tsv\nrecipe: recipe.yaml\n")
    mill(folder, "--configfile", "config.yaml")
    return folder


def test_structures_are_compared_with_their_references(folder):
    found = {
        (r["case"], r["structure"]): r for r in rows(folder / "results/cohort/measurements.csv")
    }
    for case in ("first", "second"):
        row = found[case, "ball"]
        assert row["reference_status"] == "ok" and row["surface_dice_tolerance_mm"] == "2"
        assert float(row["dice"]) > 0.93 and float(row["surface_dice"]) > 0.97
        assert abs(float(row["volume_error_percent"])) < 5
        off = float(row["volume_mm3"]) - float(row["reference_volume_mm3"])
        assert float(row["volume_error_mm3"]) == pytest.approx(off, abs=1e-4)
    assert float(found["second", "organ"]["dice"]) > 0.93
    assert found["first", "organ"]["reference_volume_mm3"] == ""
    assert found["unusable", "ball"]["status"] == "ok"
    assert found["unusable", "ball"]["reference_status"] == "labels-unreadable"
    cases = {row["case"]: row for row in rows(folder / "results/cohort/cases.tsv")}
    assert cases["unusable"]["agreement_status"] == "refused"
    assert {row["stale"] for row in cases.values()} == {""}


def test_the_cohort_has_its_agreement_and_its_changes(folder):
    cohort = folder / "results" / "cohort"
    found = [(r["structure"], r["quantity"], r["compared"]) for r in rows(cohort / "agreement.csv")]
    assert ("ball", "volume_mm3", "2") in found and len(found) == 6
    (organ, ball) = rows(cohort / "changes.csv")
    for row in (organ, ball):
        assert (row["case_before"], row["case_after"], row["elapsed"]) == ("first", "second", "30")
        assert row["exceeds"] == "false"
    described = json.loads((cohort / "changes.json").read_text())
    assert described.keys() == organ.keys()
    methods = (cohort / "methods.md").read_text()
    assert "at 2 mm" in methods and "timepoints" in methods
    parts = json.loads((folder / "results" / "ro-crate-metadata.json").read_text())["@graph"]
    names = {part["@id"]: part.get("name", "") for part in parts}
    assert {"cohort/agreement.csv", "cohort/changes.csv"} < names.keys()
    assert "reference of first" in names.values()


def test_results_and_logs_name_no_file_of_a_reference(folder):
    for path in (*(folder / "results").rglob("*"), *(folder / "logs").rglob("*")):
        if path.is_file() and path.suffix in (".json", ".csv", ".tsv", ".log", ".md"):
            assert b"ball.nrrd" not in path.read_bytes(), path


def test_another_reference_is_compared_anew_and_nothing_else_is_done(folder):
    assert planned(folder, "--configfile", "config.yaml") == {}
    sheet = folder / "scans.tsv"
    sheet.write_text(SHEET.replace("\tmap.nrrd", "\torgan=organ.nrrd"))
    jobs = planned(folder, "--configfile", "config.yaml")
    of_cohort = dict.fromkeys(("collect", "compare", "check", "describe", "overview", "all"), 1)
    assert jobs == {"agreement": 1} | of_cohort
    # Without the columns no job compares.
    plain = [line.split("\t") for line in SHEET.splitlines()]
    sheet.write_text("".join("\t".join([*cells[:2], cells[5]]) + "\n" for cells in plain))
    jobs = planned(folder, "--configfile", "config.yaml")
    assert jobs == {"collect": 1, "check": 1, "describe": 1, "overview": 1, "all": 1}
