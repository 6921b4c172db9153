"""The terminal of `make run`: a line that tells how far the run is, and whatever goes wrong.

A logger plugin of Snakemake, which finds it on PYTHONPATH by its name (`--logger scanmill`). The line
is told from the run's journal. On a terminal it rewrites itself; else one is written now and then.
Errors, and all that is not known to be routine, are printed as Snakemake itself does.
"""

import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from scanmill.progress.standing import BROKEN, Cohort
from scanmill.progress.telling import counts, line, refusal
from snakemake.logging import ColorizingTextHandler
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

TICK_S = 1.0
# Between lines where there is no terminal.
PAUSE_S = 30.0
ERASED = "\r\x1b[K"
TOLD_BY_THE_LINE = frozenset(LogEvent) - {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.ERROR}
# Texts of no event that come with every run, or every job.
ROUTINE = (
    "Using shell",
    "Group jobs: inactive",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "Select jobs to execute",
    "Job rate limit reached",
    "Removing temporary output",
)
SUBMITTED = "has been submitted with SLURM jobid"


class LogHandler(LogHandlerBase):
    """Prints errors, refusals and how far the run is."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Print nothing yet: the run's journal begins with its first job."""
        said = self.common_settings
        self._stream = sys.stdout if said.stdout else sys.stderr
        plain = said.nocolor or bool(os.environ.get("NO_COLOR"))
        self._printer = ColorizingTextHandler(plain, self._stream)
        self._rewrites = self._printer.is_tty and os.environ.get("TERM") != "dumb"
        self._began = time.time()
        self._cohort: Cohort | None = None
        self._line, self._written = "", -PAUSE_S
        self._ended = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Print what a record says, unless it is routine."""
        if self.common_settings.dryrun or not _is_routine(record):
            self._erase()
            self._printer.setFormatter(self.formatter)
            self._printer.emit(record)
        elif self._cohort is None and getattr(record, "event", None) == LogEvent.JOB_STARTED:
            self._begin()

    def flush(self) -> None:
        """Tell what is left to tell, and take the line away for good: the run has ended."""
        with self.lock:
            if self._cohort and not self._ended.is_set():
                self._ended.set()
                self._tell_refusals(self._cohort.read_on())
                self._erase()
                if self._cohort.number(BROKEN):
                    print(f"{counts(self._cohort)}.", file=self._stream, flush=True)

    def _begin(self) -> None:
        """Open the journal, if it is this run's: it has none under --no-hooks."""
        cohort = Cohort(Path())
        if cohort.course and cohort.course.began >= self._began:
            self._cohort = cohort
            self._tell_refusals(case for case in cohort.standings if case in cohort.course.of_case)
            threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._ended.wait(TICK_S):
            with self.lock:
                if not self._ended.is_set():
                    self._tell_refusals(self._cohort.read_on())
                    self._draw(line(self._cohort))

    def _tell_refusals(self, cases: Iterable[str]) -> None:
        for case in cases:
            if text := refusal(case, self._cohort.standings[case]):
                self._erase()
                print(text, file=self._stream, flush=True)

    def _draw(self, text: str) -> None:
        if self._rewrites:
            width = shutil.get_terminal_size().columns - 1
            shown = text if len(text) <= width else f"{text[: width - 1]}…"
            if shown != self._line:
                print(f"{ERASED}{shown}", end="", file=self._stream, flush=True)
            self._line = shown
        elif time.monotonic() - self._written >= PAUSE_S and text != self._line:
            self._line, self._written = text, time.monotonic()
            print(text, file=self._stream, flush=True)

    def _erase(self) -> None:
        """Make room for what stays. The line comes back with the next look."""
        if self._rewrites and self._line:
            print(ERASED, end="", file=self._stream, flush=True)
            self._line = ""


def _is_routine(record: logging.LogRecord) -> bool:
    if record.levelno > logging.INFO:
        return False
    if getattr(record, "event", None) in TOLD_BY_THE_LINE:
        return True
    text = record.getMessage()
    return text.startswith(ROUTINE) or SUBMITTED in text
