"""What a run would do where a network is trained on the cohort's own labelled scans."""

import planted
import pytest
from learning_samples import imitate_torch
from mill import planned, snakemake
from scanmill.learning import environment

LEARN = "{method: learn}"


@pytest.fixture
def cohort(tmp_path):
    """Three labelled scans and two others, of a recipe whose structures are learned in four folds."""
    image, labels = planted.scan()
    folder = tmp_path / "cohort"
    folder.mkdir()
    planted.write_itk(folder / "scan.nrrd", image)
    planted.write_itk(folder / "labels.nrrd", labels)
    lines = ["case\tscan\tlabels\trole\n"]
    lines += [f"known-{n}\tscan.nrrd\tlabels.nrrd\tatlas\n" for n in range(3)]
    lines += [f"new-{n}\tscan.nrrd\t\t\n" for n in range(2)]
    (folder / "scans.tsv").write_text("".join(lines))
    (folder / "learned.yaml").write_text(planted.recipe(segments=[LEARN] * len(planted.BY_RULES)))
    return folder


def test_a_fold_is_a_job_and_holds_back_one_scan_at_least(cohort, tmp_path, monkeypatch):
    imitate_torch(tmp_path / "imitation", monkeypatch)
    jobs = planned(cohort, "--config", "scans=scans.tsv", "recipe=learned.yaml")
    assert (jobs["learn"], jobs["cross_validate"]) == (3, 1)
    assert (jobs["ingest"], jobs["segment"], jobs["measure"]) == (5, 5, 2)


def test_without_torch_no_job_starts_and_what_to_type_is_told(cohort, tmp_path, monkeypatch):
    monkeypatch.setenv(environment.VARIABLE, str(tmp_path / "nowhere"))
    done = snakemake(cohort, "--dry-run", "--config", "scans=scans.tsv", "recipe=learned.yaml")
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert "learned.yaml:" in done.stdout and "make learner" in done.stdout
