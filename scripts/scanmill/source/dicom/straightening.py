"""A stack of sheared or unevenly spaced planes onto a grid of right angles and even slices."""

from collections.abc import Iterator

import numpy as np

from scanmill.source.dicom.stack import Stack


def straighten(planes: np.ndarray, stack: Stack, outside: int) -> np.ndarray:
    """Interpolate planes, [n, y, x], linearly onto `stack.grid`, [z, y, x].

    Between planes, along the way that they are shifted, values are weighed by distance; then each
    plane is moved in itself. Beyond the outermost pixels, the value is `outside`. Integers are rounded
    to nearest.
    """
    whole = np.issubdtype(planes.dtype, np.integer)
    dtype = np.promote_types(planes.dtype, np.int16) if outside < 0 else planes.dtype
    result = np.empty(stack.grid.shape, dtype)
    for k, (below, above, weight) in enumerate(_neighbours(stack)):
        plane, shift = planes[below].astype(np.float64), stack.shifts[below]
        if weight > 0:
            plane += weight * (planes[above] - plane)
            shift = shift + weight * (stack.shifts[above] - shift)
        plane = _moved(plane, shift, stack, outside)
        result[k] = np.rint(plane) if whole else plane
    return result


def _neighbours(stack: Stack) -> Iterator[tuple[int, int, float]]:
    """For each slice of the grid: the plane below it, the one above, and the weight of the latter."""
    heights, last = stack.heights, len(stack.heights) - 1
    for k in range(stack.grid.size[2]):
        height = k * stack.grid.spacing[2]
        below = int(np.clip(np.searchsorted(heights, height, side="right") - 1, 0, last))
        nearest = int(np.abs(heights - height).argmin())
        # A plane that lies there but for rounding is taken as it is.
        if abs(heights[nearest] - height) <= 1e-3 * stack.grid.spacing[2] or below == last:
            yield nearest, nearest, 0.0
        else:
            gap = heights[below + 1] - heights[below]
            yield below, below + 1, float((height - heights[below]) / gap)


def _moved(plane: np.ndarray, shift: np.ndarray, stack: Stack, outside: int) -> np.ndarray:
    """A plane that is shifted by so many pixels (x, y), as the grid's columns and rows see it."""
    for axis, first, along, count in zip(
        (1, 0), stack.first_pixel, shift, stack.grid.size[:2], strict=True
    ):
        plane = _along(plane, axis, first - along + np.arange(count), outside)
    return plane


def _along(plane: np.ndarray, axis: int, at: np.ndarray, outside: int) -> np.ndarray:
    """Values of a plane at pixel coordinates along one axis."""
    last = plane.shape[axis] - 1
    near = np.where(np.abs(at - np.rint(at)) < 1e-3, np.rint(at), at)
    low = np.clip(np.floor(near), 0, last).astype(int)
    high = np.minimum(low + 1, last)
    weight = np.expand_dims(np.clip(near - low, 0, 1), 1 - axis)
    start = plane.take(low, axis)
    values = start + weight * (plane.take(high, axis) - start)
    beyond = np.expand_dims((near < -0.5) | (near > last + 0.5), 1 - axis)
    return np.where(beyond, outside, values)
