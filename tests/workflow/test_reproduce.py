"""A finished run done again from its results alone, and what is said where it is not the same."""

import json
import shutil
import subprocess
import sys

import planted
import pytest
import SimpleITK as sitk
from mill import ROOT, mill, rows

pytestmark = pytest.mark.slow

BY_RULES, BY_LABELS = "rules", "labels"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of two cases, one with a detached header, and its inputs by other names."""
    folder = tmp_path_factory.mktemp("run")
    for name, segments in ((BY_RULES, planted.BY_RULES), (BY_LABELS, planted.BY_LABELS)):
        (folder / f"{name}.yaml").write_text(planted.recipe(segments))
    scan, labels = planted.scan()
    sitk.WriteImage(planted_image(scan), str(folder / "a.mhd"))
    planted.write_itk(folder / "b.nrrd", scan)
    planted.write_itk(folder / "map.nrrd", labels)
    (folder / "scans.tsv").write_text(
        "case\tscan\trecipe\tlabels\tsite\n"
        f"{BY_RULES}\ta.mhd\t{BY_RULES}.yaml\t\tGraz\n"
        f'{BY_LABELS}\tb.nrrd\t{BY_LABELS}.yaml\tmap.nrrd\t"7 ""a"" 5"\n'
    )
    mill(folder, "--config", "scans=scans.tsv", "formats=[ply, stl]", "report=false")
    archive = folder / "archive" / "deep"
    archive.mkdir(parents=True)
    for old, new in {"a.mhd": "a.mhd", "a.raw": "a.raw", "b.nrrd": "x", "map.nrrd": "y"}.items():
        (folder / old).rename(archive / new)
    # The formats are told by the names' endings.
    (archive / "x").rename(archive / "x.nrrd")
    (archive / "y").rename(archive / "y.nrrd")
    return folder


def planted_image(volume):
    image = sitk.GetImageFromArray(volume.array)
    image.SetSpacing(volume.grid.spacing)
    image.SetOrigin(volume.grid.origin)
    image.SetDirection(volume.grid.direction)
    return image


def reproduce(results, to, *arguments):
    command = [
        sys.executable,
        str(ROOT / "scripts" / "reproduce.py"),
        str(results),
        "--to",
        str(to),
    ]
    return subprocess.run(
        [*command, *arguments],
        cwd=to.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def again(run, tmp_path_factory):
    """The results alone, as they were handed on, and the folder in which they were reproduced."""
    folder = tmp_path_factory.mktemp("again")
    shutil.copytree(run / "results", folder / "handed-on")
    done = reproduce(folder / "handed-on", folder / "to", "--scans", str(run / "archive"))
    assert done.returncode == 0, done.stdout
    return folder


def test_all_files_are_identical(again):
    table = rows(again / "to" / "reproduction.tsv")
    assert {row["status"] for row in table} == {"identical"}
    names = {row["file"] for row in table}
    assert {"cohort/measurements.csv", "cases/labels/labels.nii.gz", "cohort/cases.tsv"} < names
    assert "cases/rules/surfaces/ball.stl" in names and len(names) > 50
    # The new run knows it all for itself: the same provenance, but for its command.
    first, second = (
        json.loads((folder / "cohort" / "provenance.json").read_text())
        for folder in (again / "handed-on", again / "to" / "results")
    )
    assert first | {"command": ""} == second | {"command": ""}
    assert first["sheet"]["labels"]["extra"] == {"site": '7 "a" 5'}


def test_what_was_changed_in_the_results_is_told(run, again, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(again / "handed-on", results)
    shutil.copytree(again / "to", tmp_path / "to")
    table = results / "cohort" / "measurements.csv"
    (before,) = (
        r["volume_mm3"] for r in rows(table) if (r["case"], r["structure"]) == ("rules", "ball")
    )
    table.write_text(table.read_text().replace(f",{before},", f",{float(before) + 1:g},"))
    (results / "cases" / "rules" / "model.glb").unlink()
    (results / "cases" / "labels" / "notes.txt").write_text("mine")
    surface = results / "cases" / "labels" / "surfaces" / "ball.ply"
    content = bytearray(surface.read_bytes())
    content[content.index(b"end_header\n") + 14] ^= 1
    surface.write_bytes(content)
    done = reproduce(results, tmp_path / "to", "--scans", str(run / "archive"))
    told = {row["file"]: row for row in rows(tmp_path / "to" / "reproduction.tsv")}
    others = {name: row["status"] for name, row in told.items() if row["status"] != "identical"}
    assert others == {
        "cohort/measurements.csv": "differs",
        "cases/rules/model.glb": "new",
        "cases/labels/notes.txt": "missing",
        "cases/labels/surfaces/ball.ply": "differs",
    }
    assert "volume_mm3: 1 row, by up to" in told["cohort/measurements.csv"]["how"]
    assert "1 of" in told["cases/labels/surfaces/ball.ply"]["how"]
    assert "points moved" in told["cases/labels/surfaces/ball.ply"]["how"]
    assert done.returncode == 1
    assert (
        f"{len(told)} files: {len(told) - 4} identical, 2 differs, 1 missing, 1 new" in done.stdout
    )


def test_a_changed_recipe_is_told_by_what_it_changes(run, again, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(again / "handed-on", results)
    provenance = results / "cohort" / "provenance.json"
    said = json.loads(provenance.read_text())
    step = said["recipes"]["rules"]["structures"][1]["segment"]["steps"][1]
    assert step == {"window": [170, None]}
    step["window"][0] = 220
    provenance.write_text(json.dumps(said))
    done = reproduce(results, tmp_path / "to", "--scans", str(run / "archive"))
    assert done.returncode == 1
    told = {row["file"]: row for row in rows(tmp_path / "to" / "reproduction.tsv")}
    assert told["cases/rules/labels.nii.gz"]["status"] == "differs"
    assert "voxels, by up to" in told["cases/rules/labels.nii.gz"]["how"]
    assert "steps" in told["cases/rules/labels.json"]["how"]
    assert told["cases/rules/isotropic.nii.gz"]["status"] == "identical"
    assert all(r["status"] == "identical" for f, r in told.items() if f.startswith("cases/labels/"))


def test_inputs_that_are_not_there_are_told_before_anything_runs(run, again, tmp_path):
    shutil.copytree(run / "archive", tmp_path / "archive")
    (tmp_path / "archive" / "deep" / "x.nrrd").unlink()
    raw = tmp_path / "archive" / "deep" / "a.raw"
    raw.write_bytes(raw.read_bytes()[:-1] + b"!")
    done = reproduce(again / "handed-on", tmp_path / "to", "--scans", str(tmp_path / "archive"))
    assert done.returncode == 1 and not (tmp_path / "to").exists()
    lines = [line for line in done.stdout.splitlines() if "was not found" in line]
    assert [line.partition(" was")[0] for line in lines] == ["scan of rules", "scan of labels"]


def test_the_runs_own_cards_tell_where_inputs_lie(run, again, tmp_path):
    moved = {"a.mhd": "a.mhd", "a.raw": "a.raw", "x.nrrd": "b.nrrd", "y.nrrd": "map.nrrd"}
    for name, own in moved.items():
        shutil.copy2(run / "archive" / "deep" / name, run / own)
    try:
        done = reproduce(run / "results", tmp_path / "to")
        assert done.returncode == 0, done.stdout
        (run / "b.nrrd").write_bytes(b"another")
        done = reproduce(run / "results", tmp_path / "other")
        assert (
            done.returncode == 1 and "where the run read it, something else lies now" in done.stdout
        )
    finally:
        for own in moved.values():
            (run / own).unlink()


def test_it_does_not_run_over_the_run_or_over_another(run, again, tmp_path):
    done = reproduce(run / "results", run)
    assert done.returncode == 1 and "another folder would be right" in done.stdout
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "thesis.tex").touch()
    done = reproduce(again / "handed-on", tmp_path / "to", "--scans", str(run / "archive"))
    assert done.returncode == 1 and "not empty" in done.stdout
    done = reproduce(tmp_path / "nowhere", tmp_path / "to")
    assert done.returncode == 1 and "results of a finished run would be right" in done.stdout


def test_the_crate_and_the_methods_are_of_this_run(again):
    results = again / "to" / "results"
    crate = json.loads((results / "ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    parts = {part["@id"] for part in entities["./"]["hasPart"]}
    assert all((results / part).exists() for part in parts)
    assert {f"cohort/{path.name}" for path in results.glob("cohort/[!.]*")} < parts
    assert {"cases/rules/", "cases/labels/", "workflow/Snakefile"} < parts
    # Scan with its voxels, scan, and labels.
    assert len(entities["#run"]["object"]) == 4
    references = (results / "cohort" / "references.bib").read_text()
    assert "@article{raya1990," in references and "n4" not in references.lower()
    methods = (results / "cohort" / "methods.md").read_text()
    assert "Organ and ball were found by rules" in methods and "Raya and Udupa 1990" in methods
