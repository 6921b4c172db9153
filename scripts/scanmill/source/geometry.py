"""From the geometry that a foreign header states to a grid, or to a refusal."""

from itertools import product

import numpy as np

from scanmill.grid import Grid, Size, Triple
from scanmill.refusal import Refusal
from scanmill.source.layout import Note

# Largest distance, in voxels, between where a header puts a voxel and where a regular grid of
# orthogonal axes can put it: above the rounding of direction cosines to four decimals, below what
# anybody would call sheared.
SHEAR_LIMIT = 0.1
# Two statements of the same geometry agree when no voxel moves by more than this part of a voxel.
CONFLICT_LIMIT = 0.01
# Largest distance of a slice from its place in a regular stack, as part of a voxel's side: above
# the rounding of positions in the header, far below a missing slice or a tilted gantry.
STACK_LIMIT = 0.05
# Scanners round positions to 0.1 mm, and their tables wobble by 0.02 mm, whatever a voxel's side is:
# on fine grids that is allowed, too (mm), up to a part of a side that is still no missing slice.
ROUNDING, COARSEST = 0.06, 0.2
# Beyond this, 32-bit coordinates no longer tell a hundredth of a millimetre.
FARTHEST = 1e5
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001}


def grid_of(
    size: Size, axes: np.ndarray, origin: np.ndarray, spacing: Triple | None = None
) -> Grid:
    """The grid whose voxel steps are the columns of `axes`, LPS mm, from `origin`, LPS mm.

    spacing: mm, where the header states it apart from (and to more digits than) the axes.
    Raises Refusal `geometry-invalid` where the axes are not those of a regular orthogonal grid.
    """
    if not (np.isfinite(axes).all() and np.isfinite(origin).all()):
        raise Refusal("geometry-invalid", "the position or the axes hold a NaN or infinite number")
    if np.abs(origin).max() > FARTHEST:
        raise Refusal(
            "geometry-invalid", "the volume lies more than 100 m from the origin of space"
        )
    if spacing is None:
        # Twelve digits: a norm of oblique components is 0.7000000000000001 where 0.7 was meant.
        spacing = tuple(float(f"{x:.12g}") for x in np.linalg.norm(axes, axis=0))
    check_spacing(spacing)
    left, _, right = np.linalg.svd(axes / np.linalg.norm(axes, axis=0))
    direction = tuple(float(x) + 0.0 for x in np.round(left @ right, 12).ravel())
    grid = Grid(size, spacing, tuple(float(x) + 0.0 for x in origin), direction)
    moved = largest_move(size, axes, origin, grid.axes, np.asarray(grid.origin))
    if not moved <= SHEAR_LIMIT:
        raise Refusal(
            "geometry-invalid",
            f"the axes are not at right angles: a regular grid would move voxels by {moved:.3g} "
            "voxels; resample the scan to orthogonal axes",
        )
    return grid


def check_spacing(spacing: Triple) -> None:
    """Refuse a spacing that is not a positive number of millimetres on every axis."""
    if not all(np.isfinite(x) and 1e-6 < x < 1e6 for x in spacing):
        raise Refusal(
            "geometry-invalid", "the spacing is not a positive number of millimetres on every axis"
        )


def slack(side: float) -> float:
    """How many mm apart two planes may be that are meant to be at one place; side: of a voxel, mm."""
    return max(STACK_LIMIT * side, min(ROUNDING, COARSEST * side))


def is_rounding(away: np.ndarray, side: float) -> bool:
    """Whether planes are at their places but for rounding; away: mm of each, [n] or [n, axes]."""
    away = away.reshape(len(away), -1)
    if np.linalg.norm(away, axis=1).max() <= STACK_LIMIT * side:
        return True
    # The first plane, from which all are told, is off its place as well.
    return bool(np.linalg.norm(np.ptp(away, axis=0)) / 2 <= min(ROUNDING, COARSEST * side))


def largest_move(
    size: Size, axes: np.ndarray, origin: np.ndarray, others: np.ndarray, other_origin: np.ndarray
) -> float:
    """Largest distance of a voxel between two affine geometries, in voxels (shortest side)."""
    corners = np.array(list(product((0, 1), repeat=3))) * (np.asarray(size) - 1)
    apart = corners @ (axes - others).T + (np.asarray(origin) - other_origin)
    return float(np.linalg.norm(apart, axis=1).max() / np.linalg.norm(axes, axis=0).min())


def assumed(what: str, taken: str) -> Note:
    """The warning that a file leaves out what no size or shape, but every place depends on."""
    return (
        "geometry-assumed",
        f"The file gives no {what}: {taken}. Sizes and shapes hold; left and right, and positions "
        "in space, do not unless this is true.",
    )
