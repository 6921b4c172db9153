"""A vessel's surface for simulation: its ends cut off across its course, its triangles all alike."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scanmill.surface import Surface

# How far the new surface may lie from the old one, of an edge.
HAUSDORFF = 0.1
# Degrees: no edge inside the surface of a vessel is sharp.
RIDGE = 80.0
# The second time, MMG leaves fewer triangles that are smaller than asked for.
PASSES = 2


@dataclass(frozen=True)
class End:
    """Where a vessel is cut. point: on its course, LPS mm. outwards: unit vector along it."""

    point: np.ndarray
    outwards: np.ndarray


def opened(surface: Surface, ends: list[End]) -> Surface:
    """A closed surface without what lies beyond each end; open there, in the end's plane."""
    for end in ends:
        surface = _cut(surface, end)
    return surface


def remeshed(surface: Surface, edge: float) -> Surface:
    """The surface of triangles of about one size, by MMG. edge: of their sides, mm. Open ends stay.

    Dapogny et al. 2014, doi:10.1016/j.jcp.2014.01.005.
    """
    # Not above: few recipes ask for simulations, and every job pays for its imports.
    from mmgpy import MmgMeshS

    points, triangles = surface.points.astype(float), surface.triangles.astype(np.int32)
    for _ in range(PASSES):
        mesh = MmgMeshS(points, triangles)
        mesh.remesh(hsiz=edge, hausd=HAUSDORFF * edge, ar=RIDGE, verbose=-1)
        points, triangles = np.asarray(mesh.get_vertices()), np.asarray(mesh.get_triangles())
    return Surface(points, triangles)


def enclosed(surface: Surface, ends: list[End]) -> float:
    """The volume between the ends of a surface that is open there, mm3."""
    a, b, c = np.moveaxis(surface.points[surface.triangles], 1, 0)
    total = np.linalg.det(np.stack((a, b, c), axis=1)).sum()
    one, other = surface.points[rims(surface)].swapaxes(0, 1)
    points = np.array([end.point for end in ends])
    nearest = np.linalg.norm(one[:, None] - points, axis=2).argmin(axis=1)
    # The caps lie in the planes of the ends: any point there is the apex of triangles on the rims.
    return float(total + np.linalg.det(np.stack((other, one, points[nearest]), axis=1)).sum()) / 6


def open_loops(surface: Surface) -> list[np.ndarray]:
    """The edges [e, 2] of each loop where a surface is open."""
    edges = rims(surface)
    number = len(surface.points)
    links = coo_array((np.ones(len(edges)), edges.T), shape=(number, number))
    loop = connected_components(links, directed=False)[1][edges[:, 0]]
    return [edges[loop == n] for n in np.unique(loop)]


def rims(surface: Surface) -> np.ndarray:
    """The edges [e, 2] of one triangle only, in its turn."""
    edges = surface.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    _, which, uses = np.unique(
        np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return edges[uses[which.ravel()] == 1]


def _cut(surface: Surface, end: End) -> Surface:
    """The surface without the piece beyond an end that is nearest to it."""
    points, triangles = surface.points, surface.triangles
    beyond = (points - end.point) @ end.outwards > 0
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    joined = edges[beyond[edges].all(axis=1)]
    number = len(points)
    links = coo_array((np.ones(len(joined)), joined.T), shape=(number, number))
    pieces = connected_components(links, directed=False)[1]
    away = np.linalg.norm(points - end.point, axis=1)
    nearest = np.flatnonzero(beyond)[np.argmin(away[beyond])]
    gone = beyond & (pieces == pieces[nearest])
    height = (points - end.point) @ end.outwards
    inside = ~gone[triangles]
    kept = [triangles[inside.all(axis=1)]]
    crossed = np.unique(np.sort(edges[gone[edges].sum(axis=1) == 1], axis=1), axis=0)
    low, high = crossed.T
    part = (height[low] / (height[low] - height[high]))[:, None]
    new = points[low] + part * (points[high] - points[low])
    place = {(a, b): number + n for n, (a, b) in enumerate(crossed.tolist())}

    def between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        pairs = np.sort(np.stack((one, other), axis=1), axis=1).tolist()
        return np.array([place[low, high] for low, high in pairs], int)

    for is_one in (True, False):
        own = np.flatnonzero(inside.sum(axis=1) == (1 if is_one else 2))
        # The corner that is alone on its side first, the others in their order.
        corner = np.argmax(inside[own] == is_one, axis=1)
        a, b, c = (triangles[own, (corner + n) % 3] for n in range(3))
        ab, ac = between(a, b), between(a, c)
        if is_one:
            kept.append(np.stack((a, ab, ac), axis=1))
        else:
            kept += [np.stack((ab, b, c), axis=1), np.stack((ab, c, ac), axis=1)]
    return _compact(np.concatenate((points, new)), np.concatenate(kept))


def _compact(points: np.ndarray, triangles: np.ndarray) -> Surface:
    used, number = np.unique(triangles, return_inverse=True)
    return Surface(points[used], number.reshape(-1, 3))
