"""A structure among the others of its label map, at the voxel centres of a scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_map import Box, Region
from scanmill.voxel_response import Array, places

# What `Scene.top` says of a voxel that nothing is labelled in, and of one of the structure itself.
UNLABELLED, OWN = 0, 1


@dataclass(frozen=True)
class Neighbours:
    """The other structures of a label map.

    beneath, above: those that the structure may lie on, and those that may lie on it; of each, later
    ones lie on earlier ones.
    """

    beneath: Sequence[Region] = ()
    above: Sequence[Region] = ()


ALONE = Neighbours()


def neighbours_of(label: int, regions: Mapping[int, Region], covered: set[int]) -> Neighbours:
    """The neighbours of one of the structures of a label map.

    regions: the whole region of each, by label, in the order in which they were painted. covered: the
    labels of those that others lie on.
    """
    order = sorted(regions, key=lambda other: other not in covered)
    others = [regions[other] for other in order if other != label]
    if label not in covered:
        return Neighbours(beneath=others)
    place = order.index(label)
    return Neighbours(others[:place], others[place:])


@dataclass(frozen=True)
class Scene:
    """A window of a scan. box: of the scan's array. inside: bool [z, y, x], the structure's whole mask.

    top: unsigned [z, y, x], what is uppermost in each voxel: UNLABELLED, OWN, or a number from 2 on for
    each other structure. number: one more than the largest. region: the mask, on its own grid. shares:
    along z, y and x, the first of the grid's voxels that each of the window's overlaps, and which part
    of it that one and each of those after it cover.
    """

    box: Box
    inside: Array
    top: Array
    number: int
    region: Region
    shares: list[tuple[Array, Array]]

    def filled(self, at: Array) -> Array:
        """Which part of voxels the mask fills, 0 to 1. at: their places in the flat window."""
        starts = np.array([part.start for part in self.region.box])
        tables = [table for share in self.shares for table in share]
        return _filled(self.region.array, starts, at, self.inside.shape, *tables)


def scene_of(
    region: Region, grid: Grid, neighbours: Neighbours, scan: Grid, margin: int
) -> Scene | None:
    """The structure's window, `margin` voxels of the scan wider; None where the scan has none of it.

    region, neighbours: on `grid`, which has the directions of `scan`.
    """
    index = _indices(grid, scan)
    held = [_held(i, s) for i, s in zip(index, region.box[::-1], strict=True)]
    if any(len(h) == 0 for h in held):
        return None
    ends = [
        (max(0, h[0] - margin), min(len(i), h[-1] + margin + 1))
        for h, i in zip(held, index, strict=True)
    ]
    window = [i[a:b] for (a, b), i in zip(ends, index, strict=True)]
    most = OWN + len(neighbours.beneath) + len(neighbours.above)
    top = np.zeros(tuple(len(w) for w in window[::-1]), np.min_scalar_type(most))
    inside = np.zeros(top.shape, bool)
    _paint(inside, region, window, True)
    number = OWN + 1
    for other in neighbours.beneath:
        number += _paint(top, other, window, number)
    top[inside] = OWN
    for other in neighbours.above:
        number += _paint(top, other, window, number)
    shares = list(map(_shares, places(grid), places(scan), grid.spacing, scan.spacing, ends))
    box = tuple(slice(*e) for e in ends[::-1])
    return Scene(box, inside, top, number, region, shares[::-1])


def _shares(
    own: Array, every: Array, step: float, width: float, ends: tuple[int, int]
) -> tuple[Array, Array]:
    """Along one axis. own, every: centres of the grid's voxels, and the scan's; step, width: theirs."""
    low = (every[slice(*ends)] - own[0] - width / 2) / step + 0.5
    first = np.floor(low + 1e-9).astype(np.int64)
    cells = first[:, None] + np.arange(int(np.ceil(width / step - 1e-9)) + 1)
    high = np.minimum(cells + 1, (low + width / step)[:, None])
    parts = np.maximum(high - np.maximum(cells, low[:, None]), 0)
    return first, parts * step / width


@kernel
def _filled(mask, starts, at, shape, z_first, z_part, y_first, y_part, x_first, x_part):  # noqa: ANN001, ANN202
    filled = np.zeros(len(at))
    for n in range(len(at)):
        z, y, x = at[n] // (shape[1] * shape[2]), at[n] // shape[2] % shape[1], at[n] % shape[2]
        for i in range(z_part.shape[1]):
            v = z_first[z] + i - starts[0]
            if v < 0 or v >= mask.shape[0]:
                continue
            for j in range(y_part.shape[1]):
                u = y_first[y] + j - starts[1]
                if u < 0 or u >= mask.shape[1]:
                    continue
                for k in range(x_part.shape[1]):
                    t = x_first[x] + k - starts[2]
                    if 0 <= t < mask.shape[2] and mask[v, u, t]:
                        filled[n] += z_part[z, i] * y_part[y, j] * x_part[x, k]
    return filled


def _indices(grid: Grid, scan: Grid) -> list[Array]:
    """Along x, y and z, the voxel of the grid in which each of the scan's centres lies."""
    return [
        np.rint((every - own[0]) / step).astype(int)
        for own, every, step in zip(places(grid), places(scan), grid.spacing, strict=True)
    ]


def _held(index: Array, part: slice) -> Array:
    return np.flatnonzero((index >= part.start) & (index < part.stop))


def _paint(into: Array, region: Region, window: list[Array], value: int) -> bool:
    """Whether the window has any of the region, which is painted there."""
    held = [_held(i, s) for i, s in zip(window, region.box[::-1], strict=True)]
    if any(len(h) == 0 for h in held):
        return False
    own = [i[h] - s.start for i, h, s in zip(window, held, region.box[::-1], strict=True)]
    part = tuple(slice(h[0], h[-1] + 1) for h in held[::-1])
    return _put(into[part], region.array, own[2], own[1], own[0], value)


@kernel
def _put(into, mask, rows_z, rows_y, rows_x, value):  # noqa: ANN001, ANN202
    """Give a value to the voxels whose places along each axis the mask has; whether there is any."""
    some = False
    for z in range(len(rows_z)):
        for y in range(len(rows_y)):
            row = mask[rows_z[z], rows_y[y]]
            for x in range(len(rows_x)):
                if row[rows_x[x]]:
                    into[z, y, x] = value
                    some = True
    return some
