"""Distances between the surfaces of two masks, weighted by area.

As DeepMind's library surface-distance has them (Nikolov et al. 2021, doi:10.2196/26151): where eight
voxels meet that are not all alike lies a surface element, as large as what marching cubes put there.
The distance of an element is that of its place, the point where the voxels meet, to the nearest such
place of the other surface. Own code, with its numbers: the library's release fails with NumPy 2 where a
mask is empty, keeps maps of distances of whole boxes, and its table of areas is here already.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.spatial import cKDTree

from scanmill.grid import Triple
from scanmill.shape_features import cube_areas

Array = np.ndarray


@dataclass(frozen=True)
class Distances:
    """From the elements of one surface to the other surface, rising. distances: mm; areas: mm2."""

    distances: Array
    areas: Array

    def within(self, tolerance: float) -> float:
        """The area that lies no farther away than the tolerance, mm, from the other surface, mm2."""
        return float(self.areas[self.distances <= tolerance].sum())

    def percentile(self, percent: float) -> float:
        """The distance, mm, that so many percent of the area do not exceed."""
        parts = np.cumsum(self.areas) / self.areas.sum()
        place = np.searchsorted(parts, percent / 100)
        return float(self.distances[min(place, len(parts) - 1)])


def surface_distances(one: Array, other: Array, spacing: Triple) -> tuple[Distances, Distances]:
    """Those from one mask's surface to the other's, and back.

    one, other: bool, [z, y, x], of one shape, neither empty; beyond them is background. spacing: (x, y,
    z) mm.
    """
    step = np.asarray(spacing[::-1])
    (places, areas), (others, other_areas) = (_elements(mask, spacing) for mask in (one, other))
    return (
        _distances(places, areas, others, step),
        _distances(others, other_areas, places, step),
    )


def _elements(mask: Array, spacing: Triple) -> tuple[Array, Array]:
    """The places (z, y, x) where unlike voxels meet, in voxels, and the areas of the elements, mm2."""
    padded = np.pad(mask, 1).view(np.uint8)
    code = np.zeros([n - 1 for n in padded.shape], np.uint8)
    for bit, corner in enumerate(product((0, 1), repeat=3)):
        code |= (
            padded[tuple(slice(c, n + c) for c, n in zip(corner, code.shape, strict=True))] << bit
        )
    places = np.argwhere((code > 0) & (code < 255))
    areas = cube_areas(spacing)
    # Of voxels that meet only in an edge or a corner, the fewer are apart, be they inside or outside.
    return places, np.minimum(areas, areas[::-1])[code[tuple(places.T)]]


def _distances(places: Array, areas: Array, others: Array, step: Array) -> Distances:
    nearest = cKDTree(others * step).query(places * step)[1]
    # From whole steps: differences of places in mm are off in their last digits, and ties are common.
    apart = np.sqrt((((places - others[nearest]) * step) ** 2).sum(axis=1))
    order = np.lexsort((areas, apart))
    return Distances(apart[order], areas[order])
