"""What goes wrong on a cluster, and how a run and the same command after it get over it.

One run of eight cases in a copy of the workflow that is spoiled for it. Something else happens to each
case, mostly in its mesh; the sheet is edited meanwhile, and the scans cannot be written. Then what was
missing is brought, and the same command makes the rest.
"""

import subprocess
from pathlib import Path

import pytest
from file_system import mounted
from interrupted import spoiled_copy
from mill import planned
from shared_scan import CONFIG, differing, write_cohort
from slurm import accounted, told
from submitted import command, from_cases, megabytes, minutes, on_slurm, wait_for
from terminal import status

pytestmark = pytest.mark.slow

# What happens to each case, and how its jobs end: times the memory of the first, and Slurm's state.
ENDS = {
    "large": [(1, "FAILED"), (2, "COMPLETED")],  # takes more memory than its first attempt may
    "slow": [(1, "TIMEOUT"), (2, "COMPLETED")],  # reaches its time limit
    "killed": [(1, "FAILED"), (2, "COMPLETED")],  # its process is killed
    "damaged": [(1, "FAILED"), (2, "COMPLETED")],  # what resample wrote is not what measure finds
    "lost": [(1, "NODE_FAIL"), (2, "COMPLETED")],
    "vanished": [(1, "FAILED"), (2, "FAILED")],  # its scan, once the run has begun
    "full": [(1, "FAILED"), (2, "FAILED")],  # the disk of its results
    "wrong": [(1, "FAILED"), (2, "FAILED")],  # crashes
}
CASES = tuple(ENDS)
NOT_MADE = ("vanished", "full", "wrong")
STAGES = ("ingest", "resample", "segment", "mesh", "measure", "report")
MESH = """    import os, time
    case, place = surfaces.parent.name, surfaces.parents[3]
    mark = place / case
    first = not mark.exists()
    mark.touch()
    if case == "large":
        taken = bytearray(600 << 20)
        time.sleep(6)
    if case == "wrong" and not (place / "mended").exists():
        with open(place / "tries", "a") as tries:
            tries.write("x")
        raise RuntimeError("planted")
    if case in ("lost", "slow") and first:
        mark.write_text(os.environ["SLURM_JOB_ID"])
        time.sleep(1000)
    if case == "killed" and first:
        os.kill(os.getpid(), 9)
    if case == "damaged" and first:
        labels.with_name("unsmoothed.nii.gz").write_text("something else")
"""
INGEST = """import os
if os.path.exists("vanished.nrrd") and not os.path.exists("mended"):
    os.rename("vanished.nrrd", "away.nrrd")
"""


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    copy = spoiled_copy(tmp_path_factory.mktemp("spoiled") / "copy", MESH)
    script = copy / "scripts" / "ingest.py"
    script.write_text(script.read_text().replace("from pathlib", INGEST + "from pathlib", 1))
    return copy


@pytest.fixture(scope="module")
def folder(cluster, tmp_path_factory):
    """A cohort whose scans cannot be written, and one of whose cases has little space for results."""
    folder = write_cohort(tmp_path_factory.mktemp("troubles") / "cohort", CASES)
    sheet, scans = folder / "scans.tsv", folder / "scans"
    text = sheet.read_text().replace("scan.nrrd", "scans/scan.nrrd")
    sheet.write_text(text.replace("vanished\tscans/scan.nrrd", "vanished\tvanished.nrrd"))
    (folder / "vanished.nrrd").write_bytes((folder / "scan.nrrd").read_bytes())
    with (
        mounted(scans, "size=2m") as change,
        mounted(folder / "results" / "cases" / "full", "size=200k"),
    ):
        (scans / "scan.nrrd").write_bytes((folder / "scan.nrrd").read_bytes())
        change("ro")
        yield folder


@pytest.fixture(scope="module")
def ran(folder, spoiled):
    """What the run printed, and what Slurm accounted for its cases."""
    sheet = (folder / "scans.tsv").read_text()
    before = len(from_cases(accounted()))
    with open(folder / "printed", "w") as printed:
        run = subprocess.Popen(
            command(folder, "--retries", "1", root=spoiled),
            cwd=folder,
            stdout=printed,
            stderr=printed,
        )
    try:
        wait_for(lambda: job_of("slow", folder))
        (folder / "scans.tsv").write_text("half a li")
        shorten = ["scontrol", "update", f"jobid={job_of('slow', folder)}", "timelimit=1"]
        subprocess.run(shorten, check=True)
        # The others are done first: their jobs may be on the same node. What a running job is of, Slurm
        # does not account yet.
        others = sum(len(ends) for case, ends in ENDS.items() if case != "lost")
        wait_for(lambda: len(from_cases(accounted())) >= before + others)
        wait_for(lambda: told("squeue", "-h", "-o", "%i").split() == [job_of("lost", folder)])
        node = told("squeue", "-h", "-o", "%N").strip()
        lose = ["scontrol", "update", f"nodename={node}", "state=down", "reason=test"]
        subprocess.run(lose, check=True)
        assert run.wait() != 0
    finally:
        run.kill()
        run.wait()
    (folder / "scans.tsv").write_text(sheet)
    return (folder / "printed").read_text(), from_cases(accounted())[before:]


def job_of(case, folder) -> str:
    """The Slurm job in which a case waits."""
    mark = folder / case
    return mark.read_text() if mark.exists() else ""


def attempt(job, jobs) -> int:
    """Which attempt at its case a job is: each asks for as much memory again."""
    return round(megabytes(job["ReqMem"]) / min(megabytes(job["ReqMem"]) for job in jobs))


def test_each_case_is_tried_again_where_that_may_help_and_with_more(ran):
    printed, jobs = ran
    ended = sorted((attempt(job, jobs), job["State"]) for job in jobs)
    assert ended == sorted(end for ends in ENDS.values() for end in ends), printed
    times = {1: set(), 2: set()}
    for job in jobs:
        if job["State"] != "TIMEOUT":
            times[attempt(job, jobs)].add(minutes(job["Timelimit"]))
    (first,), (second,) = times.values()
    assert 1.8 * first < second <= 2 * first


def test_a_crash_is_not_tried_again(ran, folder):
    assert (folder / "tries").read_text() == "x"
    assert "RuntimeError: planted" in (folder / "logs" / "wrong" / "ingest.log").read_text()


def test_the_status_names_the_rule_that_failed_of_each_case(ran, folder):
    said = status(folder)
    assert said[0] == "8 cases: 5 done, 3 failed."
    failed = {line.split()[0]: line for line in said if " failed; log: " in line}
    assert failed.keys() == set(NOT_MADE)
    for case, why in (("vanished", "once it is back"), ("wrong", "RuntimeError: planted")):
        log = failed[case].partition("log: ")[2]
        assert log.startswith(str(folder / "logs" / case)) and why in Path(log).read_text()


def test_what_may_come_back_is_said(ran):
    printed, _ = ran
    assert "once it is back, the same command again goes on" in printed
    assert "No space left on device" in printed


def test_the_same_command_does_the_rest_and_no_more(ran, folder, spoiled, undisturbed):
    before = len(from_cases(accounted()))
    (folder / "mended").touch()
    (folder / "away.nrrd").rename(folder / "vanished.nrrd")
    full = folder / "results" / "cases" / "full"
    subprocess.run(["mount", "-o", "remount,size=20m", str(full)], check=True)
    again = planned(folder, *CONFIG, root=spoiled)
    of_cohort = dict.fromkeys(("collect", "check", "describe", "overview", "all"), 1)
    assert again == dict.fromkeys(STAGES, len(NOT_MADE)) | of_cohort
    done = on_slurm(folder, root=spoiled)
    assert done.returncode == 0, done.stdout
    assert [job["State"] for job in from_cases(accounted())[before:]] == ["COMPLETED"] * 3
    assert differing(folder / "results", undisturbed, CASES) == []
    assert planned(folder, *CONFIG, root=spoiled) == {}
