"""What a scan's voxels see of finer cells: averages over their own box, blurred by a point spread.

Everything is separable, so each step is one small matrix an axis, for any spacings and offsets of two
grids whose axes are parallel. Lengths are mm along the axis.
"""

from collections.abc import Sequence
from math import erf, exp, pi, sqrt

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel

Array = np.ndarray


def places(grid: Grid) -> list[Array]:
    """Where voxel centres lie along each axis (x, y, z): LPS mm along the grid's own directions.

    Of two grids with the same directions the places are comparable.
    """
    along = np.reshape(grid.direction, (3, 3)).T @ np.asarray(grid.origin)
    return [
        first + np.arange(n) * step
        for first, n, step in zip(along, grid.size, grid.spacing, strict=True)
    ]


def response(voxels: Array, width: float, cells: Array, size: float, sd: float) -> Array:
    """How much of each voxel's signal comes from each cell: (voxels, cells), float32.

    voxels, cells: centres; width, size: of one of them. sd: of the Gaussian point spread; it may be 0.
    """
    apart = voxels[:, None] - cells[None]
    high, low = (size + width) / 2, (width - size) / 2
    seen = _ramp(apart + high, sd) - _ramp(apart + low, sd)
    seen += _ramp(apart - high, sd) - _ramp(apart - low, sd)
    return (seen / width).astype(np.float32)


def smoothing(points: Array, cells: Array, size: float, sd: float) -> Array:
    """The weights of cells in a Gaussian average around points: (points, cells), float32."""
    apart = points[:, None] - cells[None]
    return (_normal((apart + size / 2) / sd) - _normal((apart - size / 2) / sd)).astype(np.float32)


def apply(matrices: Sequence[Array], array: Array) -> Array:
    """An array [z, y, x] with each axis multiplied by its matrix; matrices in the order x, y, z."""
    along_x, along_y, along_z = matrices
    rows = np.matmul(along_y, array @ along_x.T)
    return (along_z @ rows.reshape(len(rows), -1)).reshape(len(along_z), *rows.shape[1:])


def depth_of(smoothed: Array) -> Array:
    """How deep behind a flat wall a Gaussian average has this value, in sds of that Gaussian."""
    table = np.linspace(-5.0, 5.0, 4001)
    return np.interp(smoothed, _normal(table), table).astype(np.float32)


def _ramp(x: Array, sd: float) -> Array:
    """The integral of the edge response from minus infinity to x."""
    return _ramp_of(np.ascontiguousarray(x), sd) if sd > 0 else np.maximum(x, 0.0)


@kernel
def _ramp_of(x, sd):  # noqa: ANN001, ANN202
    result = np.empty_like(x)
    for n in range(x.size):
        z = x.flat[n] / sd
        below = 0.5 * (1 + erf(z / sqrt(2.0)))
        result.flat[n] = sd * (z * below + exp(-z * z / 2) / sqrt(2 * pi))
    return result


@kernel
def _normal(x):  # noqa: ANN001, ANN202
    """The normal distribution's cumulative function."""
    result = np.empty_like(x)
    for n in range(x.size):
        result.flat[n] = 0.5 * (1 + erf(x.flat[n] / sqrt(2.0)))
    return result
