"""A shape model fitted, robustly, to what a scan shows of a structure's surface.

Each point of the model's surface is drawn to the surface that is seen, and each of that surface draws
the model's nearest point, in steps of Gauss and Newton. What lies far away counts less (Geman and
McClure's weights), what lies where nothing is seen counts nothing, and the shape is drawn to the mean
as the atlases vary: the most probable shape.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from scanmill.shape_model.correspondence import outward
from scanmill.shape_model.modes import Modes
from scanmill.shape_model.signed_distance import SignedDistance

Array = np.ndarray
STEPS = 60
# How far points may first lie from the surface, of the shape's longest side; then less with each step,
# down to so many times what the model cannot explain, or to a voxel.
WIDEST, NARROWING, NARROWEST = 0.2, 0.85, 3.0
# Coefficients beyond this many standard deviations are none that the atlases showed.
MOST = 3.0
# Points of the surface lie alike beside their neighbours: as many as this tell something new.
INDEPENDENT = 100.0
# A step that moves nothing farther, mm, is the last.
SETTLED = 1e-3


@dataclass(frozen=True)
class Fit:
    """A shape in its place.

    points: (n, 3), LPS mm. coefficients: (k,), standard deviations. away: distance of the points from
    the surface that is seen, mm, (n,). apart: of each point, that or the largest distance from the
    parts of the surface that it is the nearest to, mm, (n,). seen: which points lie where something is
    seen. trusted: of the seen part of the area, what the fit believed. freedom: how points move with
    turn (radians), shift (mm) and coefficients, (n, 3, 6 + k). covariance: of these.
    """

    points: Array
    coefficients: Array
    away: Array
    apart: Array
    seen: Array
    trusted: float
    freedom: Array
    covariance: Array


def fit(modes: Modes, triangles: Array, distance: SignedDistance, noise: float) -> Fit:
    """The most probable shape for a surface. noise: what the modes cannot explain, sd, mm."""
    areas = np.linalg.norm(outward(modes.mean, triangles), axis=1)
    areas /= areas.sum()
    turn, shift = np.eye(3), start(modes, distance)
    coefficients = np.zeros(len(modes.modes))
    prior = np.concatenate([np.full(6, 1e-9), np.ones(len(coefficients))])
    widest = WIDEST * float(np.ptp(modes.mean, axis=0).max())
    narrowest = max(NARROWEST * noise, *distance.grid.spacing)
    targets = distance.surface()
    normals = distance.slopes(targets)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    for n in range(STEPS):
        around = modes.shape(coefficients) @ turn.T
        points = around + shift
        away, seen = distance.at(points), distance.shows(points)
        width = max(widest * NARROWING**n, narrowest)
        trust = seen * _trust(away, width)
        freedom = _freedom(around, modes.modes @ turn.T)
        nearest = cKDTree(points).query(targets)[1]
        gap = points[nearest] - targets
        across = (gap * normals).sum(axis=1)
        back = _trust(np.linalg.norm(gap, axis=1), width) * ((areas @ seen) / len(targets))
        weights = np.concatenate([areas * trust, back]) * (INDEPENDENT / noise**2 / 2)
        ways = np.concatenate(
            [
                np.einsum("nik,ni->nk", freedom, distance.slopes(points)),
                np.einsum("nik,ni->nk", freedom[nearest], normals),
            ]
        )
        normal = (ways * weights[:, None]).T @ ways + np.diag(prior)
        towards = -ways.T @ (weights * np.concatenate([away, across]))
        towards[6:] -= coefficients
        step = np.linalg.solve(normal, towards)
        if width == narrowest and np.abs(freedom @ step).max() < SETTLED:
            break
        turn = Rotation.from_rotvec(step[:3]).as_matrix() @ turn
        shift = shift + step[3:6]
        coefficients = np.clip(coefficients + step[6:], -MOST, MOST)
    trusted = float((areas * trust).sum() / max((areas * seen).sum(), 1e-9))
    apart = np.abs(away)
    np.maximum.at(apart, nearest, np.abs(across))
    covariance = np.linalg.inv(normal)
    return Fit(points, coefficients, away, apart, seen, trusted, freedom, covariance)


def residual(found: Fit) -> float:
    """The root mean square distance of a fit from the surface that is seen, mm."""
    return float(np.sqrt((found.away[found.seen] ** 2).mean()))


def mahalanobis(found: Fit) -> float:
    """How far a fit's shape lies from the mean, in standard deviations of the modes."""
    return float(np.sqrt((found.coefficients**2).sum()))


def start(modes: Modes, distance: SignedDistance) -> Array:
    """Where the mean shape's centroid may lie, LPS mm.

    Along each axis of the grid, middle on middle; where the surface is cut on one side, end on end on
    the other.
    """
    frame = np.reshape(distance.grid.direction, (3, 3))
    usual = modes.mean @ frame
    # Of a mask of few voxels, whose smoothed distances are all positive, the deepest.
    deepest = float(distance.depth[distance.seen].min())
    ends = _ends((distance.depth <= max(deepest, 0.0)) & distance.seen)
    limits = _ends(distance.seen)
    shift = np.empty(3)
    for axis in range(3):
        index = np.zeros((2, 3))
        index[:, axis] = ends[axis]
        low, high = (distance.grid.to_physical(index) @ frame)[:, axis]
        cut = ends[axis] == limits[axis]
        at_low, at_high = low - usual[:, axis].min(), high - usual[:, axis].max()
        shift[axis] = (at_low + at_high) / 2
        if cut[0] and not cut[1]:
            shift[axis] = at_high
        if cut[1] and not cut[0]:
            shift[axis] = at_low
    return frame @ shift


def _trust(away: Array, width: float) -> Array:
    return 1 / (1 + (away / width) ** 2) ** 2


def _ends(mask: Array) -> Array:
    """The first and last index of a mask along x, y and z, (3, 2)."""
    inside = np.argwhere(mask)[:, ::-1]
    return np.stack([inside.min(axis=0), inside.max(axis=0)], axis=1)


def _freedom(around: Array, modes: Array) -> Array:
    """How each point moves with turn, shift and coefficients, (n, 3, 6 + k)."""
    turning = -np.cross(around[:, None, :], np.eye(3)[None]).transpose(0, 2, 1)
    shifting = np.broadcast_to(np.eye(3), turning.shape)
    return np.concatenate([turning, shifting, modes.transpose(1, 2, 0)], axis=2)
