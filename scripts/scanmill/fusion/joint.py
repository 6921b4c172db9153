"""Joint label fusion: atlases that err alike share one vote.

Wang et al. 2013, doi:10.1109/TPAMI.2012.143: around each voxel, the weights of the atlases minimise the
expected error of their vote, given how alike their patches differ from the target's. Each atlas may
move a voxel to fit first, and votes for the whole patch around (as in Wang and Yushkevich 2013,
doi:10.3389/fninf.2013.00027). Weights are kept positive here.
"""

import numpy as np

from scanmill.fusion.candidate import Candidate, Posterior, box_of, majority
from scanmill.kernel import kernel
from scanmill.registration.convolution import summed
from scanmill.registration.similarity import FLAT

Array = np.ndarray
# Voxels on either side of a patch's centre, and how far it may move.
REACH, SEARCH = 2, 1
MARGIN = 2 * REACH + SEARCH
PATCH = np.ones(2 * REACH + 1, np.float32)
# The part of the mean error that each atlas makes alone.
ALONE = 0.1
# How much a patch beyond an atlas differs, in sds of a patch: a lot.
BEYOND = 10.0


def fuse(image: Array, candidates: list[Candidate], count: int) -> Posterior:
    """How likely each of `count` labels is at each voxel of the target.

    image: the target's, [z, y, x], float32, any scale: patches are compared by their shape. Where all
    candidates agree in a voxel and around it, they are right.
    """
    box = box_of(candidates, MARGIN)
    plain = majority(candidates, box, count)
    voxels = np.argwhere(_contested(plain.fractions)) + MARGIN
    if len(voxels) == 0:
        return plain
    images = np.stack([_padded(c.image[box]) for c in candidates])
    labels = np.stack([_padded(c.labels[box]) for c in candidates])
    inside = np.stack([_padded(c.inside[box]) for c in candidates])
    scales = np.stack([_mean_and_scale(one) for one in images])
    target = _padded(image[box])
    votes = np.zeros((count, *target.shape), np.float32)
    _vote(target, _mean_and_scale(target), images, scales, labels, inside, voxels, votes)
    votes = votes[:, MARGIN:-MARGIN, MARGIN:-MARGIN, MARGIN:-MARGIN]
    cast = votes.sum(axis=0)
    fractions = np.where(cast > 0, votes / np.where(cast > 0, cast, 1), plain.fractions)
    return Posterior(box, fractions.astype(np.float32))


def _contested(fractions: Array) -> Array:
    """The voxels in which, or beside which, candidates disagree."""
    contested = fractions.max(axis=0) < 1
    return summed(contested[..., None].astype(np.float32), np.ones(3, np.float32))[..., 0] > 0


def _padded(array: Array) -> Array:
    return np.pad(array, MARGIN, mode="edge")


def _mean_and_scale(image: Array) -> Array:
    """Of each voxel's patch: the mean, and one over the root of its sum of squares: (..., 2)."""
    sums = summed(np.stack([np.ones_like(image), image, image**2], axis=-1), PATCH)
    mean = sums[..., 1] / sums[..., 0]
    squares = np.maximum(sums[..., 2] - sums[..., 0] * mean**2, 0) + FLAT**2 * sums[..., 0]
    return np.stack([mean, 1 / np.sqrt(squares)], axis=-1)


@kernel
def _vote(target, scale, images, scales, labels, inside, voxels, votes):  # noqa: ANN001, ANN202
    number, size = len(images), (2 * REACH + 1) ** 3
    own, differs = np.empty(size, np.float32), np.empty((number, size), np.float32)
    best = np.empty((number, 3), np.int64)
    for n in range(len(voxels)):
        z, y, x = voxels[n]
        _patch(target, scale, z, y, x, own)
        for a in range(number):
            best[a] = _best_fit(own, images[a], scales[a], z, y, x)
            k, j, i = best[a]
            if inside[a, k, j, i]:
                _patch(images[a], scales[a], k, j, i, differs[a])
                differs[a] = np.abs(differs[a] - own)
            else:
                differs[a] = BEYOND
        weights = _weights(differs)
        for a in range(number):
            k, j, i = best[a]
            for dz in range(-REACH, REACH + 1):
                for dy in range(-REACH, REACH + 1):
                    for dx in range(-REACH, REACH + 1):
                        label = labels[a, k + dz, j + dy, i + dx]
                        votes[label, z + dz, y + dy, x + dx] += weights[a]


@kernel
def _patch(image, scale, z, y, x, result):  # noqa: ANN001, ANN202
    """The patch around a voxel, its mean 0 and its sum of squares 1."""
    mean, per_unit = scale[z, y, x]
    n = 0
    for k in range(z - REACH, z + REACH + 1):
        for j in range(y - REACH, y + REACH + 1):
            for i in range(x - REACH, x + REACH + 1):
                result[n] = (image[k, j, i] - mean) * per_unit
                n += 1


@kernel
def _best_fit(own, image, scale, z, y, x):  # noqa: ANN001, ANN202
    """Where around a voxel the patch of an image correlates best with one of mean 0."""
    best, most = (z, y, x), np.float32(-2)
    for k in range(z - SEARCH, z + SEARCH + 1):
        for j in range(y - SEARCH, y + SEARCH + 1):
            for i in range(x - SEARCH, x + SEARCH + 1):
                product, n = np.float32(0), 0
                for kk in range(k - REACH, k + REACH + 1):
                    for jj in range(j - REACH, j + REACH + 1):
                        for ii in range(i - REACH, i + REACH + 1):
                            product += own[n] * image[kk, jj, ii]
                            n += 1
                product *= scale[k, j, i, 1]
                if product > most:
                    best, most = (k, j, i), product
    return best


@kernel
def _weights(differs):  # noqa: ANN001, ANN202
    """The weights of the atlases, summing to 1, of their absolute differences from the target."""
    number, size = differs.shape
    together = np.empty((number, number))
    for a in range(number):
        for b in range(a + 1):
            product = 0.0
            for n in range(size):
                product += differs[a, n] * differs[b, n]
            together[a, b] = together[b, a] = product * product
    alone = ALONE * np.trace(together) / number + 1e-12
    for a in range(number):
        together[a, a] += alone
    weights = np.maximum(_solved(together), 0)
    return weights / weights.sum()


@kernel
def _solved(matrix):  # noqa: ANN001, ANN202
    """X of matrix @ x = 1, the matrix positive definite, by Cholesky's factors; overwrites it."""
    number = len(matrix)
    x = np.ones(number)
    for a in range(number):
        for b in range(a + 1):
            total = matrix[a, b]
            for n in range(b):
                total -= matrix[a, n] * matrix[b, n]
            matrix[a, b] = np.sqrt(max(total, 1e-12)) if a == b else total / matrix[b, b]
        for n in range(a):
            x[a] -= matrix[a, n] * x[n]
        x[a] /= matrix[a, a]
    for a in range(number - 1, -1, -1):
        for n in range(a + 1, number):
            x[a] -= matrix[n, a] * x[n]
        x[a] /= matrix[a, a]
    return x
