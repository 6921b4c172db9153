"""Where the branches of a vessel end, and the way to each of them through its middle.

Ways are the cheapest through the voxels, of which those far from the wall are cheap, as VMTK's are
through the balls that a surface holds (Antiga et al. 2008, doi:10.1007/s11517-008-0420-1). Own code
around SciPy's shortest paths: VMTK has no wheel, and thinning voxels makes a branch of every bump.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from scanmill.grid import Grid
from scanmill.label_map import Region

# Of the distance from the wall, in the cost of a step: the higher, the nearer to the middle.
POWER = 3
# A branch leaves by more than the diameter of what it leaves; less is a bump of the wall.
LEAST_LENGTH = 2.0
# How far around a place, in radii of it, the widest ball counts as what is left there.
NEAR = 1.5
# How far from an end, in radii, a way runs along the vessel.
END = 1.5
# How far from an end, in radii of the whole way, what ends there is looked for.
NEAR_END = 4
# Half of the 26 neighbours; the others see the same steps backwards.
STEPS = [(z, y, x) for z in (0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) > (0, 0, 0)]


@dataclass(frozen=True)
class Way:
    """From the root of a vessel to one of its ends, voxel by voxel.

    points: [n, 3], LPS mm. radius: mm from each to the wall. shared: how many of the points are of an
    earlier way, which it leaves there; 0 where it is the first.
    """

    points: np.ndarray
    radius: np.ndarray
    shared: int


@dataclass(frozen=True)
class Voxels:
    """Those of a vessel: their points, mm to the wall from each, and steps between neighbours."""

    points: np.ndarray
    radius: np.ndarray
    lengths: csr_array
    costs: csr_array

    @classmethod
    def of(cls, region: Region, grid: Grid) -> "Voxels":
        """The voxels of a region, by rows of its array."""
        mask = np.pad(region.array, 1)
        radius = distance_transform_edt(mask, sampling=grid.spacing[::-1])[mask]
        corner = np.array([s.start for s in region.box[::-1]])
        places = np.argwhere(mask)[:, ::-1] - 1
        number = np.full(mask.shape, -1, np.int32)
        number[mask] = np.arange(len(radius))
        one, other, length = [], [], []
        inner = tuple(slice(1, -1) for _ in STEPS[0])
        for step in STEPS:
            sides = zip(step, region.array.shape, strict=True)
            beyond = tuple(slice(1 + n, 1 + n + size) for n, size in sides)
            both = (number[inner] >= 0) & (number[beyond] >= 0)
            one.append(number[inner][both])
            other.append(number[beyond][both])
            length.append(
                np.full(len(one[-1]), np.linalg.norm(step * np.array(grid.spacing[::-1])))
            )
        ends = np.concatenate(one), np.concatenate(other)
        steps = np.concatenate(length)
        depth = (radius[ends[0]] + radius[ends[1]]) / 2
        shape = (len(radius), len(radius))
        return cls(
            grid.to_physical(places + corner),
            radius,
            csr_array((steps, ends), shape=shape),
            csr_array((steps * (radius.max() / depth) ** POWER, ends), shape=shape),
        )

    def farthest(self, taken: list[int]) -> tuple[int, float]:
        """The voxel that is farthest from those that are taken, and how far: mm, within the vessel."""
        apart = dijkstra(self.lengths, directed=False, indices=taken, min_only=True)
        apart[np.isinf(apart)] = -1
        return int(np.argmax(apart)), float(apart.max())

    def ways(self, root: int) -> list[tuple[list[int], int]]:
        """From a root to each end, and how many voxels of each are of an earlier one."""
        before = dijkstra(self.costs, directed=False, indices=root, return_predecessors=True)[1]
        found: list[tuple[list[int], int]] = []
        taken = [root]
        while True:
            end, apart = self.farthest(taken)
            way = [end]
            while way[-1] != root:
                way.append(int(before[way[-1]]))
            way.reverse()
            shared = len(set(way) & set(taken)) if found else 0
            if found and apart < LEAST_LENGTH * self._left_at(way[shared - 1], taken):
                return found
            found.append((way, shared))
            taken = [*taken, *way[max(shared, 1) :]]

    def _left_at(self, joint: int, taken: list[int]) -> float:
        """The radius of the widest ball of what is taken near a joint."""
        away = np.linalg.norm(self.points[taken] - self.points[joint], axis=1)
        near = away <= NEAR * self.radius[joint]
        return float(self.radius[taken][near].max())


def ways_of(region: Region, grid: Grid) -> list[Way]:
    """The ways to the ends of a vessel that is one piece: the longest first.

    The root is the end of the widest ball, as an artery's is.
    """
    voxels = Voxels.of(region, grid)
    first, _ = voxels.farthest([int(np.argmax(voxels.radius))])
    ways = voxels.ways(first)
    ends = [(ways[0][0], first), *((way[::-1], way[-1]) for way, _ in ways)]
    widths = [_width(voxels.points[way], voxels.radius[way]) for way, _ in ends]
    root = ends[int(np.argmax(widths))][1]
    if root != first:
        ways = voxels.ways(root)
    return [Way(voxels.points[way], voxels.radius[way], shared) for way, shared in ways]


def end_of(points: np.ndarray, radius: np.ndarray) -> int:
    """How many points of a way, from an end, lie where it turns to the end's farthest corner.

    Closer to it than one and a half radii of what ends there, planes across cut the end itself.
    """
    away = np.linalg.norm(points - points[0], axis=1)
    beyond = away >= END * _width(points, radius)
    return int(np.argmax(beyond)) if beyond.any() else len(points)


def _width(points: np.ndarray, radius: np.ndarray) -> float:
    """The radius of what ends where a way begins: not of the corner, which may be a spike."""
    away = np.linalg.norm(points - points[0], axis=1)
    return float(np.median(radius[away <= NEAR_END * np.median(radius)]))
