"""Quantiles of what lies on cells of unequal size."""

import numpy as np


def quantile(values: np.ndarray, weights: np.ndarray, part: float) -> float:
    """The value below which a part of the weight lies."""
    order = np.argsort(values, kind="stable")
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), part * weights.sum())])
