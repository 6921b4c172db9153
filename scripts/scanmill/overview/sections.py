"""What the parts of a cohort's page show: lines of its tables, made of those that rules wrote."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.columns import ON_REQUEST, STAGES
from scanmill.overview.cohort import Cohort, Measure, Row, read_table
from scanmill.overview.outliers import score
from scanmill.overview.specification import TABLES
from scanmill.report.tables import number

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?")
CASES = ("case", "case_before", "case_after")


@dataclass(frozen=True)
class Cell:
    """A cell of a table. value: what to sort by, where it is a number. case: which page it leads to."""

    text: str
    value: float | None = None
    case: str = ""


@dataclass(frozen=True)
class Outlier:
    """A value far from the others'. score: the modified z-score."""

    case: str
    measure: Measure
    value: float
    score: float


@dataclass(frozen=True)
class Reason:
    """Why something was not measured, and of which cases. told: the first case's reason."""

    stage: str
    code: str
    told: str
    various: bool
    structures: list[str]
    cases: list[str]


@dataclass(frozen=True)
class Stage:
    """What a stage took over the cohort. longest, largest: with their cases."""

    name: str
    cases: int
    minutes: float
    median: float
    longest: tuple[float, str]
    largest: tuple[float, str] | None


@dataclass(frozen=True)
class Listed:
    """A table of a rule of the cohort. columns: name and meaning. marked: the cases that it names."""

    file: str
    title: str
    said: str
    mark: str
    columns: list[tuple[str, str]]
    rows: list[list[Cell]]
    marked: list[str]

    def has_numbers(self, place: int) -> bool:
        """Whether any cell of a column, by its place, is a number."""
        return any(row[place].value is not None for row in self.rows)


def outliers(measures: list[Measure], names: list[str], cutoff: float) -> list[Outlier]:
    """All outliers, the farthest first."""
    found = [
        Outlier(
            names[n], measure, measure.values[n], score(measure.values[n], measure.usual, cutoff)
        )
        for measure in measures
        if measure.usual
        for n in measure.outliers
    ]
    return sorted(found, key=lambda outlier: -abs(outlier.score))


def refused_cases(cohort: Cohort) -> list[Reason]:
    """Why whole cases were refused, the commonest reason first."""
    refused = [row for row in cohort.cases if row["status"] == "refused"]
    return _by_reason(refused, lambda row: "")


def refused_structures(cohort: Cohort) -> list[Reason]:
    """Why single structures of measured cases were not measured, the commonest reason first."""
    measured = {row["case"] for row in cohort.cases if row["status"] == "ok"}
    refused = [r for r in cohort.rows if r["status"] == "refused" and r["case"] in measured]
    return _by_reason(refused, lambda row: row["structure"])


def _by_reason(rows: list[Row], structure: Callable[[Row], str]) -> list[Reason]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["stage"], row["code"]), []).append(row)
    found = []
    for (stage, code), own in groups.items():
        counts = Counter(structure(row) for row in own)
        named = [f"{name} ({count})" for name, count in counts.items() if name]
        cases = list(dict.fromkeys(row["case"] for row in own))
        various = len({row["reason"] for row in own}) > 1
        found.append(Reason(stage, code, own[0]["reason"], various, named, cases))
    return sorted(found, key=lambda reason: -len(reason.cases))


def warned(cohort: Cohort) -> list[tuple[str, list[str]]]:
    """The codes of warnings with their cases, the commonest first."""
    found: dict[str, list[str]] = {}
    for row in cohort.cases:
        for code in row["warnings"].split():
            found.setdefault(code, []).append(row["case"])
    return sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))


def stages(cohort: Cohort) -> Iterator[Stage]:
    """What each stage took, in the order of the stages."""
    for name in (*STAGES, *ON_REQUEST):
        took = _known(cohort, f"{name}_seconds")
        if took:
            seconds = [value for value, _ in took]
            largest = max(_known(cohort, f"{name}_memory_mb"), default=None)
            minutes, median = sum(seconds) / 60, float(np.median(seconds))
            yield Stage(name, len(took), minutes, median, max(took), largest)


def _known(cohort: Cohort, column: str) -> list[tuple[float, str]]:
    return [(float(row[column]), row["case"]) for row in cohort.cases if row.get(column)]


def listed(section: Mapping[str, Any], path: Path) -> Listed:
    """A table that a rule of the cohort wrote, as its section asks for it."""
    known = TABLES[section["file"]]
    columns = section.get("columns", list(known))
    rows = read_table(path)
    cases = [row[name] for row in rows for name in CASES if row.get(name)]
    return Listed(
        section["file"],
        section["title"],
        section.get("said", ""),
        section.get("mark", ""),
        [(name, known[name].meaning) for name in columns],
        [[cell(name, row[name]) for name in columns] for row in rows],
        list(dict.fromkeys(cases)),
    )


def cell(column: str, text: str) -> Cell:
    """A cell of a table as it is shown: of a number as many digits as are read."""
    if column in CASES:
        return Cell(text, case=text)
    found = as_written(text)
    if found.value is None or text.lstrip("-").isdigit():
        return found
    return Cell(number(found.value, False), found.value)


def as_written(text: str) -> Cell:
    """A cell with the text as it is, of the sheet; sorted as a number where it is one."""
    return Cell(text, float(text) if NUMBER.fullmatch(text) else None)


def methods(text: str) -> tuple[list[str], list[str]]:
    """The paragraphs and the references of methods.md, without its marks."""
    body, _, works = text.partition("\n## References\n")
    paragraphs = [part.strip() for part in body.split("\n\n") if not part.startswith("# ")]
    found = [line.removeprefix("- ").replace("*", "") for line in works.splitlines() if line]
    return list(filter(None, paragraphs)), found
