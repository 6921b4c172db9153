"""Posteriors sharpened by what each label looks like in the target itself.

Expectation and maximisation (Van Leemput et al. 1999, doi:10.1109/42.811270) with the fused atlases as
the prior, and the intensities of each label as a smooth histogram: tissues around a structure are
several, and none is a Gaussian.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from scanmill.fusion.candidate import Posterior

Array = np.ndarray
BINS, SMOOTH = 40, 1.5
ITERATIONS = 3
# Of each label's voxels, those that may look like anything.
OUTLIERS = 0.03
# The prior saw the image already, and neighbours look alike: a voxel counts as part of a witness.
WITNESS = 0.7
CERTAIN = 0.99999


def sharpened(prior: Posterior, image: Array) -> Posterior:
    """The posterior given the intensities of the target, [z, y, x]; voxels of no doubt keep theirs."""
    doubtful = prior.fractions.max(axis=0) < CERTAIN
    if not doubtful.any():
        return prior
    bins = _binned(image[prior.box][doubtful])
    before = prior.fractions[:, doubtful]
    after = before
    for _ in range(ITERATIONS):
        after = before * np.stack([_likelihood(weights, bins) for weights in after]) ** WITNESS
        after /= after.sum(axis=0)
    fractions = prior.fractions.copy()
    fractions[:, doubtful] = after
    return Posterior(prior.box, fractions)


def _binned(values: Array) -> Array:
    low, high = values.min(), values.max()
    return np.minimum((values - low) / max(high - low, 1e-9) * BINS, BINS - 1).astype(int)


def _likelihood(weights: Array, bins: Array) -> Array:
    """How likely a label looks as each voxel does; weights: how much each voxel is of that label."""
    counts = np.bincount(bins, weights=weights, minlength=BINS)
    smooth = gaussian_filter1d(counts, SMOOTH, mode="nearest")
    known = smooth / max(smooth.sum(), 1e-9)
    return ((1 - OUTLIERS) * known + OUTLIERS / BINS)[bins]
