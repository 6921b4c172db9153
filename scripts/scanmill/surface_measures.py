"""What a surface encloses, how large it is, and whether it is closed."""

import numpy as np

from scanmill.kernel import kernel
from scanmill.surface import Surface


def volume(surface: Surface) -> float:
    """Enclosed volume, mm3, by the divergence theorem; positive where normals point outward."""
    return _volume_and_area(surface.points, surface.triangles)[0]


def area(surface: Surface) -> float:
    """Area of the surface, mm2."""
    return _volume_and_area(surface.points, surface.triangles)[1]


def areas_of(surface: Surface) -> np.ndarray:
    """Areas of the triangles, [t], mm2."""
    a, b, c = np.moveaxis(surface.points[surface.triangles], 1, 0)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def centroid(surface: Surface) -> np.ndarray:
    """Centroid of the enclosed volume, LPS mm."""
    origin = surface.points[0]
    a, b, c = (surface.points[surface.triangles[:, n]] - origin for n in range(3))
    weight = np.einsum("ij,ij->i", a, np.cross(b, c))
    return origin + (weight[:, None] * (a + b + c)).sum(axis=0) / (4 * weight.sum())


def is_watertight(surface: Surface) -> bool:
    """Is every edge shared by exactly two triangles that agree on the outside?"""
    return len(surface.triangles) > 0 and _faults(surface.triangles, len(surface.points))[0] == 0


def is_manifold(surface: Surface) -> bool:
    """Is it watertight, and do the triangles around every point form one closed fan?"""
    return len(surface.triangles) > 0 and _faults(surface.triangles, len(surface.points)) == (0, 0)


@kernel
def _volume_and_area(points, triangles):  # noqa: ANN001, ANN202
    volume, area = 0.0, 0.0
    for t in range(len(triangles)):
        # About a point of its own: far from the frame's origin the terms would cancel badly.
        o, a, b, c = (
            points[0],
            points[triangles[t, 0]],
            points[triangles[t, 1]],
            points[triangles[t, 2]],
        )
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        volume += ((a[0] - o[0]) * nx + (a[1] - o[1]) * ny + (a[2] - o[2]) * nz) / 6
        area += np.sqrt(nx * nx + ny * ny + nz * nz) / 2
    return volume, area


@kernel
def _root(parent, n):  # noqa: ANN001, ANN202
    while parent[n] != n:
        parent[n] = parent[parent[n]]
        n = parent[n]
    return n


@kernel
def _faults(triangles, number):  # noqa: ANN001, ANN202
    """Edges that are not shared by just two agreeing triangles; and fans beyond one a point."""
    corners = triangles.ravel()
    begin = np.zeros(number + 1, np.int64)
    for p in corners:
        begin[p + 1] += 1
    begin = np.cumsum(begin)
    at_point = np.empty(len(corners), np.int64)
    filled = begin[:-1].copy()
    for c in range(len(corners)):
        at_point[filled[corners[c]]] = c
        filled[corners[c]] += 1
    bad_edges = 0
    parent = np.arange(len(corners))
    for c in range(len(corners)):
        # The directed edge from this corner to the next one of its triangle, p -> q.
        following = c - 2 if c % 3 == 2 else c + 1
        p, q = corners[c], corners[following]
        same, opposite, partner = 0, 0, -1
        for n in range(begin[p], begin[p + 1]):
            d = at_point[n]
            if corners[d - 2 if d % 3 == 2 else d + 1] == q:
                same += 1
            if corners[d + 2 if d % 3 == 0 else d - 1] == q:
                opposite += 1
                partner = d
        if same != 1 or opposite != 1:
            bad_edges += 1
        else:
            parent[_root(parent, c)] = _root(parent, partner)
    fans, points = 0, 0
    for c in range(len(corners)):
        fans += parent[c] == c
    for p in range(number):
        points += begin[p + 1] > begin[p]
    return bad_edges, fans - points
