"""Local cross-correlation of two images, and what would raise it.

Avants et al. 2008, doi:10.1016/j.media.2007.06.004, here with the whole gradient: each voxel counts in
every window that it lies in. Voxels outside either image count in none.
"""

import numpy as np

from scanmill.kernel import kernel
from scanmill.registration.convolution import summed

Array = np.ndarray
# Of an image whose tissues span one: what varies less than this is taken for noise.
FLAT = 0.03
# Voxels on either side of a window's centre.
REACH = 1
WINDOW = np.ones(2 * REACH + 1, np.float32)


def local_correlation(one: Array, other: Array, inside: Array) -> tuple[float, Array, Array]:
    """The mean local correlation of two images, and its slopes by the values of either.

    one, other: [z, y, x], float32, tissues spanning about one. inside: 1 where both lie, else 0.
    The correlation is squared with its sign kept, and summed over voxels; its mean is over the array,
    so that images which hardly overlap have little.
    """
    total, parts = _windows(window_sums(one, other, inside), inside)
    return total / one.size, *_slopes(one, other, inside, summed(parts, WINDOW))


def window_sums(one: Array, other: Array, inside: Array) -> Array:
    """Of each voxel's window: number, sums of the images, of their squares and product, (..., 6)."""
    return summed(_products(one, other, inside), WINDOW)


@kernel
def moments(sums):  # noqa: ANN001, ANN201
    """Means, variances (never 0) and covariance of the images in a window, of its sums."""
    n = max(sums[0], np.float32(1))
    i, j = sums[1] / n, sums[2] / n
    flat = np.float32(FLAT * FLAT)
    return (
        i,
        j,
        max(sums[3] / n - i * i, np.float32(0)) + flat,
        max(sums[4] / n - j * j, np.float32(0)) + flat,
        sums[5] / n - i * j,
    )


@kernel
def _products(one, other, inside):  # noqa: ANN001, ANN202
    depth, height, width = one.shape
    result = np.empty((depth, height, width, 6), np.float32)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                m = np.float32(inside[z, y, x])
                i, j = m * one[z, y, x], m * other[z, y, x]
                out = result[z, y, x]
                out[0], out[1], out[2], out[3], out[4], out[5] = m, i, j, i * i, j * j, i * j
    return result


@kernel
def _windows(sums, inside):  # noqa: ANN001, ANN202
    """The sum of the correlations, and the parts of its slopes that are to be summed in windows."""
    depth, height, width = sums.shape[:3]
    parts = np.zeros((depth, height, width, 7), np.float32)
    total = 0.0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if inside[z, y, x]:
                    i, j, ii, jj, ij = moments(sums[z, y, x])
                    a = 2 * abs(ij) / (ii * jj) / sums[z, y, x, 0]
                    b, c = a * ij / ii, a * ij / jj
                    out = parts[z, y, x]
                    out[0], out[1], out[2] = a, a * i, a * j
                    out[3], out[4], out[5], out[6] = b, b * i, c, c * j
                    total += abs(ij) * ij / (ii * jj)
    return total, parts


@kernel
def _slopes(one, other, inside, parts):  # noqa: ANN001, ANN202
    of_one, of_other = np.zeros_like(one), np.zeros_like(one)
    for z in range(one.shape[0]):
        for y in range(one.shape[1]):
            for x in range(one.shape[2]):
                if inside[z, y, x]:
                    p = parts[z, y, x]
                    i, j = one[z, y, x], other[z, y, x]
                    of_one[z, y, x] = j * p[0] - p[2] - i * p[3] + p[4]
                    of_other[z, y, x] = i * p[0] - p[1] - j * p[5] + p[6]
    return of_one, of_other
