"""What is asked of closed surfaces, by another library; and label maps that are hard to mesh."""

import numpy as np
import trimesh
from scanmill.surface import Surface
from scanmill.surface_measures import is_manifold
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def assert_manifold(surface: Surface) -> None:
    """By another library: closed, wound one way, outward, and one fan of triangles at each point."""
    mesh = trimesh.Trimesh(surface.points, surface.triangles, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    # Corners of triangles, joined where two triangles that share an edge share the corner's point.
    joined = []
    for column in range(2):
        point = mesh.face_adjacency_edges[:, column, None]
        joined.append(
            [
                3 * face + np.argmax(mesh.faces[face] == point, axis=1)
                for face in mesh.face_adjacency.T
            ]
        )
    one, other = np.concatenate(joined, axis=1)
    links = coo_array((np.ones(len(one)), (one, other)), shape=(mesh.faces.size,) * 2)
    assert connected_components(links)[0] == len(np.unique(mesh.faces))
    assert is_manifold(surface)


def keys(surface: Surface) -> set[bytes]:
    """Each triangle by its corners' coordinates, whatever corner it begins with."""
    corners = surface.points[surface.triangles]
    order = np.lexsort(corners.transpose(2, 0, 1), axis=1)[:, :1]
    turn = (order + np.arange(3)) % 3
    return {c.tobytes() for c in np.take_along_axis(corners, turn[:, :, None], axis=1)}


def reversed_(surface: Surface) -> Surface:
    return Surface(surface.points, surface.triangles[:, ::-1])


def random_labels(seed, shape, sigma, number) -> np.ndarray:
    random = np.random.default_rng(seed)
    fields = [gaussian_filter(random.standard_normal(shape), sigma) for _ in range(number)]
    return np.argmax(fields, axis=0).astype(np.uint8)
