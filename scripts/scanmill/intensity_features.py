"""First-order statistics of a structure's intensities, as IBSI defines them (chapter 3.3).

They are computed from the exact histogram of the values, which for integers is one pass over the
voxels. Definitions and tags: IBSI reference manual, arXiv:1612.07003.
"""

import numpy as np

from scanmill.kernel import kernel


def histogram(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values that occur in a mask, ascending, and how often. image, mask: same shape, [z, y, x]."""
    low, high = image.min(), image.max()
    # A tally of the whole range: never longer than 16 bits need.
    if image.dtype.kind in "iu" and int(high) - int(low) < 1 << 16:
        low, high = int(low), int(high)
        counts = _tally(image, mask, low, high - low + 1)
        occurring = np.flatnonzero(counts)
        return occurring + float(low), counts[occurring]
    return np.unique(image[mask].astype(float), return_counts=True)


def intensity_features(values: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """IBSI intensity statistics by tag, of values (ascending) that occur counts times.

    Units are the image's (HU for CT), squared for variance and energy. Raises ValueError where there
    is no value.
    """
    number = int(counts.sum())
    if number == 0:
        raise ValueError("no voxel, no statistics")
    mean = float((values * counts).sum() / number)
    away = values - mean
    variance = float((away**2 * counts).sum() / number)
    third = float((away**3 * counts).sum() / number)
    fourth = float((away**4 * counts).sum() / number)
    ends = np.cumsum(counts)
    p10, p25, median, p75, p90 = (_percentile(values, ends, q) for q in (10, 25, 50, 75, 90))
    between = (values >= p10) & (values <= p90)
    inner, weight = values[between], counts[between]
    energy = float((values**2 * counts).sum())
    features = {
        "stat_mean": mean,
        "stat_var": variance,
        "stat_skew": third / variance**1.5 if variance > 0 else 0.0,
        "stat_kurt": fourth / variance**2 - 3 if variance > 0 else 0.0,
        "stat_median": median,
        "stat_min": float(values[0]),
        "stat_p10": p10,
        "stat_p90": p90,
        "stat_max": float(values[-1]),
        "stat_iqr": p75 - p25,
        "stat_range": float(values[-1] - values[0]),
        "stat_mad": float((np.abs(away) * counts).sum() / number),
        "stat_medad": float((np.abs(values - median) * counts).sum() / number),
        "stat_energy": energy,
        "stat_rms": float(np.sqrt(energy / number)),
    }
    # Both of two values lie outside their own 10th and 90th percentiles.
    if inner.size > 0:
        away = np.abs(inner - (inner * weight).sum() / weight.sum())
        features["stat_rmad"] = float((away * weight).sum() / weight.sum())
    # Ratios to a mean or a sum that is not positive, as of HU, mean nothing.
    if mean > 0:
        features["stat_cov"] = float(np.sqrt(variance)) / mean
    if p75 + p25 > 0:
        features["stat_qcod"] = (p75 - p25) / (p75 + p25)
    return features


def _percentile(values: np.ndarray, ends: np.ndarray, q: float) -> float:
    """The q-th percentile, linear between the order statistics beside it."""
    position = q / 100 * (ends[-1] - 1)
    below = values[np.searchsorted(ends, np.floor(position), side="right")]
    above = values[np.searchsorted(ends, np.ceil(position), side="right")]
    return float(below + (above - below) * (position - np.floor(position)))


@kernel
def _tally(image, mask, low, number):  # noqa: ANN001, ANN202
    counts = np.zeros(number, np.int64)
    for z in range(image.shape[0]):
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                if mask[z, y, x]:
                    counts[image[z, y, x] - low] += 1
    return counts
