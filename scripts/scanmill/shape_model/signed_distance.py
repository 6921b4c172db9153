"""How far points lie from the surface of a mask, in physical space."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates, spline_filter

from scanmill.grid import Grid

Array = np.ndarray
# Of the Gaussian that takes the steps out of a mask's surface, voxels.
SMOOTH = 1.0
SURFACE_POINTS = 1500
NEWTON_STEPS = 15


@dataclass
class SignedDistance:
    """Distances to the surface of a mask, mm, negative inside, around each voxel of its grid.

    grid: LPS. depth: [z, y, x]. seen: voxels that show whether the structure is there; elsewhere, and
    beyond the grid, it is not known to end, and no surface lies.
    """

    grid: Grid
    depth: Array
    seen: Array

    @classmethod
    def of(cls, mask: Array, grid: Grid, seen: Array) -> "SignedDistance":
        """The distances of a mask [z, y, x], its steps smoothed."""
        return cls(grid, _smoothed(_continued(steps_of(mask, grid, seen), seen)), seen)

    def at(self, points: Array) -> Array:
        """The distances at LPS points (n, 3), mm; beyond the grid, those at its edge."""
        index = self.grid.to_index(points)[:, ::-1].T
        return map_coordinates(self._splines, index, order=3, mode="nearest", prefilter=False)

    def slopes(self, points: Array) -> Array:
        """How the distance rises around LPS points (n, 3): vectors of about unit length, (n, 3)."""
        index = self.grid.to_index(points)[:, ::-1].T
        along = [map_coordinates(g, index, order=1, mode="nearest") for g in self._gradient]
        return np.stack(along[::-1], axis=1) @ np.linalg.inv(self.grid.axes)

    def shows(self, points: Array) -> Array:
        """Which LPS points (n, 3) lie in voxels that show something, bool (n,)."""
        index = np.rint(self.grid.to_index(points)).astype(int)
        inside = ((index >= 0) & (index < self.grid.size)).all(axis=1)
        x, y, z = np.clip(index, 0, np.asarray(self.grid.size) - 1).T
        return inside & self.seen[z, y, x]

    def surface(self) -> Array:
        """Points of the surface that is seen, about SURFACE_POINTS at most, (n, 3), LPS mm."""
        near = np.argwhere((np.abs(self.depth) < max(self.grid.spacing) / 2) & self.seen)
        index = near[:: len(near) // SURFACE_POINTS + 1, ::-1]
        return self.onto_surface(self.grid.to_physical(index))

    def onto_surface(self, points: Array) -> Array:
        """Points (n, 3) moved onto the surface along the steepest way, LPS mm."""
        for _ in range(NEWTON_STEPS):
            slopes = self.slopes(points)
            steepness = np.maximum((slopes**2).sum(axis=1), 0.1)
            points = points - (self.at(points) / steepness)[:, None] * slopes
        return points

    @cached_property
    def _splines(self) -> Array:
        """Of the third order: what is linear between voxels makes convex bodies smaller."""
        return spline_filter(self.depth, mode="nearest")

    @cached_property
    def _gradient(self) -> list[Array]:
        """By voxel, along z, y and x."""
        return np.gradient(self.depth)


def steps_of(mask: Array, grid: Grid, seen: Array) -> Array:
    """Signed distances to the faces between voxels seen in and out of a mask, mm, [z, y, x]."""
    spacing = np.asarray(grid.spacing[::-1])
    outside = np.where(mask, 0, _away(mask & seen, spacing))
    return outside - np.where(mask, _away(~mask & seen, spacing), 0)


def _away(mask: Array, spacing: Array) -> Array:
    """How far each voxel lies from the faces of a mask's voxels, mm; where it has none, very far."""
    if not mask.any():
        return np.full(mask.shape, np.dot(mask.shape, spacing))
    away, nearest = distance_transform_edt(~mask, sampling=spacing, return_indices=True)
    # The face is half way through the last step, which is as long as the voxel is in that direction.
    squared = np.zeros(mask.shape)
    for axis, width in enumerate(spacing):
        own = np.arange(mask.shape[axis]).reshape([-1 if n == axis else 1 for n in range(3)])
        squared += ((nearest[axis] - own) * width**2) ** 2
    return away - np.sqrt(squared) / (2 * np.maximum(away, 1e-9))


def _continued(depth: Array, seen: Array) -> Array:
    """What is not seen, as the nearest voxel that is."""
    nearest = distance_transform_edt(~seen, return_distances=False, return_indices=True)
    return depth[tuple(nearest)]


def _smoothed(depth: Array) -> Array:
    """Smoothed, and once more what that took off, so that what is curved stays where it is."""
    once = gaussian_filter(depth, SMOOTH, mode="nearest")
    return once + gaussian_filter(depth - once, SMOOTH, mode="nearest")
