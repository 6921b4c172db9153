"""Contours to pixels: a pixel belongs to a region where its centre does.

Own code, since the libraries that do this either fill the pixels that a contour touches, or round its
points to pixels first, or take pixel indices for places: each moves the edge by up to half a pixel.
"""

import numpy as np

from scanmill.kernel import kernel

# Places come from decimal texts: a point that is meant to lie on a pixel's centre or edge lies there
# to this part of a pixel, and the same rule then decides for all of them.
SNAP = 2.0**-13


def draw(
    points: np.ndarray, bounds: np.ndarray, planes: np.ndarray, shape: tuple[int, int, int]
) -> tuple[np.ndarray, int]:
    """Masks [plane, v, u] of closed contours, and how many contours cross another one's region.

    points: (n, 2) u and v in pixels; pixel 0 is centred on 0. Contour k is points[bounds[k]:
    bounds[k + 1]], on plane planes[k]. Contours of a plane are joined by the even-odd rule: one inside
    another is a hole, and the channel of a keyhole, run through both ways, leaves no trace. A centre on
    a contour is inside where the region lies on the side of higher u, or of higher v.
    """
    drawn = np.zeros(shape, bool)
    snapped = np.round(points / SNAP) * SNAP
    low = np.minimum.reduceat(snapped, bounds[:-1])
    extent = np.maximum.reduceat(snapped, bounds[:-1]) - low
    # From large to small, so that what lies within another contour comes after it.
    order = np.argsort(-extent.sum(axis=1), kind="stable")
    crossing = _draw(snapped, bounds, order, planes, drawn)
    return drawn, int(crossing)


@kernel
def _draw(points, bounds, order, planes, drawn):  # noqa: ANN001, ANN202
    """Scan conversion: each edge toggles, in each row that it passes, the pixels to its right."""
    _, rows, columns = drawn.shape
    toggles = np.zeros((rows, columns + 1), np.bool_)
    crossing = 0
    for contour in order:
        first, last = bounds[contour], bounds[contour + 1]
        plane = drawn[planes[contour]]
        top, bottom, left, right = rows, 0, columns, 0
        for n in range(first, last):
            m = n + 1 if n + 1 < last else first
            # From low to high v, so that an edge run through both ways cuts a row at one place.
            low, high = (n, m) if points[n, 1] <= points[m, 1] else (m, n)
            u, v = points[low, 0], points[low, 1]
            start = max(int(np.ceil(v)), 0)
            stop = min(int(np.ceil(points[high, 1])), rows)
            if start >= stop:
                continue
            slope = (points[high, 0] - u) / (points[high, 1] - v)
            top, bottom = min(top, start), max(bottom, stop)
            for row in range(start, stop):
                column = min(max(int(np.ceil(u + (row - v) * slope)), 0), columns)
                toggles[row, column] = not toggles[row, column]
                left, right = min(left, column), max(right, column)
        covered, bare = 0, 0
        for row in range(top, bottom):
            inside = False
            for column in range(left, right + 1):
                if toggles[row, column]:
                    inside = not inside
                    toggles[row, column] = False
                if inside and column < columns:
                    if plane[row, column]:
                        covered += 1
                    else:
                        bare += 1
                    plane[row, column] = not plane[row, column]
        if covered > 0 and bare > 0:
            crossing += 1
    return crossing
