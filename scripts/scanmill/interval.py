"""The volume of a structure with its 95 % interval, by the method that its size and image allow.

fit: a body of the mask's shape, grown or shrunk, is fitted to the image (`partial_volume`). fractions:
each patch of the boundary that the image shows is moved to where it is seen, and the others stay
(`boundary_fractions`). count: the image shows next to nothing of the boundary: the mask's voxels are
counted, and the boundary is in doubt by COUNTED voxels of the scan. Of fit and fractions the one that
leaves less doubt is taken. What the method that found the structure would not rule out either is
measured in the same way, and the interval holds it too (`doubted`).

No factor widens the intervals; `docs/calibration.py` measures what they hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from scanmill.boundary_fractions import COUNTED, fractions
from scanmill.boundary_patches import SHELL
from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_map import Region
from scanmill.partial_volume import fit
from scanmill.surroundings import ALONE, Neighbours, scene_of
from scanmill.volume_file import Volume
from scanmill.voxel_response import Array

# Voxels of the mask up to which a structure is fitted, and of the box that holds it: fragments that are
# strewn over a scan are no body that grows as one.
FITTED, FITTED_BOX = 8000, 100_000
# Contrast over residuals, and part of the boundary, that the image has to show.
CONTRAST, TOLD = 1.0, 0.1
# In contrasts: beyond this the signal of what holds other structures differs too much to be one.
LAYERED = 0.05
# How much the surrounding of a fitted structure may vary, over the contrast.
VARIED = 0.3
# Quantiles of a 95 % interval, and sds to either side of it.
TAIL, SDS = 0.025, 1.959964
# Half the interval over the volume beyond which the structure is not measured.
UNCERTAIN = 0.5
# Radius, in voxels of the scan, of the ball of the same volume below which volumes may be off by more
# than 2 % on average.
SMALLEST_RADIUS = 2.5
# How far a mask's outermost point lies from the body's, voxels of the scan, standard deviation.
POINT_SD = 0.3
# By how much the farthest of a mask's many points lie beyond the body's, at both ends together, voxels
# of the mask: mean of ellipsoids' true and rough masks. In doubt are both ends, by POINT_SD.
FARTHER = {"axial_long_mm": 0.6, "axial_short_mm": 0.0, "morph_diam": 0.8}


@dataclass(frozen=True)
class Estimate:
    """A volume, its 95 % interval and standard deviation, mm3.

    shift, shift_sd: of the boundary, outward from the mask, mm. contrast: inside less around; noise:
    its sd. Both are 0 where voxels were counted. doubted: is the method that found the structure less
    sure than the image leaves its boundary?
    """

    method: str
    volume: float
    low: float
    high: float
    sd: float
    shift: float
    shift_sd: float
    contrast: float = 0.0
    noise: float = 0.0
    doubted: bool = False

    def is_uncertain(self, scan: Grid) -> bool:
        """Is the interval too wide to call this a measurement?

        A large mask whose boundary the image does not show is none the less a number of voxels, with a
        wide interval; but not one that the method itself might as well have found otherwise.
        """
        wide = self.high - self.low > 2 * UNCERTAIN * self.volume
        return wide and (self.method != "count" or self.doubted or self.is_small(scan))

    @property
    def smallest_detectable_change(self) -> float:
        """The change between two such measurements that chance explains in 5 %, mm3."""
        return SDS * sqrt(2) * self.sd

    def is_small(self, scan: Grid) -> bool:
        """Is the structure smaller than what was found to be measured without bias?"""
        return self.volume < 4 / 3 * np.pi * SMALLEST_RADIUS**3 * scan.voxel_volume


def volume_of(
    region: Region, grid: Grid, scan: Volume, counted: float, neighbours: Neighbours = ALONE
) -> Estimate:
    """Estimate the volume of a structure.

    region: its mask on its grid. scan: the image as acquired, on a grid with the same directions.
    counted: volume of the mask's voxels in the scan, mm3. neighbours: what else is known there.
    """
    if not region.array.any():
        return count_of(region, grid, scan.grid, counted)
    found = []
    # What others lie on has no one signal within that a body could be fitted by.
    small = region.count() <= FITTED and region.array.size <= FITTED_BOX
    if small and not neighbours.above and not _is_cut(region, grid, scan.grid):
        found.append(_fitted(region, grid, scan))
    found.append(_told(region, grid, scan, counted, neighbours))
    told = [estimate for estimate in found if estimate]
    return min(told, key=lambda e: e.sd, default=count_of(region, grid, scan.grid, counted))


def doubted(estimate: Estimate, others: Sequence[Estimate]) -> Estimate:
    """The estimate, in as much doubt as the method is that found the structure.

    others: of the least and the most that the structure may be. Where the image shows the boundary to
    all alike, they tell one volume, and the interval is hardly wider.
    """
    low = min([estimate.low, *(other.low for other in others)])
    high = max([estimate.high, *(other.high for other in others)])
    sd = max(estimate.sd, (high - low) / (2 * SDS))
    shift_sd = estimate.shift_sd * sd / estimate.sd if estimate.sd > 0 else 0.0
    least, *_, most = sorted(other.volume for other in others)
    unsure = most - least > estimate.high - estimate.low
    return replace(estimate, low=low, high=high, sd=sd, shift_sd=shift_sd, doubted=unsure)


def count_of(region: Region, grid: Grid, scan: Grid, counted: float) -> Estimate:
    """The volume of a mask's voxels that are in the scan, as `volume_of`, whatever the image shows."""
    area = _area(region.array, grid)
    shift_sd = COUNTED * _length(scan)
    sd = area * shift_sd
    low, high = max(0.0, counted - SDS * sd), counted + SDS * sd
    return Estimate("count", counted, low, high, sd, 0.0, shift_sd)


def intervals(
    measured: dict[str, float], estimate: Estimate, region: Region, grid: Grid, scan: Grid
) -> dict[str, float]:
    """95 % intervals of lengths, area and mean intensity: column to value, in the columns' units.

    measured: the values of some of axial_long_mm, axial_short_mm, morph_diam, surface_area_mm2 and
    stat_mean. Each interval holds the measured value, and what it would be with the boundary where the
    image has it.
    """
    found: dict[str, float] = {}
    ends_sd = 2 * sqrt(estimate.shift_sd**2 + (POINT_SD * _length(scan)) ** 2 / 2)
    for name, farther in FARTHER.items():
        if name in measured:
            middle = 2 * estimate.shift - farther * _length(grid)
            found |= _interval(name, measured[name], middle, ends_sd)
    area = _area(region.array, grid)
    radius = 3 * estimate.volume / area if area > 0 else 0.0
    if "surface_area_mm2" in measured and radius > 0:
        # A body of mean curvature 1 / radius gains this part of its area per mm of growth.
        part = 2 * measured["surface_area_mm2"] / radius
        found |= _interval(
            "surface_area_mm2",
            measured["surface_area_mm2"],
            part * estimate.shift,
            part * ends_sd / 2,
        )
    if "stat_mean" in measured and estimate.volume > 0:
        # Voxels at the boundary are halfway between inside and around.
        per_mm = -estimate.contrast / 2 * area / estimate.volume
        number = max(estimate.volume / scan.voxel_volume, 1.0)
        sd = sqrt((per_mm * estimate.shift_sd) ** 2 + estimate.noise**2 / number)
        if estimate.method != "count":
            found |= _interval("stat_mean", measured["stat_mean"], per_mm * estimate.shift, sd)
    return found


def _interval(name: str, value: float, correction: float, sd: float) -> dict[str, float]:
    quantity, _, unit = name.rpartition("_") if name.endswith(("_mm", "_mm2")) else (name, "", "")
    low, high = (f"{quantity}_{end}_{unit}".rstrip("_") for end in ("low", "high"))
    middle = value + correction
    floor = 0.0 if unit or name == "morph_diam" else -np.inf
    return {
        low: max(floor, min(value, middle - SDS * sd)),
        high: max(value, middle + SDS * sd),
    }


def _fitted(region: Region, grid: Grid, scan: Volume) -> Estimate | None:
    own = grid.crop(tuple(s.start for s in region.box[::-1]), region.array.shape[::-1])
    try:
        found = fit(region.array, own, scan.array, scan.grid)
    except ValueError:
        return None
    contrast = found.inside - found.around
    off = abs(found.shift) > _length(scan.grid)
    if off or found.varied > VARIED or abs(contrast) < CONTRAST * found.noise:
        return None
    return Estimate(
        "fit",
        found.mean,
        found.quantile(TAIL),
        found.quantile(1 - TAIL),
        found.sd,
        found.shift,
        found.shift_sd,
        contrast,
        found.noise,
    )


def _told(
    region: Region, grid: Grid, scan: Volume, counted: float, neighbours: Neighbours
) -> Estimate | None:
    scene = scene_of(region, grid, neighbours, scan.grid, SHELL)
    if scene is None:
        return None
    area = _area(region.array, grid)
    found = fractions(scene, area, scan.array, scan.grid)
    # What holds others is often of layers, and the outermost one thinner than voxels tell.
    if found.told < TOLD or (neighbours.above and found.varied > LAYERED):
        return None
    volume = counted + found.change
    return Estimate(
        "fractions",
        volume,
        max(0.0, volume - SDS * found.sd),
        volume + SDS * found.sd,
        found.sd,
        found.change / area,
        found.sd / area,
        found.contrast,
        found.noise,
    )


def _is_cut(region: Region, grid: Grid, scan: Grid) -> bool:
    """Does the structure reach the outermost voxels of the scan?"""
    ends = np.array([[s.start, s.stop - 1] for s in region.box[::-1]]).T
    index = scan.to_index(grid.to_physical(ends))
    return bool((index < 0.5).any() or (index > np.asarray(scan.size) - 1.5).any())


def _length(scan: Grid) -> float:
    """Edge of the cube with a voxel's volume, mm."""
    return scan.voxel_volume ** (1 / 3)


def _area(mask: Array, grid: Grid) -> float:
    """Area of the boundary, mm2: voxels' faces, of which turned planes have 3/2 on average."""
    x, y, z = grid.spacing
    faces = _faces(np.pad(mask.view(np.uint8), 1))
    return float(faces @ (y * z, x * z, x * y)) * 2 / 3


@kernel
def _faces(inside):  # noqa: ANN001, ANN202
    """Voxels' faces on the boundary, across x, y and z, of a mask with a border of zeros."""
    count = np.zeros(3)
    for z in range(1, inside.shape[0]):
        for y in range(1, inside.shape[1]):
            for x in range(1, inside.shape[2]):
                own = inside[z, y, x]
                count[0] += inside[z, y, x - 1] != own
                count[1] += inside[z, y - 1, x] != own
                count[2] += inside[z - 1, y, x] != own
    return count
