"""What goes wrong on a cluster: too little memory, a crash, a lost node, a sheet that is edited.

One run, in a copy of the workflow that is spoiled for this: the mesh of a case called `large` takes
more memory than its first attempt may, that of `wrong` crashes, and that of `lost` waits until its
node is gone.
"""

import subprocess
import time

import pytest
from mill import copied, planned
from shared_scan import write_cohort
from slurm import accounted, told
from submitted import command, from_cases, megabytes

pytestmark = pytest.mark.slow

CASES = ("large", "wrong", "lost")
SECONDS = 400
# How the jobs of each end: as many times the memory of the first attempt, and Slurm's state.
OF_LARGE = [(1, "FAILED"), (2, "COMPLETED")]
OF_WRONG = [(1, "FAILED"), (2, "FAILED"), (3, "FAILED")]
OF_LOST = [(1, "NODE_FAIL"), (2, "COMPLETED")]
FIRST_LINE = '    names = {s["name"]: s["label"] for s in structures}\n'
SPOILED = """    import time
    case, waiting = surfaces.parent.name, surfaces.parents[3] / "waiting"
    if case == "large":
        taken = bytearray(600 << 20)
        time.sleep(6)
    if case == "wrong":
        with open(waiting.with_name("tries"), "a") as tries:
            tries.write("x")
        raise RuntimeError("planted")
    if case == "lost" and not waiting.exists():
        import os
        waiting.write_text(os.environ["SLURM_JOB_ID"])
        time.sleep(600)
"""


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    copy = copied(tmp_path_factory.mktemp("spoiled") / "copy")
    script = copy / "scripts" / "mesh.py"
    text = script.read_text()
    assert text.count(FIRST_LINE) == 1
    script.write_text(text.replace(FIRST_LINE, SPOILED + FIRST_LINE))
    return copy


@pytest.fixture(scope="module")
def ran(cluster, spoiled, tmp_path_factory):
    """The folder of the run, what it printed, and what Slurm accounted for its cases."""
    folder = tmp_path_factory.mktemp("troubles")
    write_cohort(folder, CASES)
    sheet = (folder / "scans.tsv").read_text()
    before = len(from_cases(accounted()))
    with open(folder / "printed", "w") as printed:
        run = subprocess.Popen(
            command(folder, root=spoiled), cwd=folder, stdout=printed, stderr=printed
        )
    try:
        wait_for(lambda: (folder / "waiting").exists())
        (folder / "scans.tsv").write_text("half a li")
        # The others are done first: their jobs may be on the same node. What a running job is of, Slurm
        # does not account yet.
        others = len(OF_LARGE) + len(OF_WRONG)
        wait_for(lambda: len(from_cases(accounted())) >= before + others)
        wait_for(lambda: told("squeue", "-h", "-o", "%i").split() == [lost_job(folder)])
        node = told("squeue", "-h", "-o", "%N").strip()
        lose = ["scontrol", "update", f"nodename={node}", "state=down", "reason=test"]
        subprocess.run(lose, check=True)
        assert run.wait(SECONDS) != 0
    finally:
        run.kill()
        run.wait()
    (folder / "scans.tsv").write_text(sheet)
    return folder, (folder / "printed").read_text(), from_cases(accounted())[before:]


def lost_job(folder) -> str:
    return (folder / "waiting").read_text()


def wait_for(ready):
    end = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(1)


def test_more_memory_is_asked_for_where_it_was_too_little_and_a_lost_node_is_replaced(ran):
    _, printed, jobs = ran
    least = min(megabytes(job["ReqMem"]) for job in jobs)
    ended = sorted((round(megabytes(job["ReqMem"]) / least), job["State"]) for job in jobs)
    assert ended == sorted(OF_LARGE + OF_WRONG + OF_LOST), printed


def test_a_crash_is_not_tried_again(ran):
    folder, _, _ = ran
    assert (folder / "tries").read_text() == "x"
    assert "RuntimeError: planted" in (folder / "logs" / "wrong" / "ingest.log").read_text()


def test_what_was_finished_is_not_done_again(ran, spoiled):
    folder, _, _ = ran
    for case in ("large", "lost"):
        assert (folder / "results" / "cases" / case / "measurements.csv").stat().st_size > 0
    of_wrong = dict.fromkeys(("ingest", "resample", "segment", "mesh", "measure"), 1)
    again = planned(folder, "--configfile", "config.yaml", root=spoiled)
    assert again == of_wrong | {"collect": 1, "describe": 1, "all": 1}
