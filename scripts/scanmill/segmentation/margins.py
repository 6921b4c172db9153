"""Margins in millimetres around a mask, the same or another one in each direction of the patient.

A radiotherapy margin is the Minkowski sum of the body with a solid whose eight octants are those of
ellipsoids, as planning systems grow it (Stroom and Storchi 1997, doi:10.1088/0031-9155/42/4/012). The
body's surface is taken between the voxels inside and outside, not at their centres: where it crosses a
line between two neighbours is told from the mask around both. Own code, since distance transforms know
neither octants nor places between voxels.
"""

import numpy as np
from numba import njit

from scanmill.grid import Grid

# In the order of LPS axes, each first towards its smaller coordinates.
DIRECTIONS = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))
# Places between two voxels that are told apart: the ends, the middle and three on either side of it.
PLACES = 9
# Nearer to the voxel inside the surface is not put: there the mask has an edge or is thin. Of those
# tried, this one errs least for balls and boxes together.
LEAST = 0.25
# From a voxel to its neighbours, (x, y, z).
STEPS = np.array([(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)], np.float64)
Margin = float | dict[str, float]


def reach_of(margin: Margin) -> np.ndarray:
    """The reach in mm along each LPS axis (x, y, z), towards smaller and larger coordinates: (3, 2)."""
    if isinstance(margin, dict):
        return np.array([[margin[name] for name in pair] for pair in DIRECTIONS], float)
    return np.full((3, 2), float(margin))


def half_voxel(grid: Grid) -> np.ndarray:
    """Half a voxel along each LPS axis, mm: a margin that is shorter adds nothing in that direction."""
    return np.sqrt((grid.axes**2).sum(axis=1)) / 2


def voxels_of(reach: np.ndarray, grid: Grid) -> tuple[int, int, int]:
    """How many voxels (x, y, z) a box must be wider on each side to hold the margin and be judged."""
    semi = np.maximum(reach.max(axis=1), half_voxel(grid))
    steps = np.sqrt(((np.linalg.inv(grid.axes) * semi) ** 2).sum(axis=1))
    return tuple(int(n) + 2 for n in np.minimum(steps, grid.size))


def grow(mask: np.ndarray, reach: np.ndarray, grid: Grid) -> np.ndarray:
    """The voxels whose centre lies in the body of a mask [z, y, x] or in the margin around it.

    reach: (3, 2) mm, see `reach_of`. grid: its spacing and directions. The mask's box must be wider
    than the body by `voxels_of`, or end where the scan does. In a direction in which the margin is
    less than half a voxel, nothing is added.
    """
    size = np.array(voxels_of(reach, grid))
    low, high = _rows(grid.axes, STEPS @ grid.axes.T, reach, 0.999 * half_voxel(grid), size)
    return _filled(mask, *_crossings(mask.view(np.uint8)), low, high)


@njit(cache=True)
def _rows(axes, steps, reach, slack, size):  # noqa: ANN001, ANN202
    """The first and last voxel along x of the margin around a place of the surface: [z, y, kind].

    For each row of voxels around, and each kind of place (see `_crossings`), relative to the voxel
    inside; first beyond last where there is none. The margin is convex: each row has one part of it.
    """
    nx, ny, nz = size
    kinds = len(STEPS) * PLACES
    low = np.full((2 * nz + 1, 2 * ny + 1, kinds), nx + 1, np.int16)
    high = np.full(low.shape, -nx - 1, np.int16)
    for kind in range(kinds):
        step = steps[kind // PLACES] * ((kind % PLACES) / (PLACES - 1))
        for z in range(-nz, nz + 1):
            for y in range(-ny, ny + 1):
                for x in range(-nx, nx + 1):
                    gauge = 0.0
                    for i in range(3):
                        whole = axes[i, 0] * x + axes[i, 1] * y + axes[i, 2] * z
                        away = whole - step[i]
                        semi = reach[i, 1] if away > 0 else reach[i, 0]
                        if semi > slack[i]:
                            gauge += (away / semi) ** 2
                        elif (whole if away > 0 else -whole) > slack[i]:
                            gauge = np.inf
                    if gauge <= 1 + 1e-6:
                        low[z + nz, y + ny, kind] = min(low[z + nz, y + ny, kind], x)
                        high[z + nz, y + ny, kind] = x
    return low, high


@njit(cache=True)
def _crossings(mask):  # noqa: ANN001, ANN202
    """Where the surface crosses the lines between neighbours, one inside and one outside.

    Returns the x of the voxel inside and the kind, step * PLACES + place between the two, of each
    crossing, and where each row (z, y) begins among them.
    """
    depth, height, width = mask.shape
    at = np.empty(1024, np.int32)
    kinds = np.empty(1024, np.int32)
    begin = np.zeros(depth * height + 1, np.int64)
    count = 0
    for row in range(depth * height):
        z, y = row // height, row % height
        for x in range(width):
            if not mask[z, y, x]:
                continue
            inner = -1.0
            for n in range(len(STEPS)):
                t, u, v = x + int(STEPS[n, 0]), y + int(STEPS[n, 1]), z + int(STEPS[n, 2])
                if not (0 <= v < depth and 0 <= u < height and 0 <= t < width) or mask[v, u, t]:
                    continue
                if inner < 0:
                    inner = _occupied(mask, z, y, x)
                outer = _occupied(mask, v, u, t)
                along = LEAST
                if inner > outer:
                    along = min(max((inner - 0.5) / (inner - outer), LEAST), 1.0)
                if count == len(at):
                    at = np.concatenate((at, np.empty_like(at)))
                    kinds = np.concatenate((kinds, np.empty_like(kinds)))
                at[count] = x
                kinds[count] = n * PLACES + int(along * (PLACES - 1) + 0.5)
                count += 1
        begin[row + 1] = count
    return at[:count], kinds[:count], begin


@njit(cache=True)
def _filled(mask, at, kinds, begin, low, high):  # noqa: ANN001, ANN202
    """The mask with the margin around every crossing, row by row."""
    depth, height, width = mask.shape
    nz, ny = low.shape[0] // 2, low.shape[1] // 2
    grown = mask.copy()
    ends = np.zeros(width + 1, np.int32)
    for z in range(depth):
        for y in range(height):
            ends[:] = 0
            for v in range(max(0, z - nz), min(depth, z + nz + 1)):
                for u in range(max(0, y - ny), min(height, y + ny + 1)):
                    first, last = low[z - v + nz, y - u + ny], high[z - v + nz, y - u + ny]
                    for n in range(begin[v * height + u], begin[v * height + u + 1]):
                        start = max(0, at[n] + first[kinds[n]])
                        stop = min(width, at[n] + last[kinds[n]] + 1)
                        if start < stop:
                            ends[start] += 1
                            ends[stop] -= 1
            over = 0
            for x in range(width):
                over += ends[x]
                if over > 0:
                    grown[z, y, x] = True
    return grown


@njit(cache=True)
def _occupied(mask, z, y, x):  # noqa: ANN001, ANN202
    """Which part of the voxels around one is in the mask, nearer ones weighing more, from 0 to 1.

    Beyond the array the outermost voxels go on.
    """
    depth, height, width = mask.shape
    total = 0
    for v in range(-1, 2):
        for u in range(-1, 2):
            for t in range(-1, 2):
                here = mask[
                    min(max(z + v, 0), depth - 1),
                    min(max(y + u, 0), height - 1),
                    min(max(x + t, 0), width - 1),
                ]
                total += here * (2 - abs(v)) * (2 - abs(u)) * (2 - abs(t))
    return total / 64
