"""A cohort with DICOM objects asked for: written, without the patient, and no other result touched."""

import json

import planted
import pytest
from export_samples import KEY, PLANTED, PRIVATE, ROOT, found_on, write_series
from mill import copied, mill, planned, rows, snakemake

pytestmark = pytest.mark.slow

CONFIG = "scans: scans.tsv\nrecipe: recipe.yaml\nexport: [seg, rtstruct, sr, stl]\n"
WITH_KEY = ("--configfile", "config.yaml")
OBJECTS = {"seg.dcm", "rtstruct.dcm", "sr.dcm", "stl-organ.dcm", "stl-ball.dcm"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a sheet of the same scan as DICOM and as NRRD."""
    folder = tmp_path_factory.mktemp("exported")
    scan, _ = planted.scan()
    series = tmp_path_factory.mktemp("PLANTFOLDER") / "series"
    write_series(series, found_on(scan.grid), scan.array)
    planted.write_itk(folder / "one.nrrd", scan)
    (folder / "recipe.yaml").write_text(planted.recipe())
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "scans.tsv").write_text(f"case\tscan\ndicom\t{series}\nnrrd\tone.nrrd\n")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A copy of the workflow: another version of a module would be a reason to run again."""
    return copied(tmp_path_factory.mktemp("workflow") / "copy")


@pytest.fixture(autouse=True)
def key(monkeypatch, tmp_path):
    monkeypatch.delenv("SCANMILL_SITE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCANMILL_PSEUDONYM_KEY", KEY.hex())


def test_without_a_key_nothing_starts(folder, root, monkeypatch):
    monkeypatch.delenv("SCANMILL_PSEUDONYM_KEY")
    done = snakemake(folder, "--dry-run", *WITH_KEY, root=root)
    assert done.returncode == 1 and "openssl rand -hex 32" in done.stdout
    identity = "--config", "export_identity=return-to-pacs"
    assert planned(folder, *WITH_KEY, *identity, root=root)["export"] == 2


def test_a_cohort_is_exported(folder, root):
    results = mill(folder, *WITH_KEY, root=root)
    written = {path.name for path in (results / "cases/dicom/dicom").glob("*.dcm")}
    assert written == OBJECTS
    said = json.loads((results / "cases/nrrd/dicom.json").read_text())
    assert (said["stage"], said["code"]) == ("export", "export-needs-dicom")
    table = rows(results / "cohort/measurements.csv")
    assert [row["status"] for row in table] == ["ok"] * 4
    cases = {row["case"]: row for row in rows(results / "cohort/cases.tsv")}
    assert (cases["nrrd"]["status"], cases["nrrd"]["export_status"]) == ("ok", "refused")
    assert cases["dicom"]["export_status"] == "ok" and cases["dicom"]["export_seconds"]
    secrets = [*PLANTED.values(), PRIVATE, ROOT, "PLANTFOLDER", KEY.hex()]
    for path in (p for p in folder.rglob("*") if p.is_file()):
        if path.name != "scans.tsv" and "sources" not in path.parts:
            content = path.read_bytes()
            assert not [s for s in secrets if s.encode() in content], path
    assert planned(folder, *WITH_KEY, root=root) == {}


def test_another_key_makes_other_objects_and_nothing_else(folder, root, monkeypatch):
    monkeypatch.setenv("SCANMILL_PSEUDONYM_KEY", KEY[::-1].hex())
    again = {"export", "collect", "check", "describe", "overview"}
    assert set(planned(folder, *WITH_KEY, root=root)) - {"all"} == again
