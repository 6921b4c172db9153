"""How each case of a cohort stands, from the journal of the run and the sidecars of the results."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanmill import used
from scanmill.cohort import RESULTS
from scanmill.columns import STAGES
from scanmill.progress.course import Course, Job
from scanmill.progress.journal import FAILED, FINISHED, STARTED
from scanmill.sidecar import read_sidecar

DONE, REFUSED, BROKEN, UNDER_WAY, WAITING = "done", "refused", "failed", "under way", "waiting"
STATES = (DONE, REFUSED, BROKEN, UNDER_WAY, WAITING)
CASES = Path("results") / "cases"


@dataclass(frozen=True)
class Standing:
    """How a case stands. code, reason: why it was refused. rules: that are under way."""

    state: str
    code: str = ""
    reason: str = ""
    rules: tuple[str, ...] = ()


class Cohort:
    """How the cases in a working directory stand. course: of its run; None where none is noted."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self.course: Course | None = Course(run)
        self.standings: dict[str, Standing] = {}
        try:
            list(self.course.read_on())
            names = self.course.cases
        except FileNotFoundError:
            self.course = None
            names = sorted(path.name for path in (run / CASES).glob("[!.]*"))
        self.standings = {case: self._standing(case) for case in names}

    def read_on(self) -> Iterator[str]:
        """Take in what was noted since, and yield each case that stands otherwise now."""
        for case in {job.case for job in self.course.read_on()} & self.standings.keys():
            before, self.standings[case] = self.standings[case], self._standing(case)
            if self.standings[case] != before:
                yield case

    def _standing(self, case: str) -> Standing:
        jobs = self.course.of_case.get(case, []) if self.course else []
        if any(job.state == FAILED for job in jobs):
            return Standing(BROKEN)
        if all(job.state == FINISHED for job in jobs):
            return self._result(case, "measure") or Standing(WAITING)
        # What is left of a refused case passes the refusal on.
        finished = [job.rule for job in jobs if job.state == FINISHED and job.rule in STAGES]
        said = self._result(case, max(finished, key=STAGES.index)) if finished else None
        if said and said.state == REFUSED:
            return said
        begun = tuple(job.rule for job in jobs if job.state == STARTED)
        return Standing(UNDER_WAY, rules=begun) if begun and self.is_alive() else Standing(WAITING)

    def _result(self, case: str, stage: str) -> Standing | None:
        said = _read(self._run / CASES / case / RESULTS[stage])
        if said.get("status") == "refused":
            return Standing(REFUSED, said["code"], said["reason"])
        return Standing(DONE) if said.get("status") == "ok" else None

    def is_alive(self) -> bool:
        """Whether a run goes on in the working directory."""
        return self.course is not None and self.course.is_alive()

    def number(self, state: str) -> int:
        """How many cases stand so."""
        return sum(standing.state == state for standing in self.standings.values())

    def failed_jobs(self, case: str) -> list[Job]:
        """Jobs of a case that did not end well.

        On a cluster all of a case fails as one, and is tried again: the last log that was begun and
        tells of no good end is the one to look into.
        """
        failed = [job for job in self.course.of_case[case] if job.state == FAILED]
        logs = {self._run / job.log: job for job in failed if job.log}
        begun = [log for log in logs if log.exists() and not used.told(log)]
        return [logs[max(begun, key=lambda log: log.stat().st_mtime)]] if begun else failed

    def jobs_of_no_case(self, state: str) -> list[Job]:
        """Jobs of the cohort's own rules that are in a state, as the journal has it."""
        jobs = self.course.jobs.values() if self.course else ()
        return [job for job in jobs if job.state == state and job.case not in self.standings]


def _read(result: Path) -> dict[str, Any]:
    """The sidecar of a result; nothing where there is none, or none that can be read."""
    try:
        return read_sidecar(result)
    except (OSError, json.JSONDecodeError):
        return {}
