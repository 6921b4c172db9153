"""Affine registration: Gauss-Newton steps on locally normalised intensities."""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.refusal import Refusal
from scanmill.registration.placing import best_shift
from scanmill.registration.sampling import IDENTITY, between, pull_image
from scanmill.registration.similarity import local_correlation, moments, window_sums
from scanmill.volume_file import Volume

Array = np.ndarray
STEPS = 15
# Of the intensities' span: brighter voxels count in a scan's centre of mass.
BRIGHT = 0.5
# Images that agree less than this part of what the fixed one does with itself show nothing in common;
# so air around a head, which agrees with nothing, is not counted. Measured: at most 0.19 for other
# anatomy or modality, 0.23 to 0.81 for the same; 0.30 where a quarter is shared.
LEAST = 0.2


def affine_between(fixed: list[Volume], moving: list[Volume]) -> tuple[float, Array]:
    """How well an affine map brings two scans together, and that map.

    fixed, moving: their pyramids; the finest level of each is not looked at. The agreement is the mean
    local correlation, at most 1; the map, 4x4, is from LPS mm of the fixed scan to LPS mm of the moving
    one. Of four starts (the scans lie well as they are, centre on centre, bright mass on bright mass,
    where they correlate best) the one is followed that leads to the best agreement at the coarsest
    level. Raises Refusal where none leads to any.
    """
    found = [_ascend(fixed[0], moving[0], start) for start in _starts(fixed[0], moving[0])]
    agreement, affine = max(found, key=lambda pair: pair[0])
    for one, other in zip(fixed[1:-1], moving[1:-1], strict=True):
        agreement, affine = _ascend(one, other, affine)
    if agreement <= LEAST * _own(fixed[-2]) or np.linalg.det(affine[:3, :3]) <= 0:
        raise Refusal(
            "registration-failed",
            "the two scans show nothing in common; both should show the same anatomy, in one modality",
        )
    return agreement, affine


def _own(scan: Volume) -> float:
    """The mean local correlation of a scan with itself: the part of it that shows more than noise."""
    return local_correlation(scan.array, scan.array, np.ones(scan.grid.shape, bool))[0]


def _starts(fixed: Volume, moving: Volume) -> list[Array]:
    shifts = [np.zeros(3)]
    shifts += [centre(moving) - centre(fixed) for centre in (_middle, _centre_of_mass)]
    shifts.append(best_shift(fixed, moving))
    starts = []
    for shift in shifts:
        start = np.eye(4)
        start[:3, 3] = shift
        starts.append(start)
    return starts


def _middle(scan: Volume) -> Array:
    return scan.grid.to_physical((np.asarray(scan.grid.size) - 1) / 2)


def _centre_of_mass(scan: Volume) -> Array:
    bright = np.argwhere(scan.array > BRIGHT)
    return scan.grid.to_physical(bright.mean(axis=0)[::-1]) if len(bright) else _middle(scan)


def _ascend(fixed: Volume, moving: Volume, start: Array) -> tuple[float, Array]:
    """The mean local correlation that steps from a start reach, and the map there.

    Levenberg and Marquardt's: a step that lowers it is tried again, shorter.
    """
    middle = _middle(fixed)
    reach = float(np.max(np.multiply(fixed.grid.size, fixed.grid.spacing))) / 2
    agreement, affine, damping = -1.0, start, 1e-3
    trial = start
    for _ in range(STEPS):
        reached, normal, right = _equations(fixed, moving, trial, middle, reach)
        if reached > agreement:
            agreement, affine, damping = reached, trial, damping * 0.3
            equations = normal, right
        else:
            damping *= 10
        step = _solve(*equations, damping)
        trial = affine @ _nearly_identity(step, middle, reach)
        if np.abs(step).max() < 0.01 * fixed.grid.spacing[0]:
            break
    return agreement, affine


def _equations(
    fixed: Volume, moving: Volume, affine: Array, middle: Array, reach: float
) -> tuple[float, Array, Array]:
    """The mean local correlation under a map, and the normal equations of the step from there."""
    values = np.empty(fixed.grid.shape, np.float32)
    inside = np.empty(fixed.grid.shape, np.bool_)
    still = np.zeros((1, 1, 1, 3), np.float32)
    pull_image(
        moving.array, IDENTITY, still, between(fixed.grid, moving.grid, affine), values, inside
    )
    sums = window_sums(fixed.array, values, inside)
    return _normal(fixed.array, values, inside, sums, _place(fixed.grid, middle, reach),
                   np.linalg.inv(fixed.grid.axes))  # fmt: skip


def _place(grid: Grid, middle: Array, reach: float) -> Array:
    """3x4: from voxel indices to places around the middle, in units of the reach."""
    return np.column_stack([grid.axes, np.subtract(grid.origin, middle)]) / reach


def _solve(normal: Array, right: Array, damping: float) -> Array:
    """The step, 3x4: displacement in mm by place, in units of the reach, and 1."""
    # A parameter that nothing tells of (an image of few slices) is left where it is.
    diagonal = np.diag(normal)
    ridge = damping * diagonal + 1e-9 * diagonal.max() + 1e-12
    return np.linalg.solve(normal + np.diag(ridge), right).reshape(3, 4)


def _nearly_identity(step: Array, middle: Array, reach: float) -> Array:
    """4x4: each point moved by what the step says."""
    affine = np.eye(4)
    affine[:3, :3] += step[:, :3] / reach
    affine[:3, 3] = step[:, 3] - step[:, :3] @ middle / reach
    return affine


@kernel
def _normal(one, other, inside, sums, place, per_mm):  # noqa: ANN001, ANN202
    """The mean local correlation, and the normal equations of the normalised images' difference."""
    depth, height, width = one.shape
    normal, right = np.zeros((12, 12)), np.zeros(12)
    slope, row, unit = np.empty(3), np.empty(12), np.ones(4)
    total = 0.0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if not inside[z, y, x]:
                    continue
                i, j, ii, jj, ij = moments(sums[z, y, x])
                total += abs(ij) * ij / (ii * jj)
                difference = (one[z, y, x] - i) / np.sqrt(ii) - (other[z, y, x] - j) / np.sqrt(jj)
                slope[:] = 0
                for axis in range(3):
                    along = _difference(other, inside, z, y, x, axis) / np.sqrt(jj)
                    for k in range(3):
                        slope[k] += along * per_mm[axis, k]
                for k in range(3):
                    unit[k] = place[k, 0] * x + place[k, 1] * y + place[k, 2] * z + place[k, 3]
                for k in range(3):
                    for n in range(4):
                        row[4 * k + n] = slope[k] * unit[n]
                for k in range(12):
                    right[k] += row[k] * difference
                    for n in range(12):
                        normal[k, n] += row[k] * row[n]
    return total / one.size, normal, right


@kernel
def _difference(image, inside, z, y, x, axis):  # noqa: ANN001, ANN202
    """The slope along an axis (0 x, 1 y, 2 z) per voxel; 0 where a neighbour is outside."""
    dx, dy, dz = int(axis == 0), int(axis == 1), int(axis == 2)
    if (
        min(z - dz, y - dy, x - dx) < 0
        or z + dz >= image.shape[0]
        or y + dy >= image.shape[1]
        or x + dx >= image.shape[2]
        or not inside[z - dz, y - dy, x - dx]
        or not inside[z + dz, y + dy, x + dx]
    ):
        return 0.0
    return (image[z + dz, y + dy, x + dx] - image[z - dz, y - dy, x - dx]) / 2
