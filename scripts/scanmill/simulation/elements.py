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


def volumes(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Signed volumes [m], mm3, of tetrahedra with these corners [m, 4 or more]."""
    return np.linalg.det(_sides(points, corners)) / 6


def gradients(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The gradients of the ten shape functions at INSIDE, [m, 4, 10, 3], 1/mm; edges are straight."""
    # Rows of the inverse of (b - a, c - a, d - a) as columns are those of b, c and d.
    of_three = np.linalg.inv(_sides(points, cells)).transpose(0, 2, 1)
    of_corners = np.concatenate((-of_three.sum(axis=1, keepdims=True), of_three), axis=1)
    return np.einsum("qac,mcx->mqax", _derivatives(INSIDE, EDGES), of_corners)


def _sides(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """B - a, c - a and d - a of each tetrahedron, [m, 3, 3], a row each."""
    a = points[corners[:, :1]]
    return points[corners[:, 1:4]] - a


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
