"""How noisy a scan is, estimated from the scan itself.

A scan is cut into small flat blocks, and a plane is taken off each. In the quietest of them nothing
but noise is left; anatomy only adds. So a low percentile of the blocks' variances, divided by what
that percentile is of the variance of pure noise, tells the noise. Own code: estimators by wavelets or
differences, such as scikit-image's, see only the highest frequencies, where correlated noise has
little, and those by the most frequent variance take the fine folds of a brain for noise.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from scanmill.grid import Triple
from scanmill.kernel import kernel

SIDE = 6
# Degrees of freedom of a block after a plane is taken off.
FREE = SIDE**2 - 3
# Of Rayleigh noise: its mean over its standard deviation, and that over the channels' own.
# Gudbjartsson and Patz 1995, doi:10.1002/mrm.1910340618.
RAYLEIGH_RATIO, RAYLEIGH_SD = 1.913, 0.6551
RAYLEIGH_TOLERANCE = 0.15
LEAST_BLOCKS = 20
# The part of the blocks that at least is taken to be free of anatomy, and its normal quantile.
QUIETEST, QUANTILE = 0.05, -1.6449
# Half the width, in logarithm of variance, of the blocks that are taken for noise alone: three
# standard deviations of what chance does to the variance of a block.
NEAR = 0.75
# Lengths of correlation, voxels, that are told apart; longer ones look like anatomy in a block.
LENGTHS = np.linspace(0, 2.5, 26)
SHORTEST = 1e-3


@dataclass(frozen=True)
class NoiseLevel:
    """What noise a scan has.

    sd: standard deviation, units of the image; in MR with a background that of each of the two
    channels. distribution: gaussian, or rician where the background is that of a magnitude image.
    in_plane, between_slices: correlation of neighbours across and along the coarsest axis, 0 for white
    noise, below 0 for that of sharp kernels.
    """

    sd: float
    distribution: str
    in_plane: float
    between_slices: float

    @property
    def white(self) -> bool:
        """Is the noise of each voxel its own, as far as can be seen?"""
        return max(abs(self.in_plane), abs(self.between_slices)) < 0.1


def noise_sd(image: np.ndarray, spacing: Triple) -> float:
    """Standard deviation of a scan's noise, units of the image; 0 where there is none to be seen."""
    return noise_level(image, spacing).sd


def noise_level(image: np.ndarray, spacing: Triple) -> NoiseLevel:
    """The noise of a scan on its own grid, before any filter or resampling.

    image: [z, y, x]. spacing: mm along (x, y, z). The blocks lie across the coarsest axis, along which
    anatomy changes most from voxel to voxel. Noise that differs from place to place gives the level of
    the quieter places in what is brighter than the background. What correlated noise loses with the
    plane is put back by a Gaussian model of its correlation, whose neighbours correlate up to 0.85.
    Where fewer than a twentieth of the blocks are free of anatomy, the estimate is too high.
    """
    across = 2 - int(np.argmax(spacing[::-1] / np.max(spacing) > 1 - 1e-6))
    slices = np.moveaxis(image, 2 - across, 0)
    mean, variance, in_plane, between = _blocks(slices)
    signal = mean > _threshold(mean)
    if np.count_nonzero(signal) < LEAST_BLOCKS:
        signal[:] = True
    # Without noise, most blocks within a tissue have one value.
    if np.count_nonzero(signal) < LEAST_BLOCKS or np.median(variance[signal]) == 0:
        return NoiseLevel(0.0, "gaussian", 0.0, 0.0)
    quiet = float(np.quantile(variance[signal & (variance > 0)], QUIETEST))
    free = float(FREE)
    # What counts as noise alone depends on its correlation, and that on what counts: it settles fast.
    for _ in range(3):
        level = quiet / _quantile_of_variance(free)
        alone = signal & _near(variance, level)
        total = FREE * variance[alone].sum()
        correlation, kept, free = _true_correlation(float(in_plane[alone].sum() / total))
    # An edge in the slice before would outweigh the noise of both.
    pairs = alone[1:] & alone[:-1] & (np.arange(1, len(mean)) % len(slices) > 0)
    power = FREE * np.sqrt(variance[1:] * variance[:-1])[pairs].sum()
    between_slices = float(between[1:][pairs].sum() / power) if power > 0 else 0.0
    channel = _rayleigh_sd(mean[~signal], variance[~signal]) if image.min() >= 0 else None
    if channel is not None:
        return NoiseLevel(channel, "rician", correlation, between_slices)
    return NoiseLevel(float(np.sqrt(level / kept)), "gaussian", correlation, between_slices)


def _threshold(values: np.ndarray) -> float:
    """Otsu's threshold, by the greatest variance between what is below and above it."""
    if values.size == 0:
        return 0.0
    # The brightest blocks (metal, vessels) would make a class of their own.
    ordered = np.sort(values)[: max(1, int(0.99 * values.size))]
    below = np.arange(1, ordered.size)
    sums = np.cumsum(ordered)
    apart = sums[:-1] / below - (sums[-1] - sums[:-1]) / (ordered.size - below)
    if apart.size == 0 or ordered[0] == ordered[-1]:
        return float(ordered[0]) - 1
    return float(ordered[np.argmax(below * (ordered.size - below) * apart**2)])


def _quantile_of_variance(free: float) -> float:
    """QUIETEST's quantile of the variance of noise of variance 1, by so many degrees of freedom.

    Wilson and Hilferty 1931, doi:10.1073/pnas.17.12.684.
    """
    return float((1 - 2 / (9 * free) + QUANTILE * np.sqrt(2 / (9 * free))) ** 3)


def _near(variance: np.ndarray, level: float) -> np.ndarray:
    return (variance > level * np.exp(-NEAR)) & (variance < level * np.exp(NEAR))


def _rayleigh_sd(mean: np.ndarray, variance: np.ndarray) -> float | None:
    """The channels' standard deviation, by the background's blocks; None where it is no Rayleigh noise.

    Backgrounds that a scanner cut to zero, masked, or combined of many coils are not.
    """
    varying = variance > 0
    if np.count_nonzero(varying) < max(LEAST_BLOCKS, mean.size // 2):
        return None
    level = float(np.quantile(variance[varying], QUIETEST)) / _quantile_of_variance(FREE)
    alone = _near(variance, level)
    sd = float(np.sqrt(level))
    ratio = float(np.median(mean[alone])) / sd
    if abs(ratio / RAYLEIGH_RATIO - 1) > RAYLEIGH_TOLERANCE:
        return None
    return sd / RAYLEIGH_SD


def _true_correlation(found: float) -> tuple[float, float, float]:
    """What noise is, by the correlation of neighbours in plane that its blocks show off their planes.

    That correlation in truth, the part of the variance that the blocks keep, and their degrees of
    freedom.
    """
    seen, kept, free = _models().T
    if found <= seen[0]:
        return found - float(seen[0]), 1.0, float(FREE)
    length = float(np.interp(found, seen, LENGTHS))
    correlation = float(np.exp(-((SHORTEST + length) ** -2)))
    return (
        correlation,
        float(np.interp(length, LENGTHS, kept)),
        float(np.interp(length, LENGTHS, free)),
    )


@cache
def _models() -> np.ndarray:
    """For each of LENGTHS: what `_true_correlation` tells, the correlation as seen off the plane."""
    y, x = np.indices((SIDE, SIDE)).reshape(2, -1) - (SIDE - 1) / 2
    planes = np.stack([np.ones(SIDE**2), x, y], axis=1)
    off = np.eye(SIDE**2) - planes @ np.linalg.pinv(planes)
    squared = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    rows = []
    for length in LENGTHS:
        correlation = np.exp(-squared / (SHORTEST + length) ** 2)
        left = off @ correlation @ off
        power = np.trace(left)
        seen = left[squared == 1].mean() / (power / SIDE**2)
        rows.append((seen, power / FREE, power**2 / (left**2).sum()))
    return np.array(rows)


@kernel
def _blocks(slices):  # noqa: ANN001, ANN202
    """Of each block: mean, variance off its plane, and sums of products of neighbours off the plane.

    The sums, in plane and with the slice before, are scaled to the number of products of a voxel with
    itself.
    """
    depth, rows, columns = slices.shape
    down, along = rows // SIDE, columns // SIDE
    number = depth * down * along
    mean, variance = np.zeros(number), np.zeros(number)
    in_plane, between = np.zeros(number), np.zeros(number)
    middle = (SIDE - 1) / 2
    slope_norm = 0.0
    for t in range(SIDE):
        slope_norm += SIDE * (t - middle) ** 2
    left = np.empty((2, SIDE, SIDE))
    n = 0
    for j in range(down):
        for i in range(along):
            for k in range(depth):
                # From one slice to the next along a column, so that each block is read once.
                now = left[k % 2]
                total, slope_x, slope_y = 0.0, 0.0, 0.0
                for v in range(SIDE):
                    for u in range(SIDE):
                        value = float(slices[k, j * SIDE + v, i * SIDE + u])
                        now[v, u] = value
                        total += value
                        slope_y += (v - middle) * value
                        slope_x += (u - middle) * value
                total /= SIDE * SIDE
                slope_x /= slope_norm
                slope_y /= slope_norm
                squares, beside, with_last = 0.0, 0.0, 0.0
                for v in range(SIDE):
                    for u in range(SIDE):
                        now[v, u] -= total + slope_x * (u - middle) + slope_y * (v - middle)
                        squares += now[v, u] ** 2
                        if u > 0:
                            beside += now[v, u] * now[v, u - 1]
                        if v > 0:
                            beside += now[v, u] * now[v - 1, u]
                        if k > 0:
                            with_last += now[v, u] * left[1 - k % 2, v, u]
                mean[n] = total
                # Rounding leaves a constant block, and a plane, a trace of variance.
                if squares > 1e-12 * (total * total + 1):
                    variance[n] = squares / FREE
                in_plane[n] = beside * SIDE / (2 * (SIDE - 1))
                between[n] = with_last
                n += 1
    return mean, variance, in_plane, between
