"""Runs on a cluster that are stopped: two at once, Ctrl-C, and a Snakemake that is killed.

One cohort of two cases. One of them waits in its mesh when it is told to; the other is finished once,
and never again.
"""

import os
import signal
import subprocess

import pytest
from interrupted import heed_interrupts, spoiled_copy
from mill import planned, snakemake
from shared_scan import CONFIG, differing, write_cohort
from slurm import accounted, told
from submitted import command, from_cases, on_slurm, wait_for

pytestmark = pytest.mark.slow

CASES = ("finished", "held")
STAGES = ("ingest", "resample", "segment", "mesh", "measure", "report")
HELD_ALONE = dict.fromkeys((*STAGES, "collect", "check", "describe", "overview", "all"), 1)
# Whoever finds the file empty says which Slurm job it is of, and waits until the file is gone.
WAITING = """    import os, time
    case, waiting = surfaces.parent.name, surfaces.parents[3] / "waiting"
    if case == "held" and waiting.exists() and not waiting.read_text():
        waiting.write_text(os.environ["SLURM_JOB_ID"])
        while waiting.exists():
            time.sleep(0.2)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return spoiled_copy(tmp_path_factory.mktemp("waiting") / "copy", WAITING)


def started(folder, copy) -> subprocess.Popen:
    """A run whose case waits, once the other one is finished, and known to be."""
    (folder / "waiting").touch()
    with open(folder / "printed", "a") as printed:
        run = subprocess.Popen(
            command(folder, root=copy),
            cwd=folder,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
    wait_for(lambda: (folder / "waiting").read_text())
    held = (folder / "waiting").read_text()
    # However slow the machine: a job that reaches its limit is another fault.
    subprocess.run(["scontrol", "update", f"jobid={held}", "timelimit=120"], check=True)
    wait_for(lambda: "6 of " in (folder / "printed").read_text())
    return run


def in_queue() -> list[str]:
    return told("squeue", "-h", "-o", "%i").split()


def test_two_runs_an_interrupt_and_a_killed_snakemake(cluster, copy, undisturbed, tmp_path):
    folder = write_cohort(tmp_path / "cohort", CASES)
    before = len(from_cases(accounted()))

    run = started(folder, copy)
    second = on_slurm(folder, root=copy)
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout and "--unlock" in second.stdout
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait() != 0
    wait_for(lambda: in_queue() == [])
    assert planned(folder, *CONFIG, root=copy) == HELD_ALONE
    (folder / "waiting").unlink()

    run = started(folder, copy)
    run.kill()
    run.wait()
    orphan = in_queue()
    stopped = on_slurm(folder, root=copy)
    assert stopped.returncode != 0 and "--unlock" in stopped.stdout
    assert snakemake(folder, *CONFIG, "--unlock", root=copy).returncode == 0
    assert planned(folder, *CONFIG, root=copy) == HELD_ALONE
    done = on_slurm(folder, root=copy)
    assert done.returncode == 0, done.stdout
    # What the orphan would write now, and what its Snakemakes would remove, is of the past.
    assert in_queue() == orphan
    (folder / "waiting").unlink()
    wait_for(lambda: in_queue() == [])
    assert differing(folder / "results", undisturbed, CASES) == []
    assert planned(folder, *CONFIG, root=copy) == {}
    states = sorted(job["State"].split()[0] for job in from_cases(accounted())[before:])
    assert states == ["CANCELLED", "COMPLETED", "COMPLETED", "FAILED"]
