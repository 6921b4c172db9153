"""The rows of the comparison: every structure, quantity and group, and who was left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scanmill.columns import COLUMNS
from scanmill.group_comparison.model import FEWEST, UnfitError, compare
from scanmill.group_comparison.question import Question, chosen, levels, name_of
from scanmill.group_comparison.samples import GROUP_SMALL, Sample, Table, sample

Sheet = Mapping[str, Mapping[str, Any]]
Row = dict[str, Any]
# How statsmodels calls them.
CORRECTIONS = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}


@dataclass
class Comparison:
    """rows: by the columns GROUPS. left: by the columns LEFT_OUT."""

    rows: list[Row] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)


def compared(
    question: Question, sheet: Sheet, structures: Mapping[str, list[str]], table: Table
) -> Comparison:
    """All comparisons, in the order of recipes, structures, quantities and groups.

    sheet: what may be told of each row (`Row.told`) and its recipe's name, by case. structures: of each
    recipe, by its name. table: of the cohort.
    """
    found = Comparison()
    cases = {
        case: row
        for case, row in sheet.items()
        if row["role"] == "scan" and chosen(question, row["extra"])
    }
    column = question["group"]["column"]
    groups = levels(question, (row["extra"][column] for row in cases.values()))
    for recipe, names in structures.items():
        own = {case: row for case, row in cases.items() if row["recipe"] == recipe}
        for structure in (name for name in names if name in (question["structures"] or names)):
            for quantity in question["quantities"]:
                said = _said(question, recipe, structure, quantity)
                try:
                    taken = sample(question, own, table, structure, quantity)
                except UnfitError as error:
                    found.rows += [said | {"group": group} | _refused(error) for group in groups]
                    continue
                found.left += [
                    {key: said[key] for key in ("recipe", "structure", "quantity")}
                    | {"case": case, "code": code, "what": what}
                    for case, (code, what) in taken.left.items()
                ]
                found.rows += _rows(question, taken, groups, said)
    correct(found.rows, question["correction"])
    return found


def _said(question: Question, recipe: str, structure: str, quantity: str) -> Row:
    """What all rows of a comparison have in common."""
    return {
        "recipe": recipe,
        "structure": structure,
        "quantity": quantity,
        "unit": COLUMNS[quantity].unit if quantity in COLUMNS else "mm",
        "group_column": question["group"]["column"],
        "reference": question["group"]["reference"],
        "covariates": "; ".join(map(_described, question["covariates"])),
        "correction": question["correction"],
    }


def _rows(question: Question, taken: Sample, groups: list[str], said: Row) -> Iterator[Row]:
    reference = question["group"]["reference"]
    said = said | {"left_out": len(taken.left), "touching_border": taken.touching}
    try:
        _check_own_covariate(taken, said)
        results = compare(taken.values, taken.groups, reference, taken.covariates)
    except UnfitError as error:
        results = dict.fromkeys(taken.groups, _refused(error))
    for group in groups:
        small = UnfitError(GROUP_SMALL, f"fewer than {FEWEST} cases of {group!r} have all values")
        yield (
            said
            | {
                "group": group,
                "status": "ok",
                "n": len(taken.cases),
                "n_group": taken.groups.count(group),
                "n_reference": taken.groups.count(reference),
            }
            | results.get(group, _refused(small))
        )


def _refused(error: UnfitError) -> Row:
    return {"status": "refused", "code": error.code, "reason": str(error)}


def _check_own_covariate(taken: Sample, said: Row) -> None:
    name = f"{said['structure']} {said['quantity']}"
    if name in taken.covariates:
        raise UnfitError("is-covariate", f"{name} is a covariate itself")


def _described(covariate: Mapping[str, Any]) -> str:
    reference = covariate.get("reference")
    return name_of(covariate) + (f" (reference {reference})" if reference else "")


def correct(rows: list[Row], correction: str) -> None:
    """Add the corrected p of each comparison that was made, all of them one family."""
    from statsmodels.stats.multitest import multipletests

    made = [row for row in rows if row["status"] == "ok"]
    if not made:
        return
    _, corrected, *_ = multipletests([row["p"] for row in made], method=CORRECTIONS[correction])
    for row, p in zip(made, corrected, strict=True):
        row |= {"p_corrected": float(p), "tests": len(made)}
