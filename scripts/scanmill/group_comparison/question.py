"""What a config asks of groups, and whether the sheet can answer it; before any job starts."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from scanmill.columns import COLUMNS, STATE
from scanmill.problem import known_names, shown
from scanmill.visits import SUBJECT
from scanmill.yaml_file import Fault, Keys

KEY = "statistics"
MISSING = ("", "n/a")
# Other ways to write that a value is not known, which would pass for one.
DISGUISED = frozenset({"n/a", "na", "nan", "-", "--", ".", "?", "null", "nil"})

# Of what a config may leave out. No structures: all.
DEFAULTS: dict[str, Any] = {
    "covariates": [],
    "quantities": ["volume_mm3"],
    "structures": [],
    "only": {},
    "correction": "holm",
}

Question = Mapping[str, Any]


class Row(Protocol):
    """What is asked of a row of the sheet."""

    case: str
    recipe: str
    role: str
    extra: dict[str, str]


def chosen(question: Question, extra: Mapping[str, str]) -> bool:
    """Whether a case takes part, by the further columns of its row."""
    return all(extra.get(column) in values for column, values in question["only"].items())


def levels(question: Question, cells: Iterable[str]) -> list[str]:
    """The groups that are compared with the reference, in the order in which they come."""
    found = dict.fromkeys(cell for cell in cells if cell not in MISSING)
    return [level for level in found if level != question["group"]["reference"]]


def name_of(covariate: Mapping[str, Any]) -> str:
    """A covariate as results call it: its column, or structure and quantity."""
    if "column" in covariate:
        return covariate["column"]
    return f"{covariate['structure']} {covariate['quantity']}"


def faults(
    question: Question, rows: Iterable[Row], structures: Iterable[str], quantities: Iterable[str]
) -> Iterator[Fault]:
    """All that keeps the sheet from answering the question.

    structures: of the recipes in use. quantities: further columns of the cohort's table.
    """
    rows = [row for row in rows if row.role == "scan"]
    known = list(dict.fromkeys(column for row in rows for column in row.extra))
    yield from _unknown_columns(question, known)
    yield from _unknown_names(question, list(structures), [*COLUMNS, *quantities])
    if not known or not question["only"].keys() <= set(known):
        return
    rows = [row for row in rows if chosen(question, row.extra)]
    if not rows:
        text = "'only': no row of the sheet is chosen by it; values of those columns would be right"
        yield Fault((KEY, "only"), text)
        return
    if question["group"]["column"] in known:
        yield from _group_faults(question, rows)
    for n, covariate in enumerate(question["covariates"]):
        if covariate.get("column", known[0]) in known:
            yield from _covariate_faults(covariate, (KEY, "covariates", n), question, rows)
    yield from _repeated_subjects(rows)


def _unknown_columns(question: Question, known: list[str]) -> Iterator[Fault]:
    asked: list[tuple[Keys, str]] = [((KEY, "group", "column"), question["group"]["column"])]
    asked += [
        ((KEY, "covariates", n, "column"), covariate["column"])
        for n, covariate in enumerate(question["covariates"])
        if "column" in covariate
    ]
    asked += [((KEY, "only", column), column) for column in question["only"]]
    for keys, column in asked:
        if column not in known:
            right = f"{known_names(column, known)} would be right"
            yield Fault(keys, f"the sheet has no further column {shown(column)}; {right}")


def _unknown_names(
    question: Question, structures: list[str], columns: list[str]
) -> Iterator[Fault]:
    quantities = [column for column in columns if column not in STATE]
    asked = [((KEY, "structures", n), s, structures) for n, s in enumerate(question["structures"])]
    asked += [((KEY, "quantities", n), q, quantities) for n, q in enumerate(question["quantities"])]
    for n, covariate in enumerate(question["covariates"]):
        for key, known in (("structure", structures), ("quantity", quantities)):
            if key in covariate:
                asked.append(((KEY, "covariates", n, key), covariate[key], known))
    for keys, name, known in asked:
        if name not in known:
            what = "structure of the recipes" if known is structures else "quantity of the table"
            yield Fault(keys, f"no {what} is {shown(name)}; {known_names(name, known)} is")


def _group_faults(question: Question, rows: list[Row]) -> Iterator[Fault]:
    group = question["group"]
    cells = [row.extra[group["column"]] for row in rows]
    yield from _level_faults(group, (KEY, "group"), cells)
    if not levels(question, cells):
        text = (
            f"'column': {shown(group['column'])} has no level but the reference; two would be right"
        )
        yield Fault((KEY, "group", "column"), text)


def _covariate_faults(
    covariate: Mapping[str, Any], keys: Keys, question: Question, rows: list[Row]
) -> Iterator[Fault]:
    if sum(name_of(other) == name_of(covariate) for other in question["covariates"]) > 1:
        yield Fault(keys, f"{shown(name_of(covariate))} was found twice; once would be right")
    if "column" not in covariate:
        return
    if covariate["column"] == question["group"]["column"]:
        yield Fault(keys, "the group's own column was found; another would be right")
        return
    cells = [row.extra[covariate["column"]] for row in rows]
    if "reference" in covariate:
        yield from _level_faults(covariate, keys, cells)
        return
    for row, cell in zip(rows, cells, strict=True):
        if cell not in MISSING and not is_number(cell):
            text = (
                f"{shown(cell)} was found in column {shown(covariate['column'])} of case "
                f"{shown(row.case)}; a number, or n/a, would be right (or, for categories, a "
                "'reference' beside 'column')"
            )
            yield Fault((*keys, "column"), text)
            return


def _level_faults(part: Mapping[str, Any], keys: Keys, cells: list[str]) -> Iterator[Fault]:
    found = list(dict.fromkeys(cell for cell in cells if cell not in MISSING))
    column = shown(part["column"])
    if part["reference"] not in found:
        right = known_names(part["reference"], found)
        text = f"'reference': column {column} has no {shown(part['reference'])}; {right} would be right"
        yield Fault((*keys, "reference"), text)
    for level in found:
        if level.lower() in DISGUISED:
            text = f"{shown(level)} was found in column {column}; n/a, or nothing, would be right"
            yield Fault((*keys, "column"), text)
    spellings = Counter(level.lower() for level in found)
    for level in (level for level in found if spellings[level.lower()] > 1):
        text = (
            f"levels of column {column} differ in case only: {shown(level)}; one spelling is right"
        )
        yield Fault((*keys, "column"), text)


def _repeated_subjects(rows: list[Row]) -> Iterator[Fault]:
    """Cases of one subject are alike: errors of models that take them for independent are too small."""
    seen = Counter((row.recipe, row.extra.get(SUBJECT, "")) for row in rows)
    for (_, subject), count in seen.items():
        if subject not in MISSING and count > 1:
            text = (
                f"subject {shown(subject)} has {count} cases, which are not independent; one of each "
                "subject, chosen by 'only' (such as {timepoint: [\"0\"]}), would be right"
            )
            yield Fault((KEY,), text)
            return


def is_number(cell: str) -> bool:
    """Whether a cell of the sheet is a finite number."""
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
