"""A map of space: a diffeomorphism, the flow of a velocity field for unit time, then an affine map.

The flow of the negative velocity is the inverse, so that both ways are known (Arsigny et al. 2006,
doi:10.1007/11866565_113).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scanmill.grid import Grid
from scanmill.registration.sampling import (
    IDENTITY,
    between,
    field_at_points,
    pull_field,
    pull_image,
    pull_labels,
)
from scanmill.volume_file import Volume

Array = np.ndarray
# A step of the flow in voxels, below which adding displacements is as good as following them.
SMALL_STEP = 0.5


@dataclass
class Transform:
    """From LPS mm of a fixed scan to LPS mm of a moving one.

    affine: 4x4, LPS mm. grid: of the velocity, over the fixed scan. velocity: [z, y, x, 3], float32,
    along the grid's axes (x, y, z) in voxels; at the grid's border it continues beyond.
    """

    affine: Array
    grid: Grid
    velocity: Array

    @cached_property
    def forward(self) -> Array:
        """The displacements of the flow, voxels of the grid along its axes, [z, y, x, 3]."""
        return flow(self.velocity)

    @cached_property
    def backward(self) -> Array:
        """The displacements of the inverse flow, as `forward`."""
        return flow(-self.velocity)

    def points(self, points: Array) -> Array:
        """LPS mm in the moving scan of points (..., 3), LPS mm, of the fixed one."""
        return _affinely(self.affine, self._flown(self.forward, points))

    def inverse_points(self, points: Array) -> Array:
        """LPS mm in the fixed scan of points (..., 3), LPS mm, of the moving one."""
        return self._flown(self.backward, _affinely(np.linalg.inv(self.affine), points))

    def _flown(self, displacements: Array, points: Array) -> Array:
        index = self.grid.to_index(points).reshape(-1, 3)
        moved = index + field_at_points(displacements, index)
        return self.grid.to_physical(moved).reshape(np.shape(points))

    def jacobian(self) -> Array:
        """How much the map enlarges volumes around each voxel of the grid, [z, y, x]."""
        slopes = np.stack(np.gradient(self.forward.astype(float), axis=(2, 1, 0)), axis=-1)
        return np.linalg.det(slopes + np.eye(3)) * np.linalg.det(self.affine[:3, :3])

    def image(self, moving: Volume, fixed: Grid) -> tuple[Array, Array]:
        """A moving scan, float32, on a fixed grid, and where that lies in the scan, bool."""
        values, inside = np.empty(fixed.shape, np.float32), np.empty(fixed.shape, np.bool_)
        source = np.asarray(moving.array, np.float32)
        pull_image(source, *self._route(fixed, moving.grid), values, inside)
        return values, inside

    def labels(self, moving: Volume, fixed: Grid) -> tuple[Array, Array]:
        """A moving label map on a fixed grid, and where that lies in the map, bool.

        Each voxel has the label that linear interpolation gives the largest part.
        """
        values, inside = np.empty(fixed.shape, moving.array.dtype), np.empty(fixed.shape, np.bool_)
        pull_labels(moving.array, *self._route(fixed, moving.grid), values, inside)
        return values, inside

    def _route(self, fixed: Grid, moving: Grid) -> tuple[Array, Array, Array]:
        return (
            between(fixed, self.grid, np.eye(4)),
            self.forward,
            between(self.grid, moving, self.affine),
        )


def flow(velocity: Array) -> Array:
    """The displacements after unit time, by scaling and squaring; in and out [z, y, x, 3], voxels."""
    largest = max(float(np.abs(velocity).max(initial=0)), SMALL_STEP)
    squarings = int(np.ceil(np.log2(largest / SMALL_STEP)))
    displacements = velocity / np.float32(2**squarings)
    there = np.empty_like(displacements)
    for _ in range(squarings):
        pull_field(displacements, IDENTITY, displacements, there)
        displacements = displacements + there
    return displacements


def _affinely(affine: Array, points: Array) -> Array:
    return np.asarray(points, float) @ affine[:3, :3].T + affine[:3, 3]
