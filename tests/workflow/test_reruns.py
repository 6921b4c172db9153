"""What a change reruns: what depends on it, and nothing else."""

import os
from contextlib import contextmanager

import pytest
from mill import mill, planned

pytestmark = pytest.mark.slow

OF_CASE = ("ingest", "resample", "segment", "mesh", "measure", "report")
STAGES = (*OF_CASE, "collect", "check", "describe", "overview")


def after(stage: str) -> dict[str, int]:
    """The jobs of one case from a stage on."""
    return dict.fromkeys((*STAGES[STAGES.index(stage) :], "all"), 1)


@pytest.fixture
def finished(workshop):
    """A copy of the workflow and a folder with its finished run of one case."""
    copy, folder = workshop
    mill(folder, "--configfile", "config.yaml", root=copy)
    return workshop


@contextmanager
def one_more_line(path):
    before, then = path.read_bytes(), path.stat()
    path.write_bytes(before + b"# One more line.\n")
    yield
    path.write_bytes(before)
    # Snakemake looks at a script's time, not at its content.
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))


def edit(path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_change_reruns_what_depends_on_it_and_nothing_else(finished):
    copy, folder = finished
    library = copy / "scripts" / "scanmill"

    def plan():
        return planned(folder, "--configfile", "config.yaml", root=copy)

    assert plan() == {}
    # A module that only measure imports; one that mesh alone does; one that every stage does.
    changes = {
        library / "location.py": "measure",
        library / "decimation.py": "mesh",
        library / "resampling.py": "resample",
        library / "grid.py": "ingest",
        copy / "scripts" / "measure.py": "measure",
        copy / "scripts" / "segment.py": "segment",
        library / "report" / "style.css": "report",
    }
    for path, stage in changes.items():
        with one_more_line(path):
            assert plan() == after(stage), path.name
    assert plan() == {}
    edits = {
        ("#dd8265", "#112233"): "mesh",
        ("label: 2", "label: 5"): "segment",
        ("[170, null]", "[171, null]"): "segment",
        ("spacing: 1.25", "spacing: 1.5"): "resample",
    }
    for (old, new), stage in edits.items():
        edit(folder / "recipe.yaml", old, new)
        assert plan() == after(stage), new
        edit(folder / "recipe.yaml", new, old)
    edit(folder / "recipe.yaml", "an organ and a ball", "an organ, and a ball in it")
    assert plan() == {}
    edit(folder / "config.yaml", "recipe:", "parquet: true\nrecipe:")
    assert plan() == after("collect")
    edit(folder / "config.yaml", "parquet: true", "formats: [stl]")
    assert plan() == after("mesh")


def test_a_further_case_leaves_the_finished_ones_alone(finished):
    copy, folder = finished
    (folder / "two.nrrd").write_bytes((folder / "one.nrrd").read_bytes())
    edit(folder / "scans.tsv", "one\tone.nrrd\n", "one\tone.nrrd\ntwo\ttwo.nrrd\n")
    assert planned(folder, "--configfile", "config.yaml", root=copy) == after("ingest")
    edit(folder / "scans.tsv", "case\tscan\none\tone.nrrd\ntwo\t", "case\tscan\none\t")
    assert planned(folder, "--configfile", "config.yaml", root=copy)["ingest"] == 1
