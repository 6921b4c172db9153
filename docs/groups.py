"""How often intervals of group comparisons hold the truth, and what is found that is not there.

python docs/groups.py [COHORTS]

Cohorts are drawn at random, thousands of each kind, and go through the function that the stage calls.
Printed: how often the 95 % intervals of the adjusted difference and of Hedges' g hold the true ones,
how often p is below 0.05 where there is no difference (5 % is right), and what the corrections do in a
family of 20 correlated structures.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from scanmill.group_comparison.model import Covariate, compare
from scanmill.group_comparison.table import correct

COHORTS = 4000
STRUCTURES, TRUE = 20, 5


class Kind(NamedTuple):
    """A kind of cohort. sds: within reference and group. skewed: values of a log-normal distribution.

    covariates: with age, which differs between the groups, and a total volume that the structure is a
    part of; both are adjusted for.
    """

    name: str
    n_reference: int
    n_group: int
    sds: tuple[float, float] = (1.0, 1.0)
    skewed: bool = False
    covariates: bool = False


KINDS = (
    Kind("two groups of 5", 5, 5),
    Kind("two groups of 8", 8, 8),
    Kind("two groups of 20", 20, 20),
    Kind("two groups of 100", 100, 100),
    Kind("100 and 5", 100, 5),
    Kind("100 and 5, the small group varies twice as much", 100, 5, (1.0, 2.0)),
    Kind("40 and 10, the small group varies twice as much", 40, 10, (1.0, 2.0)),
    Kind("10 and 40, the large group varies twice as much", 10, 40, (1.0, 2.0)),
    Kind("two groups of 20, skewed", 20, 20, skewed=True),
    Kind("100 and 8, skewed", 100, 8, skewed=True),
    Kind("two groups of 10, adjusted for age and total", 10, 10, covariates=True),
    Kind("two groups of 30, adjusted for age and total", 30, 30, covariates=True),
)


def draw(
    kind: Kind, difference: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[str], dict[str, Covariate]]:
    """Values, groups and covariates of a cohort whose adjusted difference is given."""
    counts = (kind.n_reference, kind.n_group)
    groups = np.repeat(["reference", "group"], counts)
    is_group = groups == "group"
    noise = rng.standard_normal(len(groups))
    if kind.skewed:
        noise = (np.exp(0.75 * noise) - np.exp(0.75**2 / 2)) / 1.1
    values = noise * np.repeat(kind.sds, counts) + difference * is_group
    if not kind.covariates:
        return values, list(groups), {}
    age = 60 + 10 * rng.standard_normal(len(groups)) + 8 * is_group
    total = 1400 + 120 * rng.standard_normal(len(groups)) - 2 * (age - 60)
    values += -0.05 * (age - 60) + 0.01 * (total - 1400)
    return values, list(groups), {"age": age, "total": total}


def deviation_within(kind: Kind) -> float:
    """The true standard deviation within groups, pooled as the model pools it."""
    freedom = np.array([kind.n_reference - 1, kind.n_group - 1])
    of_covariates = (-0.05 - 0.02) ** 2 * 100 + (0.01 * 120) ** 2 if kind.covariates else 0.0
    skew = np.exp(0.75**2) * (np.exp(0.75**2) - 1) / 1.1**2 if kind.skewed else 1.0
    variances = skew * np.square(kind.sds) + of_covariates
    return float(np.sqrt(freedom @ variances / freedom.sum()))


def holds(found: dict[str, float], name: str, truth: float) -> bool:
    """Whether the interval of a quantity holds the truth."""
    return found[f"{name}_ci_low"] <= truth <= found[f"{name}_ci_high"]


def of_kind(kind: Kind, cohorts: int, rng: np.random.Generator) -> np.ndarray:
    """Parts of cohorts: the difference's interval holds, that of g holds, p < 0.05 without one."""
    truth = 1.0
    true_g = truth / deviation_within(kind)
    seen = np.zeros(3)
    for _ in range(cohorts):
        values, groups, covariates = draw(kind, truth, rng)
        found = compare(values, groups, "reference", covariates)["group"]
        seen += [holds(found, "difference", truth), holds(found, "hedges_g", true_g), 0]
        values, groups, covariates = draw(kind, 0.0, rng)
        seen[2] += compare(values, groups, "reference", covariates)["group"]["p"] < 0.05
    return seen / cohorts


def of_family(correction: str, true: int, cohorts: int, rng: np.random.Generator) -> np.ndarray:
    """Of 20 structures, `true` of which differ by 1 sd, what is found.

    How often anything false, which part of all is false, and which part of what is true is found.
    """
    seen = np.zeros(3)
    groups = ["reference"] * 25 + ["group"] * 25
    for _ in range(cohorts):
        shared = rng.standard_normal((50, 1))
        values = (0.7 * shared + rng.standard_normal((50, STRUCTURES))) / np.sqrt(1.49)
        values[25:, :true] += 1.0
        rows = [
            {"status": "ok"} | compare(column, groups, "reference", {})["group"]
            for column in values.T
        ]
        correct(rows, correction)
        found = np.array([row["p_corrected"] < 0.05 for row in rows])
        false = found[true:].sum()
        seen += [false > 0, false / max(1, found.sum()), found[:true].mean() if true else 0]
    return seen / cohorts


def lines(cohorts: int) -> Iterator[str]:
    """The tables."""
    rng = np.random.default_rng(8)
    yield (
        "| cohort | interval of the difference holds % | that of Hedges' g % | p < 0.05 without "
        "difference % |"
    )
    yield "|---|---|---|---|"
    for kind in KINDS:
        parts = of_kind(kind, cohorts, rng)
        yield f"| {kind.name} | {' | '.join(f'{100 * part:.1f}' for part in parts)} |"
    yield ""
    yield (
        "| 20 structures, two groups of 25 | any false finding % | false among the found % | found "
        "of the true % |"
    )
    yield "|---|---|---|---|"
    for correction in ("holm", "benjamini-hochberg"):
        for true in (0, TRUE):
            parts = of_family(correction, true, cohorts // 4, rng)
            told = [f"{100 * part:.1f}" for part in parts[:2]]
            told.append(f"{100 * parts[2]:.1f}" if true else "")
            yield f"| {correction}, {true} of them differ by 1 sd | {' | '.join(told)} |"


if __name__ == "__main__":
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else COHORTS):
        print(line, flush=True)
