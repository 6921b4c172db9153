"""A structure as a family of bodies: its mask, smoothed between the voxels, and grown or shrunk.

The mask says the shape; where exactly the boundary lies is one number, to be told from the image.
"""

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from scanmill.grid import Grid
from scanmill.voxel_response import Array, apply, depth_of, places, response, smoothing

# Of the Gaussian that smooths the mask's stairs, in voxels of the mask.
SMOOTHING = 0.7
# Cells per voxel of the mask along each axis: more for masks of fewer voxels than this.
SMALL, CELLS = 200, (3, 2)
# Voxels of the mask around it that bodies can grow into.
ROOM = 3
# Voxels of the scan around the mask that are compared, and the least part of a widened mask in them.
MARGIN, WIDENING, NEAR = 3, 1.2, 0.003


@dataclass
class Template:
    """Bodies of one shape over a window of a scan.

    depth: of each fine cell behind the boundary, in voxels of the mask. voxels: where the window's
    voxels lie along x, y, z. box: the window in the scan's array. widened: how much of the mask,
    blurred by
    more than a scanner does, is in each of its voxels.
    """

    depth: Array
    finer: int
    cells: list[Array]
    cell: tuple[float, float, float]
    voxels: list[Array]
    voxel: tuple[float, float, float]
    box: tuple[slice, slice, slice]
    widened: Array

    @property
    def near(self) -> Array:
        """The window's voxels that are worth comparing, bool [z, y, x]."""
        return self.widened > NEAR

    def occupied(self, shrunk: float) -> Array:
        """Which part of each cell the body fills whose boundary moved inward, in voxels of the mask."""
        return np.clip((self.depth - np.float32(shrunk)) * self.finer + 0.5, 0, 1)

    def volume(self, occupied: Array) -> float:
        """Volume of a body, mm3."""
        return float(occupied.sum(dtype=float)) * prod(self.cell)

    def stretched(self, axis: int, factor: float) -> "Template":
        """Bodies that are longer by a factor along x, y or z, over the same window."""
        cells, cell = list(self.cells), list(self.cell)
        middle = (cells[axis][0] + cells[axis][-1]) / 2
        cells[axis] = middle + (cells[axis] - middle) * factor
        cell[axis] *= factor
        return replace(self, cells=cells, cell=tuple(cell))

    def responses(self, sd: float) -> list[Array]:
        """The matrices from cells to the scan's voxels, for a point spread of that sd in mm."""
        return [response(*axis, sd) for axis in self._axes()]

    def _axes(self) -> list[tuple[Array, float, Array, float]]:
        return list(zip(self.voxels, self.voxel, self.cells, self.cell, strict=True))


def template_of(mask: Array, grid: Grid, scan: Grid) -> Template:
    """The template of a mask [z, y, x], cropped to its voxels, on its grid, over the scan's grid.

    The two grids' directions are the same. Raises ValueError where no voxel of the scan is near.
    """
    step, voxel = np.array(grid.spacing), np.array(scan.spacing)
    own, all_ = places(grid), places(scan)
    low = np.array([p[0] for p in own]) - (MARGIN + 0.01) * voxel
    high = np.array([p[-1] for p in own]) + (MARGIN + 0.01) * voxel
    window = [slice(*np.searchsorted(p, (a, b))) for p, a, b in zip(all_, low, high, strict=True)]
    voxels = [p[w] for p, w in zip(all_, window, strict=True)]
    if any(len(v) == 0 for v in voxels):
        raise ValueError("the mask lies outside the scan")
    finer = CELLS[0] if np.count_nonzero(mask) < SMALL else CELLS[1]
    cells = [
        p[0] + (np.arange((len(p) - 1 + 2 * ROOM) * finer + 1) / finer - ROOM) * s
        for p, s in zip(own, step, strict=True)
    ]
    solid = mask.astype(np.float32)
    smooth = [smoothing(c, p, s, SMOOTHING * s) for c, p, s in zip(cells, own, step, strict=True)]
    wide = [
        smoothing(v, p, s, WIDENING * w)
        for v, p, s, w in zip(voxels, own, step, voxel, strict=True)
    ]
    return Template(
        depth_of(apply(smooth, solid)) * np.float32(SMOOTHING),
        finer,
        cells,
        tuple(step / finer),
        voxels,
        tuple(voxel),
        (window[2], window[1], window[0]),
        apply(wide, solid),
    )
