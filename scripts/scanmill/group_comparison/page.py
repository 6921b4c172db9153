"""The comparison of groups as a page: one file that asks for no other."""

from collections import Counter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scanmill import report
from scanmill.group_comparison.model import FEWEST
from scanmill.group_comparison.question import Question, name_of
from scanmill.group_comparison.table import Comparison, Row

HERE = Path(__file__).parent
BASE = Path(report.__file__).parent
# Half the width of the drawn axis of Hedges' g, at least.
REACH = 1.0


def page(question: Question, found: Comparison) -> str:
    """The page of a comparison."""
    environment = Environment(
        loader=FileSystemLoader([HERE, BASE]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"short": _short, "p": _p}
    made = [row for row in found.rows if row["status"] == "ok"]
    return environment.get_template("groups.html").render(
        question=question,
        covariates=[_named(covariate) for covariate in question["covariates"]],
        made=made,
        refused=[row for row in found.rows if row["status"] != "ok"],
        left=_left(found),
        recipes=list(dict.fromkeys(row["recipe"] for row in found.rows)),
        reach=_reach(made),
        fewest=FEWEST,
    )


def _named(covariate: dict[str, Any]) -> str:
    reference = covariate.get("reference")
    return name_of(covariate) + (f" (against {reference})" if reference else "")


def _left(found: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Case, code, what it lacks, and how many of the models it is not in of all, in words."""
    models = {tuple(row[key] for key in ("recipe", "structure", "quantity")) for row in found.rows}
    recipes = Counter(recipe for recipe, *_ in models)
    seen = Counter(
        tuple(row[key] for key in ("recipe", "case", "code", "what")) for row in found.left
    )
    return [(*key, f"{count} of {recipes[key[0]]}") for key, count in seen.items()]


def _reach(made: list[Row]) -> float:
    ends = [abs(row[f"hedges_g_ci_{end}"]) for row in made for end in ("low", "high")]
    return max([REACH, *ends])


def _short(value: float) -> str:
    """Four digits, never as a power of ten where it can be read without."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
