"""Posteriors sharpened by what each label looks like in the target itself.

Expectation and maximisation (Van Leemput et al. 1999, doi:10.1109/42.811270) with the fused atlases as
the prior, and the intensities of each label as a smooth histogram: tissues around a structure are
several, and none is a Gaussian.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from scanmill.fusion.candidate import Part, Posterior

Array = np.ndarray
BINS, SMOOTH = 40, 1.5
ITERATIONS = 3
# Of each label's voxels, those that may look like anything.
OUTLIERS = 0.03
# The prior saw the image already, and neighbours look alike: a voxel counts as half a witness.
WITNESS = 0.5
CERTAIN = 0.99999


def sharpened(prior: Posterior, image: Array) -> Posterior:
    """The posterior given the intensities of the target, [z, y, x]; voxels of no doubt keep theirs."""
    background = prior.background()
    doubtful = _doubtful(prior, background)
    if not doubtful.any():
        return prior
    whole = (slice(0, None),) * 3
    before = [Part(whole, background), *prior.parts]
    bins = _binned(image, doubtful)
    after = before
    for _ in range(ITERATIONS):
        after = _once(before, after, bins, doubtful)
    return Posterior(prior.shape, after[1:])


def _doubtful(prior: Posterior, background: Array) -> Array:
    doubtful = background < CERTAIN
    for part in prior.parts:
        doubtful[part.box] &= part.fractions < CERTAIN
    return doubtful


def _binned(image: Array, doubtful: Array) -> Array:
    """Which bin of the doubtful voxels' intensities each voxel is in; others in the nearest one."""
    values = image[doubtful]
    low, high = values.min(), values.max()
    places = (image - low) * np.float32(BINS / max(high - low, 1e-9))
    return np.clip(places, 0, BINS - 1).astype(np.uint8)


def _once(before: list[Part], after: list[Part], bins: Array, doubtful: Array) -> list[Part]:
    """One iteration: the look of each label as it is now, on what was known before."""
    total = np.zeros(bins.shape, np.float32)
    raised = []
    for prior, now in zip(before, after, strict=True):
        here, seen = doubtful[now.box], bins[now.box]
        likely = _likelihood(now.fractions[here], seen[here]) ** WITNESS
        fractions = np.where(here, prior.fractions * likely[seen], prior.fractions)
        total[now.box] += fractions
        raised.append(Part(now.box, fractions))
    for part in raised:
        here = doubtful[part.box]
        part.fractions[here] /= total[part.box][here]
    return raised


def _likelihood(weights: Array, bins: Array) -> Array:
    """How likely a label is to look as each bin; weights: how much each voxel is of that label."""
    counts = np.bincount(bins, weights=weights, minlength=BINS)
    smooth = gaussian_filter1d(counts, SMOOTH, mode="nearest")
    known = smooth / max(smooth.sum(), 1e-9)
    return ((1 - OUTLIERS) * known + OUTLIERS / BINS).astype(np.float32)
