"""Separable sums over neighbours, for several channels at once."""

from math import ceil

import numpy as np

from scanmill.kernel import kernel

Array = np.ndarray


def gaussian_taps(sd: float) -> Array:
    """The weights of a Gaussian average of that standard deviation, in voxels; cut at three."""
    reach = max(1, ceil(3 * sd))
    weight = np.exp(-((np.arange(-reach, reach + 1) / sd) ** 2) / 2)
    return (weight / weight.sum()).astype(np.float32)


def summed(channels: Array, taps: Array) -> Array:
    """Weighted sums over each voxel's neighbours; nothing lies beyond the border.

    channels: [z, y, x, c], float32. taps: an odd number, the same along each axis.
    """
    for axis in range(3):
        inner = int(np.prod(channels.shape[axis + 1 :]))
        rows = channels.reshape(-1, channels.shape[axis], inner)
        channels = _along(rows, taps).reshape(channels.shape)
    return channels


def averaged(channels: Array, taps: Array) -> Array:
    """As `summed`, with the weights beyond the border given to those within."""
    result = summed(channels, taps)
    for axis, n in enumerate(channels.shape[:3]):
        within = np.convolve(np.ones(n, np.float32), taps)[len(taps) // 2 :][:n]
        result /= within.reshape([-1 if a == axis else 1 for a in range(4)])
    return result


@kernel
def _along(rows, taps):  # noqa: ANN001, ANN202
    """Sums along the middle axis: the inner one is contiguous, and goes through vector registers."""
    outer, count, inner = rows.shape
    reach = len(taps) // 2
    result = np.zeros_like(rows)
    for o in range(outer):
        for n in range(count):
            out = result[o, n]
            for k in range(max(0, n - reach), min(count, n + reach + 1)):
                weight = taps[k - n + reach]
                line = rows[o, k]
                for i in range(inner):
                    out[i] += weight * line[i]
    return result
