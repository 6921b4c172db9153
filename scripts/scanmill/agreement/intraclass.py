"""The intraclass correlation of single measurements, absolute agreement, two-way random effects.

ICC(2,1) of Shrout and Fleiss 1979 (doi:10.1037/0033-2909.86.2.420), ICC(A,1) of McGraw and Wong 1996
(doi:10.1037/1082-989X.1.1.30), whose interval it has (their table 7). Own code: the field's package,
pingouin, is under the GPL, and statsmodels has none.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri


@dataclass(frozen=True)
class Correlation:
    """A coefficient with its 95 % interval; None where measurements agree to the last digit."""

    value: float
    interval: tuple[float, float] | None


def intraclass(ratings: np.ndarray) -> Correlation | None:
    """That of ratings, (subjects, raters), of two or more each; None where subjects do not differ."""
    n, k = ratings.shape
    mean = ratings.mean()
    of_subjects, of_raters = ratings.mean(axis=1), ratings.mean(axis=0)
    rows = k * ((of_subjects - mean) ** 2).sum() / (n - 1)
    columns = n * ((of_raters - mean) ** 2).sum() / (k - 1)
    residual = ratings - of_subjects[:, None] - of_raters + mean
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    total = rows + (k - 1) * error + k * (columns - error) / n
    if rows <= 0 or total <= 0:
        return None
    value = float((rows - error) / total)
    if value >= 1:
        return Correlation(value, None)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    degrees = (a * columns + b * error) ** 2 / spread
    below, above = fdtri(n - 1, degrees, 0.975), fdtri(degrees, n - 1, 0.975)
    others = k * columns + (k * n - k - n) * error
    low = n * (rows - below * error) / (below * others + n * rows)
    high = n * (above * rows - error) / (others + n * above * rows)
    return Correlation(value, (float(low), float(high)))
