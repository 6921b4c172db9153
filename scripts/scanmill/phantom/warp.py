"""Smooth maps of space that keep every volume: how the shape of one patient differs from another's.

A warp is three shears, x += f(y, z), then y += g(x, z), then z += h(x, y). Each moves points along
one axis by a function of the other two, so its Jacobian determinant is exactly 1 and its inverse is
the same shear backwards: true volumes stay exact, and what was nested or disjoint stays so.
"""

from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt

import numpy as np

from scanmill.kernel import kernel
from scanmill.phantom.body import Body

WAVES = 2
# How much the shear along one axis moves per mm across it, at full amplitude.
STEEPEST = 0.3
TURN = 2 * pi
# Taylor's coefficients.
C3, C5, C7, C9, C11 = -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800
CENTROID_SAMPLES = 1 << 18
# Plastic numbers' rank-1 sequence in three dimensions (Roberts 2018).
ROBERTS = np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703])


@dataclass(frozen=True, eq=False)
class Warp:
    """A volume-preserving map of LPS space.

    waves: (3, n, 4); for the shear along each axis its plane waves: amplitude in mm, wave numbers
    along the other two axes in rad/mm, phase.
    """

    waves: np.ndarray

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) of the unwarped patient lie in the warped one, LPS mm."""
        return _sheared(points, self.waves, 1.0)

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) of the warped patient lie in the unwarped one, LPS mm."""
        return _sheared(points, self.waves, -1.0)

    @property
    def reach(self) -> np.ndarray:
        """The farthest that a point may move along x, y and z, mm."""
        return np.abs(self.waves[:, :, 0]).sum(axis=1)

    @cached_property
    def stretch(self) -> float:
        """A bound on how many times farther apart two points may lie after the map, or its inverse."""
        slopes = np.abs(self.waves[:, :, 0]) * np.hypot(self.waves[:, :, 1], self.waves[:, :, 2])
        # The largest singular value of a shear by s.
        return float(np.prod([s / 2 + sqrt(1 + s * s / 4) for s in slopes.sum(axis=1)]))


@dataclass(frozen=True, eq=False)
class Warped(Body):
    """A body after a warp. Its area has no closed form: NaN."""

    body: Body
    warp: Warp

    @property
    def volume(self) -> float:
        """That of the body: the warp keeps it."""
        return self.body.volume

    @property
    def area(self) -> float:
        """Not known."""
        return float("nan")

    @cached_property
    def centroid(self) -> np.ndarray:
        """The body's centroid and the mean displacement over the body, to about 1e-3 mm."""
        low, high = self.body.bounds()
        points = low + (np.arange(CENTROID_SAMPLES)[:, None] * ROBERTS % 1) * (high - low)
        points = points[self.body.distance(points) < 0]
        return self.body.centroid + (self.warp.forward(points) - points).mean(axis=0)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Those of the body, widened by the warp's reach."""
        low, high = self.body.bounds()
        return low - self.warp.reach, high + self.warp.reach

    def distance(self, points: np.ndarray) -> np.ndarray:
        """See `Body.distance`; what the inverse map may stretch is taken off."""
        return self.body.distance(self.warp.inverse(points)) / self.warp.stretch


def random_warp(amplitude: float, wavelength: float, seed: int) -> Warp:
    """A warp of random plane waves.

    amplitude: from 0, none, to 1, the strongest. wavelength: mm, of the shortest waves; the longest
    have twice that. Points move up to about amplitude x wavelength / 13 along each axis.
    """
    if not (0 <= amplitude <= 1 and wavelength > 0):
        raise ValueError("a warp has an amplitude from 0 to 1 and a positive wavelength")
    random = np.random.default_rng(seed)
    number = 2 * pi / (wavelength * random.uniform(1, 2, (3, WAVES)))
    towards, phase = random.uniform(0, 2 * pi, (2, 3, WAVES))
    size = amplitude * STEEPEST / (WAVES * number)
    return Warp(
        np.stack([size, number * np.cos(towards), number * np.sin(towards), phase], axis=-1)
    )


@kernel
def _sheared(points, waves, sign):  # noqa: ANN001, ANN202
    """The three shears in turn; with sign -1 their inverses in reverse order."""
    moved = np.empty(points.shape, np.float64)
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        if sign > 0:
            x += _shift(waves, 0, y, z)
            y += _shift(waves, 1, x, z)
            z += _shift(waves, 2, x, y)
        else:
            z -= _shift(waves, 2, x, y)
            y -= _shift(waves, 1, x, z)
            x -= _shift(waves, 0, y, z)
        moved[n, 0], moved[n, 1], moved[n, 2] = x, y, z
    return moved


@kernel
def _shift(waves, axis, u, v):  # noqa: ANN001, ANN202
    """How far the shear along an axis moves a point, by its other two coordinates."""
    shift = 0.0
    for k in range(waves.shape[1]):
        phase = waves[axis, k, 1] * u + waves[axis, k, 2] * v + waves[axis, k, 3]
        shift += waves[axis, k, 0] * _sine(phase)
    return shift


@kernel
def _sine(phase):  # noqa: ANN001, ANN202
    """The sine to 1e-7, many times faster than the library's.

    A shear by any function keeps volumes and has its exact inverse, so nothing is lost.
    """
    turns = phase / TURN - 0.25
    x = TURN * (0.25 - abs(turns - np.floor(turns + 0.5)))
    y = x * x
    return x * (1 + y * (C3 + y * (C5 + y * (C7 + y * (C9 + y * C11)))))
