"""What lies within a vessel's wall: blood, and the thrombus between the two."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scanmill.refusal import Refusal
from scanmill.simulation.body import EDGES, Body
from scanmill.simulation.filling import filled, on_surfaces, within
from scanmill.simulation.mesher import divided, remeshed_cells
from scanmill.simulation.open_surface import End
from scanmill.simulation.skin import among, skin
from scanmill.simulation.tetrahedra import Tetrahedra, quadratic, unfolded
from scanmill.simulation.wall import PART, Wall
from scanmill.surface import Surface

THROMBUS = "thrombus"


@dataclass(frozen=True)
class Lining:
    """Thrombus on the inner side of a vessel's wall.

    surface: that inner side, open at the vessel's ends, LPS mm. thrombus: tetrahedra. places: for each
    of the surface's points, which point of the thrombus it is, or -1. caps: by the name of each end,
    the thrombus's faces there, [k, 3].
    """

    surface: Surface
    thrombus: Tetrahedra
    places: np.ndarray
    caps: dict[str, np.ndarray]


def lining(whole: Surface, blood: Surface, ends: dict[str, End], edge: float) -> Lining:
    """The thrombus between blood and what is within the wall. Both are closed, LPS mm.

    edge: of tetrahedra, mm. Where thrombus is thinner than three quarters of one, the wall is bare.
    Raises Refusal where the mesher fails.
    """
    mesh = filled(whole, edge)
    for end in ends.values():
        mesh = divided(mesh, _level_of(mesh, end), 0)
    if mesh.parts.max() < len(ends):
        raise Refusal("ends-unclear", "an end of the vessel's course lies beyond all of it")
    mesh, lumen = _in_one_piece(mesh), 1 + len(ends)
    mesh = remeshed_cells(within(mesh, whole, blood, edge), edge)
    mesh = _without_islands(on_surfaces(mesh, whole, {lumen: blood}, edge, even=False), lumen)
    parts = mesh.parts
    faces = skin(mesh.corners)
    side = faces[among(faces, skin(mesh.corners[(parts == 0) | (parts == lumen)]))]
    used, triangles = np.unique(side, return_inverse=True)
    thrombus = mesh.only(parts == 0)
    place = np.full(len(mesh.points), -1)
    place[np.unique(mesh.corners[parts == 0])] = np.arange(len(thrombus.points))
    own = skin(mesh.corners[parts == 0])
    caps = {
        name: place[own[among(own, skin(mesh.corners[parts == number]))]]
        for number, name in enumerate(ends, start=1)
    }
    surface = Surface(mesh.points[used], triangles.reshape(-1, 3))
    return Lining(surface, thrombus, place[used], caps)


def lined(wall: Wall, lining: Lining) -> Body:
    """The wall on a lining's surface, whose cells are first, and its thrombus, as parts of one body.

    Its inner side is what blood touches of both.
    """
    corners = wall.body.cells[:, :4]
    number = corners.max() + 1
    points = wall.body.points[:number]
    # The wall's first points are the surface's.
    shared = np.flatnonzero(lining.places >= 0)
    place = number + np.arange(len(lining.thrombus.points))
    place[lining.places[shared]] = shared
    fresh = place >= number
    place[fresh] = number + np.arange(fresh.sum())
    cells = np.concatenate((corners, place[lining.thrombus.corners]))
    points, cells = quadratic(np.concatenate((points, lining.thrombus.points[fresh])), cells)
    # The wall's edges are bent, and thrombus shares those of its inner side.
    points[cells[: len(corners), 4:]] = wall.body.points[wall.body.cells[:, 4:]]
    points = unfolded(points, cells)
    faces = skin(cells)
    named = {"outer": among(faces, wall.body.faces["outer"][:, :3])}
    for name, cap in lining.caps.items():
        own = np.concatenate((wall.body.faces[name][:, :3], place[cap]))
        named[name] = among(faces, own)
    named["inner"] = ~np.any(list(named.values()), axis=0)
    parts = {PART: np.arange(len(corners)), THROMBUS: np.arange(len(corners), len(cells))}
    return Body(points, cells, parts, {name: faces[own] for name, own in named.items()})


def _level_of(mesh: Tetrahedra, end: End) -> np.ndarray:
    """The way to the plane of an end, mm: negative beyond it, but not in other pieces there."""
    height = (mesh.points - end.point) @ end.outwards
    beyond = height > 0
    links = mesh.corners[:, EDGES].reshape(-1, 2)
    pieces = _pieces(links[beyond[links].all(axis=1)], len(mesh.points))
    away = np.linalg.norm(mesh.points - end.point, axis=1)
    nearest = np.flatnonzero(beyond)[np.argmin(away[beyond])] if beyond.any() else 0
    return np.where(beyond & (pieces != pieces[nearest]), height, -height)


def _in_one_piece(mesh: Tetrahedra) -> Tetrahedra:
    """The mesh whose part 0 is connected: specks of it beyond an end are of what lies there."""
    own = np.flatnonzero(mesh.parts == 0)
    corners = mesh.corners[own]
    piece = _pieces(corners[:, EDGES].reshape(-1, 2), len(mesh.points))[corners[:, 0]]
    parts = mesh.parts.copy()
    parts[own[piece != np.bincount(piece).argmax()]] = 1
    return Tetrahedra(mesh.points, mesh.corners, parts)


def _without_islands(mesh: Tetrahedra, lumen: int) -> Tetrahedra:
    """The mesh whose thrombus is what hangs on to the wall; other pieces of it are blood."""
    of_thrombus = np.flatnonzero(mesh.parts == 0)
    corners = mesh.corners[of_thrombus]
    pieces = _pieces(corners[:, EDGES].reshape(-1, 2), len(mesh.points))
    side = skin(mesh.corners)
    held = np.unique(pieces[side[among(side, skin(corners))]])
    parts = mesh.parts.copy()
    parts[of_thrombus[~np.isin(pieces[corners[:, 0]], held)]] = lumen
    return Tetrahedra(mesh.points, mesh.corners, parts)


def _pieces(links: np.ndarray, number: int) -> np.ndarray:
    """Which of the pieces that links [k, 2] join each of so many points is of."""
    graph = coo_array((np.ones(len(links)), links.T), shape=(number, number))
    return connected_components(graph, directed=False)[1]
