"""The true measures of a twin's structures, and what a perfect observer would supply as labels."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from scanmill.grid import Grid
from scanmill.surface import Surface
from scanmill.surface_measures import area, centroid, volume
from scanmill.validation.coverage import Coverage, coverages


def truth_of(surface: Surface, covered: Coverage, grid: Grid) -> dict[str, float]:
    """The measures of the polyhedron that a surface encloses, mm, mm2 and mm3, in LPS.

    Of a structure that the grid's block cuts only its volume within is known; none of one outside.
    """
    index = grid.to_index(surface.points)
    if not ((index >= -0.5) & (index <= np.array(grid.size) - 0.5)).all():
        within = covered.volume(grid)
        return {"volume": within} if within > 0 else {}
    x, y, z = centroid(surface).tolist()
    corners = surface.points[ConvexHull(surface.points).vertices]
    return {
        "volume": volume(surface),
        "area": area(surface),
        "diameter": float(pdist(corners).max()),
        "centroid_x": x,
        "centroid_y": y,
        "centroid_z": z,
    }


def ideal_labels(
    surfaces: Mapping[str, Surface], values: Mapping[str, int], grid: Grid
) -> np.ndarray:
    """The map [z, y, x] in which each voxel has the value of what fills most of it, 0 for none of them.

    values: by structure. Later structures lie on earlier ones.
    """
    labels = np.zeros(grid.shape, np.min_scalar_type(max(values.values(), default=0)))
    most = np.ones(grid.shape, np.float32)
    covered = coverages(list(surfaces.values()), grid)
    for part in covered:
        most[part.box] -= part.visible
    for name, part in zip(surfaces, covered, strict=True):
        wins = part.visible > most[part.box]
        labels[part.box][wins] = values[name]
        most[part.box][wins] = part.visible[wins]
    return labels


def ideal_masks(surfaces: Sequence[Surface], grid: Grid) -> list[np.ndarray]:
    """For each structure, uint8 [z, y, x]: is at least half of the voxel its own?"""
    masks = []
    for part in coverages(surfaces, grid):
        mask = np.zeros(grid.shape, np.uint8)
        mask[part.box] = part.whole >= 0.5
        masks.append(mask)
    return masks
