"""What makes a twin harder to measure than its case: one challenge each, beyond what the scan has."""

import numpy as np

from scanmill.grid import Grid
from scanmill.phantom.artefacts import with_motion
from scanmill.phantom.fields import bias_field
from scanmill.phantom.metal import with_metal
from scanmill.validation.scanner import slice_axis, thicker

NOISE, VOXELS, SLICES = "noise", "voxels", "slices"
BIAS, MOTION, METAL = "bias", "motion", "metal"
# What a reader is told of each; "" is none of them.
TITLES = {
    "": "scanned like the cohort",
    NOISE: "noise twice as strong",
    VOXELS: "voxels twice as large",
    SLICES: "slices three times as thick",
    BIAS: "a bias field of ±40 %",
    MOTION: "motion by ±1 mm",
    METAL: "a rod of steel",
}
NOISE_TIMES, VOXELS_TIMES, SLICES_TIMES = 2, 2, 3
BIAS_AMPLITUDE = 0.4
MOTION_MM, MOTION_CYCLES = 1.0, 4.5
# Of the rod, mm, and of the beam: so many photons that their noise adds little to the scan's.
ROD_WIDTH, ROD_LENGTH, PHOTONS = 8.0, 20.0, 1e6
HALFWAY_TO_AIR = -500.0
LEAST_LAYERS = 4


def possible(grid: Grid, modality: str, noise: float) -> list[str]:
    """The challenges for scans like one. noise: its standard deviation, 0 where none was found."""
    found = [NOISE] if noise > 0 else []
    # A twin may have a layer or two fewer than its scan.
    for challenge in (VOXELS, SLICES):
        if min(resampled(grid, challenge).size) > LEAST_LAYERS:
            found.append(challenge)
    return found + {"MR": [BIAS, MOTION], "CT": [METAL]}.get(modality, [])


def resampled(grid: Grid, challenge: str) -> Grid:
    """The grid that a scan has under a challenge."""
    if challenge == SLICES:
        return thicker(grid, SLICES_TIMES)
    if challenge == VOXELS:
        return grid.concentric(
            tuple(n // VOXELS_TIMES for n in grid.size),
            tuple(step * VOXELS_TIMES for step in grid.spacing),
        )
    return grid


def spoiled(
    signal: np.ndarray, grid: Grid, challenge: str, random: np.random.Generator
) -> np.ndarray:
    """A scan without its noise, [z, y, x], as a challenge to the intensities leaves it."""
    if challenge == BIAS:
        return signal * bias_field(grid, BIAS_AMPLITUDE, int(random.integers(2**31)))
    if challenge == MOTION:
        # Along the phase-encoding axis, in plane.
        axis = 0 if slice_axis(grid.spacing) == 1 else 1
        return with_motion(signal, grid, axis, MOTION_MM, MOTION_CYCLES)
    if challenge == METAL:
        return _with_rod(signal, grid, int(random.integers(2**31)))
    return signal


def _with_rod(signal: np.ndarray, grid: Grid, seed: int) -> np.ndarray:
    """A CT, HU, with a rod along the patient's axis in the middle of what is not air."""
    along = grid.axial_axis
    slices = np.moveaxis(signal, 2 - along, 0)
    steps = np.array([grid.spacing[along], *np.delete(grid.spacing, along)[::-1]])
    tissue = np.nonzero(slices > HALFWAY_TO_AIR)
    if not tissue[0].size:
        return signal
    middle = [axis.mean() for axis in tissue]
    z, y, x = (
        step * (np.arange(n) - at) for step, n, at in zip(steps, slices.shape, middle, strict=True)
    )
    hit = np.flatnonzero(np.abs(z) <= ROD_LENGTH / 2)
    beyond = np.hypot(x, y[:, None]) - ROD_WIDTH / 2
    part = np.clip(0.5 - beyond / steps[1:].mean(), 0, 1)
    plane = Grid((*slices.shape[:0:-1], len(hit)), tuple(float(s) for s in steps[::-1]))
    scan, _ = with_metal(
        slices[hit], np.broadcast_to(part, plane.shape), plane, "iron", PHOTONS, seed
    )
    spoilt = signal.copy()
    np.moveaxis(spoilt, 2 - along, 0)[hit] = scan
    return spoilt
