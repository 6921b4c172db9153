"""What jobs ask for: by the scan's header, the recipe and the costs; and costs fitted to a run."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import planted
import pytest
import yaml
from mill import ROOT, asked, copied
from scanmill import costs, plan_file, settings, work
from scanmill.jobs_done import jobs_of
from scanmill.volume_file import Volume
from source_samples import write_itk

STAGES = ("ingest", "resample", "segment", "mesh", "measure", "report")
CONFIG = {"scans": "scans.tsv", "recipe": "./recipe.yaml"}


@pytest.fixture
def folder(tmp_path):
    """A sheet of a small scan and of one of 16 million voxels that a header alone declares."""
    folder = tmp_path / "folder"
    folder.mkdir()
    small = planted.scan()[0]
    write_itk(folder / "small.mha", small)
    head = folder / "large.mha"
    write_itk(head, Volume(np.zeros((2, 2, 2), np.int16), small.grid.crop((0, 0, 0), (2, 2, 2))))
    text = head.read_bytes().replace(b"DimSize = 2 2 2", b"DimSize = 400 400 100")
    head.write_bytes(text)
    (folder / "recipe.yaml").write_text(planted.recipe())
    (folder / "scans.tsv").write_text("case\tscan\na-small\tsmall.mha\nb-large\tlarge.mha\n")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


def expected(folder: Path, known: costs.Costs) -> dict[str, set[tuple[int, int]]]:
    """Memory and minutes of each stage's jobs, by the costs."""
    planned = settings.load(CONFIG, ROOT, folder)
    of_all = work.of_cohort(planned)
    works = [of_all | work.of_case(planned, case, {}) for case in planned.scans]
    return {
        rule: {(known.memory_mb(rule, amounts), known.minutes(rule, amounts)) for amounts in works}
        for rule in STAGES
    }


def test_jobs_ask_for_what_the_costs_say_of_their_work(folder, tmp_path):
    copy = copied(tmp_path / "copy")
    found = asked(folder, copy, "--configfile", "config.yaml")
    shipped = expected(folder, costs.read(costs.SHIPPED))
    assert {rule: set(found[rule]) for rule in STAGES} == shipped
    assert max(shipped["mesh"])[0] > min(shipped["mesh"])[0]

    dearer = yaml.safe_load(costs.SHIPPED.read_text())
    dearer["rules"]["mesh"] = {"memory_mb": {"isotropic": 100}, "seconds": {"structures": 70}}
    (folder / "mine.yaml").write_text(yaml.safe_dump(dearer))
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG | {"costs": "mine.yaml"}))
    found = asked(folder, copy, "--configfile", "config.yaml")
    assert {rule: set(found[rule]) for rule in STAGES} == shipped | {
        "mesh": expected(folder, costs.read(folder / "mine.yaml"))["mesh"]
    }
    assert {minutes for _, minutes in found["mesh"]} == {7}  # 3 x 2 x 70 s


def test_costs_fitted_to_a_run_are_enough_for_it(example, tmp_path):
    run = example.parent
    path = tmp_path / "costs.yaml"
    command = [sys.executable, ROOT / "scripts" / "calibrate.py", run, "--costs", path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    fitted = costs.read(path)
    jobs = jobs_of(run, plan_file.latest(run / "sources"))
    assert {job.rule for job in jobs} == {*STAGES, "phantom", "collect", "check"}
    assert {job.case for job in jobs if job.refused} == {"mr-truncated"}
    for job in jobs:
        assert job.used.memory_mb <= fitted.granted(job.rule, "memory_mb", job.work)
        assert job.used.cpu_s <= fitted.granted(job.rule, "seconds", job.work)
    assert done.stdout.count("5 cases: 0 used more memory than asked for, 0 more time") == 2
