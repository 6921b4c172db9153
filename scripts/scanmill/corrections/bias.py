"""The bias field of MR: the coil's gain, which makes one tissue bright here and dark there.

N4 (Tustison et al. 2010, doi:10.1109/TMI.2010.2046908) finds the field on a shrunken grid, since it
is smooth; it is taken off at full resolution.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from scanmill.grid import Triple
from scanmill.kernel import kernel

# Of the shrunken grid: what the field, some 100 mm smooth, needs, and what N4 does in a second.
FINEST_MM, MOST_VOXELS = 4.0, 20_000
# Three levels of control points, down to a quarter of the scan, few steps at the last: without it a
# coil around a head keeps 0.025 of its log sd, with more of it the field follows dark lungs.
ITERATIONS = (40, 30, 4)
# What the entropy of the body's log intensities falls by, at least, if the field is one of the coil:
# on phantoms without a field N4 brought 0.036 at most, with one of 3 % and more 0.05 at least.
LEAST_FALL = 0.04
ENTROPY_BIN = 0.02
LEAST_BODY = 500
# Along a shorter axis of the scan, what a coil does and what anatomy is are not told apart: in a slab
# of 60 mm the entropy falls by 0.16, and of 18 organs 10 get less pure.
LEAST_EXTENT_MM = 100.0


@dataclass
class BiasField:
    """The logarithm of the gain on blocks of voxels, [z, y, x], and what it does to the body.

    block: voxels of the scan, along z, y and x, that each value is of. entropy_before, entropy_after:
    of the body's log intensities, nats; the purer tissues are, the lower.
    """

    log_gain: np.ndarray
    block: tuple[int, int, int]
    entropy_before: float
    entropy_after: float

    @property
    def accepted(self) -> bool:
        """Are tissues so much purer without the field that it must be there?"""
        return self.entropy_before - self.entropy_after >= LEAST_FALL

    @property
    def log_sd(self) -> float:
        """How strong the field is: standard deviation of the logarithm of the gain."""
        return float(self.log_gain.std())


def find_bias(image: np.ndarray, spacing: Triple) -> BiasField | None:
    """The bias field of an MR scan; None where the scan or its body is too small to tell.

    image: [z, y, x], not negative where there is signal. spacing: mm along (x, y, z). The gain's
    geometric mean over the body is 1, so intensities keep their level.
    """
    if np.multiply(image.shape, spacing[::-1]).min() < LEAST_EXTENT_MM:
        return None
    block = _block(image.shape, spacing[::-1])
    small = _shrunken(image, block)
    if min(small.shape) < 4:
        return None
    floor = max(float(small.max()) * 1e-4, 1e-6)
    coarse = sitk.GetImageFromArray(np.maximum(small, floor))
    coarse.SetSpacing([s * n for s, n in zip(spacing, block[::-1], strict=True)])
    body = sitk.OtsuThreshold(coarse, 0, 1)
    inside = sitk.GetArrayFromImage(body) > 0
    if np.count_nonzero(inside) < LEAST_BODY:
        return None
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(ITERATIONS)
    n4.Execute(coarse, body)
    log_gain = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(coarse))
    log_gain -= log_gain[inside].mean()
    before = np.log(sitk.GetArrayFromImage(coarse)[inside])
    return BiasField(log_gain, block, _entropy(before), _entropy(before - log_gain[inside]))


def without_bias(image: np.ndarray, field: BiasField) -> np.ndarray:
    """A scan divided by its bias field, float32 [z, y, x]."""
    places = [
        _places(n, b, m)
        for n, b, m in zip(image.shape, field.block, field.log_gain.shape, strict=True)
    ]
    corrected = np.empty(image.shape, np.float32)
    (first_z, part_z), (first_y, part_y), (first_x, part_x) = places
    _divide(
        image,
        field.log_gain.astype(np.float64),
        (first_z, first_y, first_x),
        (part_z, part_y, part_x),
        corrected,
    )
    return corrected


def _block(shape: tuple[int, ...], spacing: tuple[float, ...]) -> tuple[int, int, int]:
    """Voxels along z, y and x that make the smallest allowed, nearly cubic block."""
    extent = np.multiply(shape, spacing)
    size = max(FINEST_MM, float((extent.prod() / MOST_VOXELS) ** (1 / 3)))
    counts = np.maximum(1, np.rint(size / np.asarray(spacing)).astype(int))
    return tuple(int(n) for n in np.minimum(counts, shape))


def _shrunken(image: np.ndarray, block: tuple[int, int, int]) -> np.ndarray:
    """Means over blocks of voxels, float32; what is left over at the ends is left out."""
    z, y, x = (n // b * b for n, b in zip(image.shape, block, strict=True))
    small = np.add.reduceat(image[:z, :y, :x], np.arange(0, x, block[2]), axis=2, dtype=np.float32)
    small = np.add.reduceat(small, np.arange(0, y, block[1]), axis=1)
    return np.add.reduceat(small, np.arange(0, z, block[0]), axis=0) / np.float32(np.prod(block))


def _entropy(logs: np.ndarray) -> float:
    """Entropy of the histogram of log intensities, nats."""
    counts = np.bincount(((logs - logs.min()) / ENTROPY_BIN).astype(np.int64))
    part = np.convolve(counts, (0.25, 0.5, 0.25)) / counts.sum()
    part = part[part > 0]
    return float(-(part * np.log(part)).sum())


def _places(voxels: int, block: int, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """For each voxel of an axis: the block before it, and how far it is towards the next."""
    place = np.clip((np.arange(voxels) + 0.5) / block - 0.5, 0, blocks - 1)
    first = np.minimum(place.astype(np.int64), max(blocks - 2, 0))
    return first, place - first


@kernel
def _divide(image, log_gain, first, part, corrected):  # noqa: ANN001, ANN202
    """Divide by the gain, whose logarithm is linear between the blocks' centres."""
    for k in range(image.shape[0]):
        a, t = first[0][k], part[0][k]
        plane = (1 - t) * log_gain[a] + t * log_gain[a + 1]
        for j in range(image.shape[1]):
            a, t = first[1][j], part[1][j]
            row = (1 - t) * plane[a] + t * plane[a + 1]
            for i in range(image.shape[2]):
                a, t = first[2][i], part[2][i]
                corrected[k, j, i] = image[k, j, i] * np.exp(-(1 - t) * row[a] - t * row[a + 1])
