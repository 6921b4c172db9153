"""Cases of one subject in the order of time, where a sheet has the columns `subject` and `timepoint`.

A timepoint is a number, in a unit that is the user's (0, 1, 2; months since the first), or a date.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from itertools import pairwise
from typing import Protocol

from scanmill.problem import shown

SUBJECT, TIMEPOINT = "subject", "timepoint"
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A date as DICOM writes it: as a number it would be in order, and its differences no time.
COMPACT = re.compile("(19|20)[0-9]{6}")
RIGHT = "a number, or a date such as 2024-01-31"


class Row(Protocol):
    """What is asked of a row of the sheet."""

    recipe: str
    role: str
    extra: dict[str, str]
    line: int


def moment(text: str) -> float | date:
    """When a timepoint is. Raises ValueError where it is neither a number nor a date."""
    if NUMBER.fullmatch(text) and not COMPACT.fullmatch(text):
        return float(text)
    with suppress(ValueError):
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
    raise ValueError(f"{shown(text)} was found; {RIGHT} would be right")


def faults(rows: Iterable[Row]) -> Iterator[tuple[int, str, str]]:
    """What keeps cases from an order: line, column, and what was found and would be right."""
    taken: dict[tuple[str, str], dict[float | date, int]] = {}
    for row in rows:
        subject, text = (row.extra.get(key) for key in (SUBJECT, TIMEPOINT))
        if row.role != "scan" or None in (subject, text) or not (subject or text):
            continue
        if not subject:
            yield row.line, SUBJECT, "nothing was found beside a timepoint; a name would be right"
            continue
        # Volumes by another recipe are not of the same thing.
        others = taken.setdefault((subject, row.recipe), {})
        try:
            found = moment(text)
            _check_order(text, found, others)
        except ValueError as error:
            yield row.line, TIMEPOINT, str(error)
        else:
            others[found] = row.line


def _check_order(text: str, found: float | date, others: dict[float | date, int]) -> None:
    """Raises ValueError where a timepoint has no place among a subject's others, each with its line."""
    if found in others:
        raise ValueError(
            f"{shown(text)} was found, and line {others[found]} has the same for this subject and "
            "recipe; another would be right"
        )
    for other, line in others.items():
        if type(other) is not type(found):
            kind = "a number" if isinstance(other, float) else "a date"
            raise ValueError(
                f"{shown(text)} was found, and line {line} has {kind} for this subject; one kind for "
                "all of a subject would be right"
            )


def elapsed(before: str, after: str) -> float:
    """The time from one timepoint to another of the same kind: days, or the difference of numbers."""
    first, second = moment(before), moment(after)
    if isinstance(first, date):
        return float((second - first).days)
    return second - first


def pairs(sheet: Mapping[str, Mapping]) -> Iterator[tuple[str, str, str]]:
    """Subject, and its cases at one timepoint and the next, in the order of the sheet's subjects.

    sheet: by case recipe, role and extra, without faults. Only cases of one recipe make a pair.
    """
    visits: dict[tuple[str, str], list[tuple[float | date, str]]] = {}
    for case, row in sheet.items():
        subject, text = (row["extra"].get(key, "") for key in (SUBJECT, TIMEPOINT))
        if row["role"] == "scan" and subject and text:
            visits.setdefault((subject, row["recipe"]), []).append((moment(text), case))
    for (subject, _), seen in visits.items():
        cases = [case for _, case in sorted(seen)]
        for before, after in pairwise(cases):
            yield subject, before, after
