"""Where one scan lies in another, when their origins tell nothing and one shows more than the other.

The shift of the largest correlation of what overlaps, of all shifts by whole voxels, by Fourier
transforms (Padfield 2012, doi:10.1109/TIP.2011.2181402).
"""

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn

from scanmill.grid import Grid
from scanmill.registration.sampling import IDENTITY, between, pull_image
from scanmill.volume_file import Volume

Array = np.ndarray
# Of the smaller scan, what must overlap: less looks alike by chance.
OVERLAP = 0.4


def best_shift(fixed: Volume, moving: Volume) -> Array:
    """From points of the fixed scan to those of the moving one that show the same, LPS mm (3,).

    Both of one scale of intensities, turned alike; to half a voxel of the fixed scan.
    """
    grid, image, inside = _along_axes_of(fixed.grid, moving)
    correlation = _correlations(fixed.array, image, inside)
    best = np.unravel_index(correlation.argmax(), correlation.shape)
    shift = np.subtract(best, fixed.grid.shape)[::-1] + 1
    return grid.to_physical(shift) - fixed.grid.origin


def _along_axes_of(fixed: Grid, moving: Volume) -> tuple[Grid, Array, Array]:
    """A scan on a grid with the axes of another, over all of it, and where that lies in the scan."""
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in moving.grid.size])).reshape(3, 8).T
    index = fixed.to_index(moving.grid.to_physical(ends))
    first, last = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int)
    grid = fixed.crop(tuple(first.tolist()), tuple((last - first + 1).tolist()))
    values, inside = np.empty(grid.shape, np.float32), np.empty(grid.shape, np.bool_)
    still = np.zeros((1, 1, 1, 3), np.float32)
    there = between(grid, moving.grid, np.eye(4))
    pull_image(moving.array, IDENTITY, still, there, values, inside)
    return grid, values, inside


def _correlations(one: Array, other: Array, inside: Array) -> Array:
    """The correlation of two images for each shift, from the first at which their corners meet.

    inside: where the other one is known. -1 where too little overlaps.
    """
    shape = np.add(one.shape, other.shape) - 1
    fast = [next_fast_len(int(n), real=True) for n in shape]
    ones = [
        rfftn(x[::-1, ::-1, ::-1], fast) for x in (np.ones(one.shape), one, one.astype(float) ** 2)
    ]
    known = [x * inside for x in (np.ones(other.shape), other, other.astype(float) ** 2)]
    others = [rfftn(x, fast) for x in known]

    def summed(k: int, n: int) -> Array:
        whole = irfftn(ones[k] * others[n], fast)
        return whole[tuple(slice(0, n) for n in shape)]

    number = np.maximum(summed(0, 0), 1)
    i, j = summed(1, 0) / number, summed(0, 1) / number
    ii, jj = summed(2, 0) / number - i**2, summed(0, 2) / number - j**2
    flat = 1e-3 * one.std() * other[inside].std() + 1e-12
    result = (summed(1, 1) / number - i * j) / np.maximum(np.sqrt(np.maximum(ii * jj, 0)), flat)
    return np.where(number >= OVERLAP * min(one.size, inside.sum()), result, -1)
