"""What is said of a run: one line while it works, and all that there is to know on request."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from scanmill.progress.journal import FAILED, STARTED
from scanmill.progress.standing import (
    BROKEN,
    CASES,
    DONE,
    REFUSED,
    STATES,
    UNDER_WAY,
    WAITING,
    Cohort,
    Standing,
)

LISTED = 10
SHORTEST = "less than a minute"
TABLE = Path("results") / "cohort" / "measurements.csv"


def counts(cohort: Cohort) -> str:
    """How many cases stand how."""
    told = [f"{number} {state}" for state in STATES if (number := cohort.number(state))]
    return f"{len(cohort.standings)} cases: {', '.join(told)}"


def line(cohort: Cohort) -> str:
    """How far a run that goes on is, in one line, the most important first."""
    told = [f"{cohort.number(DONE)} done"]
    told += [f"{n} {state}" for state in (REFUSED, BROKEN) if (n := cohort.number(state))]
    return f"{len(cohort.standings)} cases: {', '.join(told)}; {_left(cohort)}{_doing(cohort)}"


def _left(cohort: Cohort) -> str:
    seconds = cohort.course.seconds_left()
    return "time left not known yet" if seconds is None else f"{duration(seconds)} left"


def _doing(cohort: Cohort) -> str:
    begun = [job for job in cohort.course.jobs.values() if job.state == STARTED]
    named = ", ".join(f"{job.case} {job.rule}".strip() for job in begun[:LISTED])
    return f"; {named}" if named else ""


def refusal(case: str, standing: Standing) -> str | None:
    """Why a case was refused; None where it was not."""
    if standing.state != REFUSED:
        return None
    return f"{case}: refused, {standing.code}: {standing.reason}"


def page(cohort: Cohort, run: Path) -> Iterator[str]:
    """Lines that say how the run in a folder stands. run: the folder, as its user calls it."""
    if cohort.course is None and not cohort.standings:
        yield f"{run}: no run was found; the folder where ScanMill runs, RUN=FOLDER, would be right."
        return
    yield f"{counts(cohort)}."
    yield from _of_run(cohort)
    codes = Counter(s.code for s in cohort.standings.values() if s.state == REFUSED)
    for code, number in codes.most_common():
        yield f"{number} refused, {code}: {_named(_cases(cohort, REFUSED, code))}"
    failed = [job for case in _cases(cohort, BROKEN) for job in cohort.failed_jobs(case)]
    failed += cohort.jobs_of_no_case(FAILED)
    yield from (
        f"{job.case} {job.rule} failed; log: {run / job.log}".lstrip() for job in failed[:LISTED]
    )
    if len(failed) > LISTED:
        yield f"{len(failed) - LISTED} more failed."
    under_way = [f"{c} {' '.join(cohort.standings[c].rules)}" for c in _cases(cohort, UNDER_WAY)]
    if cohort.is_alive():
        under_way += [f"{j.case} {j.rule}".lstrip() for j in cohort.jobs_of_no_case(STARTED)]
    if under_way:
        yield f"Under way (on a cluster: submitted): {_named(under_way)}"
    if (run / TABLE).exists():
        yield f"Table: {run / TABLE}"
    yield f"Results: {run / CASES}/CASE; logs: {run / 'logs'}/CASE/RULE.log"


def _of_run(cohort: Cohort) -> Iterator[str]:
    course = cohort.course
    if course is None:
        yield "No run is noted here: this is what the results tell."
        return
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(course.began))
    if course.ended:
        yield f"The run of {began} ended after {duration(course.ended - course.began)}."
    elif cohort.is_alive():
        so_far = duration(time.time() - course.began)
        yield f"The run of {began} goes on, for {so_far} so far; {_left(cohort)}."
    else:
        yield (
            f"The run of {began} gave its last sign of life {duration(course.silence())} ago: it was "
            "killed. The same command again goes on, once with --unlock before it."
        )
    if cohort.number(WAITING) and not cohort.is_alive():
        yield f"Without results: {_named(_cases(cohort, WAITING))}"


def _cases(cohort: Cohort, state: str, code: str = "") -> list[str]:
    return [c for c, s in cohort.standings.items() if s.state == state and s.code == code]


def _named(names: list[str]) -> str:
    more = [f"{len(names) - LISTED} more"] if len(names) > LISTED else []
    return ", ".join([*names[:LISTED], *more])


def duration(seconds: float) -> str:
    """About how long, as people say it."""
    if seconds < 60:
        return SHORTEST
    if seconds < 90 * 60:
        return f"about {math.ceil(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"about {seconds / 3600:.1f} h"
    return f"about {seconds / 86400:.1f} days"
