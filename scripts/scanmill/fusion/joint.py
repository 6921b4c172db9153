"""Joint label fusion: atlases that err alike share one vote.

Wang et al. 2013, doi:10.1109/TPAMI.2012.143: around each voxel, the weights of the atlases minimise the
expected error of their vote, given how alike their patches differ from the target's. Each atlas may
move a voxel to fit first, and votes for the whole patch around (as in Wang and Yushkevich 2013,
doi:10.3389/fninf.2013.00027). Here patches move only where they show more than noise, and weights are
kept positive.
"""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import binary_dilation

from scanmill.fusion.candidate import Candidate, Part, Posterior, label_boxes
from scanmill.grid import bounding_box
from scanmill.kernel import kernel
from scanmill.label_map import Box
from scanmill.registration.convolution import summed
from scanmill.registration.similarity import FLAT

Array = np.ndarray
Ballots = tuple[Array, Array, Array]
# Voxels on either side of a patch's centre, and how far it may move.
REACH, SEARCH = 2, 1
MARGIN = 2 * REACH + SEARCH
PATCH = np.ones(2 * REACH + 1, np.float32)
# A patch moves where it varies so many times more than noise (FLAT): in noise, any place may fit best.
SHOWS = 2.0
# The error that each atlas makes alone, in the mean error of all. With 1 in place of 0.1, mean Dice is
# 0.002 higher in hippocampi, and as much in phantoms.
ALONE = 1.0
# How much a patch beyond an atlas differs, in sds of a patch: a lot.
BEYOND = 10.0
# Voxels of all atlases together that are looked at in one piece: some 20 bytes each.
PIECE = 2e7


def fuse(image: Array, candidates: list[Candidate], count: int) -> Posterior:
    """How likely each of `count` labels is at each voxel of the target.

    image: the target's, [z, y, x], float32, any scale: patches are compared by their shape. Where all
    candidates agree in a voxel and around it, they are right.
    """
    agreed, contested = _agreed(candidates)
    boxes = label_boxes(candidates, count, SEARCH)
    ballots = _ballots(boxes, image.shape)
    asked = contested & _lattice(contested.shape)
    for piece in _pieces(bounding_box(asked), len(candidates)):
        voxels = np.argwhere(asked[piece])
        if len(voxels):
            _vote_in(piece, voxels, image, candidates, ballots)
    shares = _shares(boxes, ballots)
    parts = []
    for label, (box, share) in enumerate(zip(boxes, shares, strict=True), 1):
        unasked = ballots[2][box] == 0
        share[unasked] = agreed[box][unasked] == label
        parts.append(Part(box, share))
    return Posterior(image.shape, parts)


def _agreed(candidates: list[Candidate]) -> tuple[Array, Array]:
    """The label of the first candidate that reaches each voxel, and where, or beside, others differ."""
    agreed = np.zeros_like(candidates[0].labels)
    reached, contested = np.zeros(agreed.shape, bool), np.zeros(agreed.shape, bool)
    for candidate in candidates:
        contested |= reached & candidate.inside & (candidate.labels != agreed)
        first = candidate.inside & ~reached
        agreed[first] = candidate.labels[first]
        reached |= first
    return agreed, binary_dilation(contested, np.ones((3, 3, 3)))


def _lattice(shape: tuple[int, int, int]) -> Array:
    """A quarter of the voxels, [z, y, x], spread evenly: patches overlap, so that all get votes."""
    chosen = np.zeros(shape, bool)
    for first in (0, 1):
        chosen[first::2, first::2, first::2] = True
    return chosen


def _ballots(boxes: list[Box], shape: tuple[int, int, int]) -> Ballots:
    """Room for the votes of each label in its box, one label after another, and for their number.

    places: (labels, 7): a label's first vote, then the ends of its box along z, y and x. votes: a flat
    array. cast: all votes, [z, y, x] of the grid, for the background too.
    """
    ends = [[end for s in box for end in (s.start, s.stop)] for box in boxes]
    sizes = [int(np.prod([s.stop - s.start for s in box])) for box in boxes]
    firsts = np.cumsum([0, *sizes])
    places = np.column_stack([firsts[:-1], np.array(ends, np.int64).reshape(-1, 6)])
    return places, np.zeros(firsts[-1], np.float32), np.zeros(shape, np.float32)


def _shares(boxes: list[Box], ballots: Ballots) -> Iterator[Array]:
    """The part of the votes that each label has, in its box; 0 where none was cast."""
    places, votes, cast = ballots
    for box, place in zip(boxes, places, strict=True):
        total = np.where(cast[box] > 0, cast[box], 1)
        yield votes[place[0] :][: total.size].reshape(total.shape) / total


def _pieces(box: Box, number: int) -> list[Box]:
    """A box cut along z, so that the images of so many atlases have room there."""
    layers = max(1, int(PIECE / number / max(1, np.prod([s.stop - s.start for s in box[1:]]))))
    starts = range(box[0].start, box[0].stop, layers)
    return [(slice(z, min(z + layers, box[0].stop)), *box[1:]) for z in starts]


def _vote_in(
    piece: Box, voxels: Array, image: Array, candidates: list[Candidate], ballots: Ballots
) -> None:
    """Add the votes of the patches around voxels (n, 3), counted from the piece's corner."""
    target = _around(image, piece)
    images = np.stack([_around(c.image, piece) for c in candidates])
    scales = np.stack([_mean_and_scale(one) for one in images])
    labels = np.stack([_around(c.labels, piece) for c in candidates])
    inside = np.stack([_around(c.inside, piece) for c in candidates])
    atlases = images, scales, labels, inside
    corner = np.array([s.start for s in piece]) - MARGIN
    _vote(target, _mean_and_scale(target), atlases, voxels + MARGIN, corner, ballots)


def _around(array: Array, box: Box) -> Array:
    """A box of an array and the margin around; beyond the array, what is at its border."""
    index = [
        np.clip(np.arange(s.start - MARGIN, s.stop + MARGIN), 0, n - 1)
        for s, n in zip(box, array.shape, strict=True)
    ]
    return array[np.ix_(*index)]


def _mean_and_scale(image: Array) -> Array:
    """Of each voxel's patch: the mean, and one over the root of its sum of squares: (..., 2)."""
    sums = summed(np.stack([np.ones_like(image), image, image**2], axis=-1), PATCH)
    mean = sums[..., 1] / sums[..., 0]
    squares = np.maximum(sums[..., 2] - sums[..., 0] * mean**2, 0) + FLAT**2 * sums[..., 0]
    return np.stack([mean, 1 / np.sqrt(squares)], axis=-1)


@kernel
def _vote(target, scale, atlases, voxels, corner, ballots):  # noqa: ANN001, ANN202
    """Add to the ballots what the patches around voxels say; corner: of the arrays, in the grid."""
    images, scales, labels, inside = atlases
    number, size = len(images), (2 * REACH + 1) ** 3
    own, differs = np.empty(size, np.float32), np.empty((number, size), np.float32)
    best = np.empty((number, 3), np.int64)
    for n in range(len(voxels)):
        z, y, x = voxels[n]
        _patch(target, scale, z, y, x, own)
        shows = scale[z, y, x, 1] ** 2 * size * FLAT**2 * (1 + SHOWS**2) < 1
        for a in range(number):
            k, j, i = z, y, x
            if shows:
                k, j, i = _best_fit(own, images[a], scales[a], z, y, x)
            best[a] = k, j, i
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
                        place = z + dz + corner[0], y + dy + corner[1], x + dx + corner[2]
                        _cast(place, label, weights[a], ballots)


@kernel
def _cast(place, label, weight, ballots):  # noqa: ANN001, ANN202
    """One vote for a voxel of the grid; those beyond its border are void."""
    places, votes, cast = ballots
    z, y, x = place
    if min(z, y, x) < 0 or z >= cast.shape[0] or y >= cast.shape[1] or x >= cast.shape[2]:
        return
    cast[z, y, x] += weight
    if label > 0:
        first, z0, _, y0, y1, x0, x1 = places[label - 1]
        # An atlas moves by SEARCH at most, and its labels' boxes are that much larger.
        votes[first + ((z - z0) * (y1 - y0) + y - y0) * (x1 - x0) + x - x0] += weight


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
