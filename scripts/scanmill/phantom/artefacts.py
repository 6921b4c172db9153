"""What else is wrong with a scan: rings, a round field of view, a table, motion."""

import numpy as np
from scipy import fft

from scanmill.grid import Grid
from scanmill.phantom.body import Body
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy


def with_ring(
    image: np.ndarray, grid: Grid, radius: float, width: float, amplitude: float
) -> np.ndarray:
    """A ring about the middle of every slice, as a detector element with a wrong gain makes it.

    radius, width: mm, of its middle and across. amplitude: HU added within.
    """
    within = np.abs(_radii(grid) - radius) < width / 2
    return image + amplitude * within


def cut_to_circle(image: np.ndarray, grid: Grid, diameter: float, padding: float) -> np.ndarray:
    """What lies outside the round field of view of a CT, `diameter` mm, gets the padding value."""
    return np.where(_radii(grid) <= diameter / 2, image, padding)


def with_body(image: np.ndarray, grid: Grid, body: Body, intensity: float) -> np.ndarray:
    """An image with a further body in it, a table below the patient, say; partial volume as ever."""
    part = occupancy(body, grid) / SAMPLES
    return image + part * (intensity - image)


def with_motion(
    image: np.ndarray, grid: Grid, axis: int, displacement: float, cycles: float
) -> np.ndarray:
    """Ghosts of an MR of what moves to and fro along the phase-encoding axis while lines are taken.

    axis: the phase-encoding one, 0 x or 1 y. displacement: mm, the amplitude of the motion. cycles: of
    the motion during one scan; the ghosts lie that many voxels apart. Each line of k-space, in order
    of time, gets the phase of the displacement at its time; the magnitude is what is seen.
    """
    along = 2 - axis
    size = image.shape[along]
    frequency = fft.fftfreq(size, grid.spacing[axis])
    time = fft.ifftshift(np.arange(size)) / size
    moved = displacement * np.sin(2 * np.pi * cycles * time)
    phase = np.exp(-2j * np.pi * frequency * moved)
    phase = phase.reshape([-1 if a == along else 1 for a in range(3)])
    return np.abs(fft.ifft(fft.fft(image, axis=along) * phase, axis=along))


def _radii(grid: Grid) -> np.ndarray:
    """Distance of the voxels of a slice from its middle, mm, [y, x]."""
    x, y = (
        (np.arange(n) - (n - 1) / 2) * step
        for n, step in zip(grid.size[:2], grid.spacing[:2], strict=True)
    )
    return np.hypot(x, y[:, None])
