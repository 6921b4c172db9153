"""A low-pass filter for the points of a mesh: the windowed sinc of Taubin 1996.

Taubin, Zhang and Golub, "Optimal surface smoothing as filter design", doi:10.1007/BFb0015544: the
ideal filter as a sum of Chebyshev polynomials of the mesh's Laplacian, under a Nuttall window. The
points that VTK's vtkWindowedSincPolyDataFilter gives, but that VTK's draws towards the middle of the
mesh what is far from it (at a pass band of 0.1 by 3e-6; of 0.001 by 4e-4, 0.08 mm at 200 mm). Own
code, too, since VTK's takes three times as long: it makes and sorts a list of edges for each point, and
goes through each edge from both of its ends.
"""

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebval

from scanmill.kernel import kernel

Array = np.ndarray

STEPS = 30
# Nuttall's window with a continuous first derivative: doi:10.1109/TASSP.1981.1163506.
NUTTALL = (0.355768, 0.487396, 0.144232, 0.012604)
UNIT_GAIN = 1e-3
MOST_MOVES = 500


def smoothed(points: Array, triangles: Array, pass_band: float, steps: int = STEPS) -> Array:
    """The points (n, 3), float64, of a closed mesh of triangles (m, 3) after smoothing.

    pass_band: 0 to 2, where the filter ends; less is smoother. steps: more of them let less pass beyond
    it. An edge weighs as many times as it has triangles, so that the junctions of several boundaries
    hold together.
    """
    edges = _edges(triangles, len(points))
    return _filter(points.astype(float), *edges, coefficients(pass_band, steps))


def coefficients(pass_band: float, steps: int) -> Array:
    """The filter's Chebyshev coefficients, from 0 to its steps.

    The window widens the sinc: its end is moved until the gain at the pass band is one. The steps that
    lead there are VTK's, and so is where they stop: surfaces depend on it in the third decimal.
    """
    order = np.arange(1, steps + 1)
    window = np.cos(np.outer(np.arange(steps + 1), np.arange(4)) * np.pi / (steps + 1)) @ NUTTALL
    edge = 1 - pass_band / 2
    end = np.arccos(edge)
    for _ in range(MOST_MOVES):
        found = window * np.append(end, 2 * np.sin(order * end) / order) / np.pi
        miss = chebval(edge, found) - 1
        if abs(miss) < UNIT_GAIN:
            break
        slope = chebder(found[:-1])
        end -= miss / (chebval(edge, slope) + slope[0])
    # Unlike VTK's: their sum is the gain of what is constant, and a structure's place must not change.
    return found / found.sum()


@kernel
def _edges(triangles, number):  # noqa: ANN001, ANN202
    """Each edge once, at the lower of its points: where a point's begin, other ends, triangles."""
    begin = np.zeros(number + 1, np.int32)
    for t in range(len(triangles)):
        for n in range(3):
            p, q = triangles[t, n], triangles[t, n - 2]
            begin[min(p, q) + 1] += 1
    for p in range(number):
        begin[p + 1] += begin[p]
    others = np.empty(begin[number], np.int32)
    uses = np.zeros(begin[number], np.uint8)
    for t in range(len(triangles)):
        for n in range(3):
            p, q = triangles[t, n], triangles[t, n - 2]
            low, high = min(p, q), max(p, q)
            e = begin[low]
            while uses[e] > 0 and others[e] != high:
                e += 1
            others[e] = high
            uses[e] += 1
    last = 0
    for p in range(number):
        e = begin[p]
        begin[p] = last
        while e < begin[p + 1] and uses[e] > 0:
            others[last], uses[last] = others[e], uses[e]
            last += 1
            e += 1
    begin[number] = last
    return begin, others[:last], uses[:last]


@kernel
def _filter(before, begin, others, uses, coefficients):  # noqa: ANN001, ANN202
    """The sum of the Chebyshev polynomials of 1 - L/2; L: a point less the mean of its neighbours."""
    number = len(before)
    degree = np.zeros(number)
    for p in range(number):
        for e in range(begin[p], begin[p + 1]):
            degree[p] += uses[e]
            degree[others[e]] += uses[e]
    total = coefficients[0] * before
    current = before.copy()
    pull = np.zeros((number, 3))
    for k in range(1, len(coefficients)):
        for p in range(number):
            x, y, z = current[p, 0], current[p, 1], current[p, 2]
            dx, dy, dz = pull[p, 0], pull[p, 1], pull[p, 2]
            # What a lower point gave is complete when its turn comes.
            for e in range(begin[p], begin[p + 1]):
                q, w = others[e], uses[e]
                ex, ey, ez = (
                    w * (x - current[q, 0]),
                    w * (y - current[q, 1]),
                    w * (z - current[q, 2]),
                )
                dx += ex
                dy += ey
                dz += ez
                pull[q, 0] -= ex
                pull[q, 1] -= ey
                pull[q, 2] -= ez
            pull[p] = 0
            if k == 1:
                s = 0.5 / max(degree[p], 1.0)
                before[p, 0], before[p, 1], before[p, 2] = x - s * dx, y - s * dy, z - s * dz
            else:
                s = 1 / max(degree[p], 1.0)
                before[p, 0] = 2 * x - before[p, 0] - s * dx
                before[p, 1] = 2 * y - before[p, 1] - s * dy
                before[p, 2] = 2 * z - before[p, 2] - s * dz
            for a in range(3):
                total[p, a] += coefficients[k] * before[p, a]
        before, current = current, before
    return total
