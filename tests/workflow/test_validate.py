"""Twins of a small cohort, run by the same workflow, and what their measurements are off."""

import subprocess
import sys

import planted
import pytest
from mill import ROOT, mill, rows

pytestmark = pytest.mark.slow

BY_RULES, BY_LABELS = "rules", "labels"


def validate(folder, what: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "validate.py"), what, "results/validation"]
    command += ["--scans", "scans.tsv", "--seeds", "1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def planted_cohort(folder) -> None:
    """One case by rules, oblique, and one whose labels are supplied, flipped."""
    named = {BY_RULES: planted.BY_RULES, BY_LABELS: planted.BY_LABELS}
    for name, segments in named.items():
        (folder / f"{name}.yaml").write_text(planted.recipe(segments))
    poses = {BY_RULES: ("RPI", (12, -7, 20)), BY_LABELS: ("LAI", (0, 0, 0))}
    for name, pose in poses.items():
        scan, labels = planted.scan(*pose)
        planted.write_itk(folder / f"{name}.nrrd", scan)
        planted.write_itk(folder / f"{name}-map.nrrd", labels)
    (folder / "scans.tsv").write_text(
        "case\tscan\trecipe\tlabels\n"
        f"{BY_RULES}\t{BY_RULES}.nrrd\t{BY_RULES}.yaml\t\n"
        f"{BY_LABELS}\t{BY_LABELS}.nrrd\t{BY_LABELS}.yaml\t{BY_LABELS}-map.nrrd\n"
    )


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    """The folder of a validation, and the twins' bytes before anything else was run."""
    folder = tmp_path_factory.mktemp("validated")
    planted_cohort(folder)
    mill(folder, "--config", "scans=scans.tsv", "report=false")
    validate(folder, "twins")
    twins = folder / "results" / "validation"
    written = {p.relative_to(twins): p.read_bytes() for p in twins.rglob("*") if p.is_file()}
    mill(twins, "--config", "scans=scans.tsv", "report=false")
    validate(folder, "errors")
    return folder, written


def test_twins_are_measured_nearly_right(validated):
    errors = rows(validated[0] / "results/validation/errors.csv")
    assert {(row["case"], row["structure"]) for row in errors} == {
        (case, structure) for case in (BY_RULES, BY_LABELS) for structure in planted.TRUTH
    }
    plain = [row for row in errors if not row["challenge"]]
    for quantity, limit in (("surface_volume_mm3", 2), ("surface_area_mm2", 3), ("dice", 3.5)):
        found = [abs(float(r["error_percent"])) for r in plain if r["quantity"] == quantity]
        assert len(found) == 4 and max(found) < limit, quantity
    apart = [float(row["error"]) for row in plain if row["quantity"] == "centroid"]
    assert len(apart) == 4 and max(apart) < 0.4
    # The ball's own intensity, and not that of a blurred rim.
    means = [
        float(r["true"]) for r in plain if (r["structure"], r["quantity"]) == ("ball", "stat_mean")
    ]
    assert means == pytest.approx([planted.HU["ball"]] * 2, abs=2)


def test_thick_slices_are_told_apart_and_cost_accuracy(validated):
    summary = rows(validated[0] / "results/validation/summary.csv")
    dice = {
        (r["recipe"], r["structure"], r["challenge"]): float(r["bias"])
        for r in summary
        if r["quantity"] == "dice"
    }
    for recipe in (BY_RULES, BY_LABELS):
        assert dice[recipe, "ball", "slices"] < dice[recipe, "ball", ""]


def test_the_same_twins_are_made_again_and_the_same_errors_found(validated):
    folder, written = validated
    twins = folder / "results" / "validation"
    before = (twins / "errors.csv").read_bytes()
    validate(folder, "twins")
    assert {path: (twins / path).read_bytes() for path in written} == written
    validate(folder, "errors")
    assert (twins / "errors.csv").read_bytes() == before
    assert (twins / "summary.md").exists() and (twins / "errors.svg").exists()
