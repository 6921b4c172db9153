"""What holds a body, node by node."""

from dataclasses import dataclass

import numpy as np

from scanmill.simulation.body import Body


@dataclass(frozen=True)
class Bed:
    """Nodes of faces that rest on springs: each stands for a piece of the faces.

    nodes: [k] indices of points. areas: [k], mm2. frames: [k, 3, 3], rows: the unit normal, outwards,
    and two unit vectors across it.
    """

    nodes: np.ndarray
    areas: np.ndarray
    frames: np.ndarray


def bed(body: Body, faces: np.ndarray) -> Bed:
    """The bed of faces [k, 6]: each middle of a side stands for a third of each face that it is of.

    This integrates what is quadratic over a straight triangle exactly; the corners have no share.
    """
    a, b, c = body.points[faces[:, :3]].transpose(1, 0, 2)
    thirds = np.cross(b - a, c - a) / 6.0
    nodes, which = np.unique(faces[:, 3:], return_inverse=True)
    vectors = np.zeros((len(nodes), 3))
    np.add.at(vectors, which.ravel(), np.repeat(thirds, 3, axis=0))
    areas = np.bincount(which.ravel(), np.repeat(np.linalg.norm(thirds, axis=1), 3))
    return Bed(nodes, areas, _frames(vectors))


def _frames(vectors: np.ndarray) -> np.ndarray:
    """Frames [k, 3, 3] whose first row is along each vector."""
    normals = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    # The axis that the normal leans to least is never along it.
    aside = np.eye(3)[np.abs(normals).argmin(axis=1)]
    second = np.cross(normals, aside)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return np.stack([normals, second, np.cross(normals, second)], axis=1)
