"""The course of a run, read from its journal."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scanmill.progress.journal import (
    ENDED,
    FAILED,
    FINISHED,
    HEARTBEAT_S,
    JOURNAL,
    PLANNED,
    STARTED,
)

WAITING = "waiting"
# The journal of a run that lives is younger, whatever a network's file system keeps back for a while.
SILENT_S = 9 * HEARTBEAT_S


@dataclass
class Job:
    """A job of a run. case: empty for what is no case's. seconds: what it is expected to take."""

    rule: str
    case: str
    log: str
    seconds: float
    state: str = WAITING


class Course:
    """What the journal in a working directory has told so far."""

    def __init__(self, run: Path) -> None:
        self._path = run / JOURNAL
        self._offset = 0
        self.jobs: dict[int, Job] = {}
        self.of_case: dict[str, list[Job]] = {}
        self.cases: list[str] = []
        self.began = self.ended = 0.0

    def read_on(self) -> Iterator[Job]:
        """Take in what was noted since, and yield each job whose state is another now.

        A line that is being written is left for the next time.
        """
        with open(self._path, "rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                said = json.loads(line)
                if said["what"] == PLANNED:
                    self._plan(said)
                elif said["what"] == ENDED:
                    self.ended = said["time"]
                elif said["job"] in self.jobs:
                    job = self.jobs[said["job"]]
                    job.state = said["what"]
                    yield job

    def _plan(self, said: dict) -> None:
        self.began, self.cases = said["time"], said["cases"]
        for told in said["jobs"]:
            job = Job(told["rule"], told["case"], told["log"], told["seconds"])
            self.jobs[told["id"]] = job
            self.of_case.setdefault(job.case, []).append(job)

    def silence(self) -> float:
        """For how many seconds the run has given no sign of life."""
        return max(0.0, time.time() - self._path.stat().st_mtime)

    def is_alive(self) -> bool:
        """Whether the run goes on, as far as its journal tells."""
        return not self.ended and self.silence() < SILENT_S

    def seconds_left(self) -> float | None:
        """How long it will take at the pace so far; None before the first job is done.

        What jobs are expected to take counts in proportion. What waits for a failed job is not done.
        """
        stopped = {job.case for job in self.jobs.values() if job.state == FAILED}
        done = sum(job.seconds for job in self.jobs.values() if job.state == FINISHED)
        left = sum(
            job.seconds
            for job in self.jobs.values()
            if job.state in (WAITING, STARTED) and job.case not in stopped
        )
        return (time.time() - self.began) * left / done if done else None
