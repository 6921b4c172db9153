"""A scanner like the one that made a scan: its grid, placed anew, its blur and its noise."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from scanmill.corrections.noise import without_floor
from scanmill.grid import Grid, Triple
from scanmill.noise_level import NoiseLevel

LARGEST_TURN = np.deg2rad(2.0)
BLURS = (0.0, 0.5, 0.7, 0.9, 1.1)
# A correlation of neighbours that is no more than chance.
WEAK = 0.05


def placed_anew(scan: Grid, random: np.random.Generator) -> Grid:
    """A grid within the scan's block, moved by part of a voxel and turned a little.

    The turn moves no corner by more than about a voxel, and is two degrees at most. Layers at the edge
    are left out until every voxel lies in what was scanned: what the scan cut stays cut.
    """
    half = np.multiply(scan.size, scan.spacing) / 2
    others = np.array([np.linalg.norm(np.delete(half, axis)) for axis in range(3)])
    angle = min(LARGEST_TURN, float(np.min(scan.spacing / others)))
    towards = random.standard_normal(3)
    turn = Rotation.from_rotvec(
        towards / np.linalg.norm(towards) * angle * random.uniform(0.5, 1)
    ).as_matrix()
    frame = np.reshape(scan.direction, (3, 3))
    shift = random.uniform(-0.5, 0.5, 3) * scan.spacing
    reach = np.abs(frame.T @ turn @ frame)
    size = np.array(scan.size)
    beyond = reach @ (size * scan.spacing / 2) + np.abs(shift) - half
    while (beyond > 1e-6).any() and size.min() > 1:
        size = np.maximum(1, size - np.ceil(2 * np.maximum(beyond, 0) / scan.spacing)).astype(int)
        beyond = reach @ (size * scan.spacing / 2) + np.abs(shift) - half
    grid = replace(scan, direction=tuple(float(x) for x in (turn @ frame).ravel()))
    middle = scan.to_physical((np.array(scan.size) - 1) / 2) + frame @ shift
    origin = middle - grid.axes @ ((size - 1) / 2)
    return replace(grid, size=tuple(int(n) for n in size), origin=tuple(float(x) for x in origin))


def thicker(grid: Grid, factor: int) -> Grid:
    """The same block, but for a remainder, in slices that are `factor` times as thick."""
    axis = slice_axis(grid.spacing)
    size, spacing = list(grid.size), list(grid.spacing)
    size[axis] //= factor
    spacing[axis] *= factor
    return grid.concentric(tuple(size), tuple(spacing))


def slice_axis(spacing: Triple) -> int:
    """The axis (0 x, 1 y, 2 z) across slices: that of the largest spacing, the last of equal ones."""
    return 2 - int(np.argmax(np.divide(spacing[::-1], max(spacing)) > 1 - 1e-6))


def blurred(image: np.ndarray, blur: Triple) -> np.ndarray:
    """An image [z, y, x] as a point spread makes it: standard deviations in voxels along (x, y, z)."""
    return gaussian_filter(image, blur[::-1]) if any(blur) else image


def blur_of(scan: np.ndarray, sharp: np.ndarray, edges: np.ndarray, spacing: Triple) -> Triple:
    """The point spread that makes a sharp rendering most like the scan, in slices and then across.

    sharp: the scan's own structures as its voxels average them. edges: bool, the voxels to compare.
    Labels that lie beside an edge make it look wider: a tenth over one voxel is the most.
    """
    across = slice_axis(spacing)
    found = np.zeros(3)
    for axes in ([a for a in range(3) if a != across], [across]):
        misses = []
        for sd in BLURS:
            trial = found.copy()
            trial[axes] = sd
            # Not squares: where a label is wrong, the difference says nothing of the scanner.
            misses.append(np.abs(blurred(sharp, tuple(trial)) - scan)[edges].mean())
        found[axes] = BLURS[int(np.argmin(misses))]
    return tuple(found.tolist())


def noisy(
    image: np.ndarray, noise: NoiseLevel, spacing: Triple, random: np.random.Generator
) -> np.ndarray:
    """An image whose noise has the level, distribution and correlation of another scan's.

    image: its mean with that noise; of Rician noise, which raises what is faint, so is the result's.
    """
    if noise.sd == 0:
        return image
    if noise.distribution == "rician":
        signal = without_floor(image, noise.sd)
        channels = [noise.sd * _field(image.shape, noise, spacing, random) for _ in range(2)]
        return np.hypot(signal + channels[0], channels[1])
    return image + noise.sd * _field(image.shape, noise, spacing, random)


def _field(
    shape: Sequence[int], noise: NoiseLevel, spacing: Triple, random: np.random.Generator
) -> np.ndarray:
    """Normal noise of mean 0 and standard deviation 1, correlated like a Gaussian."""
    white = random.standard_normal(shape, np.float32)
    across = slice_axis(spacing)
    widths = [noise.between_slices if a == across else noise.in_plane for a in (2, 1, 0)]
    field = gaussian_filter(white, [_width(correlation) for correlation in widths])
    return field / field.std()


def _width(correlation: float) -> float:
    """Standard deviation, voxels, of the filter after which neighbours in white noise correlate so.

    Weak and negative correlations, of sharp kernels, count as none.
    """
    if correlation < WEAK:
        return 0.0
    widths = np.linspace(0.3, 3, 271)[:, None]
    steps = np.arange(-15, 15)
    product = np.exp(-(steps**2 + (steps + 1) ** 2) / (2 * widths**2)).sum(axis=1)
    found = product / np.exp(-((steps / widths) ** 2)).sum(axis=1)
    return float(np.interp(correlation, found, widths[:, 0]))
