"""Digital twins: scans made of a measured case's own surfaces, whose true measures are known.

A twin has the case's anatomy where it was, in millimetres, and is scanned anew: another place of the
grid, other noise. What is known of it exactly is what the surfaces enclose.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scanmill.corrections.bias import find_bias
from scanmill.corrections.noise import without_noise
from scanmill.grid import Grid, Triple
from scanmill.noise_level import NoiseLevel, noise_level
from scanmill.surface import Surface
from scanmill.validation.air import held_air
from scanmill.validation.challenges import NOISE, NOISE_TIMES, resampled, spoiled
from scanmill.validation.coverage import Coverage, coverages
from scanmill.validation.scanner import blur_of, blurred, noisy, placed_anew
from scanmill.validation.tissue import Tissue, tissues_of
from scanmill.volume_file import Volume

# No structure of a recipe can be called so.
AIR = ""


@dataclass
class Model:
    """What twins of a case are made of.

    surfaces: by structure, those with a tissue of their own, later ones over earlier ones; AIR is
    what they hold of it. tissues: None of a structure that the scan does not show; they keep the
    scan's own bias field. blur: standard deviations in voxels along (x, y, z). bias_log_sd: how
    strong that field is, None in other modalities than MR and in scans too small to tell.
    """

    grid: Grid
    dtype: np.dtype
    surfaces: dict[str, Surface]
    around: Tissue
    tissues: list[Tissue | None]
    noise: NoiseLevel
    blur: Triple
    bias_log_sd: float | None


@dataclass
class Twin:
    """A scan, and what of each structure every voxel of it holds.

    means: of the intensities within each structure that the scan shows, parts that others cover left
    out, without noise, blur and bias.
    """

    image: Volume
    covered: dict[str, Coverage]
    means: dict[str, float]


def model_of(scan: Volume, surfaces: Mapping[str, Surface], modality: str) -> Model:
    """The model of a scan, and of the closed surfaces that were found in it, LPS mm."""
    shown = dict(surfaces)
    covered = coverages(list(shown.values()), scan.grid)
    noise = noise_level(scan.array, scan.grid.spacing)
    calm = Volume(scan.array, scan.grid)
    if noise.sd > 0:
        calm = Volume(without_noise(scan.array, scan.grid.spacing, noise.sd), scan.grid)
    if modality == "CT" and (air := held_air(calm, covered)):
        shown[AIR] = air
        covered = coverages(list(shown.values()), scan.grid)
    around, tissues = tissues_of(calm, covered)
    bias = find_bias(scan.array, scan.grid.spacing) if modality == "MR" else None
    found = None if bias is None else bias.log_sd * bias.accepted
    model = Model(scan.grid, scan.array.dtype, shown, around, tissues, noise, (0, 0, 0), found)
    sharp, _ = _rendered(model, scan.grid, covered)
    blur = blur_of(scan.array, sharp, _edges(covered, scan.grid), scan.grid.spacing)
    return replace(model, blur=blur)


def twin_of(model: Model, seed: list[int], challenge: str = "") -> Twin:
    """A twin: the same for the same seed, and at the same place whatever it is challenged by."""
    random = np.random.default_rng(seed)
    grid = resampled(placed_anew(model.grid, random), challenge)
    covered = coverages(list(model.surfaces.values()), grid)
    sharp, means = _rendered(model, grid, covered)
    signal = blurred(sharp, _rescaled(model.blur, model.grid, grid))
    signal = spoiled(signal, grid, challenge, random)
    times = NOISE_TIMES if challenge == NOISE else 1
    noise = replace(model.noise, sd=times * model.noise.sd)
    image = noisy(signal, noise, grid.spacing, random)
    named = dict(zip(model.surfaces, covered, strict=True))
    return Twin(Volume(_stored(image, model.dtype), grid), named, means)


def _rendered(
    model: Model, grid: Grid, covered: list[Coverage]
) -> tuple[np.ndarray, dict[str, float]]:
    """Noise-free intensities, float32 [z, y, x], means over each voxel's tissues; and `Twin.means`."""
    everywhere = tuple(slice(0, n) for n in grid.shape)
    around = model.around.on(model.grid, grid, everywhere)
    signal, means = around.copy(), {}
    for name, part, tissue in zip(model.surfaces, covered, model.tissues, strict=True):
        if tissue is not None and part.visible.any():
            own = tissue.on(model.grid, grid, part.box)
            signal[part.box] += part.visible * (own - around[part.box])
            means[name] = float(np.average(own, weights=part.visible))
    return signal, means


def _edges(covered: list[Coverage], grid: Grid) -> np.ndarray:
    """The voxels that hold more than one tissue."""
    edges = np.zeros(grid.shape, bool)
    for part in covered:
        edges[part.box] |= (part.visible > 0.02) & (part.visible < 0.98)
    return edges


def _rescaled(blur: Triple, scan: Grid, grid: Grid) -> Triple:
    """The same blur in voxels of another grid."""
    return tuple(float(b * s / g) for b, s, g in zip(blur, scan.spacing, grid.spacing, strict=True))


def _stored(image: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """An image in the type that the scan had."""
    if not np.issubdtype(dtype, np.integer):
        return image.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(image), limits.min, limits.max).astype(dtype)
