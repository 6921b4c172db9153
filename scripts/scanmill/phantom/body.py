"""Shapes with exact volume, surface area and centroid, anywhere in LPS millimetres."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from scipy.special import elliprg

from scanmill.grid import Triple

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


class Body(ABC):
    """A solid in LPS space that knows its own measures; a new kind needs these five."""

    @property
    @abstractmethod
    def volume(self) -> float:
        """Volume, mm3."""

    @property
    @abstractmethod
    def area(self) -> float:
        """Area of the whole surface, inner walls included, mm2."""

    @property
    @abstractmethod
    def centroid(self) -> np.ndarray:
        """Centre of volume, (3,), LPS mm."""

    @abstractmethod
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest corner of an upright box that holds the body, LPS mm."""

    @abstractmethod
    def distance(self, points: np.ndarray) -> np.ndarray:
        """How far points (n, 3), LPS mm, surely lie from the surface, in mm; negative inside.

        The sign is exact, the size a lower bound: no surface is nearer than |distance|.
        """


@dataclass(frozen=True, kw_only=True)
class Primitive(Body):
    """A shape that is symmetric about its own centre and axes.

    centre: LPS mm. rotation: row-major 3x3, its columns are the LPS unit vectors of the shape's own
    axes (as in `Grid.direction`). Raises ValueError on sizes that make no solid.
    """

    centre: Triple = (0.0, 0.0, 0.0)
    rotation: tuple[float, ...] = IDENTITY

    def __post_init__(self) -> None:
        matrix = np.reshape(self.rotation, (3, 3))
        if not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-9):
            raise ValueError("the rotation of a body must be orthonormal")
        if not min(self.half_extent) > 0:
            raise ValueError(f"the sizes of a {type(self).__name__} must be positive")

    @property
    @abstractmethod
    def half_extent(self) -> Triple:
        """Half the size along each of the shape's own axes, mm."""

    @abstractmethod
    def own_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """`distance` at coordinates along the shape's own axes, from its centre, mm."""

    @property
    def centroid(self) -> np.ndarray:
        """The centre, since the shape is symmetric."""
        return np.asarray(self.centre, float)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The tightest upright box around the box of the shape's own axes."""
        reach = np.abs(np.reshape(self.rotation, (3, 3))) @ self.half_extent
        return self.centroid - reach, self.centroid + reach

    def distance(self, points: np.ndarray) -> np.ndarray:
        """See `Body.distance`; rotated into the shape's own axes."""
        # Written out: BLAS wakes every core for a product as thin as this and is slower for it.
        x, y, z = (points - self.centroid).T
        r = self.rotation
        return self.own_distance(*(r[k] * x + r[k + 3] * y + r[k + 6] * z for k in range(3)))


@dataclass(frozen=True, kw_only=True)
class Ellipsoid(Primitive):
    """radii: the semi-axes (x, y, z), mm. A sphere where they are equal."""

    radii: Triple

    @property
    def half_extent(self) -> Triple:
        """The semi-axes."""
        return self.radii

    @property
    def volume(self) -> float:
        """4/3 pi a b c."""
        return 4 / 3 * pi * float(np.prod(self.radii))

    @property
    def area(self) -> float:
        """By Carlson's symmetric integral (DLMF 19.33.1)."""
        return 4 * pi * float(np.prod(self.radii) * elliprg(*(1 / np.square(self.radii))))

    def own_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Exact for a sphere; for an ellipsoid by the steepest slope of its radial function."""
        a, b, c = self.radii
        return (np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2) - 1) * min(self.radii)


@dataclass(frozen=True, kw_only=True)
class Cylinder(Primitive):
    """A straight tube along its own z axis with flat ends. radii: semi-axes (x, y); length: mm."""

    radii: tuple[float, float]
    length: float

    @property
    def half_extent(self) -> Triple:
        """The semi-axes and half the length."""
        return (*self.radii, self.length / 2)

    @property
    def volume(self) -> float:
        """The ellipse times the length."""
        return pi * self.radii[0] * self.radii[1] * self.length

    @property
    def area(self) -> float:
        """Wall and both ends; the perimeter of the ellipse by Carlson's integral (DLMF 19.30.5)."""
        a, b = self.radii
        return 8 * float(elliprg(0, a * a, b * b)) * self.length + 2 * pi * a * b

    def own_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Exact for a circular tube; a lower bound for an elliptic one."""
        a, b = self.radii
        wall = (np.sqrt((x / a) ** 2 + (y / b) ** 2) - 1) * min(a, b)
        return _within_both(wall, np.abs(z) - self.length / 2)


@dataclass(frozen=True, kw_only=True)
class Capsule(Primitive):
    """A straight tube along its own z axis with round ends. length: from end to end, mm."""

    radius: float
    length: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length < 2 * self.radius:
            raise ValueError("a capsule must be at least as long as it is wide")

    @property
    def half_extent(self) -> Triple:
        """The radius and half the length."""
        return (self.radius, self.radius, self.length / 2)

    @property
    def straight(self) -> float:
        """Length between the centres of the two round ends, mm."""
        return self.length - 2 * self.radius

    @property
    def volume(self) -> float:
        """A cylinder and a sphere."""
        return pi * self.radius**2 * (self.straight + 4 / 3 * self.radius)

    @property
    def area(self) -> float:
        """The wall of a cylinder and a sphere: as much as a wall of the whole length."""
        return 2 * pi * self.radius * self.length

    def own_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Exact."""
        beyond = np.maximum(np.abs(z) - self.straight / 2, 0)
        return np.sqrt(x * x + y * y + beyond * beyond) - self.radius


@dataclass(frozen=True, kw_only=True)
class Torus(Primitive):
    """A ring in its own xy plane. ring: radius of the centre line; tube: radius around it, mm."""

    ring: float
    tube: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tube < self.ring:
            raise ValueError("the tube of a torus must be thinner than its ring")

    @property
    def half_extent(self) -> Triple:
        """Ring and tube across, the tube along the axis."""
        return (self.ring + self.tube, self.ring + self.tube, self.tube)

    @property
    def volume(self) -> float:
        """By Pappus: the disc of the tube times the way of its centre."""
        return 2 * pi**2 * self.ring * self.tube**2

    @property
    def area(self) -> float:
        """By Pappus: the circle of the tube times the way of its centre."""
        return 4 * pi**2 * self.ring * self.tube

    def own_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Exact."""
        return np.sqrt((np.sqrt(x * x + y * y) - self.ring) ** 2 + z * z) - self.tube


@dataclass(frozen=True, kw_only=True)
class Box(Primitive):
    """size: the whole lengths along its own axes (x, y, z), mm."""

    size: Triple

    @property
    def half_extent(self) -> Triple:
        """Half the size."""
        return (self.size[0] / 2, self.size[1] / 2, self.size[2] / 2)

    @property
    def volume(self) -> float:
        """Product of the lengths."""
        return float(np.prod(self.size))

    @property
    def area(self) -> float:
        """Six faces."""
        a, b, c = self.size
        return 2 * (a * b + b * c + c * a)

    def own_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Exact."""
        a, b, c = self.half_extent
        return _within_both(_within_both(np.abs(x) - a, np.abs(y) - b), np.abs(z) - c)


@dataclass(frozen=True, kw_only=True)
class Aneurysm(Primitive):
    """A flat-ended tube along its own z axis that bulges into a sphere at its middle.

    radius: of the tube; bulge: of the sphere; length: of the tube, mm.
    """

    radius: float
    bulge: float
    length: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.radius < self.bulge and 2 * self._meeting < self.length):
            raise ValueError("the bulge of an aneurysm must be wider than its tube and end in it")

    @property
    def half_extent(self) -> Triple:
        """The bulge across; the tube or the bulge along, whichever reaches farther."""
        return (self.bulge, self.bulge, max(self.length / 2, self.bulge))

    @property
    def _meeting(self) -> float:
        """Where tube and sphere meet: distance along the axis from the centre, mm."""
        return sqrt(max(self.bulge**2 - self.radius**2, 0))

    @property
    def volume(self) -> float:
        """The tube, and the sphere less its napkin-ring core: a ball of half-height `_meeting`."""
        return pi * self.radius**2 * self.length + 4 / 3 * pi * self._meeting**3

    @property
    def area(self) -> float:
        """The zone of the sphere, the tube outside it and the two flat ends."""
        zone = 4 * pi * self.bulge * self._meeting
        wall = 2 * pi * self.radius * (self.length - 2 * self._meeting)
        return zone + wall + 2 * pi * self.radius**2

    def own_distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Exact outside; a lower bound within."""
        across = x * x + y * y
        tube = _within_both(np.sqrt(across) - self.radius, np.abs(z) - self.length / 2)
        return np.minimum(tube, np.sqrt(across + z * z) - self.bulge)


def sphere(radius: float, centre: Triple = (0.0, 0.0, 0.0)) -> Ellipsoid:
    """A ball. radius, centre: mm, LPS."""
    return Ellipsoid(radii=(radius, radius, radius), centre=centre)


def _within_both(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distance to the common part of two solids whose surfaces meet at right angles."""
    outside = np.hypot(np.maximum(first, 0), np.maximum(second, 0))
    return outside + np.minimum(np.maximum(first, second), 0)
