"""What planes cut out of a vessel's surface: area, centre and diameters, as across its centreline."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from scanmill.surface import Surface


@dataclass(frozen=True)
class Section:
    """A cut through a vessel. centre: LPS mm. area: mm2. widest, narrowest: diameters, mm."""

    centre: np.ndarray
    area: float
    widest: float
    narrowest: float


def section(surface: Surface, point: np.ndarray, along: np.ndarray) -> Section | None:
    """The piece of a closed surface's cut that is around a point; None where none is.

    point: LPS mm. along: unit vector, across which is cut.
    """
    height = (surface.points - point) @ along
    edges, first, last = _outlines(surface.triangles, height > 0)
    if not len(edges):
        return None
    low, high = edges.T
    part = (height[low] / (height[low] - height[high]))[:, None]
    points = surface.points[low] + part * (surface.points[high] - surface.points[low])
    across = np.linalg.svd(along[None])[2][1:]
    flat = (points - point) @ across.T
    links = coo_array((np.ones(len(first)), (first, last)), shape=(len(edges), len(edges)))
    pieces = connected_components(links, directed=False)[1]
    one, other = flat[first], flat[last]
    cross = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    turns = np.arctan2(cross, np.einsum("ij,ij->i", one, other))
    around = abs(np.bincount(pieces[first], turns)) > np.pi
    areas = np.bincount(pieces[first], cross) / 2
    piece = int(np.argmax(abs(areas) * around))
    if not around[piece]:
        return None
    own = pieces[first] == piece
    middle = ((one + other) * cross[:, None])[own].sum(axis=0) / (6 * areas[piece])
    widest, narrowest = calipers(flat[pieces == piece])
    return Section(point + middle @ across, abs(float(areas[piece])), widest, narrowest)


def calipers(points: np.ndarray) -> tuple[float, float]:
    """The largest and the smallest distance of two parallel lines that points [n, 2] fit between."""
    hull = points[ConvexHull(points).vertices]
    sides = np.roll(hull, -1, axis=0) - hull
    normals = np.stack((-sides[:, 1], sides[:, 0]), axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    widths = np.ptp(hull @ normals.T, axis=0)
    return float(pdist(hull).max()), float(widths.min())


def _outlines(triangles: np.ndarray, above: np.ndarray) -> tuple[np.ndarray, ...]:
    """The edges [e, 2] that a plane cuts, and which two of them each piece of its outline links.

    above: which points lie before the plane. The pieces run one way around.
    """
    corners = above[triangles]
    cut = corners.any(axis=1) & ~corners.all(axis=1)
    corners, cut = corners[cut], triangles[cut]
    is_one = corners.sum(axis=1) == 1
    alone = np.argmax(corners == is_one[:, None], axis=1)
    turned = cut[np.arange(len(cut))[:, None], (alone[:, None] + [0, 1, 2]) % 3]
    left, right = turned[:, [0, 1]], turned[:, [0, 2]]
    swap = ~is_one[:, None]
    first, last = np.where(swap, right, left), np.where(swap, left, right)
    both = np.sort(np.concatenate((first, last)), axis=1)
    edges, number = np.unique(both, axis=0, return_inverse=True)
    return edges, *number.reshape(2, -1)
