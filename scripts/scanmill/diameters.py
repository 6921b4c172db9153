"""Diameters and the convex hull of a mask, by the vertices of its marching-cubes mesh.

The vertices are midpoints between a voxel inside and one outside. Only the convex hull of each plane of
them can hold an end of a diameter, and most pairs of planes are too near to hold both. Own code, since
libraries compare all vertices with each other, or first build a mesh and its hull.
"""

import numpy as np
from scipy.spatial import ConvexHull

from scanmill.grid import Grid
from scanmill.kernel import kernel

Array = np.ndarray


def diameter(inside: Array, spacing: Array) -> float:
    """Largest distance, mm, between two vertices of the mesh of a mask with a border of zeros."""
    return float(np.sqrt(_largest_distance(*_plane_hulls(inside, spacing))))


def hull_volume_and_area(inside: Array, spacing: Array) -> tuple[float, float]:
    """Volume (mm3) and area (mm2) of the convex hull of the mesh of a mask with a border of zeros."""
    points, _, _ = _plane_hulls(inside, spacing)
    hull = ConvexHull(points)
    return float(hull.volume), float(hull.area)


def plane_diameters(mask: Array, spacing: Array) -> Array:
    """Largest distance, mm, between two mesh vertices in one plane; planes normal to x, y and z."""
    return np.sqrt(_largest_by_plane(mask, spacing))


def axial_diameters(mask: Array, grid: Grid) -> tuple[float, float]:
    """The longest diameter of a mask [z, y, x] in one axial slice, and its perpendicular, mm.

    Slices lie across the grid's axis that is nearest to the patient's superior axis, as radiologists
    read them, also where the scan is tilted. Diameters run between voxel edges, as RECIST 1.1
    (doi:10.1016/j.ejca.2008.10.026) measures lesions; the second is the longest line at right angles to
    the first, in the same slice, from outline to outline. So a crescent's is its thickness.
    """
    axis = grid.axial_axis
    inside = np.pad(np.moveaxis(mask, 2 - axis, 0).astype(np.uint8), 1)
    step = np.append(np.delete(grid.spacing, axis), grid.spacing[axis])
    points, begin, _ = _plane_hulls(inside, step)
    # Every other plane lies on voxel centres.
    squared, plane, one, other = _largest_in_plane(points, begin, 2)
    along = (points[other] - points[one])[:2] / np.sqrt(squared)
    return float(np.sqrt(squared)), float(_widest(_outline(inside[plane // 2], step), along))


@kernel
def _largest_by_plane(mask, spacing):  # noqa: ANN001, ANN202
    """Largest squared distance within the planes normal to each axis (x, y, z)."""
    inside = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2, mask.shape[2] + 2), np.uint8)
    inside[1:-1, 1:-1, 1:-1] = mask
    x, y, z = spacing
    along_x = np.ascontiguousarray(inside.transpose(2, 0, 1)), np.array([y, z, x])
    along_y = np.ascontiguousarray(inside.transpose(1, 0, 2)), np.array([x, z, y])
    largest = np.empty(3)
    for n, (turned, step) in enumerate((along_x, along_y, (inside, spacing))):
        points, begin, _ = _plane_hulls(turned, step)
        largest[n] = _largest_in_plane(points, begin, 1)[0]
    return largest


@kernel
def _plane_hulls(inside, spacing):  # noqa: ANN001, ANN202
    """Convex hulls of the mesh vertices in each plane of the first array axis, in mm.

    Returns the hulls' points (n, 3) as (x, y, z), where each plane's begin, and the planes' heights.
    Planes lie on the voxel centres and halfway between them.
    """
    depth, height = inside.shape[:2]
    capacity = 1024
    points = np.empty((capacity, 3))
    begin = np.zeros(2 * depth, np.int64)
    heights = np.empty(2 * depth - 1)
    ends = np.empty((2 * height, 3))
    hull = np.empty((4 * height, 2))
    count = 0
    for plane in range(2 * depth - 1):
        z = plane // 2
        levels = 0
        if plane % 2 == 0:
            for y in range(height - 1):
                first, last = _ends(inside[z, y], inside[0, 0])
                if last >= 0:
                    ends[levels, 0], ends[levels, 1], ends[levels, 2] = first - 0.5, last + 0.5, y
                    levels += 1
                first, last = _ends(inside[z, y], inside[z, y + 1])
                if last >= 0:
                    ends[levels, 0], ends[levels, 1], ends[levels, 2] = first, last, y + 0.5
                    levels += 1
        else:
            for y in range(height):
                first, last = _ends(inside[z, y], inside[z + 1, y])
                if last >= 0:
                    ends[levels, 0], ends[levels, 1], ends[levels, 2] = first, last, y
                    levels += 1
        size, start = _hull(ends[:levels], hull)
        while count + size > capacity:
            points = np.concatenate((points, np.empty((capacity, 3))))
            capacity *= 2
        for n in range(start, start + size):
            points[count, 0] = hull[n % size, 0] * spacing[0]
            points[count, 1] = hull[n % size, 1] * spacing[1]
            points[count, 2] = plane / 2 * spacing[2]
            count += 1
        begin[plane + 1] = count
        heights[plane] = plane / 2 * spacing[2]
    return points[:count], begin, heights


@kernel
def _ends(row, other):  # noqa: ANN001, ANN202
    """The first and the last place where two rows differ; -1, -1 where they are the same."""
    first, last = 0, len(row) - 1
    while first <= last and row[first] == other[first]:
        first += 1
    if first > last:
        return -1, -1
    while row[last] == other[last]:
        last -= 1
    return first, last


@kernel
def _hull(ends, hull):  # noqa: ANN001, ANN202
    """Convex hull of points in rows (first x, last x, y), y ascending: its size, and where to begin.

    Anticlockwise, up the last points and down the first ones (Andrew's monotone chain); to begin at the
    point of least x, and of least y among those.
    """
    size = 0
    for side in (1, 0):
        floor = max(size, 1)
        for m in range(len(ends)):
            n = m if side == 1 else len(ends) - 1 - m
            x, y = ends[n, side], ends[n, 2]
            if size > 0 and hull[size - 1, 0] == x and hull[size - 1, 1] == y:
                continue
            while (
                size > floor
                and (hull[size - 1, 0] - hull[size - 2, 0]) * (y - hull[size - 2, 1])
                - (hull[size - 1, 1] - hull[size - 2, 1]) * (x - hull[size - 2, 0])
                <= 0
            ):
                size -= 1
            hull[size, 0], hull[size, 1] = x, y
            size += 1
    if size > 1 and hull[size - 1, 0] == hull[0, 0] and hull[size - 1, 1] == hull[0, 1]:
        size -= 1
    start = 0
    for n in range(1, size):
        if hull[n, 0] < hull[start, 0] or (
            hull[n, 0] == hull[start, 0] and hull[n, 1] < hull[start, 1]
        ):
            start = n
    return size, start


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
def _largest_in_plane(points, begin, stride):  # noqa: ANN001, ANN202
    """Largest squared distance within one of every `stride` planes, the plane, and the two points."""
    best, plane, one, other = 0.0, 0, 0, 0
    for p in range(0, len(begin) - 1, stride):
        for n in range(begin[p], begin[p + 1]):
            for m in range(n + 1, begin[p + 1]):
                dx = points[n, 0] - points[m, 0]
                dy = points[n, 1] - points[m, 1]
                if dx * dx + dy * dy > best:
                    best, plane, one, other = dx * dx + dy * dy, p, n, m
    return best, plane, one, other


@kernel
def _outline(inside, spacing):  # noqa: ANN001, ANN202
    """The outline of a slice between its mesh vertices: lines (n, 2, 2) from (x, y) to (x, y), mm.

    Pixels that only share a corner are apart.
    """
    height, width = inside.shape
    lines = np.empty((2 * height * width, 2, 2))
    count = 0
    for y in range(height - 1):
        for x in range(width - 1):
            for v in range(2):
                for u in range(2):
                    # Each of the four pixels around, cut off from those beside it that differ; a
                    # pixel outside, only where the other three are inside.
                    here = inside[y + v, x + u]
                    beside, over = inside[y + v, x + 1 - u], inside[y + 1 - v, x + u]
                    if beside == here or over == here:
                        continue
                    if here or inside[y + 1 - v, x + 1 - u]:
                        lines[count, 0, 0], lines[count, 0, 1] = x + 0.5, y + v
                        lines[count, 1, 0], lines[count, 1, 1] = x + u, y + 0.5
                        count += 1
            if inside[y, x] == inside[y, x + 1] and inside[y + 1, x] == inside[y + 1, x + 1]:
                if inside[y, x] != inside[y + 1, x]:
                    lines[count, 0, 0], lines[count, 0, 1] = x, y + 0.5
                    lines[count, 1, 0], lines[count, 1, 1] = x + 1, y + 0.5
                    count += 1
            elif inside[y, x] == inside[y + 1, x] and inside[y, x + 1] == inside[y + 1, x + 1]:
                lines[count, 0, 0], lines[count, 0, 1] = x + 0.5, y
                lines[count, 1, 0], lines[count, 1, 1] = x + 0.5, y + 1
                count += 1
    lines[:count, :, 0] *= spacing[0]
    lines[:count, :, 1] *= spacing[1]
    return lines[:count]


@kernel
def _widest(lines, along):  # noqa: ANN001, ANN202
    """The largest distance, mm, between two points of an outline across a direction, a unit vector.

    Between two ends of lines, next to each other along the direction, it grows or shrinks evenly: to
    look at the ends is enough.
    """
    ahead = lines[:, :, 0] * along[0] + lines[:, :, 1] * along[1]
    aside = lines[:, :, 1] * along[0] - lines[:, :, 0] * along[1]
    places = np.unique(ahead)
    least = np.full(len(places), np.inf)
    most = np.full(len(places), -np.inf)
    for n in range(len(lines)):
        a, b = (0, 1) if ahead[n, 0] <= ahead[n, 1] else (1, 0)
        start = np.searchsorted(places, ahead[n, a])
        stop = np.searchsorted(places, ahead[n, b])
        for m in range(start, stop + 1):
            there = aside[n, b]
            if m < stop:
                part = (places[m] - ahead[n, a]) / (ahead[n, b] - ahead[n, a])
                there = aside[n, a] + part * (aside[n, b] - aside[n, a])
            least[m], most[m] = min(least[m], there), max(most[m], there)
        # Where a line runs across, both of its ends are at one place.
        least[start] = min(least[start], aside[n, a])
        most[start] = max(most[start], aside[n, a])
    return (most - least).max()
