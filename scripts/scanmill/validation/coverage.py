"""Which part of each voxel closed surfaces fill, exactly along rows and sampled across them.

Own code: libraries' voxelisers decide by voxel centres, which tells nothing of partial volume. Here
many parallel rows run through every voxel, along x; where one enters and leaves a surface is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_map import Box
from scanmill.surface import Surface

# Rows through the shortest side of a voxel; a longer one has more in proportion, up to the second.
ROWS, MOST_ROWS = 5, 25
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Coverage:
    """How much of each voxel of a box a structure fills.

    box: of the grid's array [z, y, x]. whole: parts from 0 to 1, float32. visible: the same, without
    what later structures cover. An empty box means that the structure lies outside the grid.
    """

    box: Box
    whole: np.ndarray
    visible: np.ndarray

    def volume(self, grid: Grid) -> float:
        """Volume of the structure within the grid's block of space, mm3."""
        return float(self.whole.sum(dtype=float)) * grid.voxel_volume


def coverages(surfaces: Sequence[Surface], grid: Grid, rows: int = ROWS) -> list[Coverage]:
    """What each closed surface fills of the voxels of a grid; later surfaces lie on earlier ones.

    rows: through the shortest side of a voxel. Surfaces that share a boundary, point by point, leave no
    gap. Parts of voxels are off by 0.01 on average, and volumes hardly: errors are not one-sided.
    """
    boxes = [_box(surface, grid) for surface in surfaces]
    shapes = [tuple(s.stop - s.start for s in box) for box in boxes]
    sizes = np.array([np.prod(shape) for shape in shapes], np.int64)
    ends = np.cumsum(sizes)
    whole, visible = np.zeros(sizes.sum(), np.float32), np.zeros(sizes.sum(), np.float32)
    across = np.minimum(MOST_ROWS, np.rint(rows * np.divide(grid.spacing, min(grid.spacing))))
    owners = np.repeat(np.arange(len(surfaces)), [len(s.triangles) for s in surfaces])
    _fill(
        *_joined(surfaces, grid),
        owners,
        np.array(grid.size),
        across.astype(np.int64),
        np.array([[s.start for s in box[::-1]] for box in boxes]),
        np.array([shape[::-1] for shape in shapes]),
        ends - sizes,
        whole,
        visible,
    )
    return [
        Coverage(
            box, whole[end - size : end].reshape(shape), visible[end - size : end].reshape(shape)
        )
        for box, shape, size, end in zip(boxes, shapes, sizes, ends, strict=True)
    ]


def _box(surface: Surface, grid: Grid) -> Box:
    """The voxels that a surface may reach."""
    index = grid.to_index(surface.points)
    low = np.clip(np.floor(index.min(axis=0) + 0.5).astype(int), 0, grid.size)
    high = np.clip(np.floor(index.max(axis=0) + 0.5).astype(int) + 1, low, grid.size)
    return tuple(slice(int(a), int(b)) for a, b in zip(low[::-1], high[::-1], strict=True))


def _joined(surfaces: Sequence[Surface], grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """All points, as continuous voxel indices, and all triangles."""
    points = grid.to_index(np.concatenate([s.points for s in surfaces]))
    first = np.cumsum([0, *(len(s.points) for s in surfaces)])
    triangles = [s.triangles + n for s, n in zip(surfaces, first[:-1], strict=True)]
    return points, np.concatenate(triangles).astype(np.int64)


@kernel
def _fill(points, triangles, owners, size, across, starts, sizes, offsets, whole, visible):  # noqa: ANN001, ANN202
    """Add up, layer of rows by layer, what surfaces fill. across: rows of a voxel, by (x, y, z)."""
    along_y, along_z = across[1], across[2]
    begin, which = _by_layer(points, triangles, size[2] * along_z, along_z)
    number = size[1] * along_y
    share = 1.0 / (along_y * along_z)
    inside = np.zeros(len(starts), np.bool_)
    entered = np.zeros(len(starts))
    for layer in range(size[2] * along_z):
        z = (layer + 0.5) / along_z - 0.5
        # Where the rows lie within their share of a voxel differs from layer to layer, so that a face
        # along the grid is not wholly before a row or wholly behind it.
        begins = (0.5 + layer * GOLDEN) % 1.0
        own = which[begin[layer] : begin[layer + 1]]
        first = np.zeros(number + 1, np.int64)
        for t in own:
            low, high, _, _ = _cut(points, triangles[t], z)
            for row in range(
                _row(low, along_y, begins, number), _row(high, along_y, begins, number)
            ):
                first[row + 1] += 1
        first = np.cumsum(first)
        last = first.copy()
        where, owner = np.empty(first[-1]), np.empty(first[-1], np.int64)
        for t in own:
            low, high, x_low, x_high = _cut(points, triangles[t], z)
            for row in range(
                _row(low, along_y, begins, number), _row(high, along_y, begins, number)
            ):
                y = (row + begins) / along_y - 0.5
                x = x_low + (y - low) / (high - low) * (x_high - x_low)
                n = last[row]
                last[row] += 1
                while n > first[row] and where[n - 1] > x:
                    where[n], owner[n] = where[n - 1], owner[n - 1]
                    n -= 1
                where[n], owner[n] = x, owners[t]
        k = layer // along_z
        for row in range(number):
            j = row // along_y
            top, since = -1, 0.0
            for n in range(first[row], first[row + 1]):
                x, rank = where[n], owner[n]
                if top >= 0:
                    _add(visible, offsets[top], starts[top], sizes[top], k, j, since, x, share)
                if inside[rank]:
                    _add(
                        whole,
                        offsets[rank],
                        starts[rank],
                        sizes[rank],
                        k,
                        j,
                        entered[rank],
                        x,
                        share,
                    )
                inside[rank] = not inside[rank]
                entered[rank], since = x, x
                if inside[rank] and rank > top:
                    top = rank
                while top >= 0 and not inside[top]:
                    top -= 1


@kernel
def _by_layer(points, triangles, layers, along_z):  # noqa: ANN001, ANN202
    """The triangles that each layer of rows may cut, one after another, and where they begin."""
    spans = np.empty((len(triangles), 2), np.int64)
    begin = np.zeros(layers + 2, np.int64)
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0], 2], points[triangles[t, 1], 2], points[triangles[t, 2], 2]
        low, high = min(a, b, c), max(a, b, c)
        spans[t, 0] = max(0, np.floor((low + 0.5) * along_z - 0.5))
        spans[t, 1] = min(layers, np.ceil((high + 0.5) * along_z - 0.5) + 1)
        for layer in range(spans[t, 0], spans[t, 1]):
            begin[layer + 2] += 1
    begin = np.cumsum(begin)
    which = np.empty(begin[-1], np.int64)
    for t in range(len(triangles)):
        for layer in range(spans[t, 0], spans[t, 1]):
            which[begin[layer + 1]] = t
            begin[layer + 1] += 1
    return begin, which


@kernel
def _cut(points, triangle, z):  # noqa: ANN001, ANN202
    """The segment in which a plane of constant z cuts a triangle: its least and most y, and x at both.

    A corner on the plane counts as below it, and an edge is always cut from its point of lower number:
    triangles that share it get the same bits, so that no row slips between them.
    """
    y_one, x_one, y_two, x_two = 0.0, 0.0, 0.0, 0.0
    for n in range(3):
        p, q = triangle[n], triangle[(n + 1) % 3]
        if p > q:
            p, q = q, p
        if (points[p, 2] > z) != (points[q, 2] > z):
            part = (z - points[p, 2]) / (points[q, 2] - points[p, 2])
            x_two, y_two = x_one, y_one
            x_one = points[p, 0] + part * (points[q, 0] - points[p, 0])
            y_one = points[p, 1] + part * (points[q, 1] - points[p, 1])
    if y_one > y_two:
        return y_two, y_one, x_two, x_one
    return y_one, y_two, x_one, x_two


@kernel
def _row(y, along_y, begins, number):  # noqa: ANN001, ANN202
    """The first row at or beyond y."""
    return min(max(int(np.ceil((y + 0.5) * along_y - begins)), 0), number)


@kernel
def _add(parts, offset, start, size, k, j, low, high, share):  # noqa: ANN001, ANN202
    """Add a stretch of a row, from low to high along x, to the voxels that it runs through."""
    if not (start[1] <= j < start[1] + size[1] and start[2] <= k < start[2] + size[2]):
        return
    low, high = max(low, start[0] - 0.5), min(high, start[0] + size[0] - 0.5)
    if high <= low:
        return
    row = offset + ((k - start[2]) * size[1] + (j - start[1])) * size[0] - start[0]
    first, last = int(np.floor(low + 0.5)), int(np.floor(high + 0.5))
    for i in range(first, min(last + 1, start[0] + size[0])):
        part = min(high, i + 0.5) - max(low, i - 0.5)
        if part > 0:
            parts[row + i] += share * part
