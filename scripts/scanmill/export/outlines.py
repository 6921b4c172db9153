"""Outlines of a mask on its pixels' outer edges, holes by keyhole.

Own code: what libraries trace are pixel centres (OpenCV, and so rt-utils) or the middle between
centres (marching squares), so that a reader who fills the outline loses or gains a rim of pixels.
Here an outline encloses exactly the pixels' squares, whatever grid it is filled on.

Pixels that only share a corner are pieces of their own, so no outline crosses itself. A hole is joined
to the outline around it by a channel of no width, as DICOM PS3.3 C.8.8.6.3 has it, which runs between
two rows of pixels and never over a pixel's centre.
"""

import numpy as np

from scanmill.kernel import kernel

# Steps (x, y) along the top, right, bottom and left side of a pixel, the pixel on the right hand.
STEP_X = np.array([1, 0, -1, 0])
STEP_Y = np.array([0, 1, 0, -1])


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The outline of each piece of a mask [y, x], its holes joined to it.

    Points (n, 2) as (x, y) in pixels from the centre of the first pixel, n at least 4, without the
    first again at the end; no three in a row lie on a line, but where a channel begins.
    """
    points, ends = _outlines(np.pad(mask, 1).view(np.uint8))
    starts = np.append(0, ends)[:-1]
    # Pixel edges lie half a pixel before the centres, and the padding is one pixel.
    return [points[a:b] - 1.5 for a, b in zip(starts, ends, strict=True)]


@kernel
def _outlines(mask):  # noqa: ANN001, ANN202
    """All pieces' points, one after the other, and where each piece ends. The mask's rim is zero."""
    x, y, follower, leader, used, first, leftmost, left, right = _loops(mask)
    holes = np.flatnonzero(leftmost >= 0)
    # From left to right: whatever lies left of a hole is then joined already.
    for n in holes[np.argsort(x[leftmost[holes]])]:
        hole = leftmost[n]
        target = _seen_to_the_left(x[hole], y[hole], left, right, follower)
        used = _join(hole, target, x, y, follower, leader, used)
    points = np.empty((used, 2), np.float64)
    ends = np.empty(len(first), np.int64)
    count = pieces = 0
    for n in range(len(first)):
        if leftmost[n] >= 0:
            continue
        node = first[n]
        while True:
            if _bends(leader[node], node, follower[node], x, y):
                points[count, 0], points[count, 1] = x[node], y[node]
                count += 1
            node = follower[node]
            if node == first[n]:
                break
        ends[pieces] = count
        pieces += 1
    return points[:count], ends[:pieces]


@kernel
def _loops(mask):  # noqa: ANN001, ANN202
    """The closed loops of pixel sides around and within a mask, in steps of one pixel.

    Returns each node's x, y, follower and leader (with room for two more nodes a hole), how many
    nodes there are, each loop's first node, the leftmost one of each hole (-1 for an outline), and the
    nodes at which the left and the right side of each pixel begin (-1 where they are no edge).
    """
    sides = _count_sides(mask)
    x = np.empty(2 * sides, np.int64)
    y = np.empty(2 * sides, np.int64)
    follower = np.empty(2 * sides, np.int64)
    leader = np.empty(2 * sides, np.int64)
    first = np.empty(sides // 4, np.int64)
    leftmost = np.empty(sides // 4, np.int64)
    left = np.full(mask.shape, -1, np.int64)
    right = np.full(mask.shape, -1, np.int64)
    traced = np.zeros(mask.shape, np.bool_)
    used = loops = 0
    for row in range(1, mask.shape[0] - 1):
        for column in range(1, mask.shape[1] - 1):
            # Every loop has a top side.
            if mask[row, column] == 0 or mask[row - 1, column] != 0 or traced[row, column]:
                continue
            start = used
            r, c, d = row, column, 0
            area = 0
            west = -1
            while True:
                x[used] = c + (d == 1 or d == 2)
                y[used] = r + (d >= 2)
                follower[used], leader[used] = used + 1, used - 1
                if d == 0:
                    traced[r, c] = True
                elif d == 1:
                    right[r, c] = used
                    area += x[used]
                    if west < 0 or x[used] < x[west]:
                        west = used
                elif d == 3:
                    left[r, c] = used
                    area -= x[used]
                used += 1
                ahead, aside = r + STEP_Y[d], c + STEP_X[d]
                outer = (d + 3) % 4
                if mask[ahead, aside] == 0:
                    d = (d + 1) % 4
                elif mask[ahead + STEP_Y[outer], aside + STEP_X[outer]] == 0:
                    r, c = ahead, aside
                else:
                    r, c, d = ahead + STEP_Y[outer], aside + STEP_X[outer], outer
                if r == row and c == column and d == 0:
                    break
            follower[used - 1], leader[start] = start, used - 1
            first[loops] = start
            leftmost[loops] = west if area < 0 else -1
            loops += 1
    return x, y, follower, leader, used, first[:loops], leftmost[:loops], left, right


@kernel
def _count_sides(mask):  # noqa: ANN001, ANN202
    count = 0
    for r in range(1, mask.shape[0] - 1):
        for c in range(1, mask.shape[1] - 1):
            if mask[r, c]:
                for d in range(4):
                    count += mask[r + STEP_Y[d], c + STEP_X[d]] == 0
    return count


@kernel
def _seen_to_the_left(x, y, left, right, follower):  # noqa: ANN001, ANN202
    """The first node left of a hole's leftmost one, on the line between rows y - 1 and y.

    Both rows begin inside the piece there, so the first edge in either is the piece's own.
    """
    c = x - 1
    while True:
        if left[y, c] >= 0:
            return follower[left[y, c]]
        if left[y - 1, c] >= 0:
            return left[y - 1, c]
        if right[y - 1, c - 1] >= 0:
            return follower[right[y - 1, c - 1]]
        c -= 1


@kernel
def _join(hole, target, x, y, follower, leader, used):  # noqa: ANN001, ANN202
    """Make a hole part of the loop of `target`: to it, around it and back, by two copied nodes."""
    out, back = used, used + 1
    x[out], y[out] = x[target], y[target]
    x[back], y[back] = x[hole], y[hole]
    before_target, before_hole = leader[target], leader[hole]
    follower[before_target], leader[out] = out, before_target
    follower[out], leader[hole] = hole, out
    follower[before_hole], leader[back] = back, before_hole
    follower[back], leader[target] = target, back
    return used + 2


@kernel
def _bends(a, b, c, x, y):  # noqa: ANN001, ANN202
    """Whether the way from node a over b to c is not straight on."""
    ux, uy, vx, vy = x[b] - x[a], y[b] - y[a], x[c] - x[b], y[c] - y[b]
    return ux * vy != uy * vx or ux * vx + uy * vy < 0
