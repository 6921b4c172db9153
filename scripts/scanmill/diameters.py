"""Diameters of a mask: the largest distances between vertices of its marching-cubes mesh.

The vertices are midpoints between a voxel inside and one outside. Only the convex hull of each plane of
them can hold an end of a diameter, and most pairs of planes are too near to hold both. Own code, since
libraries compare all vertices with each other, or first build a mesh and its hull.
"""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel

Array = np.ndarray


def diameter(inside: Array, spacing: Array) -> float:
    """Largest distance, mm, between two vertices of the mesh of a mask with a border of zeros."""
    return float(np.sqrt(_largest_distance(*_plane_hulls(inside, spacing))))


def plane_diameters(inside: Array, spacing: Array) -> Array:
    """Largest distance, mm, between two mesh vertices in one plane; planes normal to x, y and z."""
    found = []
    for axis in (2, 1, 0):
        turned = np.ascontiguousarray(np.moveaxis(inside, axis, 0))
        step = np.concatenate([np.delete(spacing, 2 - axis), [spacing[2 - axis]]])
        points, begin, _ = _plane_hulls(turned, step)
        found.append(
            np.sqrt(_largest_in_plane(points, begin, np.ones(len(begin) - 1, np.bool_))[0])
        )
    return np.array(found)


def axial_diameters(mask: Array, grid: Grid) -> tuple[float, float]:
    """The longest diameter of a mask [z, y, x] in one axial slice, and its perpendicular, mm.

    Slices lie across the grid's axis that is nearest to the patient's superior axis, as radiologists
    read them, also where the scan is tilted. Diameters run between voxel edges, as RECIST 1.1
    (doi:10.1016/j.ejca.2008.10.026) measures lesions; the second is the extent of the same slice
    perpendicular to the first.
    """
    axis = grid.axial_axis
    inside = np.pad(np.moveaxis(mask, 2 - axis, 0).astype(np.uint8), 1)
    step = np.append(np.delete(grid.spacing, axis), grid.spacing[axis])
    points, begin, heights = _plane_hulls(inside, step)
    on_centres = np.arange(len(heights)) % 2 == 0
    squared, plane, one, other = _largest_in_plane(points, begin, on_centres)
    hull = points[begin[plane] : begin[plane + 1], :2]
    along = (points[other] - points[one])[:2] / np.sqrt(squared)
    across = hull @ np.array([-along[1], along[0]])
    return float(np.sqrt(squared)), float(across.max() - across.min())


@kernel
def _plane_hulls(inside, spacing):  # noqa: ANN001, ANN202
    """Convex hulls of the mesh vertices in each plane of the first array axis, in mm.

    Returns the hulls' points (n, 3) as (x, y, z), where each plane's begin, and the planes' heights.
    Planes lie on the voxel centres and halfway between them.
    """
    depth, height, width = inside.shape
    capacity = 1024
    points = np.empty((capacity, 3))
    begin = np.zeros(2 * depth, np.int64)
    heights = np.empty(2 * depth - 1)
    candidates = np.empty((4 * (height + width), 2))
    count = 0
    for plane in range(2 * depth - 1):
        z = plane // 2
        found = 0
        if plane % 2 == 0:
            # Outermost midpoints along the rows and along the columns.
            for y in range(height):
                first, last = -1, -1
                for x in range(width):
                    if inside[z, y, x]:
                        if first < 0:
                            first = x
                        last = x
                if first >= 0:
                    candidates[found, 0], candidates[found, 1] = first - 0.5, y
                    candidates[found + 1, 0], candidates[found + 1, 1] = last + 0.5, y
                    found += 2
            if found > 0:
                for x in range(width):
                    first, last = -1, -1
                    for y in range(height):
                        if inside[z, y, x]:
                            if first < 0:
                                first = y
                            last = y
                    if first >= 0:
                        candidates[found, 0], candidates[found, 1] = x, first - 0.5
                        candidates[found + 1, 0], candidates[found + 1, 1] = x, last + 0.5
                        found += 2
        else:
            for y in range(height):
                first, last = -1, -1
                for x in range(width):
                    if inside[z, y, x] != inside[z + 1, y, x]:
                        if first < 0:
                            first = x
                        last = x
                if first >= 0:
                    candidates[found, 0], candidates[found, 1] = first, y
                    candidates[found + 1, 0], candidates[found + 1, 1] = last, y
                    found += 2
        hull = _hull(candidates[:found])
        while count + len(hull) > capacity:
            points = np.concatenate((points, np.empty((capacity, 3))))
            capacity *= 2
        for n in range(len(hull)):
            points[count, 0] = hull[n, 0] * spacing[0]
            points[count, 1] = hull[n, 1] * spacing[1]
            points[count, 2] = plane / 2 * spacing[2]
            count += 1
        begin[plane + 1] = count
        heights[plane] = plane / 2 * spacing[2]
    return points[:count], begin, heights


@kernel
def _hull(points):  # noqa: ANN001, ANN202
    """Convex hull of 2D points (Andrew's monotone chain)."""
    if len(points) < 3:
        return points.copy()
    # Sorted by x, then y: coordinates are multiples of a half, so one key holds both.
    points = points[np.argsort(points[:, 0] * 2**20 + points[:, 1], kind="mergesort")]
    hull = np.empty((2 * len(points) + 1, 2))
    size = 0
    for turn in range(2):
        floor = size + 1
        for m in range(len(points)):
            p = points[m] if turn == 0 else points[len(points) - 1 - m]
            while (
                size > floor
                and (hull[size - 1, 0] - hull[size - 2, 0]) * (p[1] - hull[size - 2, 1])
                - (hull[size - 1, 1] - hull[size - 2, 1]) * (p[0] - hull[size - 2, 0])
                <= 0
            ):
                size -= 1
            hull[size] = p
            size += 1
        size -= 1
    return hull[: max(size, 1)].copy()


@kernel
def _largest_distance(points, begin, heights):  # noqa: ANN001, ANN202
    """Largest squared distance; pairs of planes whose circles are too near are passed over."""
    planes = len(heights)
    centre = np.zeros((planes, 2))
    radius = np.full(planes, -1.0)
    for p in range(planes):
        own = points[begin[p] : begin[p + 1]]
        if len(own) == 0:
            continue
        for a in range(2):
            centre[p, a] = (own[:, a].min() + own[:, a].max()) / 2
        for n in range(len(own)):
            away = np.hypot(own[n, 0] - centre[p, 0], own[n, 1] - centre[p, 1])
            radius[p] = max(radius[p], away)
    best = 0.0
    for apart in range(planes - 1, -1, -1):
        for p in range(planes - apart):
            q = p + apart
            if radius[p] < 0 or radius[q] < 0:
                continue
            flat = np.hypot(centre[p, 0] - centre[q, 0], centre[p, 1] - centre[q, 1])
            flat += radius[p] + radius[q]
            rise = (heights[q] - heights[p]) ** 2
            if rise + flat * flat <= best:
                continue
            for n in range(begin[p], begin[p + 1]):
                for m in range(begin[q], begin[q + 1]):
                    dx = points[n, 0] - points[m, 0]
                    dy = points[n, 1] - points[m, 1]
                    best = max(best, dx * dx + dy * dy + rise)
    return best


@kernel
def _largest_in_plane(points, begin, allowed):  # noqa: ANN001, ANN202
    """Largest squared distance within a plane, the plane, and the two points."""
    best, plane, one, other = 0.0, 0, 0, 0
    for p in range(len(begin) - 1):
        if not allowed[p]:
            continue
        for n in range(begin[p], begin[p + 1]):
            for m in range(n + 1, begin[p + 1]):
                dx = points[n, 0] - points[m, 0]
                dy = points[n, 1] - points[m, 1]
                if dx * dx + dy * dy > best:
                    best, plane, one, other = dx * dx + dy * dy, p, n, m
    return best, plane, one, other
