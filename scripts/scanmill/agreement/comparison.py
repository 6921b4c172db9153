"""A structure beside its reference, on the grid that the reference was drawn on.

There the reference is as it was drawn, to the voxel; on any other grid its own interpolation would
count as disagreement. Ours is brought there by depth, its volume kept (`label_interpolation`).
"""

from itertools import product

import numpy as np

from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import Region
from scanmill.source.segments.segment import Mask
from scanmill.volume_file import Volume

Array = np.ndarray


def side_by_side(region: Region, grid: Grid, drawn: Mask) -> tuple[Array, Array]:
    """Masks of a region of a grid and of its reference: bool, [z, y, x], on the reference's lattice.

    They cover both; where the lattice ends does not matter.
    """
    ours = _with_background(region, grid)
    ends = np.array(list(product(*((-0.5, n - 0.5) for n in ours.grid.size))))
    index = drawn.lattice.to_index(ours.grid.to_physical(ends))
    first, size = np.asarray(drawn.start), np.asarray(drawn.array.shape[::-1])
    low = np.minimum(np.floor(index.min(axis=0)).astype(int), first)
    high = np.maximum(np.ceil(index.max(axis=0)).astype(int) + 1, first + size)
    target = drawn.lattice.crop(tuple(low.tolist()), tuple((high - low).tolist()))
    theirs = np.zeros(target.shape, bool)
    start = (first - low)[::-1]
    box = tuple(slice(s, s + n) for s, n in zip(start, drawn.array.shape, strict=True))
    theirs[box] = drawn.array
    return resample_labels(ours, target) > 0, theirs


def part_outside(drawn: Mask, block: Grid) -> float:
    """Which part of a mask, which is not empty, lies outside the block of space of a grid, %."""
    ends = np.array(list(product(*((0, n - 1) for n in drawn.array.shape[::-1]))))
    if _inside(ends, drawn, block).all():
        return 0.0
    voxels = np.argwhere(drawn.array)[:, ::-1]
    return 100 * float(1 - _inside(voxels, drawn, block).mean())


def mask_of(region: Region, grid: Grid) -> Mask:
    """A region as a mask of its grid's lattice."""
    return Mask(grid, tuple(part.start for part in region.box[::-1]), region.array)


def _inside(voxels: Array, drawn: Mask, block: Grid) -> Array:
    index = block.to_index(drawn.lattice.to_physical(voxels + np.asarray(drawn.start)))
    return ((index > -0.5) & (index < np.asarray(block.size) - 0.5)).all(axis=1)


def _with_background(region: Region, grid: Grid) -> Volume:
    """The region as a label map, with around it what interpolation looks at: a voxel's diagonal."""
    spacing = np.asarray(grid.spacing)
    around = np.floor(np.linalg.norm(spacing) / spacing).astype(int) + 1
    labels = np.pad(region.array.view(np.uint8), [(n, n) for n in around[::-1].tolist()])
    start = np.array([part.start for part in region.box[::-1]]) - around
    return Volume(labels, grid.crop(tuple(start.tolist()), labels.shape[::-1]))
