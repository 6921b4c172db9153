"""Limits of agreement between two ways to measure (Bland and Altman 1986 and 1999).

doi:10.1016/S0140-6736(86)90837-8; intervals of the limits: doi:10.1177/096228029900800204, section 2.1.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

# Quantile of the normal distribution between whose negative and itself 95 % lie.
SDS = 1.959964
Interval = tuple[float, float]


@dataclass(frozen=True)
class Limits:
    """Bias, sd of the differences, the limits between which 95 % of them are expected, and their ends.

    Intervals are of 95 %; all in the unit of what was measured.
    """

    bias: float
    sd: float
    bias_interval: Interval
    lower: float
    lower_interval: Interval
    upper: float
    upper_interval: Interval


def limits_of_agreement(differences: np.ndarray) -> Limits:
    """Those of differences, (n,), n at least 2, taken to be independent and normal."""
    n = len(differences)
    bias, sd = float(np.mean(differences)), float(np.std(differences, ddof=1))
    t = float(stdtrit(n - 1, 0.975))
    lower, upper = bias - SDS * sd, bias + SDS * sd
    off = t * sd / sqrt(n)
    off_limit = t * sd * sqrt(1 / n + SDS**2 / (2 * (n - 1)))
    return Limits(
        bias,
        sd,
        (bias - off, bias + off),
        lower,
        (lower - off_limit, lower + off_limit),
        upper,
        (upper - off_limit, upper + off_limit),
    )
