"""Tetrahedra that fill closed surfaces: a lattice, divided where the distance to a surface is zero."""

from itertools import permutations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

from scanmill.refusal import Refusal
from scanmill.simulation.elements import flat_volumes
from scanmill.simulation.mesher import divided
from scanmill.simulation.open_surface import evened
from scanmill.simulation.skin import skin
from scanmill.simulation.tetrahedra import Tetrahedra
from scanmill.surface import Surface
from scanmill.vtk_surface import polydata

# Lattices are so fine against the edges that are asked for, as divided cells have straight sides.
FINER = 0.5
# How far a lattice reaches beyond a surface, of its own edges.
AROUND = 2.0
# Of its points, 1 GB or so.
MOST = 5_000_000
# Where less than THIN, of an edge, lies between a part's surface and that of the whole, the part takes
# GROWTH times what is lacking. So they meet at an angle that cells fit into, and what is left between
# them is three quarters of an edge thick or more.
THIN, GROWTH = 1.0, 3.0

# Of a cell's volume, what moving its points leaves at least; and how far they move at most, of an edge.
KEPT, FAR = 0.5, 0.2


def filled(surface: Surface, edge: float) -> Tetrahedra:
    """Tetrahedra of any shape, of one part, that fill a closed surface.

    edge: of the sides that they are to have when they are remeshed, mm. Raises Refusal where they would
    be too many, or none.
    """
    lattice = _lattice(surface, FINER * edge)
    away = signed_distances(surface, lattice.points)
    near = (away[lattice.corners] < AROUND * FINER * edge).any(axis=1)
    mesh = divided(lattice.only(near), away[np.unique(lattice.corners[near])], 0)
    inside = mesh.only(mesh.parts == 1)
    if not len(inside.corners):
        raise part_lost(edge)
    return Tetrahedra(inside.points, inside.corners, np.zeros_like(inside.parts))


def within(mesh: Tetrahedra, whole: Surface, inner: Surface, edge: float) -> Tetrahedra:
    """Part 0 of a mesh, divided: what lies in an inner surface is a part of its own.

    whole: the surface that the mesh fills. edge: as for `filled`. Raises Refusal where it has no cell.
    """
    level = signed_distances(inner, mesh.points)
    between = level - signed_distances(whole, mesh.points)
    found = divided(mesh, level - GROWTH * np.maximum(THIN * edge - between, 0), 0)
    if found.parts.max() == mesh.parts.max():
        raise part_lost(edge)
    return found


def part_lost(edge: float) -> Refusal:
    """Why a part cannot be meshed that no cell is left of."""
    text = f"no tetrahedron is left of a part: it is too thin for edges of {edge:g} mm"
    return Refusal("part-lost", f"{text}; shorter ones would be right")


def skin_of(mesh: Tetrahedra, chosen: np.ndarray) -> tuple[Surface, np.ndarray]:
    """The closed surface of chosen cells [m], and which of the mesh's points its points are."""
    faces = skin(mesh.corners[chosen])
    used, triangles = np.unique(faces, return_inverse=True)
    return Surface(mesh.points[used], triangles.reshape(-1, 3)), used


def on_surfaces(
    mesh: Tetrahedra, whole: Surface, inner: dict[int, Surface], edge: float, even: bool = True
) -> Tetrahedra:
    """The mesh whose flat skins lie as much outside as inside of the surfaces that they stand for.

    whole: of all its cells. inner: of parts, by number. even: or else the points of the whole's skin
    lie on it, for what bends its edges. Points that are far from these stay, and so do
    those of cells that would be flattened. Raises Refusal where a part has no cells.
    """
    moved = mesh.points.copy()
    fixed = np.zeros(len(moved), bool)
    chosen = [(mesh.parts >= 0, whole), *((mesh.parts == n, own) for n, own in inner.items())]
    for cells, surface in chosen:
        if not cells.any():
            raise part_lost(edge)
        flat, used = skin_of(mesh, cells)
        nearest = _nearest(surface, flat.points)
        far = np.linalg.norm(nearest - flat.points, axis=1) > FAR * edge
        target = Surface(np.where(far[:, None], flat.points, nearest), flat.triangles)
        if even or surface is not whole:
            target = evened(target)
        free = ~fixed[used] & ~far
        moved[used[free]] = target.points[free]
        fixed[used] = True
    before = flat_volumes(mesh.points, mesh.corners)
    # Of cells that are inside out already, no more is asked than that.
    least = np.minimum(KEPT * before, before)
    # It ends: where all points stay, no cell is flattened.
    while (flat := flat_volumes(moved, mesh.corners) < least).any():
        stay = np.unique(mesh.corners[flat])
        moved[stay] = mesh.points[stay]
    return Tetrahedra(moved, mesh.corners, mesh.parts)


def signed_distances(surface: Surface, points: np.ndarray) -> np.ndarray:
    """From points [n, 3] to a closed surface, mm; negative inside."""
    implicit = vtkImplicitPolyDataDistance()
    implicit.SetInput(polydata(surface.points, surface.triangles))
    found = numpy_to_vtk(np.empty(len(points)))
    implicit.FunctionValue(numpy_to_vtk(np.ascontiguousarray(points, float)), found)
    return vtk_to_numpy(found).copy()


def _nearest(surface: Surface, points: np.ndarray) -> np.ndarray:
    """The places [n, 3] of a surface that are nearest to points."""
    implicit = vtkImplicitPolyDataDistance()
    implicit.SetInput(polydata(surface.points, surface.triangles))
    found = np.empty_like(points)
    for point, place in zip(points.tolist(), found, strict=True):
        implicit.EvaluateFunctionAndGetClosestPoint(point, place)
    return found


def _lattice(surface: Surface, edge: float) -> Tetrahedra:
    """Cubes around a surface, each of six tetrahedra that share its diagonal (Kuhn's)."""
    low = surface.points.min(axis=0) - AROUND * edge
    high = surface.points.max(axis=0) + AROUND * edge
    size = np.ceil((high - low) / edge).astype(int) + 1
    if size.prod() > MOST:
        raise Refusal(
            "mesh-large",
            f"edges of {edge / FINER:g} mm would make millions of cells; longer ones would be right",
        )
    number = np.arange(size.prod()).reshape(size)
    points = low + edge * np.stack(np.unravel_index(number.ravel(), size), axis=1)
    ways = []
    for order in permutations(np.eye(3, dtype=int)):
        steps = np.cumsum([np.zeros(3, int), *order], axis=0)
        boxes = [tuple(map(slice, step, size - 1 + step)) for step in steps]
        ways.append(np.stack([number[box].ravel() for box in boxes], axis=1))
    corners = np.concatenate(ways)
    turned = flat_volumes(points, corners) < 0
    corners[turned] = corners[turned][:, [0, 2, 1, 3]]
    return Tetrahedra(points, corners, np.zeros(len(corners), int))
