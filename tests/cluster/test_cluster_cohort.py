"""A cohort on a real Slurm with the shipped profile: what it is asked for, and the same results."""

from pathlib import Path

import pytest
from mill import asked, copied, planned
from shared_scan import CONFIG, differing, write_cohort
from slurm import accounted
from submitted import from_cases, group_of, megabytes, minutes, on_slurm
from terminal import status

pytestmark = pytest.mark.slow

CASES = ("one", "two", "three")


@pytest.fixture(scope="module")
def ran(cluster, tmp_path_factory):
    """The folder of a finished cohort, and what Slurm accounted for it."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, CASES)
    done = on_slurm(folder)
    assert done.returncode == 0, done.stdout
    return folder, accounted()


def test_all_of_a_case_is_one_slurm_job(ran):
    _, jobs = ran
    submitted = [job for job in jobs if "." not in job["JobID"]]
    assert sorted(map(group_of, submitted)) == ["case"] * len(CASES) + ["check", "collect"]
    assert {job["State"] for job in submitted} == {"COMPLETED"}


def test_its_status_is_told_as_anywhere(ran):
    folder, _ = ran
    said = status(folder)
    assert said[0] == "3 cases: 3 done." and "ended after" in said[1]


def test_slurm_was_asked_for_what_the_rules_ask_for(ran, tmp_path):
    _, jobs = ran
    by_rule = asked_by_rules(tmp_path)
    for rule in ("collect", "check"):
        (done,) = [job for job in jobs if group_of(job) == rule]
        assert (megabytes(done["ReqMem"]), minutes(done["Timelimit"])) == by_rule.pop(rule)
    assert by_rule.keys() == {"ingest", "resample", "segment", "mesh", "measure", "report"}
    for job in from_cases(jobs):
        assert megabytes(job["ReqMem"]) == max(memory for memory, _ in by_rule.values())
        assert minutes(job["Timelimit"]) == sum(time for _, time in by_rule.values())
        assert job["AllocCPUS"] == "1"


def asked_by_rules(folder: Path) -> dict[str, tuple[int, int]]:
    """Memory (MB) and time (minutes) of each rule; all cases are alike."""
    write_cohort(folder / "cohort", CASES)
    jobs = asked(folder / "cohort", copied(folder / "copy"), *CONFIG)
    assert all(len(set(alike)) == 1 for alike in jobs.values())
    return {rule: alike[0] for rule, alike in jobs.items()}


def test_no_job_used_more_memory_than_it_asked_for(ran):
    _, jobs = ran
    steps = {job["JobID"]: megabytes(job["MaxRSS"]) for job in jobs if "." in job["JobID"]}
    assert min(steps.values()) > 0
    for job in from_cases(jobs):
        used = sum(memory for step, memory in steps.items() if step.split(".")[0] == job["JobID"])
        assert 200 < used < megabytes(job["ReqMem"])


def test_the_results_are_those_of_this_machine_alone(ran, undisturbed):
    folder, _ = ran
    assert differing(folder / "results", undisturbed, CASES) == []
    assert planned(folder, *CONFIG) == {}
