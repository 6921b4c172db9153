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
    radii, z = np.hypot(*body.points[:, :2].T), body.points[:, 2]
    tolerance = 1e-9 * (outer + length)
    ends = {"bottom": z < tolerance, "top": z > length - tolerance}
    sides = {"inner": radii < inner + tolerance, "outer": radii > outer - tolerance}
    return _with_faces(body, sides | ends)


def sphere_octant(inner: float, outer: float, along: int, layers: int) -> Body:
    """A wall between two radii where x, y and z are positive; its cut faces are named by their axis."""
    steps = np.array([(i, j) for i in range(along + 1) for j in range(along + 1 - i)])
    number = {tuple(step): n for n, step in enumerate(steps.tolist())}
    upright = [
        [number[i, j], number[i + 1, j], number[i, j + 1]] for i, j in number if i + j < along
    ]
    reversed_ = [
        [number[i + 1, j + 1], number[i, j + 1], number[i + 1, j]]
        for i, j in number
        if i + j < along - 1
    ]
    flat = np.column_stack([steps, along - steps.sum(axis=1)]).astype(float)
    directions = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    shells = [radius * directions for radius in np.linspace(inner, outer, layers + 1)]
    body = _layered(shells, np.array(upright + reversed_))
    distances = np.linalg.norm(body.points, axis=1)
    sides = {"inner": distances < inner * (1 + 1e-9), "outer": distances > outer * (1 - 1e-9)}
    cuts = {axis: body.points[:, n] < 1e-9 * outer for n, axis in enumerate("xyz")}
    return _with_faces(body, sides | cuts)


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


def _with_faces(body: Body, places: dict[str, np.ndarray]) -> Body:
    """The body with its outer faces named whose corners all are at a place."""
    faces = skin(body.cells)
    named = {name: faces[there[faces[:, :3]].all(axis=1)] for name, there in places.items()}
    return Body(body.points, body.cells, body.parts, named)


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
