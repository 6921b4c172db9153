"""Walls of layers of prisms, three tetrahedra each, whose stresses are known exactly."""

from itertools import pairwise

import numpy as np
from scanmill.simulation.body import EDGES, Body
from scanmill.simulation.skin import skin

# The middle edges of a prism's three tetrahedra go from lower to higher corners, so that neighbours
# whose corners are numbered likewise agree. 3 to 5 are above 0 to 2.
PRISM = np.array([[0, 1, 2, 5], [0, 1, 4, 5], [0, 3, 4, 5]])


def cylinder_wall(
    inner: float, outer: float, length: float, around: int, layers: int, along: int
) -> Body:
    """A wall between two radii about z, from z = 0; its cells are in order of their layers."""
    angles = 2 * np.pi * np.arange(around) / around
    heights = np.linspace(0.0, length, along + 1)
    shells = [
        np.column_stack(
            [
                np.tile(radius * np.cos(angles), along + 1),
                np.tile(radius * np.sin(angles), along + 1),
                np.repeat(heights, around),
            ]
        )
        for radius in np.linspace(inner, outer, layers + 1)
    ]
    column, row = np.meshgrid(np.arange(around), np.arange(along))
    here, right = row * around + column, row * around + (column + 1) % around
    squares = np.stack([here, right, right + around, here + around], axis=-1).reshape(-1, 4)
    body = _layered(shells, squares[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3))
    faces = skin(body.cells)
    radii, z = np.hypot(*body.points[:, :2].T), body.points[:, 2]
    tolerance = 1e-9 * (outer + length)
    ends = {"bottom": z < tolerance, "top": z > length - tolerance}
    sides = {"inner": radii < inner + tolerance, "outer": radii > outer - tolerance}
    named = {name: faces[on[faces[:, :3]].all(axis=1)] for name, on in (sides | ends).items()}
    return Body(body.points, body.cells, body.parts, named)


def moved(body: Body, rotation: np.ndarray, shift: np.ndarray) -> Body:
    """The body turned by a matrix, then shifted."""
    return Body(body.points @ rotation.T + shift, body.cells, body.parts, body.faces)


def centres(body: Body) -> np.ndarray:
    """The centre of each cell."""
    return body.points[body.cells[:, :4]].mean(axis=1)


def volumes(body: Body) -> np.ndarray:
    """The volume of each cell."""
    a, b, c, d = body.points[body.cells[:, :4]].transpose(1, 0, 2)
    return np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) / 6.0


def _layered(shells: list[np.ndarray], triangles: np.ndarray) -> Body:
    """Between shells of the same triangles, prisms in layers; one part, no named faces."""
    points = np.concatenate(shells)
    base = np.sort(triangles, axis=1)
    starts = len(shells[0]) * np.arange(len(shells))
    prisms = np.concatenate(
        [np.hstack([base + low, base + high]) for low, high in pairwise(starts)]
    )
    corners = prisms[:, PRISM].reshape(-1, 4)
    a, b, c, d = points[corners].transpose(1, 0, 2)
    inverted = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) < 0
    corners[inverted] = corners[inverted][:, [0, 2, 1, 3]]
    return _quadratic(points, corners)


def _quadratic(points: np.ndarray, corners: np.ndarray) -> Body:
    """Tetrahedra of corners with the middles of their edges."""
    edges = np.sort(corners[:, EDGES], axis=2).reshape(-1, 2)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    cells = np.hstack([corners, len(points) + which.reshape(-1, 6)])
    middles = points[unique].mean(axis=1)
    return Body(np.vstack([points, middles]), cells, {"wall": np.arange(len(cells))}, {})
