"""Faces: areas, pressure on them and springs under them, as forces at points and their change."""

from collections.abc import Iterator

import numpy as np

from scanmill.simulation.body import Problem, Springs
from scanmill.simulation.elements import FACE_WEIGHTS, on_faces
from scanmill.simulation.supports import frames, middle_of

VALUES, SLOPES = on_faces()
# The components of a cross product: a x b = a_i b_j LEVI_CIVITA_ijk.
LEVI_CIVITA = np.zeros((3, 3, 3))
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    LEVI_CIVITA[_i, _j, _k], LEVI_CIVITA[_j, _i, _k] = 1, -1


def pressure_on(
    points: np.ndarray, faces: np.ndarray, pressure: float
) -> tuple[np.ndarray, np.ndarray]:
    """Forces [k, 18], N, of a pressure against faces, and their change with the points [k, 18, 18].

    points: [n, 3], mm, where they are now: faces may be curved. pressure: N/mm2.
    """
    along = np.einsum("kax,qas->kqsx", points[faces], SLOPES)
    across = np.cross(along[:, :, 0], along[:, :, 1])
    # Half: of the square that both sides span, the triangle.
    weighted = -pressure / 2 * FACE_WEIGHTS[:, None] * VALUES
    forces = np.einsum("qa,kqx->kax", weighted, across).reshape(len(faces), 18)
    first, second = along[:, :, 0], along[:, :, 1]
    by_second = np.einsum("kqx,ixj->kqij", first, LEVI_CIVITA)
    by_first = np.einsum("kqx,ijx->kqij", second, LEVI_CIVITA)
    change = np.einsum("qa,qb,kqij->kaibj", weighted, SLOPES[:, :, 1], by_second)
    change += np.einsum("qa,qb,kqij->kaibj", weighted, SLOPES[:, :, 0], by_first)
    return forces, change.reshape(len(faces), 18, 18)


def bent_areas(places: np.ndarray) -> np.ndarray:
    """The areas [k], mm2, of quadratic triangles by the places of their points [k, 6, 3]."""
    along = np.einsum("kax,qas->kqsx", places, SLOPES)
    across = np.linalg.norm(np.cross(along[:, :, 0], along[:, :, 1]), axis=2)
    return across @ FACE_WEIGHTS / 2


def springs_on(problem: Problem) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Faces [k, 6] on springs, and the stiffness of those of each, [k, 18, 18], N/mm."""
    points = problem.body.points
    shared = np.einsum("q,qa,qb->ab", FACE_WEIGHTS, VALUES, VALUES)
    for name, support in problem.supports.items():
        if isinstance(support, Springs):
            faces = problem.body.faces[name]
            a, b, c = np.moveaxis(points[faces[:, :3]], 1, 0)
            vectors = np.cross(b - a, c - a)
            areas = np.linalg.norm(vectors, axis=1) / 2
            axes = frames(vectors, (a + b + c) / 3 - middle_of(points, faces))
            stiffness = np.einsum("a,kai,kaj->kij", support.stiffnesses, axes, axes)
            blocks = np.einsum("k,ab,kij->kaibj", areas, shared, stiffness)
            yield faces, blocks.reshape(len(faces), 18, 18)
