"""Which part of a label map lies in another grid, and which part of that grid it can touch."""

import numpy as np

from scanmill.grid import Grid, bounding_box
from scanmill.label_map import count_voxels
from scanmill.volume_file import Volume


def reach(labels: Volume, target: Grid) -> tuple[np.ndarray, np.ndarray]:
    """First and last-plus-one index (x, y, z) of the target that the labels' foreground can touch."""
    box = bounding_box(labels.array)
    if box[0].stop == 0:
        return np.zeros(3, np.int64), np.zeros(3, np.int64)
    ends = np.array([[s.start - 1, s.stop] for s in box[::-1]], float)
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    index = target.to_index(labels.grid.to_physical(corners))
    low = np.clip(np.floor(index.min(axis=0)), 0, target.size)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, 0, target.size)
    return low.astype(np.int64), high.astype(np.int64)


def voxels_inside(labels: Volume, target: Grid, number: int) -> np.ndarray:
    """Voxels of each label inside the target's block of space; one that its edge cuts counts in part.

    The part is exact where the two grids' axes are parallel, and right on average where they are not.
    """
    width = np.abs(np.linalg.inv(target.axes) @ labels.grid.axes).sum(axis=1)
    first, last = -0.5, np.asarray(target.size) - 0.5
    ends = np.array([[s.start, s.stop - 1] for s in bounding_box(labels.array)[::-1]], float)
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    index = target.to_index(labels.grid.to_physical(corners))
    # Places come from 32-bit headers: a thousandth of a voxel is no overhang.
    if (index - width / 2 > first - 1e-3).all() and (index + width / 2 < last + 1e-3).all():
        return count_voxels(labels.array, number)
    z, y, x = np.nonzero(labels.array)
    index = target.to_index(labels.grid.to_physical(np.stack([x, y, z], axis=-1)))
    held = np.minimum(index + width / 2, last) - np.maximum(index - width / 2, first)
    part = np.clip(held / width, 0, 1).prod(axis=1)
    return np.bincount(labels.array[z, y, x], part, number)
