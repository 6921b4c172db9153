"""Rows of the table of challenges: an error before and after, its goal, and Markdown of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

HEADER = ("challenge", "measured", "before", "after", "by", "goal", "met", "scans", "CPU s")


@dataclass(frozen=True)
class Goal:
    """What a mean has to be. kind: `at least`, `at most`, or `within`, to either side of 0."""

    kind: str
    limit: float

    def is_met(self, mean: float) -> bool:
        """Does a mean meet it?"""
        if self.kind == "at least":
            return mean >= self.limit
        return (mean if self.kind == "at most" else abs(mean)) <= self.limit

    def __str__(self) -> str:
        return f"{self.kind} {self.limit:g}"


@dataclass(frozen=True)
class Row:
    """What one method makes of a challenge.

    measured: what the numbers are, with their unit. before, after: one of each scan, with nothing done
    and with the method. seconds: CPU time of the method, one of each scan. digits: after the point.
    """

    challenge: str
    measured: str
    method: str
    before: Sequence[float]
    after: Sequence[float]
    goal: Goal
    seconds: Sequence[float]
    digits: int

    def cells(self) -> tuple[str, ...]:
        """The row as text, by HEADER."""
        return (
            self.challenge,
            self.measured,
            mean_of(self.before, self.digits),
            mean_of(self.after, self.digits),
            self.method,
            str(self.goal),
            "yes" if self.goal.is_met(float(np.mean(self.after))) else "no",
            str(len(self.after)),
            seconds(self.seconds),
        )


def mean_of(values: Sequence[float], digits: int) -> str:
    """The mean with half its 95 % interval by Student's t; of one value, the value, of none nothing."""
    if len(values) == 0:
        return ""
    mean = f"{np.mean(values):.{digits}f}"
    if len(values) == 1:
        return mean
    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mean} ± {half:.{digits}f}"


def spread_of(values: Sequence[float]) -> str:
    """Mean and standard deviation, of percents; of none nothing."""
    return f"{np.mean(values):+.1f} ± {np.std(values):.1f}" if len(values) else ""


def seconds(values: Sequence[float]) -> str:
    """The median CPU time, to one digit: it never repeats, and the first run reads what is compiled."""
    return f"{float(f'{np.median(values):.0e}'):g}"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, with an empty one after it."""
    yield _line(header)
    yield _line(["---"] * len(header))
    yield from map(_line, rows)
    yield ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
