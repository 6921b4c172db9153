"""The parallel planes that contours lie on: their lattice, and which layer of it each is.

Planes that are the scan's own slices keep the scan's lattice, so that a mask drawn on the scan comes
back voxel by voxel. Others get a lattice of their own normal and their own distance.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.refusal import Refusal

# A contour's points, and the contours of one plane, are at one height to this part of a layer: above
# the rounding of places in files, far below a slice.
FLAT = 0.05
# Contours further apart than this (mm) say too little of what lies between them.
LARGEST_GAP = 15.0
LEAST_AREA = 1e-6  # mm2


@dataclass(frozen=True)
class Contours:
    """Closed planar contours. Contour k is points[bounds[k]:bounds[k + 1]], (n, 3), LPS mm."""

    points: np.ndarray
    bounds: np.ndarray


@dataclass(frozen=True)
class Planes:
    """The planes of one ROI's contours.

    lattice: its x and y axes span the planes, layers along z are one step apart. pixels: (n, 2), the
    contours' points as indices along these axes. levels: of each plane, rising, where it lies among
    the layers, in steps. plane_of: of each contour, its plane. own: True where the planes are none of
    the scan's slices. even: True where each plane is a layer.
    """

    lattice: Grid
    pixels: np.ndarray
    levels: np.ndarray
    plane_of: np.ndarray
    own: bool
    even: bool


def planes_of(contours: Contours, scan: Grid) -> Planes:
    """Find the planes. Raises Refusal where the contours are not flat, parallel and near enough."""
    lattice, index = _facing(contours, scan)
    low, high = _ends(index[:, 2], contours.bounds)
    heights = (low + high) / 2
    levels, plane_of = _grouped(heights)
    pixels = index[:, :2]
    if lattice is scan and _are_whole(levels):
        return Planes(lattice, pixels, np.rint(levels), plane_of, own=False, even=True)
    if len(levels) == 1:
        own = _moved(lattice, levels[0], 1.0)
        return Planes(own, pixels, np.zeros(1), plane_of, own=True, even=True)
    step = _step(levels)
    own = _moved(lattice, levels[0], step)
    if own.spacing[2] > max(LARGEST_GAP, scan.spacing[2] * (1 + FLAT)):
        raise _too_far(own.spacing[2])
    levels = (levels - levels[0]) / step
    even = _are_whole(levels)
    return Planes(own, pixels, np.rint(levels) if even else levels, plane_of, True, even)


def largest_gap(planes: Planes) -> float:
    """The most steps from one plane to the next with contours left out between them, not a real gap.

    Twice the usual distance: one plane is missing in the rhythm in which the contours were drawn.
    Raises Refusal where the usual distance is too large to fill what lies between.
    """
    gaps = np.diff(planes.levels)
    if gaps.size == 0:
        return 1.0
    usual = float(np.median(gaps))
    if usual > 1 + FLAT and usual * planes.lattice.spacing[2] > LARGEST_GAP:
        raise _too_far(usual * planes.lattice.spacing[2])
    return min(2 * usual + FLAT, max(LARGEST_GAP / planes.lattice.spacing[2], usual) + FLAT)


def _facing(contours: Contours, scan: Grid) -> tuple[Grid, np.ndarray]:
    """A lattice whose layers the contours are parallel to, and the points' index in it.

    That of the scan's slices, its columns, its rows, or else of the contours' own normal.
    """
    for axis in (2, 0, 1):
        lattice = _turned(scan, axis)
        index = lattice.to_index(contours.points)
        if _are_flat(index, contours.bounds):
            return lattice, index
    lattice = _across(_normal(contours), scan)
    index = lattice.to_index(contours.points)
    if not _are_flat(index, contours.bounds):
        raise Refusal(
            "labels-unreadable",
            "the contours of this structure are not flat, or not parallel to each other; contours "
            "on parallel planes are needed",
        )
    return lattice, index


def _turned(scan: Grid, axis: int) -> Grid:
    """The scan's lattice with another axis as its z: pixels then are as fine as its finest."""
    if axis == 2:
        return scan
    order = [(axis + 1) % 3, (axis + 2) % 3, axis]
    fine = min(scan.spacing)
    direction = np.reshape(scan.direction, (3, 3))[:, order]
    return Grid(scan.size, (fine, fine, scan.spacing[axis]), scan.origin, tuple(direction.ravel()))


def _across(normal: np.ndarray, scan: Grid) -> Grid:
    """A lattice of that normal; its x axis is as near as can be to one of the scan's."""
    axes = np.reshape(scan.direction, (3, 3)).T
    towards = np.abs(axes @ normal)
    u = axes[np.argmin(towards)]
    u = u - (u @ normal) * normal
    u /= np.linalg.norm(u)
    direction = np.column_stack([u, np.cross(normal, u), normal])
    fine = min(scan.spacing)
    spacing = (fine, fine, scan.spacing[int(np.argmax(towards))])
    return Grid(scan.size, spacing, scan.origin, tuple(direction.ravel().tolist()))


def _normal(contours: Contours) -> np.ndarray:
    """The unit normal of the contour of the largest area (Newell's method)."""
    best = np.zeros(3)
    for first, last in zip(contours.bounds[:-1], contours.bounds[1:], strict=True):
        points = contours.points[first:last] - contours.points[first]
        area = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
        if area @ area > best @ best:
            best = area
    twice = np.linalg.norm(best)
    if twice < LEAST_AREA:
        raise Refusal("structure-empty", "the contours of this structure enclose no area")
    return best / twice


def _ends(values: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.minimum.reduceat(values, bounds[:-1]), np.maximum.reduceat(values, bounds[:-1])


def _are_flat(index: np.ndarray, bounds: np.ndarray) -> bool:
    low, high = _ends(index[:, 2], bounds)
    return bool((high - low).max() <= FLAT)


def _are_whole(levels: np.ndarray) -> bool:
    return bool(np.abs(levels - np.rint(levels)).max() <= FLAT)


def _grouped(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The heights of the planes, rising, and the plane of each contour."""
    order = np.argsort(heights, kind="stable")
    begins = np.diff(heights[order], prepend=-np.inf) > FLAT
    plane_of = np.empty(len(heights), np.int64)
    plane_of[order] = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    spread = np.maximum.reduceat(heights[order], first) - heights[order][first]
    if spread.max() > FLAT:
        raise Refusal(
            "labels-unreadable",
            "the contours of this structure lie less than a twentieth of a slice apart; one plane, "
            "or planes further apart, are needed",
        )
    return heights[order][first] + spread / 2, plane_of


def _step(levels: np.ndarray) -> float:
    """The distance of layers that the planes are on, or where they are uneven, one as fine."""
    gaps, length = np.diff(levels), levels[-1] - levels[0]
    step = length / np.rint(length / gaps.min())
    if _are_whole((levels - levels[0]) / step):
        return float(step)
    return float(length / np.ceil(length / min(1.0, float(np.median(gaps)))))


def _moved(lattice: Grid, level: float, step: float) -> Grid:
    """The lattice with its layer 0 at a level, and its layers `step` of the old steps apart."""
    origin = tuple(lattice.to_physical(np.array([0.0, 0.0, level])).tolist())
    spacing = (*lattice.spacing[:2], lattice.spacing[2] * step)
    return Grid(lattice.size, spacing, origin, lattice.direction)


def _too_far(distance: float) -> Refusal:
    return Refusal(
        "labels-unreadable",
        f"the contours of this structure are {distance:.4g} mm apart; up to {LARGEST_GAP:g} mm, the "
        "shape between them can be told",
    )
