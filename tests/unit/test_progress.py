"""How far a run is, from a journal and results on disk."""

import json
import logging
import os
import time

import pytest
from scanmill.cohort import RESULTS
from scanmill.progress.course import SILENT_S, Course
from scanmill.progress.journal import JOURNAL, Journal
from scanmill.progress.standing import (
    BROKEN,
    CASES,
    DONE,
    REFUSED,
    UNDER_WAY,
    WAITING,
    Cohort,
    Standing,
)
from scanmill.progress.telling import SHORTEST, duration, line, page
from scanmill.sidecar import sidecar_path
from snakemake_interface_logger_plugins.common import LogEvent

RULES = ("ingest", "mesh", "measure")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def journal(folder):
    """Of two cases with jobs 1 to 3 and 4 to 6, and one that is not worked on; 7 is of the cohort."""
    jobs = [
        {
            "id": 3 * n + k,
            "rule": rule,
            "case": case,
            "log": f"logs/{case}/{rule}.log",
            "seconds": 2,
        }
        for n, case in enumerate(("a", "b"))
        for k, rule in enumerate(RULES, 1)
    ]
    jobs += [{"id": 7, "rule": "collect", "case": "", "log": "logs/collect.log", "seconds": 1}]
    journal = Journal(jobs, ["a", "b", "c"])
    yield journal
    journal.close()


def note(journal, event, *jobs) -> None:
    key = "job_id" if event == LogEvent.JOB_FINISHED else "jobid"
    for job in jobs:
        record = logging.LogRecord("snakemake", logging.INFO, "", 0, "", None, None)
        vars(record).update({"event": event, key: job})
        journal.handle(record)


def begin(journal, *jobs) -> None:
    note(journal, LogEvent.JOB_INFO, *jobs)


def finish(journal, *jobs) -> None:
    note(journal, LogEvent.JOB_FINISHED, *jobs)


def say(case, stage, status="ok", code=None) -> None:
    """Write the sidecar of a stage."""
    path = sidecar_path(CASES / case / RESULTS[stage])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"status": status, "code": code, "reason": code and "it is so"}))


def test_cases_go_from_waiting_over_under_way_to_what_their_results_say(folder, journal):
    cohort = Cohort(folder)
    assert {case: s.state for case, s in cohort.standings.items()} == dict.fromkeys("abc", WAITING)
    begin(journal, 1, 4)
    assert set(cohort.read_on()) == {"a", "b"} and cohort.number(UNDER_WAY) == 2
    say("a", "ingest")
    say("b", "ingest", "refused", "not-3d")
    finish(journal, 1, 4)
    begin(journal, 2)
    list(cohort.read_on())
    assert cohort.standings["a"] == Standing(UNDER_WAY, rules=("mesh",))
    # What is left of b would only pass it on.
    assert cohort.standings["b"] == Standing(REFUSED, "not-3d", "it is so")
    say("a", "measure")
    finish(journal, 2)
    begin(journal, 3)
    finish(journal, 3)
    assert list(cohort.read_on()) == ["a"] and cohort.standings["a"] == Standing(DONE)
    assert Cohort(folder).standings == cohort.standings


def test_results_of_an_earlier_run_do_not_count_for_what_is_done_again(folder, journal):
    for case in "abc":
        say(case, "measure")
    cohort = Cohort(folder)
    assert (cohort.number(WAITING), cohort.number(DONE)) == (2, 1)


def test_a_failure_counts_until_it_is_tried_again(folder, journal):
    begin(journal, 1)
    note(journal, LogEvent.JOB_ERROR, 1)
    cohort = Cohort(folder)
    assert cohort.standings["a"].state == BROKEN
    begin(journal, 1)
    assert list(cohort.read_on()) == ["a"] and cohort.standings["a"].state == UNDER_WAY


def test_of_a_cluster_job_that_failed_only_the_guilty_is_named(folder, journal):
    begin(journal, 1, 2, 3)
    note(journal, LogEvent.JOB_ERROR, 1, 2, 3)
    logs = folder / "logs" / "a"
    logs.mkdir()
    (logs / "ingest.log").write_text("Used 100.0 MB of memory and 1.00 s of CPU time.\n")
    (logs / "measure.log").write_text("of the attempt before\n")
    os.utime(logs / "measure.log", (1, 1))
    (logs / "mesh.log").write_text("MemoryError\n")
    assert [job.rule for job in Cohort(folder).failed_jobs("a")] == ["mesh"]
    said = list(page(Cohort(folder), folder))
    assert said[0] == "3 cases: 1 failed, 2 waiting."
    assert f"a mesh failed; log: {logs / 'mesh.log'}" in said


def test_refusals_are_told_by_code(folder, journal):
    for case in "abc":
        say(case, "measure", "refused", "not-3d")
    finish(journal, *range(1, 7))
    said = list(page(Cohort(folder), folder))
    assert said[0] == "3 cases: 3 refused." and "3 refused, not-3d: a, b, c" in said


def test_time_left_is_in_proportion_to_what_jobs_are_expected_to_take(folder, journal):
    course = Course(folder)
    list(course.read_on())
    assert course.seconds_left() is None
    finish(journal, 1)
    list(course.read_on())
    course.began = time.time() - 10
    assert course.seconds_left() == pytest.approx(10 * (13 - 2) / 2, rel=0.01)
    note(journal, LogEvent.JOB_ERROR, 4)
    list(course.read_on())
    course.began = time.time() - 10
    assert course.seconds_left() == pytest.approx(10 * (2 + 2 + 1) / 2, rel=0.01)


def test_a_line_that_is_being_written_is_read_when_it_is_whole(folder, journal):
    course = Course(folder)
    list(course.read_on())
    with open(JOURNAL, "a") as stream:
        stream.write('{"what": "finished", "job"')
    assert list(course.read_on()) == []
    with open(JOURNAL, "a") as stream:
        stream.write(": 1}\n")
    assert [job.rule for job in course.read_on()] == ["ingest"]


def test_half_written_sidecars_and_folders_are_no_results(folder, journal):
    say("c", "measure")
    path = sidecar_path(CASES / "c" / RESULTS["measure"])
    path.write_text(path.read_text()[:9])
    assert Cohort(folder).standings["c"].state == WAITING


def test_a_run_lives_until_it_ends_or_falls_silent(folder, journal):
    begin(journal, 1)
    assert Cohort(folder).is_alive()
    old = time.time() - SILENT_S - 1
    os.utime(JOURNAL, (old, old))
    killed = Cohort(folder)
    assert not killed.is_alive() and killed.standings["a"].state == WAITING
    assert "killed" in list(page(killed, folder))[1]
    journal.close()
    assert not Cohort(folder).is_alive() and "ended" in list(page(Cohort(folder), folder))[1]


def test_results_alone_tell_what_they_can(folder):
    say("a", "measure")
    say("b", "measure", "refused", "is-4d")
    say("c", "ingest")
    said = list(page(Cohort(folder), folder))
    assert said[0] == "3 cases: 1 done, 1 refused, 1 waiting."
    assert said[1].startswith("No run is noted")


def test_where_nothing_is_that_is_said(folder):
    (said,) = page(Cohort(folder), folder)
    assert "no run was found" in said and "RUN=FOLDER" in said


def test_the_line_begins_with_the_counts(folder, journal):
    begin(journal, 1, 7)
    assert line(Cohort(folder)) == "3 cases: 0 done; time left not known yet; a ingest, collect"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (59, SHORTEST),
        (61, "about 2 min"),
        (3600, "about 60 min"),
        (3 * 3600, "about 3.0 h"),
        (3 * 86400, "about 3.0 days"),
    ],
)
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said
