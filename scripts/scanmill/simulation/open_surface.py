"""A vessel's surface for simulation: its ends cut off across its course."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scanmill.surface import Surface
from scanmill.surface_measures import areas_of


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


def evened(surface: Surface) -> Surface:
    """The surface whose flat triangles lie as much outside as inside of what its points lie on.

    Between its points a round surface stands out by the height of arcs over their chords; a tube of
    radius 8 mm and triangles of 3 mm would be 1.5 % too thin. What stands out over a triangle is on
    average a third of the sum over its sides of (change of the normal) . (side) / 8.
    """
    points, triangles = surface.points, surface.triangles
    normals = point_normals(surface)
    out = np.zeros(len(triangles))
    for one, other in ((0, 1), (1, 2), (2, 0)):
        a, b = triangles[:, one], triangles[:, other]
        out += np.einsum("ij,ij->i", normals[b] - normals[a], points[b] - points[a]) / 24
    around = np.repeat(areas_of(surface), 3)
    mean = np.bincount(triangles.ravel(), around * np.repeat(out, 3))
    mean /= np.bincount(triangles.ravel(), around)
    return Surface(points + mean[:, None] * normals, triangles)


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


def point_normals(surface: Surface) -> np.ndarray:
    """Unit normals at points, [n, 3], outwards: of the triangles around, by their angles there.

    Thürmer and Wüthrich 1998, doi:10.1080/10867651.1998.10487487: it does not depend on how a flat face
    is cut into triangles.
    """
    points, triangles = surface.points, surface.triangles
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    total = np.zeros_like(points)
    for corner in range(3):
        one = points[triangles[:, (corner + 1) % 3]] - points[triangles[:, corner]]
        other = points[triangles[:, (corner + 2) % 3]] - points[triangles[:, corner]]
        cosine = np.einsum("ij,ij->i", one, other)
        cosine /= np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        angle = np.arccos(np.clip(cosine, -1, 1))
        np.add.at(total, triangles[:, corner], angle[:, None] * normals)
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def _cut(surface: Surface, end: End) -> Surface:
    """The surface without the piece beyond an end that is nearest to it."""
    points, triangles = surface.points, surface.triangles
    beyond = (points - end.point) @ end.outwards > 0
    if not beyond.any():
        return surface
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
