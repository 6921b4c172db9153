"""Values that are far from those of the other cases: by medians, which a few of them do not move.

The modified z-score of Iglewicz and Hoaglin, "How to detect and handle outliers", ASQC 1993: the
distance from the median by the median distance, times 0.6745, which makes the latter a standard
deviation where values are normal; their cut-off is 3.5.
"""

from dataclasses import dataclass

import numpy as np

OF_NORMAL = 0.6745


@dataclass(frozen=True)
class Usual:
    """What is usual of a quantity: its median, and between which ends values are no outliers."""

    median: float
    low: float
    high: float


def usual(values: np.ndarray, cutoff: float, least: int) -> Usual | None:
    """What is usual of values, of which NaN count as missing.

    None where fewer than `least` are there, or half of them are one, so that any other would be far.
    """
    known = values[~np.isnan(values)]
    if len(known) < least:
        return None
    median = float(np.median(known))
    spread = float(np.median(np.abs(known - median)))
    reach = cutoff * spread / OF_NORMAL
    return Usual(median, median - reach, median + reach) if spread > 0 else None


def outside(values: np.ndarray, within: Usual) -> list[int]:
    """The places of the values that are outliers, the farthest first."""
    with np.errstate(invalid="ignore"):
        places = np.flatnonzero((values < within.low) | (values > within.high))
    return sorted(places.tolist(), key=lambda n: (-abs(values[n] - within.median), n))


def score(value: float, within: Usual, cutoff: float) -> float:
    """The modified z-score of a value."""
    return cutoff * (value - within.median) / (within.high - within.median)
