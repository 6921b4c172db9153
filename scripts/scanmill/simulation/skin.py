"""The faces of quadratic tetrahedra: which ones bound a body, and whose a face is."""

import numpy as np

# The faces of a tetrahedron, seen from outside: three corners anticlockwise, then the middles of their
# SIDES. In CalculiX's and Abaqus's order, S1 to S4.
FACES = np.array([[0, 2, 1, 6, 5, 4], [0, 1, 3, 4, 8, 7], [1, 2, 3, 5, 9, 8], [0, 3, 2, 7, 9, 6]])


def skin(cells: np.ndarray) -> np.ndarray:
    """The faces that belong to one cell only, as in Body: [k, 6] of cells [m, 10], [k, 3] of [m, 4]."""
    order = FACES if cells.shape[1] == 10 else FACES[:, :3]
    faces = cells[:, order].reshape(-1, order.shape[1])
    corners = np.sort(faces[:, :3], axis=1)
    _, first, count = np.unique(corners, axis=0, return_index=True, return_counts=True)
    return faces[np.sort(first[count == 1])]


def among(faces: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which faces, [k], have the corners of one of others, whatever their turn. [k or l, 3 or more]."""
    corners = np.sort(np.concatenate((faces[:, :3], others[:, :3])), axis=1)
    _, which = np.unique(corners, axis=0, return_inverse=True)
    return np.isin(which.ravel()[: len(faces)], which.ravel()[len(faces) :])


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
