"""Rings about the middle of a CT's slices: what a detector element with a wrong gain leaves."""

import numpy as np

from scanmill.kernel import kernel

SECTORS, PER_SECTOR = 16, 24
# A ring stands out of what lies this many voxels inside and outside of it.
ASIDE = 4
# Values beyond these belong to edges of anatomy, not to rings, and air is clipped.
STEEPEST_HU, LOWEST_HU = 150.0, -950.0
LEAST_HU, LEAST_RADIUS = 5.0, 8
# How many of the sectors in tissue agree on the sign, and how many of them there are at least.
AGREEING, LEAST_SECTORS = 0.95, 12
# Of a sector's median over its own uncertainty, on average over the sectors.
SIGNIFICANT = 3.0


def find_rings(image: np.ndarray) -> list[np.ndarray]:
    """Radii, in voxels, of the rings in each slice of a CT.

    image: HU, [z, y, x], z across the plane that the scanner turns in, as the scanner reconstructed it:
    its middle is the axis of rotation, and its pixels are squares.
    """
    last = min(image.shape[1:]) // 2 - ASIDE - 1
    if last <= LEAST_RADIUS:
        return [np.empty(0, np.int64)] * len(image)
    return [_rings(_polar(slice_, last + ASIDE + 1)) for slice_ in image]


def _rings(polar: np.ndarray) -> np.ndarray:
    inner, middle, outer = polar[: -2 * ASIDE], polar[ASIDE:-ASIDE], polar[2 * ASIDE :]
    above = middle - (inner + outer) / 2
    telling = (np.abs(above) < STEEPEST_HU) & (np.abs(inner - outer) < STEEPEST_HU)
    telling &= np.minimum(np.minimum(inner, outer), middle) > LOWEST_HU
    above = np.where(telling, above, np.nan).reshape(len(above), SECTORS, PER_SECTOR)
    # Medians are slow: only where the sectors' sums agree well enough already.
    signs = np.sign(np.nansum(above, axis=2)).sum(axis=1)
    likely = np.flatnonzero(np.abs(signs) >= LEAST_SECTORS / 2)
    found = [k for k in likely if k >= LEAST_RADIUS - ASIDE and _is_ring(above[k])]
    return np.array(found, np.int64) + ASIDE


def _is_ring(above: np.ndarray) -> bool:
    """above: [sector, angle], NaN where nothing can be told."""
    told = above[np.isfinite(above).sum(axis=1) >= PER_SECTOR // 2]
    if len(told) < LEAST_SECTORS:
        return False
    medians = np.nanmedian(told, axis=1)
    height = abs(np.median(medians))
    if height < LEAST_HU or (np.sign(medians) == np.sign(np.median(medians))).mean() < AGREEING:
        return False
    spread = np.nanmedian(np.abs(told - medians[:, None])) * 1.4826
    return bool(height > SIGNIFICANT * 1.25 * spread / np.sqrt(PER_SECTOR))


@kernel
def _polar(image, radii):  # noqa: ANN001, ANN202
    """A slice at whole radii from its middle, [radius, angle], linear between voxels."""
    angles = SECTORS * PER_SECTOR
    polar = np.empty((radii, angles))
    for a in range(angles):
        cosine, sine = np.cos(2 * np.pi * a / angles), np.sin(2 * np.pi * a / angles)
        for r in range(radii):
            y = (image.shape[0] - 1) / 2 + r * sine
            x = (image.shape[1] - 1) / 2 + r * cosine
            j, i = min(int(y), image.shape[0] - 2), min(int(x), image.shape[1] - 2)
            v, u = y - j, x - i
            low = (1 - u) * image[j, i] + u * image[j, i + 1]
            high = (1 - u) * image[j + 1, i] + u * image[j + 1, i + 1]
            polar[r, a] = (1 - v) * low + v * high
    return polar
