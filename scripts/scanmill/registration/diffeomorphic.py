"""Symmetric diffeomorphic registration: a stationary velocity that raises local correlation.

Both scans are carried half way, by the flow of the velocity and of its negative, and compared there, so
that neither is preferred (Avants et al. 2008, doi:10.1016/j.media.2007.06.004). The velocity is the
parameter, as in Vercauteren et al. 2008, doi:10.1007/978-3-540-85988-8_90, smoothed as a fluid's.
"""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.registration.affine import affine_between
from scanmill.registration.convolution import averaged, gaussian_taps
from scanmill.registration.pyramid import finest_spacing, normalised, pyramid
from scanmill.registration.sampling import IDENTITY, between, pull_field, pull_image
from scanmill.registration.similarity import local_correlation
from scanmill.registration.transform import Transform, flow
from scanmill.volume_file import Volume

Array = np.ndarray
# Steps at each level, the coarsest first.
STEPS = (20, 30, 20)
# The longest displacement of a level's first step, voxels; later ones shrink to
# nothing, and faster where they led astray.
LONGEST = 0.7
# The sd of the Gaussian that makes each step smooth, voxels.
SMOOTH = gaussian_taps(3)


def register(fixed: Volume, moving: Volume, finest: float | None = None) -> Transform:
    """The map from LPS mm of the fixed scan to LPS mm of the moving one.

    Both scans of one modality, on any grids. finest: spacing, mm, that the last steps are taken at;
    None: as the scans have it, and coarser where they are large. Raises Refusal where a scan has no
    contrast, or the two show nothing in common.
    """
    finest = finest or finest_spacing(fixed.grid, moving.grid)
    levels = pyramid(normalised(fixed), finest), pyramid(normalised(moving), finest)
    _, affine = affine_between(*levels)
    return deform(*levels, affine)


def deform(fixed: list[Volume], moving: list[Volume], affine: Array) -> Transform:
    """As `register`, of scans whose pyramids and affine map are there: atlases serve many targets."""
    result = Transform(affine, fixed[0].grid, np.zeros((*fixed[0].grid.shape, 3), np.float32))
    for one, other, steps in zip(fixed, moving, STEPS, strict=True):
        velocity = _onto(one.grid, result.velocity, result.grid)
        matrix = between(one.grid, other.grid, affine)
        result = Transform(
            affine, one.grid, _ascend(one.array, other.array, matrix, velocity, steps)
        )
    return result


def _onto(grid: Grid, velocity: Array, old: Grid) -> Array:
    """A velocity on another grid with the same directions, in its voxels."""
    result = np.empty((*grid.shape, 3), np.float32)
    pull_field(velocity, between(grid, old, np.eye(4)), np.zeros_like(result), result)
    return result * np.float32(old.spacing[0] / grid.spacing[0])


def _ascend(fixed: Array, moving: Array, matrix: Array, velocity: Array, steps: int) -> Array:
    """The velocity after so many steps, or as it was where they do not raise the agreement.

    matrix: from indices of the fixed array to the moving one's.
    """
    one, other = np.empty_like(fixed), np.empty_like(fixed)
    in_one, in_other = np.empty(fixed.shape, np.bool_), np.empty(fixed.shape, np.bool_)
    longest, start, reached = LONGEST, velocity, []
    for n in range(steps):
        half = velocity / np.float32(2)
        pull_image(fixed, IDENTITY, flow(-half), IDENTITY, one, in_one)
        pull_image(moving, IDENTITY, flow(half), matrix, other, in_other)
        inside = in_one & in_other
        agreement, *slopes = local_correlation(one, other, inside)
        if agreement < max(reached, default=-1.0):
            longest /= 2
        reached.append(agreement)
        force = averaged(_force(one, other, inside, *slopes), SMOOTH)
        step = _limited(force, np.float32(longest * (1 - n / steps)))
        if not step.any():
            break
        velocity = velocity + step
    return velocity if reached[-1] > reached[0] else start


def _limited(step: Array, longest: np.float32) -> Array:
    """A step [z, y, x, 3], scaled: where it is larger than usual, it has the longest length.

    So one place that gains much does not hold up the others. What is usual is the mean of the lengths,
    each weighted by itself: empty space, which gains nothing, does not count.
    """
    lengths = np.sqrt((step**2).sum(axis=3))
    squares = (lengths**2).sum()
    # What is left where a scan meets itself is so small that its squares vanish.
    if not squares:
        return np.zeros_like(step)
    usual = squares / lengths.sum()
    return step * (longest / np.maximum(lengths, usual))[..., None]


@kernel
def _force(one, other, inside, slope_one, slope_other):  # noqa: ANN001, ANN202
    """How the correlation rises with the velocity at each voxel, but for a factor."""
    depth, height, width = one.shape
    result = np.zeros((depth, height, width, 3), np.float32)
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                if not inside[z, y, x]:
                    continue
                i, j = slope_one[z, y, x], slope_other[z, y, x]
                if inside[z, y, x - 1] and inside[z, y, x + 1]:
                    result[z, y, x, 0] = j * (other[z, y, x + 1] - other[z, y, x - 1]) - i * (
                        one[z, y, x + 1] - one[z, y, x - 1]
                    )
                if inside[z, y - 1, x] and inside[z, y + 1, x]:
                    result[z, y, x, 1] = j * (other[z, y + 1, x] - other[z, y - 1, x]) - i * (
                        one[z, y + 1, x] - one[z, y - 1, x]
                    )
                if inside[z - 1, y, x] and inside[z + 1, y, x]:
                    result[z, y, x, 2] = j * (other[z + 1, y, x] - other[z - 1, y, x]) - i * (
                        one[z + 1, y, x] - one[z - 1, y, x]
                    )
    return result
