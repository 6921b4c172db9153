"""Quadratic tetrahedra and triangles: shape functions, and how integrals over them are taken."""

import numpy as np

from scanmill.simulation.body import EDGES, SIDES

# Four points in a tetrahedron, exact up to squares (Hammer and Stroud 1956, doi:10.2307/2002484): all
# that the energy of a straight-edged one has where its material is linear. Barycentric, equal weights.
_NEAR, _FAR = 0.5854101966249685, 0.1381966011250105
INSIDE = np.full((4, 4), _FAR) + (_NEAR - _FAR) * np.eye(4)
# Six points in a triangle, exact up to fourth powers (Dunavant 1985, doi:10.1002/nme.1620210612).
_A, _B = 0.445948490915965, 0.091576213509771
ON_FACES = np.array([np.roll([1 - 2 * x, x, x], n) for x in (_A, _B) for n in range(3)])
FACE_WEIGHTS = np.repeat([0.223381589678011, 0.109951743655322], 3)
# The derivatives of a triangle's barycentric coordinates along its first two sides, from corner 0.
ALONG_SIDES = np.array([[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])


def on_faces() -> tuple[np.ndarray, np.ndarray]:
    """At ON_FACES, the six shape functions [6, 6], and their derivatives along two sides [6, 6, 2]."""
    return _values(ON_FACES, SIDES), np.einsum(
        "qac,cs->qas", _derivatives(ON_FACES, SIDES), ALONG_SIDES
    )


def flat_volumes(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Signed volumes [m], mm3, of straight tetrahedra with these corners [m, 4 or more]."""
    a = points[corners[:, :1]]
    return np.linalg.det(points[corners[:, 1:4]] - a) / 6


def volumes(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Signed volumes [m], mm3, of quadratic tetrahedra [m, 10], whose edges may be bent."""
    return quarters(points, cells).sum(axis=1)


def quarters(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """What of the signed volumes of quadratic tetrahedra each of INSIDE stands for, [m, 4], mm3."""
    return np.linalg.det(_jacobians(points, cells)) / (6 * len(INSIDE))


def gradients(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The gradients of the ten shape functions at INSIDE, [m, 4, 10, 3], 1/mm."""
    inverse = np.linalg.inv(_jacobians(points, cells))
    return np.einsum("qac,mqxc->mqax", _along_sides(), inverse)


def _jacobians(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """How places at INSIDE change along the sides to b, c and d, [m, 4, 3, 3], a row for each side."""
    return np.einsum("qac,max->mqcx", _along_sides(), points[cells])


def _along_sides() -> np.ndarray:
    """The derivatives of the ten shape functions at INSIDE by the ways to b, c and d, [4, 10, 3]."""
    by_corners = _derivatives(INSIDE, EDGES)
    return by_corners[:, :, 1:] - by_corners[:, :, :1]


def _values(places: np.ndarray, edges: tuple[tuple[int, int], ...]) -> np.ndarray:
    """The shape functions at barycentric places [q, c]: c of the corners, then those of the edges."""
    of_edges = [4 * places[:, one] * places[:, other] for one, other in edges]
    return np.concatenate((places * (2 * places - 1), np.stack(of_edges, axis=1)), axis=1)


def _derivatives(places: np.ndarray, edges: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Their derivatives by the barycentric coordinates, [q, functions, c]."""
    number = places.shape[1]
    found = np.zeros((len(places), number + len(edges), number))
    for corner in range(number):
        found[:, corner, corner] = 4 * places[:, corner] - 1
    for n, (one, other) in enumerate(edges, start=number):
        found[:, n, one] = 4 * places[:, other]
        found[:, n, other] = 4 * places[:, one]
    return found
