"""Volume of a structure from patches of its boundary: how far the image moves each, told locally.

The image near a patch lies between two signals, of the structure and of the patch's other side, both
means of voxels a little farther from the boundary. The sum over all voxels near it of the part that the
structure fills tells the patch's place, whatever the scanner's blur. Each patch then lies between mask
and image as their doubts have it, by Bayes' rule: where the two signals hardly differ or vary, or the
image is not between the two, as where a third tissue lies there, the mask's boundary stays, with its
own doubt.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.boundary_patches import Patches, patches
from scanmill.grid import Grid
from scanmill.surroundings import Scene
from scanmill.voxel_response import Array

# Pure voxels that a patch needs on either side.
ENOUGH = 10
# Voxels whose noise goes together, and patches that are told by the same voxels.
TOGETHER, SHARED = 1.5, 7.0
# Of what varies around a patch beyond noise, the part of its variance that may stand for the patch.
VARIED = 0.3
# Beyond the two signals by so many sds of noise, voxels show a third.
THIRD = 2.0
# How much more the two signals may change to the boundary than they do over the voxel before it.
SLOPE = 2.0
# Of what may be wrong with each patch, the part that is wrong with all alike.
COHERENT = 0.2
# The doubt about the boundary, in voxels: where it was told from the image, and where it was not.
TOLD, COUNTED = 0.02, 0.3
# Voxels by which the image may move a patch; farther off it is not the mask's boundary that is seen.
FARTHEST = 1.0


@dataclass
class Fractions:
    """By how much the image changes a mask's volume, mm3.

    sd: of the volume then, mm3. told: which part of the boundary the image told. contrast, noise: means
    over that part. varied: how much the structure's own signal differs from patch to patch, noise
    aside, in contrasts.
    """

    change: float
    sd: float
    told: float
    contrast: float
    noise: float
    varied: float


@dataclass
class _Signal:
    """On one side of each patch: voxels, mean, variance, and how much it changes over a voxel."""

    number: Array
    mean: Array
    spread: Array
    slope: Array

    @classmethod
    def of(cls, sums: Array) -> "_Signal":
        number, total, squares = sums.sum(axis=1).T
        mean = total / number
        near, farther = (sums[:, k, 1] / sums[:, k, 0] for k in (0, 1))
        return cls(number, mean, np.maximum(squares / number - mean**2, 0), near - farther)


@dataclass
class _Seen:
    """How far the image moves each patch outward, in voxels; NaN where it tells nothing.

    chance, off: the variance of what may be wrong by noise, and by signals not those of the patch.
    """

    moved: Array
    chance: Array
    off: Array


def fractions(scene: Scene, area: float, image: Array, scan: Grid) -> Fractions:
    """What the image makes of a structure's volume.

    area: of its boundary, mm2. image: values [z, y, x] on the native grid, `scan`.
    """
    found = patches(scene, image, scan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _told(found, area / scan.voxel_volume ** (2 / 3), scan.voxel_volume)


def _told(found: Patches, area: float, voxel: float) -> Fractions:
    """area: of the boundary, in voxels' faces. voxel: its volume, mm3."""
    within, around = _Signal.of(found.inner), _Signal.of(found.outer)
    contrast = within.mean - around.mean
    spread = (within.spread + around.spread) / 2
    band = np.bincount(found.patch, minlength=len(found.known)).astype(float)
    faces = band * area / band.sum()
    seen = _seen(found, within, around, area / band.sum())
    off = seen.off + SLOPE**2 * sum(
        _mean(s.slope / contrast, faces / (COUNTED**2 + seen.off)) ** 2 for s in (within, around)
    )
    own = seen.chance + COHERENT**2 * off
    told = np.nan_to_num(COUNTED**2 / (COUNTED**2 + own)) * (np.abs(seen.moved) <= FARTHEST)
    here, there = told * faces, (1 - told) * faces
    variance = SHARED * np.nansum(here**2 * (seen.chance + off))
    variance += (TOLD * here.sum() + COHERENT * np.nansum(here * np.sqrt(off))) ** 2
    variance += (COUNTED * there.sum()) ** 2
    level = _mean(within.mean, here)
    apart = (within.mean - level) ** 2 - TOGETHER * within.spread / within.number
    return Fractions(
        float(np.nansum(here * seen.moved)) * voxel,
        float(np.sqrt(variance)) * voxel,
        float(here.sum() / faces.sum()),
        _mean(contrast, here),
        float(np.sqrt(_mean(spread, here))),
        float(np.sqrt(max(_mean(apart / contrast**2, here), 0))),
    )


def _seen(found: Patches, within: _Signal, around: _Signal, face: float) -> _Seen:
    """What the image says of each patch, with those around it that have the same other side.

    face: voxels' faces of the boundary for each voxel of the band.
    """
    contrast = within.mean - around.mean
    spread = (within.spread + around.spread) / 2
    noise = np.sqrt(spread) / np.abs(contrast)
    part = (found.value - around.mean[found.patch]) / contrast[found.patch]
    limit = THIRD * noise[found.patch]
    between = np.clip(part, -limit, 1 + limit)

    def total(what: Array) -> Array:
        return np.bincount(found.patch, what, len(contrast))

    band, filled = total(np.ones(len(part))), total(between)
    # Patches of more contrast, over noise, say more.
    sums = np.stack([filled - total(found.held), filled, total((part - between) ** 2), band])
    sums = np.vstack([sums / noise**2, TOGETHER * band / noise**2])
    known = found.known & (within.number >= ENOUGH) & (around.number >= ENOUGH)
    known &= np.isfinite(sums).all(axis=0)
    moved, filled, third, band, chance = found.pooled(np.where(known, sums, 0).T).T
    quiet = np.median(np.fmin(within.spread, around.spread)[known]) if known.any() else 0.0
    area = band * face
    chance, off = chance / area**2, third / band / face**2 / 4
    for signal, share in ((within, filled), (around, band - filled)):
        per_face = (share / area / contrast) ** 2
        chance += TOGETHER * per_face * signal.spread / signal.number
        off += VARIED * per_face * np.maximum(signal.spread - quiet, 0)
    return _Seen(*(np.where(known, x, np.nan) for x in (moved / area, chance, off)))


def _mean(values: Array, weights: Array) -> float:
    """Of those that are known; 0 where none is."""
    some = np.isfinite(values) & (np.nan_to_num(weights) > 0)
    return float(np.average(values[some], weights=weights[some])) if some.any() else 0.0
