"""Volume of a large structure: which part of each voxel near its boundary it fills, told locally.

The image near the boundary lies between the structure's own signal and that of what surrounds it, both
taken as means of the voxels a little deeper and a little farther out, in blocks around: so organs may
vary, and have many neighbours. Where the two differ too little to tell, voxels are counted.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.voxel_response import Array, places

# Voxels this near to the other side may hold both; those up to so far tell what is pure.
BAND, SHELL = 2, 4
# Edge of a block, voxels; each is told by those around it too.
BLOCK = 6
# Voxels and contrast, over the sd of the pure signal, that a block's neighbourhood needs.
ENOUGH, CONTRAST = 10, 2.0
# Voxels whose noise goes together, and blocks whose means do.
TOGETHER, SHARED = 1.5, 4.0
WEIGHTS = (0.5, 1.0, 0.5)
# What may vary in a block's neighbourhood: times the variance of noise, and part of the contrast.
UNIFORM, EVEN = 2.0, 0.1
# Of what varies in a block's neighbourhood beyond noise, the part that may stand for the block.
VARIED = 0.3
# The doubt about the boundary, in voxels: where it was told from the image, and where it was not.
TOLD, COUNTED = 0.02, 0.3


@dataclass
class Fractions:
    """volume, sd: mm3. area: of the boundary, mm2. told: which part of it the image told."""

    volume: float
    sd: float
    area: float
    told: float
    contrast: float
    noise: float


def fractions(mask: Array, grid: Grid, image: Array, scan: Grid) -> Fractions:
    """The volume of a mask [z, y, x], cropped to its voxels, on its grid, in a scan.

    image: values [z, y, x] on the native grid, `scan`, which has the directions of `grid`.
    """
    inside, window = _on_scan(mask, grid, scan)
    count, sums = _blocks(inside, image[window])
    # [what, block]: number, sum and sum of squares of the pure inside and outside, the band's number,
    # sum and voxels inside.
    around = _with_neighbours(sums[:6])
    n_in, n_out = around[0], around[3]
    band, signal, held = sums[6:]
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = around[1] / n_in, around[4] / n_out
        spread_in = np.maximum(around[2] / n_in - a**2, 0)
        spread_out = np.maximum(around[5] / n_out - b**2, 0)
        contrast = a - b
        filled = (signal - band * b) / contrast
        quiet = np.nanquantile(np.fmin(spread_in, spread_out)[band > 0], 0.25)
        limit = UNIFORM * quiet + (EVEN * contrast) ** 2
        clear = np.maximum(spread_in, spread_out) <= limit
        clear &= contrast**2 > CONTRAST**2 * np.maximum(spread_in, spread_out)
        # The band is 2 * BAND voxels thick: a boundary off by more than one is not the mask's.
        near = np.abs(filled - held) <= band / (2 * BAND)
    told = (band > 0) & (n_in >= ENOUGH) & (n_out >= ENOUGH) & clear & near
    voxels = count - held.sum() + held[~told].sum() + filled[told].sum()
    faces = band / (2 * BAND)
    spread = (spread_in + spread_out) / 2
    own = band * spread
    means = filled**2 * spread_in / np.maximum(n_in, 1)
    means += (band - filled) ** 2 * spread_out / np.maximum(n_out, 1)
    varied = filled**2 * np.maximum(spread_in - quiet, 0)
    varied += (band - filled) ** 2 * np.maximum(spread_out - quiet, 0)
    doubt = TOGETHER * (own + SHARED * means) + VARIED * varied
    variance = (doubt[told] / contrast[told] ** 2).sum()
    variance += (TOLD * faces[told].sum()) ** 2 + (COUNTED * faces[~told].sum()) ** 2
    size = scan.voxel_volume
    length = size ** (1 / 3)
    weights = faces * told / max(faces[told].sum(), 1e-9)
    return Fractions(
        float(voxels) * size,
        float(np.sqrt(variance)) * size,
        float(faces.sum()) * length**2,
        float(faces[told].sum() / max(faces.sum(), 1e-9)),
        float(np.nansum(contrast * weights)),
        float(np.sqrt(np.nansum(spread * weights))),
    )


def _on_scan(mask: Array, grid: Grid, scan: Grid) -> tuple[Array, tuple[slice, slice, slice]]:
    """The mask at the centres of the scan's voxels, uint8, in a window that holds it and its shell."""
    found, window = [], []
    for own, every, step in zip(places(grid), places(scan), grid.spacing, strict=True):
        index = np.rint((every - own[0]) / step).astype(int)
        held = np.flatnonzero((index >= 0) & (index < len(own)))
        first = max(0, held[0] - SHELL) if len(held) else 0
        last = min(len(every), held[-1] + SHELL + 1) if len(held) else 0
        window.append(slice(first, last))
        found.append(np.clip(index[first:last] + 1, 0, len(own) + 1))
    rim = np.zeros(tuple(n + 2 for n in mask.shape), np.uint8)
    rim[1:-1, 1:-1, 1:-1] = mask
    return np.ascontiguousarray(rim[np.ix_(*found[::-1])]), tuple(window[::-1])


def _with_neighbours(sums: Array) -> Array:
    """Each block's sums and those around it, nearer ones weighing more; sums: [what, z, y, x]."""
    for axis in (1, 2, 3):
        wide = np.pad(sums, [(1, 1) if a == axis else (0, 0) for a in range(4)])
        n = sums.shape[axis]
        sums = sum(w * np.take(wide, range(k, k + n), axis) for k, w in enumerate(WEIGHTS))
    return sums


@kernel
def _blocks(inside, image):  # noqa: ANN001, ANN202
    """Voxels inside, and per block the sums that tell its signals."""
    depth, height, width = inside.shape
    away = np.full(inside.shape, SHELL + 1, np.uint8)
    count = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                own = inside[z, y, x]
                count += own
                edge = (
                    (x > 0 and inside[z, y, x - 1] != own)
                    or (x + 1 < width and inside[z, y, x + 1] != own)
                    or (y > 0 and inside[z, y - 1, x] != own)
                    or (y + 1 < height and inside[z, y + 1, x] != own)
                    or (z > 0 and inside[z - 1, y, x] != own)
                    or (z + 1 < depth and inside[z + 1, y, x] != own)
                )
                if edge:
                    for v in range(max(0, z - SHELL), min(depth, z + SHELL + 1)):
                        for u in range(max(0, y - SHELL), min(height, y + SHELL + 1)):
                            flat = max(abs(v - z), abs(u - y))
                            for t in range(max(0, x - SHELL), min(width, x + SHELL + 1)):
                                if inside[v, u, t] != own:
                                    reach = max(flat, abs(t - x))
                                    away[v, u, t] = min(away[v, u, t], reach)
    sums = np.zeros(
        (9, (depth - 1) // BLOCK + 1, (height - 1) // BLOCK + 1, (width - 1) // BLOCK + 1)
    )
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if away[z, y, x] > SHELL:
                    continue
                value = float(image[z, y, x])
                block = sums[:, z // BLOCK, y // BLOCK, x // BLOCK]
                if away[z, y, x] <= BAND:
                    block[6] += 1
                    block[7] += value
                    block[8] += inside[z, y, x]
                else:
                    part = 0 if inside[z, y, x] else 3
                    block[part] += 1
                    block[part + 1] += value
                    block[part + 2] += value * value
    return count, sums
