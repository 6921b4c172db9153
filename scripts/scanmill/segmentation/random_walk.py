"""Random walks on a grid: how likely one from each voxel reaches a structure's seeds first.

Grady 2006, doi:10.1109/TPAMI.2006.233, with the intensities of the seeds as a prior (Grady 2005,
doi:10.1109/CVPR.2005.239). A walk seldom crosses from a voxel to a neighbour of another intensity, as
measured by the noise that neighbours show along that axis. Own code beside scikit-image's: that one
takes a step along a thick slice's axis for as likely as one within the slice, so that its walks spread
farther in mm across slices, and it has no prior.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Triple
from scanmill.kernel import kernel

# What a voxel is to a walk: no place for it, one to walk on, or one where it ends.
WALL, FREE, ELSEWHERE, SEED = range(4)
# Voxels over which the prior of each is averaged. With 4 in place of 6, mean Dice on phantoms and real
# organs moves by 0.03 at most.
AVERAGED = 6.0
# Walks end, now and then, across any edge: or what noise has cut off would have no answer.
LEAST = 1e-6
# Of all walks together: without a prior, voxels that noise has all but cut off may still be far off.
PRECISION = 1e-5
MOST_STEPS = 20000


def local_noise(image: np.ndarray, where: np.ndarray) -> Triple:
    """The standard deviation of voxels by how neighbours differ along x, y and z, without edges.

    image: [z, y, x]; where: mask of the pairs' first voxels. Noise and texture together, as they are at
    this place of the scan, in the units of the image; never 0. Along an axis of interpolated slices it
    is less, as edges are there. Where noise is smooth along all axes, as after its correction, it is
    more than what neighbours differ by: a walk would take its rises for edges.
    """
    values = image[where]
    least = 1e-3 * float(np.ptp(values)) if values.size else 0.0
    near, far = (
        np.array([_difference(image, where, axis, apart) for axis in (2, 1, 0)]) for apart in (1, 2)
    )
    # 0 in white noise, 1 on slopes; squared, since texture in white noise is no smooth noise.
    smooth = np.clip((far / np.maximum(near, least or 1.0)).min() - 1, 0, 1) ** 2
    return tuple(float(max(n, least) or 1.0) for n in near * (1 + smooth))


def _difference(image: np.ndarray, where: np.ndarray, axis: int, apart: int) -> float:
    """The standard deviation of voxels by how those that are so many voxels apart differ."""
    pairs = where.take(range(max(0, where.shape[axis] - apart)), axis)
    values = image.astype(np.float32, copy=False)
    ahead = values.take(range(min(apart, values.shape[axis]), values.shape[axis]), axis)
    behind = values.take(range(max(0, values.shape[axis] - apart)), axis)
    differences = np.abs(ahead - behind)[pairs]
    return 1.4826 / 2**0.5 * float(np.median(differences)) if differences.size else 0.0


@dataclass
class Walk:
    """The walks of one structure. free: mask [z, y, x] of the voxels whose probability is asked for.

    The other fields are the graph of those voxels in the order of the mask: the next neighbour along
    each axis, the conductance to it, each voxel's total, and what of it leads to seeds.
    """

    free: np.ndarray
    neighbours: np.ndarray
    conductances: np.ndarray
    totals: np.ndarray
    to_seeds: np.ndarray

    @classmethod
    def over(cls, image: np.ndarray, places: np.ndarray, noise: Triple, spacing: Triple) -> "Walk":
        """The walks over an image, [z, y, x].

        places: of each voxel WALL, FREE, ELSEWHERE or SEED, uint8. noise: see `local_noise`.
        spacing: mm along (x, y, z); conductances are those of bodies of these voxels.
        """
        scale = 1 / np.asarray(noise)
        side = np.prod(spacing) ** (1 / 3)
        spread = (side / np.asarray(spacing)) ** 2
        free = places == FREE
        graph = _graph(places, image, np.count_nonzero(free), scale, spread, LEAST)
        return cls(free, *graph)

    def probabilities(self, prior: np.ndarray | None, start: np.ndarray) -> np.ndarray:
        """How likely each free voxel is the structure's, in the order of the mask.

        prior: the same by its own intensity alone; None: by the walk alone. start: a guess.
        """
        strength = 0.0 if prior is None else AVERAGED**-2.0
        wanted = self.to_seeds if prior is None else self.to_seeds + strength * prior
        # A voxel that no walk leaves, among walls, keeps its guess.
        totals = np.maximum(self.totals + strength, LEAST)
        factors = _factors(self.neighbours, self.conductances, totals)
        found = _solution(
            self.neighbours,
            self.conductances,
            totals,
            factors,
            wanted,
            start,
            PRECISION,
            MOST_STEPS,
        )
        return np.clip(found, 0, 1)


@kernel
def _graph(places, image, count, scale, spread, least):  # noqa: ANN001, ANN202
    depth, height, width = places.shape
    number = np.full(places.shape, count, np.int32)
    n = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if places[z, y, x] == FREE:
                    number[z, y, x] = n
                    n += 1
    # The neighbour of those that have none is one voxel beyond the last, to which nothing leads.
    neighbours = np.full((count, 3), count, np.int32)
    conductances = np.zeros((count, 3))
    totals = np.zeros(count)
    to_seeds = np.zeros(count)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                here = places[z, y, x]
                if here == WALL:
                    continue
                for axis in range(3):
                    t, u, v = x + (axis == 0), y + (axis == 1), z + (axis == 2)
                    if t == width or u == height or v == depth:
                        continue
                    there = places[v, u, t]
                    if there == WALL or (here != FREE and there != FREE):
                        continue
                    unusual = (float(image[z, y, x]) - float(image[v, u, t])) * scale[axis]
                    conductance = (np.exp(-unusual * unusual) + least) * spread[axis]
                    i, j = number[z, y, x], number[v, u, t]
                    if here == FREE:
                        totals[i] += conductance
                        if there == SEED:
                            to_seeds[i] += conductance
                    if there == FREE:
                        totals[j] += conductance
                        if here == SEED:
                            to_seeds[j] += conductance
                    if here == FREE and there == FREE:
                        neighbours[i, axis] = j
                        conductances[i, axis] = conductance
    return neighbours, conductances, totals, to_seeds


@kernel
def _factors(neighbours, conductances, totals):  # noqa: ANN001, ANN202
    """The diagonal of the incomplete Cholesky factors, never below 0 for such a graph.

    Meijerink and van der Vorst 1977, doi:10.1090/S0025-5718-1977-0438681-4. Modified ones, which keep
    row sums, need several times the steps where conductances differ as much as here.
    """
    count = len(totals)
    factors = np.ones(count + 1)
    factors[:count] = totals
    for i in range(count):
        for axis in range(3):
            factors[neighbours[i, axis]] -= conductances[i, axis] ** 2 / factors[i]
    return factors


@kernel
def _solution(neighbours, conductances, totals, factors, wanted, start, precision, most):  # noqa: ANN001, ANN202
    """Conjugate gradients on the graph's Laplacian, in the order of the voxels: the same every time."""
    count = len(totals)
    found = np.zeros(count + 1)
    found[:count] = start
    left = np.zeros(count + 1)
    left[:count] = wanted
    better, towards, across = np.zeros((3, count + 1))
    _take_product(neighbours, conductances, totals, found, across)
    left -= across
    # What the solution is compared with: the size of a whole one, whatever the guess.
    size = _precondition(neighbours, conductances, factors, wanted, better)
    before = 0.0
    for step in range(most):
        now = _precondition(neighbours, conductances, factors, left[:count], better)
        if now <= precision * precision * size:
            return found[:count]
        turn = now / before if step > 0 else 0.0
        for i in range(count):
            towards[i] = better[i] + turn * towards[i]
        _take_product(neighbours, conductances, totals, towards, across)
        steepness = 0.0
        for i in range(count):
            steepness += towards[i] * across[i]
        along = now / steepness
        for i in range(count):
            found[i] += along * towards[i]
            left[i] -= along * across[i]
        before = now
    raise ArithmeticError("the walks' probabilities do not settle")


@kernel
def _take_product(neighbours, conductances, totals, vector, product):  # noqa: ANN001, ANN202
    product[:] = 0
    for i in range(len(totals)):
        here = totals[i] * vector[i]
        for axis in range(3):
            j, g = neighbours[i, axis], conductances[i, axis]
            here -= g * vector[j]
            product[j] -= g * vector[i]
        product[i] += here


@kernel
def _precondition(neighbours, conductances, factors, left, better):  # noqa: ANN001, ANN202
    """Solve with the factors; returns the product of the two sides."""
    count = len(left)
    better[:count] = left
    for i in range(count):
        better[i] /= factors[i]
        for axis in range(3):
            better[neighbours[i, axis]] += conductances[i, axis] * better[i]
    better[count] = 0
    product = 0.0
    for i in range(count - 1, -1, -1):
        onward = 0.0
        for axis in range(3):
            onward += conductances[i, axis] * better[neighbours[i, axis]]
        better[i] += onward / factors[i]
        product += better[i] * left[i]
    return product
