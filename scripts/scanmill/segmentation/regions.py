"""Regions on their boxes: the smallest that holds one, wider ones, and what lies in another's box."""

import numpy as np

from scanmill.grid import Grid, bounding_box
from scanmill.label_map import Box, Region
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene


def whole(grid: Grid) -> Region:
    """The region of all voxels of a grid."""
    return Region(tuple(slice(0, n) for n in grid.shape), np.ones(grid.shape, bool))


def tight(region: Region) -> Region:
    """The same region in the smallest box."""
    inner = bounding_box(region.array)
    box = tuple(
        slice(part.start + cut.start, part.start + cut.stop)
        for part, cut in zip(region.box, inner, strict=True)
    )
    return Region(box, np.ascontiguousarray(region.array[inner]))


def widen(region: Region, margin: tuple[int, int, int], grid: Grid) -> Region:
    """The same region in a box that is wider by `margin` voxels (x, y, z), within the grid."""
    box = tuple(
        slice(max(0, part.start - more), min(length, part.stop + more))
        for part, more, length in zip(region.box, margin[::-1], grid.shape, strict=True)
    )
    return Region(box, cut(region, box))


def cut(region: Region, box: Box) -> np.ndarray:
    """The part of a region that lies in a box, as a mask of the box."""
    mask = np.zeros([part.stop - part.start for part in box], bool)
    both = [
        (max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(region.box, box, strict=True)
    ]
    if all(start < stop for start, stop in both):
        to = tuple(slice(s - b.start, e - b.start) for (s, e), b in zip(both, box, strict=True))
        of = tuple(
            slice(s - a.start, e - a.start) for (s, e), a in zip(both, region.box, strict=True)
        )
        mask[to] = region.array[of]
    return mask


def needed(name: str, scene: Scene) -> Region:
    """The region of a structure. Raises Refusal `structure-skipped` where it has no voxel."""
    region = scene.region(name)
    if not region.array.any():
        raise Refusal(
            "structure-skipped", f"it is built from the structure '{name}', which has no voxel"
        )
    return region


def around(boxes: list[Box]) -> Box:
    """The smallest box that holds all."""
    return tuple(
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*boxes, strict=True)
    )
