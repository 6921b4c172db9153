"""Of a job whose work a later run does, the Snakemakes end with it, and nothing else does."""

import os
import signal
import subprocess
import sys

import pytest

WAITS = "import time; time.sleep(600)"
GIVES_WAY = "from scanmill.attempts import give_way; give_way()"


@pytest.fixture
def started():
    """Starts a Python process as one of a Slurm job; none is left afterwards."""
    processes = []

    def start(code, *arguments, job="4711"):
        environment = os.environ | {"SLURM_JOB_ID": job, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code, *arguments]
        processes.append(subprocess.Popen(command, env=environment))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_only_the_snakemakes_of_the_job_end_with_it(started):
    snakemake = started(WAITS, "--jobs", "1", "--mode", "remote")
    of_another_job = started(WAITS, "--mode", "remote", job="47110")
    by_hand = started(WAITS, "--jobs", "1")
    script = started(GIVES_WAY)
    assert script.wait(60) == snakemake.wait(60) == -signal.SIGKILL
    assert of_another_job.poll() is None and by_hand.poll() is None
