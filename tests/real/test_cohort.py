"""A cohort of public scans in one run: no crash, every refusal explained, published values met."""

import gzip
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import cohort
import published
import pytest
from published import measured
from scanmill.refusal import CODES

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SCANMILL_DATA", ROOT.parent / "shared" / "data")).absolute()
REFUSED = {
    "cine-without-spacing": ("ingest", "dicom-unsupported"),
    "ct-pitched-8-bit": ("segment", "not-hounsfield"),
    "ct-chest-8-bit": ("segment", "not-hounsfield"),
    "four-volumes": ("ingest", "is-4d"),
    "dicom-ge-dti-001": ("ingest", "dicom-irregular"),
    "dicom-generic-rgb-001": ("ingest", "dicom-unsupported"),
    "dicom-one-slice-many-encodings": ("ingest", "dicom-patients"),
}

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared real scans are not here"),
]


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """The results of the whole cohort, run as a user does."""
    folder = tmp_path_factory.mktemp("real")
    cohort.write_sheet(DATA, folder / "scans.tsv")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", "--config", "scans=scans.tsv"]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return folder / "results"


@pytest.fixture(scope="session")
def rows(results):
    return measured(results)


def cases(results: Path) -> dict[str, dict[str, str]]:
    lines = (results / "cohort" / "cases.tsv").read_text(encoding="utf-8").splitlines()
    header, *table = (line.split("\t") for line in lines)
    return {line[0]: dict(zip(header, line, strict=True)) for line in table}


def test_the_cohort_is_broad(results):
    sheet = cohort.rows(DATA)
    ended = cases(results)
    assert list(ended) == [row["case"] for row in sheet]
    scans = {row["scan"] for row in sheet if ended[row["case"]]["status"] == "ok"}
    assert len(scans) >= 30
    assert len({scan.partition("/")[0] for scan in scans}) >= 8
    formats = [(results / "cases" / case / "volume.json").read_text() for case in ended]
    for name in ("nifti-gzip", "nrrd", "metaimage", "dicom"):
        assert any(f'"format": "{name}"' in text for text in formats), name


def test_the_refused_cases_are_those_that_must_be(results):
    found = {
        case: (row["stage"], row["code"])
        for case, row in cases(results).items()
        if row["status"] != "ok"
    }
    assert found == REFUSED


def test_every_refusal_has_a_code_and_a_reason(rows):
    for key, row in rows.items():
        if row["status"] == "ok":
            # A volume in too much doubt is not given.
            assert (row["volume_mm3"] == "") == (row["code"] == "volume-uncertain"), key
            assert float(row["mask_volume_mm3"]) > 0 and float(row["volume_high_mm3"]) > 0
        else:
            assert row["code"] in CODES and len(row["reason"]) > 20, key
            assert row["volume_mm3"] == row["stat_mean"] == row["surface_volume_mm3"] == "", key


def test_masks_at_the_edge_of_sense_are_measured_or_refused(rows):
    found = {mask: rows[f"empty-edge-{mask}", "mask"] for mask in ("full", "empty", "one_voxel")}
    assert found["empty"]["code"] == "structure-empty"
    assert found["full"]["touches_border"] == "true"
    assert float(found["one_voxel"]["mask_volume_mm3"]) == 1
    assert rows["empty-edge-disconnected", "mask"]["components"] != "1"


def test_totalsegmentators_statistics(rows):
    found = published.totalsegmentator(rows, DATA)
    assert len(found) >= 2 * 30
    for comparison in found:
        assert comparison.deviation <= 1e-3, comparison


def test_what_totalsegmentator_did_not_find_is_refused(rows):
    absent = published.absent_from_totalsegmentator(DATA)
    assert len(absent) > 10
    for name in absent:
        assert rows["ct-small", name]["code"] == "structure-empty"


def test_baselines_of_pyradiomics(rows):
    found = published.pyradiomics(rows, DATA)
    assert len(found) == 2 * (len(published.SHAPE | published.INTENSITY) + len(published.AXES))
    for comparison in found:
        assert comparison.deviation <= 1e-3, comparison


def test_the_digital_phantom_of_ibsi(rows):
    found = published.ibsi(rows, DATA)
    reported = {
        column
        for column in rows[published.IBSI_CASE, "mask"]
        if column.startswith(("morph_", "stat_")) and not column.endswith(("_low", "_high"))
    }
    assert {comparison.quantity for comparison in found} == reported
    for comparison in found:
        assert comparison.agrees, comparison


def test_the_level_set_of_vmtk(rows):
    voxels, surface = published.aorta(rows)
    assert voxels.deviation < 1e-4
    assert surface.deviation < 0.01


def test_our_surface_of_the_level_set_lies_on_vmtks_in_lps(results):
    apart = published.distances_to_vmtk(results, DATA)
    # Ours is of the mask, theirs of the level set between voxels: half a voxel's diagonal, 0.97 mm, may
    # lie between them. Surfaces whose frames were confused lie 400 mm apart.
    assert apart.mean() < 0.25
    assert apart.max() < 0.97


def test_every_surface_is_closed_and_manifold(rows):
    measured_rows = [row for row in rows.values() if row["status"] == "ok"]
    assert len(measured_rows) > 150
    assert {(row["watertight"], row["manifold"]) for row in measured_rows} == {("true", "true")}


def test_volumes_are_kept_from_the_supplied_label_to_the_surface(results, rows):
    surfaces = published.surface_differences(results, rows, 1000)
    assert len(surfaces) > 100
    assert max(map(abs, surfaces.values())) < 0.05  # %, where 1 is asked for
    supplied = published.supplied_differences(rows)
    assert len(supplied) > 50
    assert max(map(abs, supplied.values())) < 0.01  # %


def test_every_case_has_a_page_small_enough_to_send(results):
    pages = list(results.glob("cases/*/report.html"))
    assert len(pages) == len(cases(results))
    assert max(page.stat().st_size for page in pages) < 8e6


def test_neither_a_path_nor_the_name_of_a_source_travels(results):
    names = {Path(row["scan"]).name for row in cohort.rows(DATA) if "." in Path(row["scan"]).name}
    forbidden = [str(DATA).encode(), *(name.encode() for name in names if len(name) > 8)]
    searched = 0
    for path in chain(results.rglob("*.json"), results.rglob("*.?sv"), results.rglob("*.nii.gz")):
        content = path.read_bytes()
        if path.suffix == ".gz" and content:
            with gzip.open(path) as stream:
                content = stream.read(4096)
        assert not [name for name in forbidden if name in content], path.name
        searched += 1
    assert searched > 300
