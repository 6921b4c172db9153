"""How near two surfaces come to each other.

The least distance between any two of their points, triangles included: between a corner of one and a
face of the other, or between two edges (Ericson, Real-Time Collision Detection, 2005, 5.1). Own code,
since VTK, trimesh and SciPy measure from points to surfaces, which misses edges that pass each other.
"""

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from scanmill.label_map import Region
from scanmill.surface import Surface

# Triangles whose neighbours are listed at a time.
AT_ONCE = 2000


def distance(one: Surface, other: Surface) -> float:
    """The least distance between two surfaces, mm; 0 where they touch or cross.

    A surface that lies within the other without touching it has a distance to it.
    """
    from_one = cKDTree(other.points).query(one.points)[0]
    from_other = cKDTree(one.points).query(other.points)[0]
    least = float(from_one.min())
    width = _mesh_width(one) + _mesh_width(other)
    near = _corners(one, from_one[one.triangles].min(axis=1) <= least + width)
    far = _corners(other, from_other[other.triangles].min(axis=1) <= least + width)
    centres = cKDTree(far.mean(axis=1))
    for part in np.array_split(near, len(near) // AT_ONCE + 1):
        # No point of a triangle is farther from its centre than the width of its mesh.
        lists = centres.query_ball_point(part.mean(axis=1), least + width)
        ends = np.cumsum([0, *map(len, lists)])
        least = _least(part, far, np.concatenate(lists).astype(np.int64), ends, least)
    return least


def overlap(one: Region, other: Region) -> bool:
    """Have two regions of the same grid a voxel in common?"""
    low = [max(a.start, b.start) for a, b in zip(one.box, other.box, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(one.box, other.box, strict=True)]
    if any(start >= stop for start, stop in zip(low, high, strict=True)):
        return False
    parts = [
        region.array[
            tuple(
                slice(a - s.start, b - s.start)
                for a, b, s in zip(low, high, region.box, strict=True)
            )
        ]
        for region in (one, other)
    ]
    return bool((parts[0] & parts[1]).any())


def _mesh_width(surface: Surface) -> float:
    """How far a point of the surface may be from the nearest corner, or centre, of its triangle, mm."""
    corners = surface.points[surface.triangles]
    edges = corners - np.roll(corners, 1, axis=1)
    # Two thirds of a median, which is no longer than the longest edge, reach a corner from the centre.
    return float(np.sqrt((edges**2).sum(axis=-1).max()) * 2 / 3)


def _corners(surface: Surface, kept: np.ndarray) -> np.ndarray:
    """The corners of some triangles: (n, 3, 3), mm."""
    return np.ascontiguousarray(surface.points[surface.triangles[kept]], np.float64)


@njit(cache=True)
def _least(near, far, pairs, ends, least):  # noqa: ANN001, ANN202
    """Least distance between triangles, (n, 3, 3) each, or `least` where all are farther apart.

    pairs: for each of `near`, from ends[n] to ends[n + 1], the numbers of those `far` to look at.
    """
    squared = least**2
    for n in range(len(near)):
        for m in pairs[ends[n] : ends[n + 1]]:
            gap = 0.0
            for a in range(3):
                one, other = near[n, :, a], far[m, :, a]
                gap += max(0.0, other.min() - one.max(), one.min() - other.max()) ** 2
            if gap < squared:
                squared = min(squared, _apart(_triangle(near[n]), _triangle(far[m])))
    return np.sqrt(squared)


# Points and triangles are tuples from here on: small arrays cost more to make than to compute with.
@njit(cache=True)
def _triangle(c):  # noqa: ANN001, ANN202
    return (
        (c[0, 0], c[0, 1], c[0, 2]),
        (c[1, 0], c[1, 1], c[1, 2]),
        (c[2, 0], c[2, 1], c[2, 2]),
    )


@njit(cache=True)
def _minus(a, b):  # noqa: ANN001, ANN202
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


@njit(cache=True)
def _dot(a, b):  # noqa: ANN001, ANN202
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True)
def _cross(a, b):  # noqa: ANN001, ANN202
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


@njit(cache=True)
def _apart(one, other):  # noqa: ANN001, ANN202
    """Squared distance between two triangles, 0 where they cross."""
    least = np.inf
    for a in range(3):
        start, end = one[a], one[(a + 1) % 3]
        least = min(least, _to_face(start, other), _to_face(other[a], one))
        if _pierces(start, end, other) or _pierces(other[a], other[(a + 1) % 3], one):
            return 0.0
        for b in range(3):
            least = min(least, _between_edges(start, end, other[b], other[(b + 1) % 3]))
    return least


@njit(cache=True)
def _to_face(point, triangle):  # noqa: ANN001, ANN202
    """Squared distance from a point to a triangle's plane where it lies over the triangle, else inf.

    Elsewhere its edges are nearer, which are measured on their own.
    """
    ab, ac = _minus(triangle[1], triangle[0]), _minus(triangle[2], triangle[0])
    ap = _minus(point, triangle[0])
    normal = _cross(ab, ac)
    area = _dot(normal, normal)
    if area == 0:
        return np.inf
    along_ab = _dot(_cross(ap, ac), normal) / area
    along_ac = _dot(_cross(ab, ap), normal) / area
    if along_ab < 0 or along_ac < 0 or along_ab + along_ac > 1:
        return np.inf
    return _dot(ap, normal) ** 2 / area


@njit(cache=True)
def _pierces(start, end, triangle):  # noqa: ANN001, ANN202
    """Does the line from start to end go through the triangle?"""
    normal = _cross(_minus(triangle[1], triangle[0]), _minus(triangle[2], triangle[0]))
    before, after = _dot(_minus(start, triangle[0]), normal), _dot(_minus(end, triangle[0]), normal)
    if before * after > 0 or before == after:
        return False
    part, way = before / (before - after), _minus(end, start)
    crossing = (start[0] + part * way[0], start[1] + part * way[1], start[2] + part * way[2])
    return _to_face(crossing, triangle) < np.inf


@njit(cache=True)
def _between_edges(a, b, c, d):  # noqa: ANN001, ANN202
    """Squared distance between the lines from a to b and from c to d."""
    u, v, w = _minus(b, a), _minus(d, c), _minus(a, c)
    uu, uv, vv, uw, vw = _dot(u, u), _dot(u, v), _dot(v, v), _dot(u, w), _dot(v, w)
    across = uu * vv - uv * uv
    s = 0.0
    if across > 1e-12 * uu * vv:
        s = min(max((uv * vw - vv * uw) / across, 0.0), 1.0)
    t = 0.0
    if vv > 0:
        t = min(max((uv * s + vw) / vv, 0.0), 1.0)
    if uu > 0:
        s = min(max((uv * t - uw) / uu, 0.0), 1.0)
    away = (w[0] + s * u[0] - t * v[0], w[1] + s * u[1] - t * v[1], w[2] + s * u[2] - t * v[2])
    return _dot(away, away)
