"""A cohort of files of every format, one corrupt and one without a structure; and no one's name."""

import gzip
import json

import pandas as pd
import pytest
import trimesh
from mill import rows, snakemake
from planted import NAME, TRUTH, write_all

pytestmark = pytest.mark.slow

GOOD = ("dicom", "nifti", "nrrd", "mha-no-ball")
FORMATS = {"dicom": "dicom", "nifti": "nifti-gzip", "nrrd": "nrrd", "mha-no-ball": "metaimage"}


def by_structure(results):
    table = rows(results / "cohort/measurements.csv")
    return {(row["case"], row["structure"]): row for row in table}


def test_each_case_ends_as_it_should(of_files):
    cases = {row["case"]: row for row in rows(of_files / "cohort/cases.tsv")}
    assert list(cases) == [*GOOD, "corrupt"]
    assert {cases[case]["status"] for case in GOOD} == {"ok"}
    assert (cases["corrupt"]["status"], cases["corrupt"]["stage"]) == ("refused", "ingest")
    assert cases["corrupt"]["code"] == "format-unknown" and cases["corrupt"]["reason"]
    for case, name in FORMATS.items():
        said = json.loads((of_files / "cases" / case / "volume.json").read_text())
        assert said["source"]["format"].startswith(name)


def test_every_structure_has_a_row_measured_or_refused(of_files):
    found = by_structure(of_files)
    assert list(found) == [(c, s) for c in (*GOOD, "corrupt") for s in ("organ", "ball")]
    empty = found["mha-no-ball", "ball"]
    assert (empty["status"], empty["stage"], empty["code"]) == (
        "refused",
        "segment",
        "structure-empty",
    )
    for row in (empty, found["corrupt", "organ"], found["corrupt", "ball"]):
        assert row["volume_mm3"] == row["stat_mean"] == row["surface_volume_mm3"] == ""
    assert found["mha-no-ball", "organ"]["status"] == "ok"


def test_the_same_patient_is_measured_alike_in_every_format_and_orientation(of_files):
    for (case, name), row in by_structure(of_files).items():
        if row["status"] == "refused":
            continue
        prefix = "" if case == "nrrd" else "whole_"
        volume = TRUTH[name][f"{prefix}volume_mm3"]
        assert float(row["mask_volume_mm3"]) == pytest.approx(volume, rel=0.015), (case, name)
        assert float(row["volume_mm3"]) == pytest.approx(volume, rel=0.03), (case, name)
        low, high = float(row["volume_low_mm3"]), float(row["volume_high_mm3"])
        assert low <= volume <= high, (case, name)
        centroid = [float(row[f"centroid_{axis}_mm"]) for axis in "xyz"]
        assert centroid == pytest.approx(TRUTH[name][f"{prefix}centroid_mm"], abs=0.3), (case, name)


def test_surfaces_lie_in_the_patient_whatever_the_format(of_files):
    for case in ("dicom", "nifti"):
        folder = of_files / "cases" / case / "surfaces"
        assert len(list(folder.glob("[!.]*"))) == 8
        for suffix in ("ply", "stl", "obj"):
            found = trimesh.load(folder / f"ball.{suffix}")
            assert found.is_watertight
            assert found.center_mass == pytest.approx(TRUTH["ball"]["centroid_mm"], abs=0.3)


def test_columns_of_the_sheet_are_carried_as_they_are_also_into_parquet(of_files):
    sites = {"dicom": "007", "nifti": "n/a", "nrrd": "", "mha-no-ball": "Graz", "corrupt": "Graz"}
    table = pd.read_parquet(of_files / "cohort/measurements.parquet")
    assert dict(zip(table["case"], table["site"], strict=True)) == sites
    found = by_structure(of_files)
    assert {case: row["site"] for (case, _), row in found.items()} == sites
    assert list(table.columns) == list(found["dicom", "ball"])
    assert table["volume_mm3"].isna().tolist() == [r["volume_mm3"] == "" for r in found.values()]


def test_no_name_of_a_patient_is_anywhere_in_the_results(of_files):
    name = NAME.partition("^")[0].encode()
    searched = 0
    for path in of_files.rglob("*"):
        assert name.decode() not in path.name
        if path.is_file():
            content = path.read_bytes()
            if content[:2] == b"\x1f\x8b":
                content += gzip.decompress(content)
            assert name not in content and name not in content.replace(b"\0", b""), path
            searched += 1
    assert searched > 60


def test_no_log_or_record_of_the_run_names_a_patient_only_the_cards_do(of_files):
    name = NAME.partition("^")[0].encode()
    naming = {
        path.relative_to(of_files.parent).parts[0]
        for path in of_files.parent.rglob("*")
        if path.is_file() and (name in path.read_bytes() or name.decode() in path.name)
    }
    assert naming == {"sources"}
    assert list((of_files.parent / ".snakemake" / "log").iterdir())


def test_a_moved_scan_or_another_series_is_a_reason_that_names_no_one(of_files, tmp_path):
    sheet = write_all(tmp_path)
    text = sheet.read_text().replace("site", "series", 1).replace("007", NAME)
    sheet.write_text(text)
    said = snakemake(
        of_files.parent, "--dry-run", "--config", f"scans={sheet}", "--quiet", "progress"
    )
    assert "sources/dicom/scan.card" in said.stdout
    assert NAME.partition("^")[0] not in said.stdout.replace(str(sheet), "")


def test_the_planted_name_is_where_it_was_planted(tmp_path):
    """Else the test above could not fail."""
    secret = write_all(tmp_path).parent
    for pattern in ("*CT/*.dcm", "*.nii.gz", "*.nrrd", "*.mha"):
        for path in secret.glob(pattern):
            content = path.read_bytes()
            if content[:2] == b"\x1f\x8b":
                content += gzip.decompress(content)
            assert "corrupt" in path.name or NAME.encode() in content, path.name
