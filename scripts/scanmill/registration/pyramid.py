"""Scans as registration sees them: intensities of one scale, on cubic grids from coarse to fine."""

import numpy as np

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.resampling import resample_image
from scanmill.volume_file import Volume

# Quantiles of the intensities that become 0 and 1, and how far beyond them a value may lie.
ENDS = (0.01, 0.99)
BEYOND = 0.25
# Spacings of the grids, in those of the finest.
FACTORS = (4, 2, 1)
# More voxels than this in the finest grid cost much; a deformation is smoother than its images.
FINEST_VOXELS = 1e6


def normalised(scan: Volume) -> Volume:
    """A scan, float32, its bulk spanning 0 to 1. Raises Refusal where it has no contrast."""
    low, high = np.quantile(scan.array, ENDS)
    if not high > low:
        raise Refusal(
            "registration-failed",
            "nearly all voxels of a scan have one value; one with tissues in it can be registered",
        )
    scaled = (scan.array - np.float32(low)) / np.float32(high - low)
    return Volume(np.clip(scaled, -BEYOND, 1 + BEYOND).astype(np.float32), scan.grid)


def finest_spacing(fixed: Grid, moving: Grid) -> float:
    """The spacing, mm, that two scans are registered at unless another one is asked for.

    That of the coarser one's voxels, by their volume, and for a large scan a coarser one.
    """
    block = np.prod(np.multiply(fixed.size, fixed.spacing))
    largest = max(fixed.voxel_volume, moving.voxel_volume, block / FINEST_VOXELS)
    return float(largest ** (1 / 3))


def pyramid(scan: Volume, finest: float) -> list[Volume]:
    """A normalised scan on cubic grids, the coarsest first. finest: spacing of the last, mm."""
    return [resample_image(scan, scan.grid.isotropic(f * finest)) for f in FACTORS]
