"""What a run does, job by job, as lines of a file: for whoever watches it, from wherever they do.

logs/run.jsonl has a line of JSON for what the run is going to do, then one whenever a job of it begins,
ends or fails, and one for its own end. While the run lives it touches the file now and then: a run
without end whose journal is old was killed, on whatever machine it was.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from scanmill.atomic import replacing

JOURNAL = Path("logs") / "run.jsonl"
HEARTBEAT_S = 20.0

# What lines tell.
PLANNED, STARTED, FINISHED, FAILED, ENDED = "planned", "started", "finished", "failed", "ended"
EVENTS = {
    LogEvent.JOB_INFO: (STARTED, "jobid"),
    LogEvent.JOB_FINISHED: (FINISHED, "job_id"),
    LogEvent.JOB_ERROR: (FAILED, "jobid"),
}


class Journal(logging.Handler):
    """Notes what Snakemake's logger tells of jobs, in the folder where the run works."""

    def __init__(self, jobs: Iterable[Mapping[str, Any]], cases: Iterable[str]) -> None:
        """Begin a new journal.

        jobs: of the run; `id`, `rule`, `case` (empty for what is no case's), `log` and `seconds`, what
        it is expected to take. cases: all that are to be measured, worked on or not.
        """
        super().__init__()
        JOURNAL.parent.mkdir(exist_ok=True)
        with replacing(JOURNAL) as temporary:
            temporary.touch()
        self._path = JOURNAL.absolute()
        self._stream = open(JOURNAL, "a", encoding="utf-8")  # noqa: SIM115 - until the run ends
        self._ended = threading.Event()
        self._note(PLANNED, jobs=list(jobs), cases=list(cases))
        threading.Thread(target=self._live, daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Note what a record tells of a job."""
        told = EVENTS.get(getattr(record, "event", None))
        if told:
            what, key = told
            self._note(what, job=getattr(record, key))

    def close(self) -> None:
        """Note the end. Snakemake's logger closes its handlers when it has ended, well or not."""
        if not self._ended.is_set():
            self._ended.set()
            self._note(ENDED)
            self._stream.close()
        super().close()

    def _note(self, what: str, **said: Any) -> None:
        json.dump({"what": what, "time": round(time.time(), 1)} | said, self._stream)
        self._stream.write("\n")
        self._stream.flush()

    def _live(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            self._path.touch()
