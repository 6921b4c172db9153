"""Images onto a cubic grid: linear where it is finer, averaged where it is coarser.

Own code: libraries either truncate integers toward zero, alias when a dimension gets coarser, or
convert the whole scan to float first. One pass here holds the scan, the result and one slice.
"""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.volume_file import Volume


def resample_image(volume: Volume, target: Grid) -> Volume:
    """Resample an image onto a grid that has its direction and its centre (`Grid.isotropic`).

    Each axis is interpolated linearly where the target is finer or equal. Where it is coarser, the
    linear interpolant is averaged over the target voxel's width less the source voxel's own, so that
    what a coarse grid cannot show is averaged, as a scanner with such voxels would, and not aliased.
    Weights are positive and sum to one: values stay within the range of the scan. Integers are rounded
    to nearest. Beyond the outermost voxel centres the outermost values continue.
    """
    if volume.grid.same_as(target):
        return Volume(volume.array, target)
    taps = [
        _taps(
            volume.grid.size[axis],
            target.size[axis],
            target.spacing[axis] / volume.grid.spacing[axis],
        )
        for axis in range(3)
    ]
    (first_x, weight_x), (first_y, weight_y), (first_z, weight_z) = taps
    result = np.empty(target.shape, volume.array.dtype)
    _separable(
        volume.array,
        result,
        np.issubdtype(result.dtype, np.integer),
        (first_z, first_y, first_x),
        (weight_z, weight_y, weight_x),
    )
    return Volume(result, target)


def _taps(source: int, target: int, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """For each target voxel of one axis: its first source voxel, and the weights from there on.

    ratio: target spacing over source spacing. The two axes share their centre.
    """
    centre = (np.arange(target) - (target - 1) / 2) * ratio + (source - 1) / 2
    centre = np.clip(centre, 0, source - 1)
    # A source voxel is a mean over its own width already: variances of boxes add, so the mean over
    # this much more makes it one over the target's width.
    width = np.sqrt(max(0.0, ratio**2 - 1))
    reach = 1 + width / 2
    count = min(source, int(np.ceil(2 * reach)) + 1)
    first = np.clip(np.ceil(centre - reach), 0, source - count).astype(np.int64)
    offset = first[:, None] + np.arange(count) - centre[:, None]
    if width > 0:
        weight = (_hat_integral(offset + width / 2) - _hat_integral(offset - width / 2)) / width
    else:
        weight = np.maximum(0.0, 1 - np.abs(offset))
    return first, weight / weight.sum(axis=1, keepdims=True)


def _hat_integral(x: np.ndarray) -> np.ndarray:
    """Integral of linear interpolation's hat function, max(0, 1 - |x|), from minus infinity."""
    x = np.clip(x, -1, 1)
    return 0.5 + x - np.sign(x) * x**2 / 2


@kernel
def _separable(source, result, rounds, first, weight):  # noqa: ANN001, ANN202
    """Weigh slices, then rows, then voxels, into `result`."""
    _, rows, columns = source.shape
    # In float64: float32 would lose digits of large int32 values, and overshoot the largest.
    slice_ = np.empty((rows, columns), np.float64)
    row = np.empty(columns, np.float64)
    for k in range(result.shape[0]):
        slice_[:] = 0
        for t in range(weight[0].shape[1]):
            w = weight[0][k, t]
            if w > 0:
                plane = source[first[0][k] + t]
                for j in range(rows):
                    for i in range(columns):
                        slice_[j, i] += w * plane[j, i]
        for j in range(result.shape[1]):
            row[:] = 0
            for t in range(weight[1].shape[1]):
                w = weight[1][j, t]
                if w > 0:
                    line = slice_[first[1][j] + t]
                    for i in range(columns):
                        row[i] += w * line[i]
            for i in range(result.shape[2]):
                total = 0.0
                start = first[2][i]
                for t in range(weight[2].shape[1]):
                    total += weight[2][i, t] * row[start + t]
                if rounds:
                    result[k, j, i] = np.rint(total)
                else:
                    result[k, j, i] = total
