"""The benchmark's own run, on a scan that is small: whether it fails, not what it takes."""

import importlib.util

import numpy as np
import pytest
from mill import ROOT, rows
from scanmill import used
from scanmill.grid import Grid
from scanmill.volume_file import Volume, write_volume


@pytest.fixture
def bench():
    """bench/run.py as a module."""
    spec = importlib.util.spec_from_file_location("bench_run", ROOT / "bench" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cubes():
    """A cube of each of the 25 labels in a row of slices, [z, y, x]."""
    labels = np.zeros((12, 48, 48), np.uint8)
    for label in range(1, 26):
        y, x = divmod(label - 1, 5)
        labels[3:9, 9 * y + 2 : 9 * y + 8, 9 * x + 2 : 9 * x + 8] = label
    return labels


def test_the_case_is_measured_and_each_stage_tells_what_it_took(bench, tmp_path):
    labels, grid = cubes(), Grid((48, 48, 12), (1.0, 1.0, 1.0))
    write_volume(tmp_path / "labels.nii.gz", Volume(labels, grid))
    write_volume(
        tmp_path / "scan.nii.gz", Volume(np.where(labels, 50, -1000).astype(np.int16), grid)
    )

    stages, beside = bench.scanmill(
        tmp_path / "scan.nii.gz", tmp_path / "labels.nii.gz", tmp_path / "scanmill"
    )

    told = rows(tmp_path / "scanmill/results/cases/bench/measurements.csv")
    assert [row["status"] for row in told] == 25 * ["ok"]
    assert set(stages) == set(bench.STAGES)
    assert all(stage.cpu_s > 0 and stage.memory_mb > 0 for stage in stages.values())
    assert beside > 0
    told = bench.table(stages, beside, {"careful": used.Used(memory_mb=1.0, cpu_s=1.0)})
    assert {line.split()[0] for line in told.splitlines()[1:]} == {
        *bench.STAGES,
        "ScanMill",
        "Snakemake",
        "careful",
    }
