"""Stresses in pressed walls that are known exactly: sigma, r and p as usual, N/mm2 and mm.

Lame's solutions: Timoshenko and Goodier, Theory of Elasticity, 3rd ed. 1970, sections 28 and 136.
Inflation: balance of forces in a cylinder that keeps its volume and its length; as Holzapfel, Nonlinear
Solid Mechanics, 2000, or any other text has it.
"""

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq


def cylinder(a: float, b: float, within: float, without: float, r: np.ndarray) -> np.ndarray:
    """Radial and hoop stress [k, 2] of a cylinder between two pressures."""
    mean, varying = _constants(a, b, within, without)
    return np.column_stack([mean - varying / r**2, mean + varying / r**2])


def sphere(a: float, b: float, pressure: float, r: np.ndarray) -> np.ndarray:
    """Radial and hoop stress [k, 2] of a sphere with a pressure within."""
    mean = pressure * a**3 / (b**3 - a**3)
    return np.column_stack([mean * (1 - (b / r) ** 3), mean * (1 + 0.5 * (b / r) ** 3)])


def between(radii: tuple[float, float, float], elastic: tuple, pressure: float) -> float:
    """The pressure between two cylinders that stick, inner and outer, of ends that keep their places.

    elastic: two of (young, poisson).
    """

    def gap(found: float) -> float:
        a, b, c = radii
        return _outwards(b, a, b, pressure, found, *elastic[0]) - _outwards(
            b, b, c, found, 0.0, *elastic[1]
        )

    return brentq(gap, 0.0, pressure)


class Inflated:
    """A cylinder that keeps its volume and length, of W = alpha (I - 3) + beta (I - 3)^2."""

    def __init__(self, a: float, b: float, pressure: float, alpha: float, beta: float) -> None:
        self.a, self.b, self.alpha, self.beta = a, b, alpha, beta
        # How much r^2 grows by, the same everywhere.
        self.growth = brentq(lambda growth: self._carried(a, growth) - pressure, 0.0, 3 * a**2)

    def radius(self, r: np.ndarray) -> np.ndarray:
        """Where a point is that was at r."""
        return np.sqrt(r**2 + self.growth)

    def stresses(self, r: np.ndarray) -> np.ndarray:
        """Radial and hoop Cauchy stress [k, 2] of points that were at r."""
        radial = np.array([-self._carried(each, self.growth) for each in np.atleast_1d(r)])
        return np.column_stack([radial, radial + self._difference(r, self.growth)])

    def _difference(self, r: np.ndarray, growth: float) -> np.ndarray:
        squared = 1 + growth / r**2
        slope = self.alpha + 2 * self.beta * (squared + 1 / squared - 2)
        return 2 * slope * (squared - 1 / squared)

    def _carried(self, r: float, growth: float) -> float:
        """The pressure that the wall outside of r carries: of (hoop - radial) / radius over it."""
        return quad(lambda r: self._difference(r, growth) * r / (r**2 + growth), r, self.b)[0]


def _constants(a: float, b: float, within: float, without: float) -> tuple[float, float]:
    walls = b**2 - a**2
    return (within * a**2 - without * b**2) / walls, (within - without) * (a * b) ** 2 / walls


def _outwards(
    r: float, a: float, b: float, within: float, without: float, young: float, poisson: float
) -> float:
    """How far r moves in plane strain."""
    mean, varying = _constants(a, b, within, without)
    return (1 + poisson) / young * ((1 - 2 * poisson) * mean * r + varying / r)
