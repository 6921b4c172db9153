"""The faces of quadratic tetrahedra: which ones bound a body, and whose a face is."""

import numpy as np

# The faces of a tetrahedron, seen from outside: three corners anticlockwise, then the middles of their
# SIDES. In CalculiX's and Abaqus's order, S1 to S4.
FACES = np.array([[0, 2, 1, 6, 5, 4], [0, 1, 3, 4, 8, 7], [1, 2, 3, 5, 9, 8], [0, 3, 2, 7, 9, 6]])


def skin(cells: np.ndarray) -> np.ndarray:
    """The faces [k, 6] that belong to one cell only, of cells [m, 10], as in Body."""
    faces = cells[:, FACES].reshape(-1, 6)
    corners = np.sort(faces[:, :3], axis=1)
    _, first, count = np.unique(corners, axis=0, return_index=True, return_counts=True)
    return faces[np.sort(first[count == 1])]


def owners(cells: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For faces [k, 6], the cell [k] that each bounds outwards, and which of its FACES [k] it is.

    Between two parts the two cells see the same corners in opposite turns; the faces' turn decides.
    """
    of_cells = _turned(cells[:, FACES].reshape(-1, 6))
    rows = np.concatenate([of_cells, _turned(faces)])
    _, group = np.unique(rows, axis=0, return_inverse=True)
    place = np.full(len(rows), -1)
    place[group[: len(of_cells)]] = np.arange(len(of_cells))
    found = place[group[len(of_cells) :]]
    if (found < 0).any():
        raise ValueError(f"{(found < 0).sum()} faces are of no cell, or turned inwards")
    return found // 4, found % 4


def _turned(faces: np.ndarray) -> np.ndarray:
    """Corners [k, 3] of faces, the smallest first; their turn is kept."""
    first = faces[:, :3].argmin(axis=1)[:, None]
    return np.take_along_axis(faces, (first + np.arange(3)) % 3, axis=1)
