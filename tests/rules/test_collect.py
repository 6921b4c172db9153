"""The collect rule: all cases in one table, refused ones too, and where the numbers come from."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from collect import collect
from earlier import OK, REFUSED
from scanmill.agreement.columns import REFERENCE
from scanmill.cohort import RESULTS
from scanmill.columns import COLUMNS, STAGES
from scanmill.lineage import LOCK, ROOT
from scanmill.sidecar import Damaged, checksum, write_sidecar

UNASKED = {"centreline": False, "simulate": None}
RECIPES = {
    "torso": {
        "modality": "CT",
        "spacing": 1.0,
        "uneven_slices": "refuse",
        "structures": [
            {"name": "liver", "label": 1, "distances_to": []} | UNASKED,
            {"name": "spleen", "label": 9, "distances_to": ["liver"]} | UNASKED,
        ],
    }
}
SETTINGS = {"formats": ["ply"], "parquet": False, "export": [], "report": False}
SETTINGS |= {"export_identity": "de-identified"}
LIBRARIES = dict.fromkeys(RESULTS, "as it is")
SOFTWARE = {"scanmill": "0.1.0", "numpy": "2.4.6"}
CASES = {
    "first": {"role": "scan", "recipe": "torso", "extra": {"age": "007", "site": "n/a"}},
    "second": {"role": "scan", "recipe": "torso", "extra": {"age": "", "site": "Graz, Ä"}},
}
ROWS = [
    {"structure": "liver", "label": 1, "status": "ok", "volume_mm3": "1500.25", "components": 1},
    {
        "structure": "spleen",
        "label": 9,
        "status": "refused",
        "stage": "segment",
        "code": "structure-empty",
        "reason": "no voxel was found, anywhere",
    },
]
BENCHMARKS = {
    "mesh": "s\tmax_rss\tcpu_time\n1.25\t96.5\t0.80\n2.5\t128.25\t1.90\n",
    "measure": "s\tmax_rss\tcpu_time\n0.39\t6.33\t0.00\n",
}


def collected(tmp_path, settings, agreement=None):
    """What collect was told, of two cases: one measured, one refused at ingest.

    Where objects were to be exported, the first case had no DICOM to refer to. agreement: what else is
    said of how the first case was compared.
    """
    warned = OK | {"warnings": [{"code": "geometry-assumed", "message": "m"}]}
    inputs = {"inputs": [{"name": "scan", "sha256": "0" * 64}], "software": SOFTWARE}
    inputs |= {"parameters": {}, "library": "as it is"}
    tables = [tmp_path / "cases" / case / RESULTS["measure"] for case in CASES]
    for table in tables:
        table.parent.mkdir(parents=True, exist_ok=True)
        table.touch()
    with open(tables[0], "w", newline="") as stream:
        rows = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        rows.writeheader()
        rows.writerows({"case": "first"} | row for row in ROWS)
    for case, base in (("first", warned), ("second", REFUSED)):
        for stage, result in RESULTS.items():
            said = base | inputs | ({} if base["status"] == "refused" else {"stage": stage})
            if stage == "export" and base["status"] == "ok":
                said |= {"status": "refused", "code": "export-needs-dicom"}
            if stage == "agreement" and base["status"] == "ok":
                said |= agreement or {}
            path = tmp_path / "cases" / case / result
            path.touch()
            write_sidecar(path, said)
    benchmarks = tmp_path / "benchmarks" / "first"
    benchmarks.mkdir(parents=True)
    for stage, text in BENCHMARKS.items():
        (benchmarks / f"{stage}.tsv").write_text(text)
    names = ("measurements.csv", "measurements.json", "cases.tsv", "provenance.json")
    written = dict(zip(("measurements", "dictionary", "cases", "provenance"), names, strict=True))
    written["parquet"] = "measurements.parquet"
    outputs = {key: tmp_path / "cohort" / name for key, name in written.items()}
    told = (tables, outputs, CASES, RECIPES, settings, LIBRARIES, tmp_path / "benchmarks")
    collect(*told)
    return told


@pytest.fixture
def cohort(tmp_path):
    """The tables by name."""
    return collected(tmp_path, SETTINGS)[1]


def test_a_refused_export_is_told_and_is_no_refusal_of_the_case(tmp_path):
    outputs = collected(tmp_path, SETTINGS | {"export": ["seg"]})[1]
    with open(outputs["cases"], newline="") as stream:
        first, second = csv.DictReader(stream, delimiter="\t")
    assert (first["status"], first["code"], first["export_status"]) == ("ok", "", "refused")
    assert first["warnings"] == "export-needs-dicom geometry-assumed"
    assert (second["status"], second["stage"]) == ("refused", REFUSED["stage"])


def test_what_references_tell_is_in_the_rows_of_their_cases(tmp_path, monkeypatch):
    told = {"structure": "liver", "reference_status": "ok", "dice": "0.875"}
    path = tmp_path / "cases" / "first" / RESULTS["agreement"]
    path.parent.mkdir(parents=True)
    with open(path, "w", newline="") as stream:
        rows = csv.DictWriter(stream, ("structure", *REFERENCE), restval="")
        rows.writeheader()
        rows.writerows((told, {"structure": "spleen", "reference_status": "missed"}))
    for row in CASES.values():
        monkeypatch.setitem(row, "reference", [{"structure": None, "source": "file"}])
    outputs = collected(tmp_path, SETTINGS)[1]
    rows = read(outputs["measurements"])
    assert [(row["reference_status"], row["dice"]) for row in rows] == [
        ("ok", "0.875"),
        ("missed", ""),
        # The scan was refused, and so was all that depends on it.
        ("is-4d", ""),
        ("is-4d", ""),
    ]
    assert rows[0]["volume_mm3"] == "1500.25"
    assert {"dice", "reference_status"} < json.loads(outputs["dictionary"].read_text()).keys()
    first, second = read(outputs["cases"], "\t")
    assert (first["agreement_status"], second["agreement_status"]) == ("ok", "refused")
    said = json.loads(outputs["provenance"].read_text())
    assert said["inputs"]["first"]["agreement"] == [{"name": "scan", "sha256": "0" * 64}]


def test_a_reference_that_cannot_be_used_is_no_refusal_of_the_case(tmp_path, monkeypatch):
    for row in CASES.values():
        monkeypatch.setitem(row, "reference", [{"structure": None, "source": "file"}])
    outputs = collected(
        tmp_path, SETTINGS, agreement={"status": "refused", "code": "labels-elsewhere"}
    )
    rows = read(outputs[1]["measurements"])
    assert rows[0]["status"] == "ok" and rows[0]["volume_mm3"] == "1500.25"
    assert {row["reference_status"] for row in rows[:2]} == {"labels-elsewhere"}
    first, _ = read(outputs[1]["cases"], "\t")
    assert first["status"] == "ok" and "labels-elsewhere" in first["warnings"].split()


def test_no_column_tells_of_what_was_not_asked_for(cohort):
    assert not {"export", "report"} & {*cohort["cases"].read_text().replace("_", "\t").split("\t")}


def test_what_pages_cost_is_told_with_the_stages(tmp_path):
    first, second = read(collected(tmp_path, SETTINGS | {"report": True})[1]["cases"], "\t")
    assert (first["report_status"], second["report_status"]) == ("ok", "refused")
    assert "report_seconds" in first


def read(path: Path, delimiter=",") -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def test_every_structure_of_every_case_has_a_row(cohort):
    rows = read(cohort["measurements"])
    assert [(row["case"], row["structure"], row["label"], row["status"]) for row in rows] == [
        ("first", "liver", "1", "ok"),
        ("first", "spleen", "9", "refused"),
        ("second", "liver", "1", "refused"),
        ("second", "spleen", "9", "refused"),
    ]
    assert rows[0]["volume_mm3"] == "1500.25"
    assert rows[1]["reason"] == ROWS[1]["reason"]
    for row in rows[2:]:
        assert (row["stage"], row["code"]) == ("ingest", "is-4d")
        assert row["reason"] == REFUSED["reason"] and row["volume_mm3"] == ""


def test_further_columns_of_the_sheet_are_carried_as_they_are(cohort):
    for table, delimiter, each in (("measurements", ",", 2), ("cases", "\t", 1)):
        rows = read(cohort[table], delimiter)
        carried = [(row["age"], row["site"]) for row in rows]
        assert carried == [("007", "n/a")] * each + [("", "Graz, Ä")] * each


def test_every_column_is_described(cohort):
    columns = list(read(cohort["measurements"])[0])
    described = json.loads(cohort["dictionary"].read_text())
    assert set(columns) == set(described) == {*COLUMNS, "distance_to_liver_mm", "age", "site"}
    assert columns[-1] == "distance_to_liver_mm"
    assert described["distance_to_liver_mm"]["unit"] == "mm"
    assert described["volume_mm3"]["unit"] == "mm3"
    assert described["centroid_x_mm"]["frame"] == "LPS"
    assert all(column["meaning"] for column in described.values())


def test_cases_tell_status_cause_and_cost(cohort):
    first, second = read(cohort["cases"], "\t")
    assert (first["status"], first["stage"], first["code"]) == ("ok", "", "")
    assert first["warnings"] == "geometry-assumed" and first["recipe"] == "torso"
    assert (second["status"], second["stage"], second["code"]) == ("refused", "ingest", "is-4d")
    assert {first[f"{stage}_status"] for stage in STAGES} == {"ok"}
    assert {second[f"{stage}_status"] for stage in STAGES} == {"refused"}
    # The last line of a benchmark is that of the last attempt.
    assert (first["mesh_seconds"], first["mesh_memory_mb"]) == ("2.5", "128.25")
    # Snakemake saw nothing of a job so short: 6 MB is its shell.
    assert (first["measure_seconds"], first["measure_memory_mb"]) == ("0.39", "")
    assert first["ingest_seconds"] == "" and second["mesh_seconds"] == ""


def test_stale_stages_and_cases_that_left_the_sheet_are_told(tmp_path):
    (tmp_path / "cases" / "of-an-earlier-sheet").mkdir(parents=True)
    cases = collected(tmp_path, SETTINGS)[1]["cases"]
    first, second, left = read(cases, "\t")
    # The versions of these sidecars are none that is installed.
    assert first["stale"] == "; ".join(f"{stage}: versions" for stage in STAGES) == second["stale"]
    assert (left["case"], left["status"]) == ("of-an-earlier-sheet", "stale")
    assert left["code"] == "not-in-sheet" and left["recipe"] == left["stale"] == ""


def test_parquet_holds_the_same_table_with_types(cohort):
    table = pd.read_parquet(cohort["parquet"])
    assert list(table.columns) == list(read(cohort["measurements"])[0])
    assert table["volume_mm3"].dtype == float and table["label"].dtype.kind == "i"
    assert table["volume_mm3"].isna().tolist() == [False, True, True, True]
    assert table["age"].tolist() == ["007", "007", "", ""]
    assert table["site"].tolist() == ["n/a", "n/a", "Graz, Ä", "Graz, Ä"]
    assert table["code"].tolist() == ["", "structure-empty", "is-4d", "is-4d"]


def test_provenance_has_checksums_recipes_and_no_path(cohort, tmp_path):
    said = json.loads(cohort["provenance"].read_text())
    assert said["lock_sha256"] == checksum(LOCK)
    assert said["code"]["scripts/collect.py"] == checksum(ROOT / "scripts" / "collect.py")
    assert said["recipes"]["torso"] == RECIPES["torso"] and said["sheet"] == CASES
    assert said["inputs"]["first"]["ingest"] == [{"name": "scan", "sha256": "0" * 64}]
    assert said["software"] == [SOFTWARE] and said["settings"] == SETTINGS
    for path in cohort.values():
        assert b"doe" not in path.read_bytes() and str(tmp_path).encode() not in path.read_bytes()


def test_a_damaged_table_of_a_case_is_removed_and_not_collected(tmp_path):
    told = collected(tmp_path, SETTINGS)
    table = told[0][0]
    table.write_text(table.read_text().replace("1500.25", "1500.26"))
    with pytest.raises(Damaged, match=r"measurements\.csv is not what measure wrote"):
        collect(*told)
    assert not table.exists()
