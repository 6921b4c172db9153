"""The wall of a vessel: its surface, thickened into tetrahedra whose layers follow it.

Each triangle of the surface becomes a column of prisms, and each prism three tetrahedra. So the mesh
conforms whatever the surface's shape, and what is averaged over a column is averaged through the wall.
Edges are bent as the surface is: in a round wall of flat triangles, pressure would bend each of them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from scanmill.simulation.body import EDGES, SIDES, Body
from scanmill.simulation.elements import flat_volumes
from scanmill.simulation.faces import bent_areas
from scanmill.simulation.open_surface import End, point_normals, rims
from scanmill.simulation.skin import skin
from scanmill.simulation.tetrahedra import quadratic, unfolded
from scanmill.surface import Surface
from scanmill.surface_measures import areas_of

# Corners of a prism's three tetrahedra; 3 to 5 lie above 0 to 2, which turn anticlockwise seen from
# there. Where 0 to 2 are points in rising order, the diagonals rise too, so that neighbours agree.
PRISM = np.array([[0, 1, 2, 5], [0, 4, 1, 5], [0, 3, 4, 5]])
PART = "wall"
# Of the volume that a cell has in a flat wall: where one has less, the wall is about to fold, and the
# ways through it are smoothed, so often at most.
THINNEST = 0.3
PASSES = 50


@dataclass(frozen=True)
class Wall:
    """A thickened surface.

    body: its one part is PART; faces `inner`, `outer`, and those of each end by its name. columns: [m],
    the triangle of the surface that each cell stands on. halfway: the surface's points, [n, 3], moved
    half-way through the wall. middles: [t, 3], of its triangles there. areas: [t], mm2, of
    these, as bent as the wall is. LPS mm.
    """

    body: Body
    columns: np.ndarray
    halfway: np.ndarray
    middles: np.ndarray
    areas: np.ndarray


def thickened(
    surface: Surface, thickness: np.ndarray, outwards: bool, layers: int, ends: dict[str, End]
) -> Wall:
    """One side of a vessel's wall, thickened to the other.

    surface: LPS mm, open at the vessel's ends. thickness: mm, at each of its points, across it.
    outwards: it is the wall's inner side; otherwise the outer one. layers: of prisms.
    ends: by name. Where the wall is folded, cells have negative volumes.
    """
    normals = _across(surface, ends)
    through = thickness[:, None] * normals
    steps = np.linspace(0, 1, layers + 1) if outwards else np.linspace(-1, 0, layers + 1)
    flat = areas_of(surface) * thickness[surface.triangles].mean(axis=1) / (3 * layers)
    for _ in range(PASSES):
        wall = _layered(surface, normals, through, steps, ends)
        bad = flat_volumes(wall.body.points, wall.body.cells) < THINNEST * flat[wall.columns]
        if not bad.any():
            break
        through = _relaxed(through, surface.triangles, np.unique(wall.columns[bad]))
    return wall


def _relaxed(through: np.ndarray, triangles: np.ndarray, folded: np.ndarray) -> np.ndarray:
    """Ways through the wall, smoothed at folded triangles and their neighbours."""
    number = len(through)
    ends = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).T
    links = coo_array((np.ones(ends.shape[1]), ends), shape=(number, number)).tocsr()
    links = ((links + links.T) > 0).astype(float)
    near = np.zeros(number, bool)
    near[triangles[folded]] = True
    near |= links @ near > 0
    mean = (links @ through) / links.sum(axis=1)[:, None]
    return np.where(near[:, None], (through + mean) / 2, through)


def _across(surface: Surface, ends: dict[str, End]) -> np.ndarray:
    """Unit vectors [n, 3] across a surface, outwards; where it is open, in the plane of its end.

    So the wall's ends are flat: what slides on them is not wedged.
    """
    normals = point_normals(surface)
    rim = np.unique(rims(surface))
    away = [np.linalg.norm(surface.points[rim] - end.point, axis=1) for end in ends.values()]
    along = np.array([end.outwards for end in ends.values()])[np.argmin(away, axis=0)]
    flat = normals[rim] - np.einsum("ij,ij->i", normals[rim], along)[:, None] * along
    normals[rim] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return normals


def _layered(
    surface: Surface,
    normals: np.ndarray,
    through: np.ndarray,
    steps: np.ndarray,
    ends: dict[str, End],
) -> Wall:
    """The wall between places on the ways through it, [s] from 0 on the surface itself to 1.

    normals: across it, for the bends of its edges.
    """
    number, layers = len(surface.points), len(steps) - 1
    stacked = (surface.points + steps[:, None, None] * through).reshape(-1, 3)
    order = np.argsort(surface.triangles, axis=1)
    rising = np.take_along_axis(surface.triangles, order, axis=1)
    prisms = [
        np.hstack([rising + layer * number, rising + (layer + 1) * number])
        for layer in range(layers)
    ]
    corners = np.concatenate(prisms)[:, PRISM]
    # Those whose corners turn the other way in rising order.
    mirrored = np.tile((order[:, 1] - order[:, 0]) % 3 != 1, layers)
    corners[mirrored] = corners[mirrored][:, :, [0, 2, 1, 3]]
    points, cells = quadratic(stacked, corners.reshape(-1, 4))
    edges = cells[:, EDGES].reshape(-1, 2)
    bulges = _bulges(
        surface.points, normals, through, edges % number, steps[edges // number].mean(axis=1)
    )
    # Of cells that share an edge, each tells the same.
    points[cells[:, 4:].ravel()] = points[edges].mean(axis=1) + bulges
    points = unfolded(points, cells)
    faces = skin(cells)
    layer = faces[:, :3] // number
    inner, outer = ((layer == n).all(axis=1) for n in (0, layers))
    named = {"inner": faces[inner], "outer": faces[outer]}
    rest = faces[~inner & ~outer]
    centres = points[rest[:, :3]].mean(axis=1)
    away = np.stack([np.linalg.norm(centres - end.point, axis=1) for end in ends.values()])
    nearest = away.argmin(axis=0)
    named |= {name: rest[nearest == n] for n, name in enumerate(ends)}
    columns = np.tile(np.repeat(np.arange(len(rising)), 3), layers)
    body = Body(points, cells, {PART: np.arange(len(cells))}, named)
    halfway = surface.points + steps.mean() * through
    sides = surface.triangles[:, SIDES].reshape(-1, 2)
    bulges = _bulges(surface.points, normals, through, sides, np.full(len(sides), steps.mean()))
    middles = (halfway[sides].mean(axis=1) + bulges).reshape(-1, 3, 3)
    corners = halfway[surface.triangles]
    areas = bent_areas(np.concatenate((corners, middles), axis=1))
    return Wall(body, columns, halfway, corners.mean(axis=1), areas)


def _bulges(
    points: np.ndarray,
    normals: np.ndarray,
    through: np.ndarray,
    edges: np.ndarray,
    height: np.ndarray,
) -> np.ndarray:
    """How far the middles of edges [e, 2] of a surface lie off their chords, [e, 3], mm.

    points, normals, through: of the surface. height: of each edge, [e], on the ways through the wall. A
    middle lies halfway along the cubic between an edge's ends, across the normals there (Vlachos et al.
    2001, doi:10.1145/364338.364387): on a round surface, out by the height of its arc over the chord.
    """
    one, other = edges.T
    along = points[other] - points[one]
    along += height[:, None] * (through[other] - through[one])
    rise, fall = (
        np.einsum("ij,ij->i", along, normals[n])[:, None] * normals[n] for n in (other, one)
    )
    return (rise - fall) / 8
