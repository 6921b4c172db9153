"""Triangles of a surface that run through others of it: what cells' volumes do not show.

Where two branches, or both sides of a crotch, lie closer together than a wall is thick, each cell of
it is sound, and yet tissue would be in one place twice. Own code around SciPy's tree: VTK intersects
two surfaces, not one with itself. Segments by Möller and Trumbore 1997,
doi:10.1080/10867651.1997.10487468.
"""

import numpy as np
from scipy.spatial import cKDTree


def crossing(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Which triangles [k] run through others that share no corner with them.

    points: [n, 3]. triangles: [t, 3], of about one size.
    """
    places = points[triangles]
    middles = places.mean(axis=1)
    radii = np.linalg.norm(places - middles[:, None], axis=2).max(axis=1)
    pairs = cKDTree(middles).query_pairs(2 * radii.max(), output_type="ndarray")
    one, other = pairs.T
    near = np.linalg.norm(middles[one] - middles[other], axis=1) < radii[one] + radii[other]
    pairs = pairs[near]
    shared = triangles[pairs[:, 0], :, None] == triangles[pairs[:, 1], None]
    pairs = pairs[~shared.any(axis=(1, 2))]
    through = np.zeros(len(pairs), bool)
    for first, second in (pairs.T, pairs.T[::-1]):
        for n in range(3):
            through |= _pierced(places[first, n], places[first, n - 2], places[second])
    return np.unique(pairs[through])


def _pierced(start: np.ndarray, end: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Which segments from start to end [k, 3] run through their triangles [k, 3, 3]."""
    a, b, c = np.moveaxis(triangles, 1, 0)
    along, one, other, off = end - start, b - a, c - a, start - a
    across = np.cross(along, other)
    # Six times the volume between: zero where the segment lies in the triangle's plane.
    size = np.einsum("ij,ij->i", one, across)
    size = np.where(size, size, np.inf)
    turned = np.cross(off, one)
    u = np.einsum("ij,ij->i", off, across) / size
    v = np.einsum("ij,ij->i", along, turned) / size
    t = np.einsum("ij,ij->i", other, turned) / size
    # Infinite sizes give zeros, which are not inside.
    return (u > 0) & (v > 0) & (u + v < 1) & (t > 0) & (t < 1)
