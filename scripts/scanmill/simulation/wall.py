"""The wall of a vessel: its surface, thickened into tetrahedra whose layers follow it.

Each triangle of the surface becomes a column of prisms, and each prism three tetrahedra. So the mesh
conforms whatever the surface's shape, and what is averaged over a column is averaged through the wall.
Edges are bent as the surface is: in a round wall of flat triangles, pressure would bend each of them.
"""

from dataclasses import dataclass, replace

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
    ways = _Ways(surface, normals, thickness[:, None] * normals)
    heights = np.linspace(0, 1, layers + 1) if outwards else np.linspace(-1, 0, layers + 1)
    flat = areas_of(surface) * thickness[surface.triangles].mean(axis=1) / (3 * layers)
    for _ in range(PASSES):
        wall = _layered(ways, heights, ends)
        bad = flat_volumes(wall.body.points, wall.body.cells) < THINNEST * flat[wall.columns]
        if not bad.any():
            break
        ways = ways.relaxed(np.unique(wall.columns[bad]))
    return wall


@dataclass(frozen=True)
class _Ways:
    """The ways through a wall, from 0 on its surface to 1, or to -1, on its other side.

    normals: unit vectors [n, 3] across the surface, outwards. through: from each of its points, [n, 3],
    mm.
    """

    surface: Surface
    normals: np.ndarray
    through: np.ndarray

    def points(self, height: float) -> np.ndarray:
        """Points at a height on all ways, [n, 3], mm."""
        return self.surface.points + height * self.through

    def middles(self, edges: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Where the wall bends edges [e, 2] of the surface to, each at a height, [e], [e, 3], mm.

        Halfway along the cubic between an edge's ends, across the normals there (Vlachos et al. 2001,
        doi:10.1145/364338.364387): on a round surface, out by the height of its arc over the chord.
        """
        one, other = (self.surface.points[n] + height[:, None] * self.through[n] for n in edges.T)
        along = other - one
        before, after = (self.normals[n] for n in edges.T)
        rise = np.einsum("ij,ij->i", along, after)[:, None] * after
        fall = np.einsum("ij,ij->i", along, before)[:, None] * before
        return (one + other) / 2 + (rise - fall) / 8

    def relaxed(self, folded: np.ndarray) -> "_Ways":
        """These, smoothed at folded triangles and their neighbours."""
        triangles, number = self.surface.triangles, len(self.through)
        ends = triangles[:, SIDES].reshape(-1, 2).T
        links = coo_array((np.ones(ends.shape[1]), ends), shape=(number, number)).tocsr()
        links = ((links + links.T) > 0).astype(float)
        near = np.zeros(number, bool)
        near[triangles[folded]] = True
        near |= links @ near > 0
        mean = (links @ self.through) / links.sum(axis=1)[:, None]
        smoothed = (self.through + mean) / 2
        return replace(self, through=np.where(near[:, None], smoothed, self.through))


def _across(surface: Surface, ends: dict[str, End]) -> np.ndarray:
    """Unit vectors [n, 3] across a surface, outwards; where it is open, in the plane of its end.

    So the wall's ends are flat: what slides on them is not wedged.
    """
    normals = point_normals(surface)
    rim = np.unique(rims(surface))
    along = np.array([end.outwards for end in ends.values()])[_nearest(ends, surface.points[rim])]
    flat = normals[rim] - np.einsum("ij,ij->i", normals[rim], along)[:, None] * along
    normals[rim] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return normals


def _nearest(ends: dict[str, End], points: np.ndarray) -> np.ndarray:
    """Which of the ends is nearest to each of points [n, 3], [n]."""
    away = [np.linalg.norm(points - end.point, axis=1) for end in ends.values()]
    return np.argmin(away, axis=0)


def _layered(ways: _Ways, heights: np.ndarray, ends: dict[str, End]) -> Wall:
    """The wall between heights [layers + 1] on the ways through it."""
    triangles, number = ways.surface.triangles, len(ways.surface.points)
    stacked = np.concatenate([ways.points(height) for height in heights])
    points, cells = quadratic(stacked, _cells(triangles, number, len(heights) - 1))
    edges = cells[:, EDGES].reshape(-1, 2)
    # Of cells that share an edge, each tells the same.
    level = heights[edges // number].mean(axis=1)
    points[cells[:, 4:].ravel()] = ways.middles(edges % number, level)
    points = unfolded(points, cells)
    faces = _faces(points, cells, number, ends)
    body = Body(points, cells, {PART: np.arange(len(cells))}, faces)
    columns = np.tile(np.repeat(np.arange(len(triangles)), 3), len(heights) - 1)
    halfway = ways.points(heights.mean())
    sides = triangles[:, SIDES].reshape(-1, 2)
    middles = ways.middles(sides, np.full(len(sides), heights.mean())).reshape(-1, 3, 3)
    corners = halfway[triangles]
    areas = bent_areas(np.concatenate((corners, middles), axis=1))
    return Wall(body, columns, halfway, corners.mean(axis=1), areas)


def _cells(triangles: np.ndarray, number: int, layers: int) -> np.ndarray:
    """Corners of tetrahedra [m, 4], layer after layer, three on each triangle.

    number: of the points of a layer.
    """
    order = np.argsort(triangles, axis=1)
    rising = np.take_along_axis(triangles, order, axis=1)
    prisms = [
        np.hstack([rising + layer * number, rising + (layer + 1) * number])
        for layer in range(layers)
    ]
    corners = np.concatenate(prisms)[:, PRISM]
    # Those whose corners turn the other way in rising order.
    mirrored = np.tile((order[:, 1] - order[:, 0]) % 3 != 1, layers)
    corners[mirrored] = corners[mirrored][:, :, [0, 2, 1, 3]]
    return corners.reshape(-1, 4)


def _faces(
    points: np.ndarray, cells: np.ndarray, number: int, ends: dict[str, End]
) -> dict[str, np.ndarray]:
    """The wall's faces by name: inner, outer, and those of each end. number: of a layer's points."""
    faces = skin(cells)
    layer = faces[:, :3] // number
    inner, outer = ((layer == n).all(axis=1) for n in (0, cells[:, :4].max() // number))
    rest = faces[~inner & ~outer]
    nearest = _nearest(ends, points[rest[:, :3]].mean(axis=1))
    at_ends = {name: rest[nearest == n] for n, name in enumerate(ends)}
    return {"inner": faces[inner], "outer": faces[outer]} | at_ends
