"""Who takes part in a comparison, with which values; and who does not, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scanmill.group_comparison.model import FEWEST, Categories, Covariate, UnfitError
from scanmill.group_comparison.question import MISSING, Question, name_of

# Of the cohort's table, by case and structure.
Table = Mapping[tuple[str, str], Mapping[str, str]]
GROUP_SMALL = "group-too-small"
NO_GROUP, NO_VALUE, NO_COVARIATE = "group-missing", "value-missing", "covariate-missing"


@dataclass
class Sample:
    """The cases of one comparison.

    left: case to code and, of what lacks, the name. touching: how many structures the scan cuts.
    """

    cases: list[str] = field(default_factory=list)
    values: np.ndarray = field(default_factory=lambda: np.empty(0))
    groups: list[str] = field(default_factory=list)
    covariates: dict[str, Covariate] = field(default_factory=dict)
    left: dict[str, tuple[str, str]] = field(default_factory=dict)
    touching: int = 0


def sample(
    question: Question,
    cases: Mapping[str, Mapping[str, Any]],
    table: Table,
    structure: str,
    quantity: str,
) -> Sample:
    """Those of the cases that have all that is asked, in groups of FEWEST or more.

    cases: what may be told of the row of each (`Row.told`). table: rows of all cases. Raises UnfitError
    where the quantity, or that of a covariate, is not a number.
    """
    found = Sample()
    column = question["group"]["column"]
    for case, row in cases.items():
        why = _lacking(question, case, row["extra"], table, structure, quantity)
        if why:
            found.left[case] = why
        else:
            found.cases.append(case)
    _leave_small_groups(found, {case: row["extra"][column] for case, row in cases.items()})
    found.groups = [cases[case]["extra"][column] for case in found.cases]
    rows = [table[case, structure] for case in found.cases]
    found.values = _numbers([row[quantity] for row in rows], quantity)
    found.touching = sum(row["touches_border"] == "true" for row in rows)
    for covariate in question["covariates"]:
        cells = [_cell(covariate, case, cases[case]["extra"], table) for case in found.cases]
        found.covariates[name_of(covariate)] = (
            Categories(cells, covariate["reference"])
            if "reference" in covariate
            else _numbers(cells, name_of(covariate))
        )
    return found


def _numbers(cells: list[str], name: str) -> np.ndarray:
    try:
        return np.array(cells, float)
    except ValueError:
        raise UnfitError("no-number", f"{name} is not a number in all cases") from None


def _lacking(
    question: Question,
    case: str,
    extra: Mapping[str, str],
    table: Table,
    structure: str,
    quantity: str,
) -> tuple[str, str] | None:
    """Code, and name of what lacks, of why a case does not take part."""
    row = table[case, structure]
    if row["code"]:
        return row["code"], structure
    if not row[quantity]:
        return NO_VALUE, f"{structure} {quantity}"
    if extra.get(question["group"]["column"], "") in MISSING:
        return NO_GROUP, question["group"]["column"]
    for covariate in question["covariates"]:
        if _cell(covariate, case, extra, table) in MISSING:
            return NO_COVARIATE, name_of(covariate)
    return None


def _cell(covariate: Mapping[str, Any], case: str, extra: Mapping[str, str], table: Table) -> str:
    if "column" in covariate:
        return extra.get(covariate["column"], "")
    return table.get((case, covariate["structure"]), {}).get(covariate["quantity"], "")


def _leave_small_groups(found: Sample, groups: Mapping[str, str]) -> None:
    counts = Counter(groups[case] for case in found.cases)
    small = {group for group, count in counts.items() if count < FEWEST}
    found.left |= {c: (GROUP_SMALL, groups[c]) for c in found.cases if groups[c] in small}
    found.cases = [case for case in found.cases if groups[case] not in small]


def table_of(rows: Iterable[Mapping[str, str]], question: Question) -> Table:
    """What the question needs of the cohort's table."""
    asked = [c["quantity"] for c in question["covariates"] if "quantity" in c]
    columns = ("code", "touches_border", *question["quantities"], *asked)
    return {(row["case"], row["structure"]): {key: row[key] for key in columns} for row in rows}
