"""Random fields over a grid: the texture of tissues, and the bias field of an MR coil."""

import numpy as np
from scipy import fft

from scanmill.grid import Grid

WAVES = 6


def correlated_field(grid: Grid, length: float, seed: int | list[int]) -> np.ndarray:
    """A normal random field of mean 0 and standard deviation 1, [z, y, x].

    length: mm at which the correlation exp(-(r / length)^2) has fallen to 1/e, the same in all
    directions whatever the spacing. The field is periodic over the grid.
    """
    white = np.random.default_rng(seed).standard_normal(grid.shape)
    spectrum = fft.rfftn(white)
    for axis, (size, spacing) in enumerate(zip(grid.shape, grid.spacing[::-1], strict=True)):
        # The spectrum of the sampled correlation, not a sampled spectrum: slices may be farther
        # apart than the correlation reaches.
        steps = np.arange(size)
        correlation = np.exp(-((np.minimum(steps, size - steps) * spacing / length) ** 2))
        power = np.maximum(fft.fft(correlation).real, 0)
        transfer = np.sqrt(power / power.mean())
        part = transfer[: spectrum.shape[axis]]
        spectrum *= part.reshape([-1 if a == axis else 1 for a in range(3)])
    return fft.irfftn(spectrum, grid.shape)


def bias_field(grid: Grid, amplitude: float, seed: int) -> np.ndarray:
    """The gain of a coil, [z, y, x]: smooth, from 1 - amplitude to 1 + amplitude over the grid.

    Random plane waves in LPS space, none shorter than the scanned block's diagonal, so that two grids
    of one block see one field. Raises ValueError unless 0 <= amplitude < 1.
    """
    if not 0 <= amplitude < 1:
        raise ValueError("the amplitude of a bias field is from 0 to below 1")
    random = np.random.default_rng(seed)
    diagonal = np.linalg.norm(np.multiply(grid.size, grid.spacing))
    towards = random.standard_normal((WAVES, 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    numbers = towards * (2 * np.pi / (diagonal * random.uniform(1, 2, (WAVES, 1))))
    middle = grid.to_physical((np.asarray(grid.size) - 1) / 2)
    phases = random.uniform(0, 2 * np.pi, WAVES) + numbers @ (grid.origin - middle)
    field = np.zeros(grid.shape)
    for number, phase in zip(numbers @ grid.axes, phases, strict=True):
        x, y, z = (
            np.exp(1j * step * np.arange(n)) for step, n in zip(number, grid.size, strict=True)
        )
        field += (np.exp(1j * phase) * z[:, None, None] * y[:, None] * x).imag
    low, high = field.min(), field.max()
    return 1 + amplitude * (2 * (field - low) / (high - low) - 1)
