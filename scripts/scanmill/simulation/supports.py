"""What holds a body, node by node."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scanmill.refusal import Refusal
from scanmill.simulation.body import Body, Fixed, Problem

# What resists a motion by less than this share of what is resisted most is a rounding error.
NOTHING = 1e-13
# Of an arm, what is too short to tell a way.
NO_ARM = 1e-6


@dataclass(frozen=True)
class Bed:
    """Nodes of faces that rest on springs: each stands for a piece of the faces.

    nodes: [k] indices of points. areas: [k], mm2. frames: [k, 3, 3], as
    `frames` has them.
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
    middle = middle_of(body.points, faces)
    vectors = np.zeros((len(nodes), 3))
    np.add.at(vectors, which.ravel(), np.repeat(thirds, 3, axis=0))
    areas = np.bincount(which.ravel(), np.repeat(np.linalg.norm(thirds, axis=1), 3))
    return Bed(nodes, areas, frames(vectors, body.points[nodes] - middle))


def require_held(problem: Problem) -> None:
    """Raise Refusal where a piece of the body can move or turn without resistance.

    Solvers find stresses all the same, and displacements that are rounding errors, without a word.
    """
    pieces = _pieces(problem.body)
    nodes, stiffnesses = _resistance(problem)
    numbers = np.unique(pieces[problem.body.cells[:, 0]])
    loose = [
        piece
        for piece in numbers
        if not _held(problem.body.points, nodes, stiffnesses, pieces == piece)
    ]
    if loose:
        reason = (
            f"{len(loose)} of {len(numbers)} connected pieces of the body can move or turn freely; "
            "each needs a fixed face, or springs that act along and across"
        )
        raise Refusal("support-loose", reason)


def _pieces(body: Body) -> np.ndarray:
    """The number [n] of the connected piece that each point is of."""
    start = np.repeat(body.cells[:, :1], body.cells.shape[1] - 1, axis=1).ravel()
    links = (np.ones(len(start), bool), (start, body.cells[:, 1:].ravel()))
    return connected_components(coo_array(links, shape=[len(body.points)] * 2), directed=False)[1]


def _resistance(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Points that are held, and the stiffness [k, 3, 3] of what holds each, N/mm."""
    nodes, stiffnesses = [np.empty(0, int)], [np.empty((0, 3, 3))]
    for name, support in problem.supports.items():
        under = bed(problem.body, problem.body.faces[name])
        # What is fixed resists as much as springs of 1 N/mm3 do; all that matters is that it does.
        along = (1.0, 1.0, 1.0) if isinstance(support, Fixed) else support.stiffnesses
        nodes.append(under.nodes)
        stiffnesses.append(
            np.einsum("k,a,kai,kaj->kij", under.areas, along, under.frames, under.frames)
        )
    return np.concatenate(nodes), np.concatenate(stiffnesses)


def _held(
    points: np.ndarray, nodes: np.ndarray, stiffnesses: np.ndarray, piece: np.ndarray
) -> bool:
    """Whether a piece is held against each way to move or to turn it, without bending it."""
    inside = piece[nodes]
    arms = points[nodes[inside]] - points[piece].mean(axis=0)
    size = np.ptp(points[piece], axis=0).max()
    turns = np.cross(np.eye(3)[None], arms[:, None] / size).transpose(0, 2, 1)
    motions = np.concatenate([np.broadcast_to(np.eye(3), turns.shape), turns], axis=2)
    resisted = np.einsum("kia,kij,kjb->ab", motions, stiffnesses[inside], motions)
    least, *_, most = np.linalg.eigvalsh(resisted)
    return bool(least > NOTHING * most)


def middle_of(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The middle of the area of faces [k, 6], LPS mm."""
    a, b, c = points[faces[:, :3]].transpose(1, 0, 2)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return np.average((a + b + c) / 3, axis=0, weights=areas)


def frames(vectors: np.ndarray, arms: np.ndarray) -> np.ndarray:
    """Unit vectors [k, 3, 3], rows: along each vector; across it, along its arm; and around.

    An arm along the vector, or none, tells no way: any across is as good.
    """
    normals = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    # The axis that the normal leans to least is never along it.
    aside = np.eye(3)[np.abs(normals).argmin(axis=1)]
    flat = arms - np.einsum("ki,ki->k", arms, normals)[:, None] * normals
    told = np.linalg.norm(flat, axis=1) > NO_ARM * np.linalg.norm(arms, axis=1)
    around = np.cross(normals, np.where(told[:, None], flat, aside))
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    return np.stack([normals, np.cross(around, normals), around], axis=1)
