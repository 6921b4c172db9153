"""What a recipe expects of scans, told of one before anything is looked for in it."""

from collections.abc import Iterator, Mapping

import numpy as np

from scanmill.grid import Grid
from scanmill.noise_level import noise_sd
from scanmill.volume_file import Volume

# The codes of what was not as expected.
COARSE, SHORT, TILTED, NOISY = "scan-coarse", "scan-short", "scan-tilted", "scan-noisy"


def unexpected(scan: Volume, expected: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Codes and messages of what is not as expected of a scan as acquired.

    expected: any of `slice_spacing`, the most mm between slices; `length`, the least mm along the
    patient's long axis; `tilt`, the most degrees of the grid's axes to the patient's; `noise`, the
    largest standard deviation of noise, units of the image.
    """
    if "slice_spacing" in expected:
        found = max(scan.grid.spacing)
        if found > expected["slice_spacing"]:
            yield (
                COARSE,
                _told("voxels are {} mm long", found, "at most", expected["slice_spacing"]),
            )
    if "length" in expected:
        found = length(scan.grid)
        if found < expected["length"]:
            yield (
                SHORT,
                _told(
                    "the scan has {} mm from foot to head", found, "at least", expected["length"]
                ),
            )
    if "tilt" in expected:
        found = tilt(scan.grid)
        if found > expected["tilt"]:
            yield (
                TILTED,
                _told("its axes are tilted by {} degrees", found, "at most", expected["tilt"]),
            )
    if "noise" in expected:
        found = noise_sd(scan.array, scan.grid.spacing)
        if found > expected["noise"]:
            yield (
                NOISY,
                _told(
                    "the noise has a standard deviation of {}", found, "at most", expected["noise"]
                ),
            )


def length(grid: Grid) -> float:
    """How much of the patient's long axis a scan covers, mm, along its own axis nearest to that."""
    return grid.size[grid.axial_axis] * grid.spacing[grid.axial_axis]


def tilt(grid: Grid) -> float:
    """The largest angle between an axis of a grid and the patient's nearest one, degrees."""
    nearest = np.abs(np.reshape(grid.direction, (3, 3))).max(axis=0)
    return float(np.rad2deg(np.arccos(np.clip(nearest.min(), 0, 1))))


def _told(words: str, found: float, bound: str, expected: float) -> str:
    return f"{words.format(f'{found:.3g}')}; {bound} {expected:g} is expected"
