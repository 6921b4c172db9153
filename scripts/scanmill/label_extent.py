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


def overlap(one: Grid, other: Grid) -> bool:
    """Have the blocks of space that two grids fill a point in common?

    They have none where some plane lies between them, and then one that is parallel to a face of
    either, or to an edge of each (separating axes: Gottschalk 1996, doi:10.1145/237170.237244).
    """
    blocks = [grid.axes * (np.asarray(grid.size) / 2) for grid in (one, other)]
    centres = [grid.to_physical((np.asarray(grid.size) - 1) / 2) for grid in (one, other)]
    edges = np.cross(blocks[0].T[:, None], blocks[1].T).reshape(-1, 3)
    across = np.vstack([blocks[0].T, blocks[1].T, edges])
    reach = sum(np.abs(across @ block).sum(axis=1) for block in blocks)
    return bool((np.abs(across @ (centres[1] - centres[0])) <= reach).all())
