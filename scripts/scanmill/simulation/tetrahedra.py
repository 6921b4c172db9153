"""Tetrahedra, quadratic ones from them, and how well shaped they are."""

from dataclasses import dataclass

import numpy as np

from scanmill.simulation.body import EDGES
from scanmill.simulation.elements import quarters


@dataclass(frozen=True)
class Tetrahedra:
    """With straight edges. points: [n, 3], LPS mm. corners: [m, 4] as in Body.

    parts: [m], a number from 0 for each.
    """

    points: np.ndarray
    corners: np.ndarray
    parts: np.ndarray

    def only(self, chosen: np.ndarray) -> "Tetrahedra":
        """Those of the cells [m] that are chosen, and their points in the same order."""
        used, corners = np.unique(self.corners[chosen], return_inverse=True)
        return Tetrahedra(self.points[used], corners.reshape(-1, 4), self.parts[chosen])


def quadratic(points: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points with the middles of edges after them, and cells [m, 10] of tetrahedra [m, 4].

    points: [n, 3].
    """
    edges = np.sort(corners[:, EDGES], axis=2).reshape(-1, 2)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    cells = np.hstack([corners, len(points) + which.reshape(-1, 6)])
    return np.vstack([points, points[unique].mean(axis=1)]), cells


def unfolded(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The points of quadratic tetrahedra [m, 10] whose edges are straight where, bent, they fold.

    Cells whose corners are inside out stay so.
    """
    straight = points.copy()
    ends = np.stack([points[cells[:, list(edge)]].mean(axis=1) for edge in EDGES], axis=1)
    straight[cells[:, 4:]] = ends
    found = points
    # It ends: each time, edges of more cells are straight.
    folded = np.zeros(len(cells), bool)
    while (now := folded | (quarters(found, cells) <= 0).any(axis=1)).sum() > folded.sum():
        folded, found = now, points.copy()
        middles = np.unique(cells[folded, 4:])
        found[middles] = straight[middles]
    return found


def dihedral_angles(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The six angles between faces of tetrahedra with these corners [m, 4 or more]: [m, 6], degrees."""
    places = points[corners[:, :4]]
    angles = []
    for one, other in EDGES:
        third, fourth = (n for n in range(4) if n not in (one, other))
        along = places[:, other] - places[:, one]
        sides = [np.cross(along, places[:, n] - places[:, one]) for n in (third, fourth)]
        lengths = np.linalg.norm(sides, axis=2)
        cosine = np.einsum("ij,ij->i", *sides) / np.maximum(lengths.prod(axis=0), 1e-300)
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return np.stack(angles, axis=1)


def scaled_jacobians(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Of tetrahedra with these corners [m, 4 or more]: 1 where all sides are equal, 0 where flat.

    Knupp 2003, doi:10.1016/S0168-874X(02)00070-9, as Verdict has it.
    """
    places = points[corners[:, :4]]
    sides = {(i, j): np.linalg.norm(places[:, j] - places[:, i], axis=1) for i, j in EDGES}
    lengths = {frozenset(ends): length for ends, length in sides.items()}
    at_corners = [
        np.prod([lengths[frozenset((i, j))] for j in range(4) if j != i], axis=0) for i in range(4)
    ]
    a, b, c, d = np.moveaxis(places, 1, 0)
    jacobian = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a)
    return np.sqrt(2) * jacobian / np.maximum(np.max(at_corners, axis=0), jacobian)
