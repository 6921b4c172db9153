"""Bodies of exact measures as masks, on grids that are flipped, permuted, oblique and shifted."""

import os
from itertools import permutations, product
from pathlib import Path

import numpy as np
from scanmill.grid import Grid
from scanmill.phantom.body import Body, Box, Capsule, Cylinder, Ellipsoid, Torus, sphere
from scanmill.phantom.description import turned

DATA = Path(os.environ.get("SCANMILL_DATA", Path(__file__).parents[3] / "shared" / "data"))
CENTRE = (31.3, -112.7, 402.9)
POSE = {"centre": CENTRE, "rotation": tuple(turned((20, -35, 50)).ravel())}
BODIES = {
    "sphere": sphere(10, CENTRE),
    "ellipsoid": Ellipsoid(radii=(16, 10, 12), **POSE),
    "torus": Torus(ring=16, tube=10, **POSE),
    "tube": Capsule(radius=10, length=44, **POSE),
    "flat tube": Cylinder(radii=(10, 10), length=40, **POSE),
    "oblique box": Box(size=(22, 28, 34), **POSE),
}
AXIS_ALIGNED = {
    "".join("xyz"[a] for a in order) + "".join("+-"[s < 0] for s in signs): np.eye(3)[:, order]
    * signs
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
}
OBLIQUE = {
    "oblique": turned((33, -21, 58)),
    "oblique left-handed": turned((-15, 40, 10)) @ np.diag([1, -1, 1]),
    "oblique coronal": turned((8, 5, -12)) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
DIRECTIONS = AXIS_ALIGNED | OBLIQUE


def grid_over(body: Body, spacing=(1.0, 1.0, 1.0), direction=None, margin=3.0) -> Grid:
    """A grid that holds a body and `margin` mm around it; voxel centres lie off the body's own."""
    direction = np.eye(3) if direction is None else np.asarray(direction, float)
    low, high = body.bounds()
    reach = np.abs(direction.T) @ (high - low) / 2 + margin
    size = tuple(int(n) for n in np.ceil(2 * reach / spacing))
    origin = (low + high) / 2 - direction @ ((np.array(size) - 1) / 2 * spacing)
    return Grid(size, tuple(spacing), tuple(origin.tolist()), tuple(direction.ravel().tolist()))


def points_of(grid: Grid) -> np.ndarray:
    """LPS mm of every voxel centre, [z, y, x, 3]."""
    z, y, x = np.indices(grid.shape)
    return grid.to_physical(np.stack([x, y, z], axis=-1))


def mask_of(body: Body, grid: Grid) -> np.ndarray:
    """The voxels whose centres lie in a body, [z, y, x]."""
    return (body.distance(points_of(grid).reshape(-1, 3)) < 0).reshape(grid.shape)


def turned_array(array: np.ndarray, grid: Grid, order, flips) -> tuple[np.ndarray, Grid]:
    """The same voxels stored in another order: order and flips are of the axes (x, y, z)."""
    first = np.where(flips, np.asarray(grid.size) - 1, 0)
    signs = np.where(flips, -1, 1)
    direction = (np.reshape(grid.direction, (3, 3)) * signs)[:, order]
    stored = array[tuple(slice(None, None, s) for s in signs[::-1])]
    stored = stored.transpose([2 - order[2 - axis] for axis in range(3)])
    return np.ascontiguousarray(stored), Grid(
        tuple(grid.size[a] for a in order),
        tuple(grid.spacing[a] for a in order),
        tuple(grid.to_physical(first).tolist()),
        tuple(direction.ravel().tolist()),
    )
