"""A cohort that is run in batches, each of which plans its own part."""

import pytest
from mill import contents, mill, snakemake
from shared_scan import CONFIG, differing, write_cohort

pytestmark = pytest.mark.slow

CASES = tuple(f"case-{number:02}" for number in range(6))
BATCHES = 3


def test_batches_make_what_one_run_makes_and_nothing_twice(tmp_path):
    undisturbed = contents(mill(write_cohort(tmp_path / "whole"), *CONFIG))
    folder = write_cohort(tmp_path / "cohort", CASES)
    made = []
    for number in range(1, BATCHES + 1):
        done = snakemake(folder, *CONFIG, "--batch", f"collect={number}/{BATCHES}")
        assert done.returncode == 0, done.stdout
        logs = {log: log.stat().st_mtime_ns for log in (folder / "logs").rglob("measure.log")}
        assert len(logs) == len(CASES) * number // BATCHES
        assert (folder / "results" / "cohort").exists() == (number == BATCHES)
        made.append(logs)
    assert made[0].items() <= made[1].items() <= made[2].items()
    assert differing(folder / "results", undisturbed, CASES) == []
