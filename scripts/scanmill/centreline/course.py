"""The course of a vessel's branch: a smooth curve through the middles of what lies across it."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline, make_smoothing_spline

from scanmill.centreline.sections import Section, section
from scanmill.centreline.tree import Way, end_of
from scanmill.surface import Surface

# The curve is moved to the middles of its sections so often; it hardly moves after the third time.
PASSES = 4
# Half of what swings along a curve with this wavelength, in radii, is smoothed away.
WAVELENGTH = 3.0
# A middle that lies farther off, in radii of the ball around the point, is of a cut along the vessel.
FARTHEST = 0.75
# Points of a way that a smooth curve can be put through.
FEWEST = 5
# How far around the place where ways part, in radii of it, a plane may cut more than one of them.
PARTING = 1.5
# How many times as wide as the ball around its point a section is that may be of two ways.
WIDER = 1.25
# Of the end of a vessel, in radii: what lies so far from its line, and from the course's last point.
AROUND, AHEAD = 1.25, 3.0
# Per radius, whose sum is taken for the curve's length: its error is below 1e-4.
CHORDS = 32


@dataclass(frozen=True)
class Course:
    """A branch, by points that follow each other from the root.

    points: [n, 3] LPS mm. at: mm along the course. along: unit vectors [n, 3]. sections: what lies
    across each point; None where ways part, where the cut is of two of them, and where nothing
    closed is around the point. before, beyond: mm straight on from the first and from the last
    point to the surface.
    """

    points: np.ndarray
    at: np.ndarray
    along: np.ndarray
    sections: list[Section | None]
    before: float
    beyond: float

    @property
    def length(self) -> float:
        """From surface to surface, mm."""
        return self.before + float(self.at[-1]) + self.beyond

    @property
    def tortuosity(self) -> float:
        """Of what lies between its first and last points: its length by its chord's, less 1."""
        return float(self.at[-1] / np.linalg.norm(self.points[-1] - self.points[0]) - 1)


def courses_of(ways: list[Way], surface: Surface, step: float) -> list[Course]:
    """The courses of a vessel's ways, each of what no way before it has; those shorter than wide not.

    surface: of the vessel, LPS mm. step: mm between points.
    """
    balls = [(way.points[way.shared - 1], way.radius[way.shared - 1]) for way in ways[1:]]
    found = []
    for way in ways:
        first = way.shared or end_of(way.points, way.radius)
        last = len(way.points) - end_of(way.points[::-1], way.radius[::-1])
        inner = slice(first, last)
        if last - first >= FEWEST and _length(way.points[inner]) > 2 * way.radius[last - 1]:
            others = [_apart(way, other) for other in ways if other is not way]
            course = _course(way.points[inner], way.radius[inner], balls, others, surface, step)
            found.append(course)
    return found


def _course(
    points: np.ndarray,
    radius: np.ndarray,
    balls: list[tuple[np.ndarray, float]],
    others: list[np.ndarray],
    surface: Surface,
    step: float,
) -> Course:
    """The course of a part of a way.

    balls: middle and radius, where ways part. others: points of the other ways, beyond there.
    """
    # Along the curve, in radii: by them it is smoothed, since no vessel bends within a few of them.
    reach = np.maximum(radius, step)
    at = _arc_lengths(points, 2 / (reach[1:] + reach[:-1]))
    fitted, places = points, at
    for _ in range(PASSES):
        curve = _curve(places, fitted)
        places = _evenly(curve, at[-1], step)
        fitted, along = curve(places), curve.derivative()(places)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        wide = np.interp(places, at, reach)
        sections = [
            None
            if _is_parting(point, balls)
            else _alone(section(surface, point, across), point, across, radius, others)
            for point, across, radius in zip(fitted, along, wide, strict=True)
        ]
        middles = [s.centre if s else p for s, p in zip(sections, fitted, strict=True)]
        line, fitted = fitted, np.array(middles)
    return Course(
        line,
        _arc_lengths(line),
        along,
        sections,
        _ahead(surface, line[0], -along[0], wide[0]),
        _ahead(surface, line[-1], along[-1], wide[-1]),
    )


def _ahead(surface: Surface, point: np.ndarray, along: np.ndarray, radius: float) -> float:
    """How far the end of a vessel lies ahead of a point, mm."""
    off = surface.points - point
    height = off @ along
    near = np.einsum("ij,ij->i", off, off) - height**2 < (AROUND * radius) ** 2
    return float(height[near & (height < AHEAD * radius)].max(initial=0))


def _is_parting(point: np.ndarray, balls: list[tuple[np.ndarray, float]]) -> bool:
    return any(np.linalg.norm(point - middle) < PARTING * radius for middle, radius in balls)


def _alone(
    found: Section | None,
    point: np.ndarray,
    along: np.ndarray,
    radius: float,
    others: list[np.ndarray],
) -> Section | None:
    """A section that is around its point and not of another way, too, as in a crotch, cut whole.

    radius: of the ball around the point. Other ways may run through what is hardly wider than it, as in
    a sac in which they part.
    """
    if not found or np.linalg.norm(found.centre - point) >= FARTHEST * radius:
        return None
    for line in others if found.widest > WIDER * 2 * radius else ():
        height = (line - point) @ along
        cut = np.flatnonzero((height[:-1] < 0) != (height[1:] < 0))
        part = (height[cut] / (height[cut] - height[cut + 1]))[:, None]
        places = line[cut] + part * (line[cut + 1] - line[cut])
        if (np.linalg.norm(places - found.centre, axis=1) < found.widest / 2).any():
            return None
    return found


def _apart(way: Way, other: Way) -> np.ndarray:
    """The points of another way, beyond those that both have."""
    number = min(len(way.points), len(other.points))
    same = (way.points[:number] == other.points[:number]).all(axis=1)
    return other.points[number if same.all() else int(np.argmin(same)) :]


def _length(points: np.ndarray) -> float:
    return float(_arc_lengths(points)[-1])


def _arc_lengths(points: np.ndarray, scale: np.ndarray | float = 1.0) -> np.ndarray:
    """How far along its polygon each of the points [n, 3] lies. scale: of each side, 1 for mm."""
    sides = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.append(0, np.cumsum(sides * scale))


def _curve(places: np.ndarray, points: np.ndarray) -> BSpline:
    """The smoothing spline of points at places, which are in radii; straight at its ends.

    It weighs the squared distance of points, h apart, against the squared second derivative, by lambda:
    of a wave with the wavenumber k it lets pass 1 / (1 + h lambda k^4).
    """
    apart = (places[-1] - places[0]) / (len(places) - 1)
    cut_off = 2 * np.pi / WAVELENGTH
    return make_smoothing_spline(places, points, lam=1 / (apart * cut_off**4))


def _evenly(curve: BSpline, end: float, step: float) -> np.ndarray:
    """Places on a curve about `step` mm apart, FEWEST at least, both ends with them."""
    fine = np.linspace(0, end, CHORDS * max(int(end), 1) + 1)
    lengths = _arc_lengths(curve(fine))
    number = max(int(np.ceil(lengths[-1] / step)) + 1, FEWEST)
    return np.interp(np.linspace(0, lengths[-1], number), lengths, fine)
