"""Compiled loops load no more than they need."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"
JOB = """
import sys
import numpy as np
from scanmill.label_map import count_voxels
assert count_voxels(np.array([2, 0, 2], np.uint8), 3).tolist() == [1, 0, 2]
print("scipy.linalg" in sys.modules)
import scipy.linalg
assert np.allclose(scipy.linalg.inv(np.diag([2.0, 4.0])), np.diag([0.5, 0.25]))
"""


def test_a_compiled_loop_runs_without_scipys_linear_algebra_which_stays_importable():
    job = [sys.executable, "-c", JOB]
    done = subprocess.run(job, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
