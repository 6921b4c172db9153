"""Vessels, and other bodies of tapered tubes that branch and bulge.

The volume of a union of overlapping tubes has no closed form. It is integrated over parallel lines, on
each of which the tubes' intervals are exact: only the sum across the lines is numerical, and its error
stays below 1e-4 of the volume (the tests compare it with capsules at any angle).
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
from scipy.interpolate import CubicSpline

from scanmill.grid import Triple
from scanmill.kernel import kernel
from scanmill.phantom.body import IDENTITY, Body

Ball = tuple[float, float, float, float]
LINES = 1_000_000
# Lines along no axis that a patient's vessels may follow: there the sum would converge slowly.
GENERIC = np.linalg.qr(np.array([[0.61, 0.35, -0.71], [-0.27, 0.93, 0.23], [0.74, 0.06, 0.67]]))[0]


@dataclass(frozen=True, kw_only=True)
class Tubes(Body):
    """What a ball fills that runs along branches, growing and shrinking on its way.

    branches: each of at least two balls (x, y, z, radius), mm, from `centre` along the body's own axes;
    the ball runs straight from one to the next. Branches that share a ball join there; an end is
    round. centre, rotation: as in `Primitive`. Raises ValueError where one ball of a branch holds the
    next. Its area has no closed form: NaN.
    """

    branches: tuple[tuple[Ball, ...], ...]
    centre: Triple = (0.0, 0.0, 0.0)
    rotation: tuple[float, ...] = IDENTITY

    def __post_init__(self) -> None:
        if min(len(branch) for branch in self.branches) < 2:
            raise ValueError("a branch must have at least two balls")
        if not self._cones[:, 6:].min() > 0:
            raise ValueError("the radii of a tube must be positive")
        length = np.linalg.norm(self._cones[:, 3:6] - self._cones[:, :3], axis=1)
        if not (length > np.abs(self._cones[:, 7] - self._cones[:, 6]) * 1.001).all():
            raise ValueError("a tube must be longer than its radius changes")

    @cached_property
    def _cones(self) -> np.ndarray:
        """(n, 8): where each tapered tube starts and ends, LPS mm, and its two radii."""
        balls = [np.asarray(branch, float) for branch in self.branches]
        placed = [
            np.column_stack([b[:, :3] @ np.reshape(self.rotation, (3, 3)).T + self.centre, b[:, 3]])
            for b in balls
        ]
        first = np.concatenate([b[:-1] for b in placed])
        last = np.concatenate([b[1:] for b in placed])
        return np.column_stack([first[:, :3], last[:, :3], first[:, 3], last[:, 3]])

    @cached_property
    def _moments(self) -> tuple[float, np.ndarray]:
        """Volume, mm3, and centroid, LPS mm."""
        cones = self._cones.copy()
        cones[:, :3] = cones[:, :3] @ GENERIC
        cones[:, 3:6] = cones[:, 3:6] @ GENERIC
        low, high = _bounds(cones)
        step = sqrt(np.prod(high[1:] - low[1:]) / LINES)
        moments = _line_moments(cones, low, high, step)
        return float(moments[0]), GENERIC @ (moments[1:] / moments[0])

    @property
    def volume(self) -> float:
        """Numerical, to 1e-4."""
        return self._moments[0]

    @property
    def area(self) -> float:
        """Not known."""
        return float("nan")

    @property
    def centroid(self) -> np.ndarray:
        """Numerical, to 1e-4 of the size."""
        return self._moments[1]

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The tightest upright box."""
        return _bounds(self._cones)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """See `Body.distance`: exact outside."""
        return _distance(points, self._cones)


def smooth(balls: list[Ball], pieces: int) -> list[Ball]:
    """A curve through balls, each span of it in so many straight pieces.

    A cubic spline over the distance between the centres, of position and radius.
    """
    knots = np.asarray(balls, float)
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(knots[:, :3], axis=0), axis=1))]
    at = np.interp(np.arange((len(knots) - 1) * pieces + 1) / pieces, np.arange(len(knots)), along)
    return [tuple(float(x) for x in ball) for ball in CubicSpline(along, knots)(at)]


def _bounds(cones: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ends = np.concatenate([cones[:, :3], cones[:, 3:6]])
    radii = np.concatenate([cones[:, 6], cones[:, 7]])[:, None]
    return (ends - radii).min(axis=0), (ends + radii).max(axis=0)


@kernel
def _distance(points, cones):  # noqa: ANN001, ANN202
    """The least distance to any ball of any tube."""
    result = np.empty(len(points), np.float64)
    axes = cones[:, 3:6] - cones[:, :3]
    middles = (cones[:, 3:6] + cones[:, :3]) / 2
    # What a ball around the whole tube needs: most tubes are farther off than the nearest.
    around = np.empty(len(cones))
    for c in range(len(cones)):
        around[c] = np.sqrt((axes[c] ** 2).sum()) / 2 + max(cones[c, 6], cones[c, 7])
    nearest = 0
    for n in range(len(points)):
        least = _cone_distance(points[n], cones[nearest], axes[nearest])
        for c in range(len(cones)):
            apart = 0.0
            for axis in range(3):
                apart += (points[n, axis] - middles[c, axis]) ** 2
            if apart < (least + around[c]) ** 2:
                distance = _cone_distance(points[n], cones[c], axes[c])
                if distance < least:
                    least, nearest = distance, c
        result[n] = least
    return result


@kernel
def _cone_distance(point, cone, axis):  # noqa: ANN001, ANN202
    """The least distance to any ball of one tube."""
    dx, dy, dz = axis
    x, y, z = point[0] - cone[0], point[1] - cone[1], point[2] - cone[2]
    squared = dx * dx + dy * dy + dz * dz
    taper = cone[7] - cone[6]
    along = (x * dx + y * dy + z * dz) / squared
    across = np.sqrt(max(x * x + y * y + z * z - along * along * squared, 0.0))
    at = along + across * taper / np.sqrt(squared * (squared - taper * taper))
    at = min(max(at, 0.0), 1.0)
    apart = np.sqrt(across * across + (along - at) ** 2 * squared)
    return apart - cone[6] - at * taper


@kernel
def _line_moments(cones, low, high, step):  # noqa: ANN001, ANN202
    """Volume and first moments of a union of tubes, summed over lines along x, `step` apart."""
    moments = np.zeros(4)
    starts, stops = np.empty(len(cones)), np.empty(len(cones))
    for k in range(int((high[2] - low[2]) / step) + 1):
        z = low[2] + (k + 0.5) * step
        for j in range(int((high[1] - low[1]) / step) + 1):
            y = low[1] + (j + 0.5) * step
            count = 0
            for c in range(len(cones)):
                start, stop = _crossing(cones[c], y, z)
                if start < stop:
                    place = count
                    while place > 0 and starts[place - 1] > start:
                        starts[place], stops[place] = starts[place - 1], stops[place - 1]
                        place -= 1
                    starts[place], stops[place] = start, stop
                    count += 1
            until = -np.inf
            for n in range(count):
                start = max(starts[n], until)
                if stops[n] > start:
                    length = stops[n] - start
                    moments[0] += length
                    moments[1] += length * (start + stops[n]) / 2
                    moments[2] += length * y
                    moments[3] += length * z
                    until = stops[n]
    return moments * step * step


@kernel
def _crossing(cone, y, z):  # noqa: ANN001, ANN202
    """From where to where the line along x at (y, z) runs in a tube; nowhere: infinity to -infinity.

    A tube is convex: its interval ends on one of its two end balls, or where the line touches a ball
    between: there, the square of the distance to ball t less that of its radius, least over t, is zero.
    """
    start, stop = np.inf, -np.inf
    first, last = cone[6], cone[7]
    y1, z1, y2, z2 = y - cone[1], z - cone[2], y - cone[4], z - cone[5]
    reach = max(first, last)
    if min(y1, y2) > reach or max(y1, y2) < -reach or min(z1, z2) > reach or max(z1, z2) < -reach:
        return start, stop
    dx, dy, dz = cone[3] - cone[0], cone[4] - cone[1], cone[5] - cone[2]
    chord = first * first - y1 * y1 - z1 * z1
    if chord > 0:
        start, stop = cone[0] - np.sqrt(chord), cone[0] + np.sqrt(chord)
    chord = last * last - y2 * y2 - z2 * z2
    if chord > 0:
        start = min(start, cone[3] - np.sqrt(chord))
        stop = max(stop, cone[3] + np.sqrt(chord))
    taper = last - first
    scale = dx * dx + dy * dy + dz * dz - taper * taper
    offset = y1 * dy + z1 * dz + first * taper
    square = 1 - dx * dx / scale
    half = dx * offset / scale
    chord = half * half - square * (y1 * y1 + z1 * z1 - first * first - offset * offset / scale)
    if chord > 0 and abs(square) > 1e-12:
        for sign in (-1.0, 1.0):
            x = (half + sign * np.sqrt(chord)) / square
            if 0 <= (offset + x * dx) / scale <= 1:
                start, stop = min(start, cone[0] + x), max(stop, cone[0] + x)
    return start, stop
