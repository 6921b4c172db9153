"""A cohort whose scans lie in a PACS, from the sheet to the table, and its objects back there."""

import csv
import math
import subprocess
import sys
from pathlib import Path

import orthanc
import pacs_series
import pytest
from orthanc import ROUTES, server
from pacs_labels import OF_LABELS
from pacs_series import SECRETS, STUDY
from pydicom import dcmread
from scanmill.pacs.download import download_series
from scanmill.pacs.query import parse

LACKING = orthanc.lacking()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(LACKING is not None, reason=f"no Orthanc: {LACKING}"),
]
ROOT = Path(__file__).parents[2]
SITE = f"""\
dicomweb: {{url: '{orthanc.URL}', user: {orthanc.USER}, password_env: WORD}}
dimse: {{host: 127.0.0.1, port: {orthanc.DICOM}, called: {orthanc.TITLE}}}
"""
RECIPE = """\
description: A ball
modality: CT
spacing: 1.5
structures:
  - name: ball
    label: 1
    code: {scheme: SCT, value: "272673000", meaning: Bone}
    colour: "#f1d691"
    segment: {method: rules, steps: [window: [-200, null]]}
"""
BY_LABELS = RECIPE.replace(
    "{method: rules, steps: [window: [-200, null]]}", "{method: labels, named: ['ball of *']}"
)
KINDS = ("seg", "rtstruct", "sr")
# Open to their owner alone: what the sheet says of a case's files.
PRIVATE = ("sources", "scans.tsv", "site.yaml")


@pytest.fixture(scope="module")
def cohort(network, made, labels, tmp_path_factory):
    """A finished run, with one row a route, the same scan from a folder, and one that is not there.

    And its SEG and its RTSTRUCT as labels, from a route each, and from a file and a folder.
    """
    folder = tmp_path_factory.mktemp("cohort")
    rows = {
        "local": made["jpeg-2000"].files[0].parent,
        "web": f"dicomweb:{made['jpeg-2000'].uid}",
        "find": f"dimse:StudyInstanceUID={STUDY};SeriesNumber={made['jpeg-2000'].number}",
        "gone": "dimse:1.2.3.4",
    }
    lines = [f"{case}\t{scan}\t\t\n" for case, scan in rows.items()]
    sources = {
        "seg-web": ("web", f"dicomweb:{labels['seg'].uid}"),
        "seg-file": ("local", labels["seg"].files[0]),
        "rtstruct-find": ("find", f"dimse:StudyInstanceUID={OF_LABELS};Modality=RTSTRUCT"),
        "rtstruct-folder": ("local", labels["rtstruct"].files[0].parent),
        "labels-gone": ("local", "dicomweb:1.2.3.4"),
    }
    lines += [
        f"{case}\t{rows[scan]}\tlabels.yaml\t{cell}\n" for case, (scan, cell) in sources.items()
    ]
    (folder / "scans.tsv").write_text("case\tscan\trecipe\tlabels\n" + "".join(lines))
    (folder / "labels.yaml").write_text(BY_LABELS)
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "site.yaml").touch(0o600)
    (folder / "site.yaml").write_text(SITE)
    config = "scans: scans.tsv\nrecipe: recipe.yaml\nexport_identity: return-to-pacs\n"
    (folder / "config.yaml").write_text(f"{config}export: [{', '.join(KINDS)}]\n")
    words = ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--cores", "2"]
    words += ["--configfile", folder / "config.yaml", "--notemp"]
    done = run(network, folder, "-m", "snakemake", *words)
    assert done.returncode == 0, done.stdout
    (folder / "printed.txt").write_text(done.stdout)
    return folder


def run(network, folder, *words):
    environment = {"SCANMILL_SITE": str(folder / "site.yaml"), "WORD": orthanc.PASSWORD}
    command = network.command("env", *(f"{k}={v}" for k, v in environment.items()), sys.executable)
    return subprocess.run(
        [*command, *map(str, words)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def table(cohort):
    with open(cohort / "results/cohort/measurements.csv", newline="") as stream:
        return {row["case"]: row for row in csv.DictReader(stream)}


def test_a_scan_from_the_pacs_measures_what_it_measures_from_a_folder(cohort):
    rows = table(cohort)
    local = rows["local"] | {"case": ""}
    assert local["status"] == "ok" and float(local["volume_mm3"]) > 5000
    assert rows["web"] | {"case": ""} == local
    assert rows["find"] | {"case": ""} == local


def test_what_the_pacs_does_not_give_is_a_row_with_its_reason(cohort):
    rows = table(cohort)
    assert (rows["gone"]["status"], rows["gone"]["code"]) == ("refused", "pacs-none")
    assert rows["gone"]["volume_mm3"] == ""


def test_labels_from_the_pacs_measure_what_they_measure_from_files(cohort):
    rows = table(cohort)
    ball = 4 / 3 * math.pi * 12**3
    for local, other in (("seg-file", "seg-web"), ("rtstruct-folder", "rtstruct-find")):
        local = rows[local] | {"case": ""}
        assert local["status"] == "ok" and float(local["volume_mm3"]) == pytest.approx(
            ball, rel=0.1
        )
        assert rows[other] | {"case": ""} == local
    gone = rows["labels-gone"]
    assert (gone["status"], gone["code"], gone["stage"]) == ("refused", "pacs-none", "fetch")


def test_no_file_but_the_owners_tells_who_it_was(cohort):
    """Objects for the PACS and downloads hold the identity: that is what they are for."""
    forbidden = [*SECRETS, orthanc.PASSWORD, STUDY, OF_LABELS, "1.2.3.4", "127.0.0.1"]
    looked = 0
    for file in cohort.rglob("*"):
        inside = file.relative_to(cohort).as_posix()
        if not file.is_file() or inside.startswith((*PRIVATE, "downloads")) or "/dicom/" in inside:
            continue
        content = file.read_bytes()
        looked += 1
        assert not [word for word in forbidden if word.encode() in content], inside
        assert not [word for word in forbidden if word in inside]
    assert looked > 50
    for case in ("web", "find"):
        assert (cohort / "downloads" / case / "scan").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("route", ROUTES)
def test_objects_go_back_into_the_pacs_and_come_out_the_same(cohort, network, tmp_path, route):
    folder = cohort / "results/cases" / {"dicomweb": "web", "dimse": "find"}[route] / "dicom"
    files = sorted(folder.glob("*.dcm"))
    assert {file.stem for file in files} == set(KINDS)
    done = run(network, cohort, ROOT / "scripts/store.py", route, folder)
    assert done.returncode == 0 and "3 objects stored" in done.stdout, done.stdout
    with network.entered():
        for file in files:
            stored = dcmread(file)
            assert stored.StudyInstanceUID == STUDY
            got = tmp_path / file.stem
            query = parse(f"{route}:{stored.SeriesInstanceUID}")
            assert download_series(server(route), query, tmp_path / ".p", got) == 1
            (same,) = got.iterdir()
            assert dcmread(same) == stored
            assert pacs_series.data_set(same) == pacs_series.data_set(file)


def test_only_what_was_exported_for_the_pacs_is_stored(cohort, network):
    gone = cohort / "results/cases/gone/dicom"
    done = run(network, cohort, ROOT / "scripts/store.py", "dimse", gone, cohort / "results")
    assert done.returncode == 1
    assert "refused (pacs-none)" in done.stdout and "no sidecar" in done.stdout


def test_a_second_run_has_nothing_to_do_and_a_changed_cell_is_fetched_again(cohort, network, made):
    words = ["-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", cohort]
    words += ["--configfile", cohort / "config.yaml", "--dry-run", "--cores", "1"]
    printed = run(network, cohort, *words).stdout
    assert "Nothing to be done" in printed, printed
    sheet = cohort / "scans.tsv"
    before = sheet.read_text()
    sheet.write_text(
        before.replace(f"dicomweb:{made['jpeg-2000'].uid}", f"dicomweb:{made['rle'].uid}")
    )
    planned = run(network, cohort, *words).stdout
    sheet.write_text(before)
    assert "web: fetch scan" in planned and "web: ingest" in planned
    assert "find: ingest" not in planned and STUDY not in planned


def test_a_lost_connection_fails_the_job_and_its_logs_tell_no_one(network, tmp_path):
    (tmp_path / "scans.tsv").write_text("case\tscan\na\tdimse:PatientID=SECRETID;SeriesNumber=3\n")
    (tmp_path / "site.yaml").touch(0o600)
    (tmp_path / "site.yaml").write_text("dimse: {host: localhost, port: 9, called: SECRETTITLE}")
    words = ["--snakefile", ROOT / "Snakefile", "--directory", tmp_path, "--cores", "1"]
    words += ["--config", "scans=scans.tsv", "--retries", "0", "--until", "fetch"]
    done = run(network, tmp_path, "-m", "snakemake", *words)
    assert done.returncode == 1
    assert (
        "dimse: the association could not be made" in done.stdout and "Traceback" not in done.stdout
    )
    assert "SECRET" not in done.stdout and "localhost" not in done.stdout
    told = [
        file for file in tmp_path.rglob("*") if file.is_file() and b"SECRET" in file.read_bytes()
    ]
    # What a run was planned with is its owner's alone, as cards are.
    plans = {file for file in told if file.match("sources/plan-*")}
    assert all(file.stat().st_mode & 0o077 == 0 for file in plans)
    assert {file.name for file in {*told} - plans} == {"scans.tsv", "site.yaml", "scan-query.card"}
