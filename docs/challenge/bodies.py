"""The bodies that several challenges are scanned with, on oblique grids far from the origin."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scanmill.grid import Grid, Triple
from scanmill.label_map import Region
from scanmill.phantom.body import Body, Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.phantom.noise import stored, white
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy
from scanmill.volume_file import Volume

# HU around the organ, in it, and how much more the tumour has.
AROUND, ORGAN, CONTRAST = -50.0, 50.0, 30.0
ORGAN_RADIUS = 27.0


def grid_around(centre: Triple, size: tuple[int, int, int], spacing: Triple, turn: Triple) -> Grid:
    """A grid with a centre, turned by so many degrees about the LPS axes."""
    direction = tuple(turned(turn).ravel().tolist())
    grid = Grid((1, 1, 1), spacing, centre, direction)
    return grid.concentric(size, spacing)


def part(body: Body, grid: Grid) -> np.ndarray:
    """The part of each voxel that a body fills."""
    return occupancy(body, grid) / SAMPLES


def ellipsoid(radius: float, random: np.random.Generator, centre: Triple) -> Ellipsoid:
    """An ellipsoid by chance with the volume of the ball of that radius, mm."""
    radii = np.exp(random.uniform(-0.2, 0.2, 3))
    radii *= radius / np.prod(radii) ** (1 / 3)
    turn = tuple(random.uniform(-30, 30, 3).tolist())
    rotation = tuple(turned(turn).ravel().tolist())
    return Ellipsoid(radii=tuple(radii.tolist()), centre=centre, rotation=rotation)


@dataclass(frozen=True)
class Organ:
    """An ellipsoid anywhere between the voxels of a scan.

    filled: what of each voxel it fills, [z, y, x]. truth: the voxels of the grid `target`, cubes of
    1 mm, of which it fills half or more.
    """

    body: Body
    grid: Grid
    filled: np.ndarray
    target: Grid
    truth: np.ndarray


@cache
def organ(seed: int, spacing: Triple, radius: float) -> Organ:
    """The organ of a seed, with the volume of the ball of that radius, mm."""
    random = np.random.default_rng([seed, 7])
    centre = tuple(random.uniform(-80, 80, 3).tolist())
    body = ellipsoid(radius, random, centre)
    size = tuple(int(n) for n in np.ceil(2 * (1.3 * radius + 4) / np.asarray(spacing)) + 5)
    middle = tuple((np.asarray(centre) + random.uniform(-0.5, 0.5, 3) * spacing).tolist())
    grid = grid_around(middle, size, spacing, turn=(10, -14, 33))
    target = grid.isotropic(1.0)
    return Organ(body, grid, part(body, grid), target, part(body, target) >= 0.5)


@dataclass(frozen=True)
class Tumour:
    """A tumour in an organ.

    clean: HU without noise, [z, y, x]. filled: what of each voxel the tumour fills. searched: the part
    of the organ in which it is looked for.
    """

    body: Body
    grid: Grid
    clean: np.ndarray
    filled: np.ndarray
    searched: Region

    @property
    def truth(self) -> np.ndarray:
        """The voxels of which the tumour fills half or more."""
        return self.filled >= 0.5

    def scan(self, noise: float, seed: int) -> Volume:
        """A CT of it, int16, with white noise of that standard deviation, HU."""
        random = np.random.default_rng(seed)
        return Volume(stored(white(self.clean, noise, random)), self.grid)


def tumour(body: Body, centre: Triple, searched: float) -> Tumour:
    """A tumour in a ball around a centre, without textures. searched: radius about the centre, mm."""
    grid = grid_around(centre, (64, 62, 60), (1.0, 1.0, 1.0), (12, -8, 25))
    filled, organ = part(body, grid), part(sphere(ORGAN_RADIUS, centre), grid)
    clean = AROUND + (ORGAN - AROUND) * organ + CONTRAST * filled
    whole = part(sphere(searched, centre), grid) == 1
    return Tumour(body, grid, clean, filled, Region.of(whole))
