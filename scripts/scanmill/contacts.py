"""Which structures of a label map touch, and how much."""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel

# What is neither a structure nor the edge of the scan.
OUTSIDE = "outside"


def contacts(labels: np.ndarray, grid: Grid, names: dict[str, int]) -> dict[str, dict[str, float]]:
    """The part of each structure's boundary at which another begins, by the names of both.

    Areas of voxel faces between the two, of those between the structure and anything: their steps make
    both too large, by the same part however the grid lies. Where structures overlap, the later one is
    there. labels: [z, y, x]. names: structure to label; what else has a label is OUTSIDE.
    """
    places = np.zeros(max([int(labels.max(initial=0)), *names.values()]) + 1, np.int32)
    places[list(names.values())] = range(1, len(names) + 1)
    x, y, z = grid.spacing
    faces = np.array([x * y, x * z, y * z])
    areas = _areas(labels, places, faces, len(names) + 1)
    areas += areas.T
    every = [OUTSIDE, *names]
    return {
        every[n]: {every[m]: float(areas[n, m] / areas[n].sum()) for m in np.flatnonzero(areas[n])}
        for n in range(1, len(every))
        if areas[n].any()
    }


@kernel
def _areas(labels, places, faces, number):  # noqa: ANN001, ANN202
    """Areas of the faces between voxels of two places, mm2; faces: of voxels across z, y and x."""
    depth, height, width = labels.shape
    areas = np.zeros((number, number))
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                own = labels[z, y, x]
                if z > 0 and labels[z - 1, y, x] != own:
                    areas[places[labels[z - 1, y, x]], places[own]] += faces[0]
                if y > 0 and labels[z, y - 1, x] != own:
                    areas[places[labels[z, y - 1, x]], places[own]] += faces[1]
                if x > 0 and labels[z, y, x - 1] != own:
                    areas[places[labels[z, y, x - 1]], places[own]] += faces[2]
    return areas
