"""Images onto a cubic grid: clamped cubic where it is finer, averaged where it is coarser.

Own code: libraries either truncate integers toward zero, overshoot at edges, alias when a dimension
gets coarser, or convert the whole scan to float first. One pass here holds the scan, the result and
one slice.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.volume_file import Volume

# Of the interpolation, source voxels to either side.
REACH = 3


@dataclass
class _Taps:
    """How the voxels of one axis are made of the source's.

    first: of each, its first source voxel. weight: (voxels, taps), from there on. below: the lower of
    the two neighbours whose range it is held to; -1 where weights are positive and nothing need be.
    """

    first: np.ndarray
    weight: np.ndarray
    below: np.ndarray


def resample_image(volume: Volume, target: Grid) -> Volume:
    """Resample an image onto a grid that has its direction and its centre (`Grid.isotropic`).

    Each axis is interpolated where the target is finer or equal, by Keys' six-point cubic convolution
    (1981, doi:10.1109/TASSP.1981.1163711), and held to the range of the two values it lies between.
    Linear interpolation takes twice as much off a small organ's volume (docs/challenges.md). Where the
    target is coarser, the linear interpolant is averaged over the target voxel's width less the source
    voxel's own, so that what a coarse grid cannot show is averaged, as a scanner with such voxels
    would, and not aliased. Either way no value arises beyond those that were scanned around it.
    Integers are rounded to nearest. Beyond the outermost voxel centres the outermost values continue.
    """
    if volume.grid.same_as(target):
        return Volume(volume.array, target)
    x, y, z = (
        _taps(
            volume.grid.size[axis],
            target.size[axis],
            target.spacing[axis] / volume.grid.spacing[axis],
        )
        for axis in range(3)
    )
    result = np.empty(target.shape, volume.array.dtype)
    _separable(
        volume.array,
        result,
        np.issubdtype(result.dtype, np.integer),
        (z.first, y.first, x.first),
        (z.weight, y.weight, x.weight),
        (z.below, y.below, x.below),
    )
    return Volume(result, target)


def _taps(source: int, target: int, ratio: float) -> _Taps:
    """ratio: target spacing over source spacing. The two axes share their centre."""
    centre = (np.arange(target) - (target - 1) / 2) * ratio + (source - 1) / 2
    centre = np.clip(centre, 0, source - 1)
    return _interpolating(centre, source) if ratio <= 1 else _averaging(centre, source, ratio)


def _interpolating(centre: np.ndarray, source: int) -> _Taps:
    """centre: source indices."""
    below = np.clip(np.floor(centre), 0, max(0, source - 2)).astype(np.int64)
    count = min(source, 2 * REACH)
    first = np.clip(below - REACH + 1, 0, source - count)
    weight = np.zeros((len(centre), count))
    each = np.arange(len(centre))
    for step in range(1 - REACH, REACH + 1):
        place = below + step
        end = np.clip(place, 0, source - 1)
        # Beyond an end the scan goes on as it came, turned about the end: ramps stay ramps.
        turned = np.clip(2 * end - place, 0, source - 1)
        share = _keys(place - centre)
        weight[each, end - first] += 2 * share
        weight[each, turned - first] -= share
    alone = (weight != 0).sum(axis=1) == 1
    return _Taps(first, weight, np.where(alone, -1, below))


def _keys(x: np.ndarray) -> np.ndarray:
    """Keys' six-point kernel: exact for cubics, continuous with its first derivative."""
    x = np.abs(x)
    return np.select(
        [x == np.rint(x), x < 1, x < 2, x < 3],
        [
            # Without rounding, so that values where grids coincide are the scan's own.
            x == 0,
            ((4 / 3 * x - 7 / 3) * x) * x + 1,
            ((-7 / 12 * x + 3) * x - 59 / 12) * x + 5 / 2,
            ((1 / 12 * x - 2 / 3) * x + 7 / 4) * x - 3 / 2,
        ],
        0.0,
    )


def _averaging(centre: np.ndarray, source: int, ratio: float) -> _Taps:
    # A source voxel is a mean over its own width already: variances of boxes add, so the mean over
    # this much more makes it one over the target's width.
    width = np.sqrt(ratio**2 - 1)
    reach = 1 + width / 2
    count = min(source, int(np.ceil(2 * reach)) + 1)
    first = np.clip(np.ceil(centre - reach), 0, source - count).astype(np.int64)
    offset = first[:, None] + np.arange(count) - centre[:, None]
    weight = (_hat_integral(offset + width / 2) - _hat_integral(offset - width / 2)) / width
    weight /= weight.sum(axis=1, keepdims=True)
    return _Taps(first, weight, np.full(len(centre), -1))


def _hat_integral(x: np.ndarray) -> np.ndarray:
    """Integral of linear interpolation's hat function, max(0, 1 - |x|), from minus infinity."""
    x = np.clip(x, -1, 1)
    return 0.5 + x - np.sign(x) * x**2 / 2


@kernel
def _separable(source, result, rounds, first, weight, below):  # noqa: ANN001, ANN202
    """Weigh slices, then rows, then voxels, into `result`."""
    _, rows, columns = source.shape
    # In float64: float32 would lose digits of large int32 values, and overshoot the largest.
    slice_ = np.empty((rows, columns), np.float64)
    row = np.empty(columns, np.float64)
    for k in range(result.shape[0]):
        slice_[:] = 0
        for t in range(weight[0].shape[1]):
            w = weight[0][k, t]
            if w != 0:
                plane = source[first[0][k] + t]
                for j in range(rows):
                    for i in range(columns):
                        slice_[j, i] += w * plane[j, i]
        if below[0][k] >= 0:
            for j in range(rows):
                _hold(slice_[j], source[below[0][k], j], source[below[0][k] + 1, j])
        for j in range(result.shape[1]):
            row[:] = 0
            for t in range(weight[1].shape[1]):
                w = weight[1][j, t]
                if w != 0:
                    line = slice_[first[1][j] + t]
                    for i in range(columns):
                        row[i] += w * line[i]
            if below[1][j] >= 0:
                _hold(row, slice_[below[1][j]], slice_[below[1][j] + 1])
            for i in range(result.shape[2]):
                total = 0.0
                start = first[2][i]
                for t in range(weight[2].shape[1]):
                    total += weight[2][i, t] * row[start + t]
                n = below[2][i]
                if n >= 0:
                    total = min(max(total, min(row[n], row[n + 1])), max(row[n], row[n + 1]))
                if rounds:
                    result[k, j, i] = np.rint(total)
                else:
                    result[k, j, i] = total


@kernel
def _hold(values, one, other):  # noqa: ANN001, ANN202
    """Hold values to the range of those that they lie between, in place."""
    for i in range(len(values)):
        low, high = min(one[i], other[i]), max(one[i], other[i])
        values[i] = min(max(values[i], low), high)
