"""What a voxel averages over: its own box, a blur in the plane, a slice of any thickness."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np
from scipy.special import ndtr

from scanmill.grid import Triple

# A rank-1 (Korobov) lattice centred on the voxel; of its generators, the one whose points lie
# farthest apart in space and seen along each axis. Seen from the side all its points differ, so a
# face along the grid is resolved to 1/251 of a voxel, where a raster of 6x6x6 has 1/6.
SAMPLES = 251
GENERATOR = 148
_steps = np.outer(np.arange(SAMPLES), (1, GENERATOR, GENERATOR**2)) / SAMPLES
LATTICE = _steps - np.rint(_steps)

SD_OF_FWHM = 1 / (2 * sqrt(2 * log(2)))
TABLE = 20_001
TABLE_SDS = 6


@dataclass(frozen=True)
class Profile:
    """The sensitivity of a voxel along one axis: a box, blurred by a Gaussian.

    box, fwhm: mm. Either may be 0: a plain Gaussian has no box, as the slice profile of a soft pulse;
    a plain box no blur. Raises ValueError where both are 0.
    """

    box: float
    fwhm: float = 0.0

    def __post_init__(self) -> None:
        if min(self.box, self.fwhm) < 0 or max(self.box, self.fwhm) == 0:
            raise ValueError("a profile needs a box or a blur that is wider than nothing")

    @property
    def sd(self) -> float:
        """Standard deviation, mm."""
        return sqrt(self.box**2 / 12 + (self.fwhm * SD_OF_FWHM) ** 2)

    def edge(self, x: np.ndarray) -> np.ndarray:
        """How much of the profile lies below x, mm from its middle: the response to an edge."""
        x, blur = np.asarray(x, float), self.fwhm * SD_OF_FWHM
        if blur == 0:
            return np.clip(x / self.box + 0.5, 0, 1)
        if self.box == 0:
            return ndtr(x / blur)
        low, high = (x - self.box / 2) / blur, (x + self.box / 2) / blur
        return (_ramp(high) - _ramp(low)) * blur / self.box

    def spread(self, uniform: np.ndarray) -> np.ndarray:
        """Places, mm, distributed like the profile, of numbers spread evenly from -0.5 to 0.5."""
        farthest = self.box / 2 + TABLE_SDS * self.fwhm * SD_OF_FWHM
        table = np.linspace(-farthest, farthest, TABLE)
        places = np.interp(np.add(uniform, 0.5), self.edge(table), table)
        # Midpoints of equal parts lie a little too near the middle.
        return places * (self.sd / places.std())


def offsets(profiles: Sequence[Profile], spacing: Triple) -> np.ndarray:
    """The points that a voxel averages over, (SAMPLES, 3), in voxels from its centre along x, y, z."""
    return np.column_stack(
        [
            profile.spread(LATTICE[:, axis]) / step
            for axis, (profile, step) in enumerate(zip(profiles, spacing, strict=True))
        ]
    )


def _ramp(x: np.ndarray) -> np.ndarray:
    """The integral of the normal distribution's cumulative function, from minus infinity."""
    return x * ndtr(x) + np.exp(-x * x / 2) / sqrt(2 * pi)
