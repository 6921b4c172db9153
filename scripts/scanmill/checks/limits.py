"""Between which limits a quantity of a cohort's cases usually lies, whatever a few of them are.

Middle and spread are such that up to half of the cases may be wrong: the median, and Qn (Rousseeuw and
Croux 1993, doi:10.1080/01621459.1993.10476408), the 82 % efficient of which at the normal
distribution let limits be near also in small cohorts.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from scanmill.checks import FEWEST

Array = np.ndarray
# Of a hundred sound cases, how many may be flagged by chance, all quantities of a case together.
FALSE_ALARMS = 1.0
# Qn by the standard deviation of normal values; then what small samples need (Croux and Rousseeuw
# 1992, doi:10.1007/978-3-662-26811-7_58).
CONSISTENT, ODD, EVEN = 2.21914, 1.4, 3.8
BISECTIONS = 60
# Of n cases Qn is as sure as a standard deviation of so many times n - 1 would be, the median as a mean
# of 2 / pi times n.
EFFICIENCY = 0.75
# Quantities of patients have heavier tails than normal ones: those of Student's t of so many degrees of
# freedom at most.
FREEDOM = 30.0


@dataclass(frozen=True)
class Limits:
    """What is usual. low, high: values beyond these are flagged. cases: that it was told from."""

    low: float
    high: float
    cases: int


def limits(values: Array, floor: float, tests: int) -> Limits | None:
    """The limits of a quantity; None where too few cases have it.

    values: of each case. floor: standard deviation of what says nothing of the patient, as of voxels.
    tests: quantities that each case is held against; normally distributed ones together flag at most
    one sound case in a hundred.
    """
    if len(values) < FEWEST:
        return None
    middle = float(np.median(values))
    half = cutoff(len(values), tests) * float(np.hypot(spread(values), floor))
    return Limits(middle - half, middle + half, len(values))


def cutoff(cases: int, tests: int) -> float:
    """How many spreads from the median a value is flagged, so that chance flags FALSE_ALARMS cases."""
    tail = FALSE_ALARMS / 100 / tests / 2
    freedom = min(EFFICIENCY * (cases - 1), FREEDOM)
    return float(t.isf(tail, freedom) * np.sqrt(1 + np.pi / 2 / cases))


def spread(values: Array) -> float:
    """Qn of values, by which normal ones have their standard deviation: a quantile of |differences|."""
    ordered = np.sort(values)
    n = len(ordered)
    half = n // 2 + 1
    wanted = half * (half - 1) // 2
    low, high = 0.0, float(ordered[-1] - ordered[0])
    for _ in range(BISECTIONS):
        tried = (low + high) / 2
        within = np.searchsorted(ordered, ordered + tried, side="right") - np.arange(1, n + 1)
        low, high = (low, tried) if within.sum() >= wanted else (tried, high)
    return CONSISTENT * high * n / (n + (ODD if n % 2 else EVEN))
