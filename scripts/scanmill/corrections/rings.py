"""Rings about the middle of a CT's slices: what a detector element with a wrong gain leaves."""

import numpy as np

from scanmill.kernel import kernel

SECTORS, PER_SECTOR = 16, 24
# A ring stands out of what lies this many voxels inside and outside of it.
ASIDE = 4
# Values beyond these belong to edges of anatomy, not to rings, and air is clipped.
STEEPEST_HU, LOWEST_HU = 150.0, -950.0
LEAST_HU, LEAST_RADIUS = 5.0, 8
# All sectors in tissue agree on the sign, and there are at least so many of them.
LEAST_SECTORS = 12
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
    above = np.empty((SECTORS * PER_SECTOR, last + 1 - ASIDE))
    return [np.flatnonzero(_rings(slice_, above)) + ASIDE for slice_ in image]


@kernel
def _rings(image, above):  # noqa: ANN001, ANN202
    """Is there a ring at each radius, from ASIDE on? above: memory for `_stand_out`."""
    agreement = _stand_out(image, above)
    found = np.zeros(len(agreement), np.bool_)
    for k in range(LEAST_RADIUS - ASIDE, len(agreement)):
        # Medians are slow: only where the sectors' sums agree well enough already.
        if abs(agreement[k]) >= LEAST_SECTORS / 2:
            found[k] = _is_ring(above[:, k])
    return found


@kernel
def _stand_out(image, above):  # noqa: ANN001, ANN202
    """How far each place stands out of those inside and outside of it: above, [angle, radius].

    NaN where nothing can be told. Returned: of each radius, in how many sectors more places stand
    out upward than downward, by their sum.
    """
    angles, radii = above.shape
    line = np.empty(radii + 2 * ASIDE)
    sums = np.zeros(radii)
    agreement = np.zeros(radii)
    for a in range(angles):
        _along(image, 2 * np.pi * a / angles, line)
        for k in range(radii):
            inner, middle, outer = line[k], line[k + ASIDE], line[k + 2 * ASIDE]
            out = middle - (inner + outer) / 2
            telling = abs(out) < STEEPEST_HU and abs(inner - outer) < STEEPEST_HU
            telling = telling and min(inner, middle, outer) > LOWEST_HU
            above[a, k] = out if telling else np.nan
            sums[k] += out if telling else 0.0
        if (a + 1) % PER_SECTOR == 0:
            agreement += np.sign(sums)
            sums[:] = 0
    return agreement


@kernel
def _along(image, angle, line):  # noqa: ANN001, ANN202
    """A slice's values at whole radii from its middle, linear between voxels."""
    cosine, sine = np.cos(angle), np.sin(angle)
    for r in range(len(line)):
        y = (image.shape[0] - 1) / 2 + r * sine
        x = (image.shape[1] - 1) / 2 + r * cosine
        j, i = min(int(y), image.shape[0] - 2), min(int(x), image.shape[1] - 2)
        v, u = y - j, x - i
        low = (1 - u) * image[j, i] + u * image[j, i + 1]
        high = (1 - u) * image[j + 1, i] + u * image[j + 1, i + 1]
        line[r] = (1 - v) * low + v * high


@kernel
def _is_ring(above):  # noqa: ANN001, ANN202
    """above: by angle, NaN where nothing can be told."""
    medians, away = np.empty(SECTORS), np.empty(len(above))
    sectors = told = 0
    for start in range(0, len(above), PER_SECTOR):
        sector = above[start : start + PER_SECTOR]
        sector = sector[np.isfinite(sector)]
        if len(sector) >= PER_SECTOR // 2:
            medians[sectors] = np.median(sector)
            if np.sign(medians[sectors]) != np.sign(medians[0]):
                return False
            away[told : told + len(sector)] = np.abs(sector - medians[sectors])
            told += len(sector)
            sectors += 1
    if sectors < LEAST_SECTORS:
        return False
    middle = np.median(medians[:sectors])
    if abs(middle) < LEAST_HU:
        return False
    spread = np.median(away[:told]) * 1.4826
    return abs(middle) > SIGNIFICANT * 1.25 * spread / np.sqrt(PER_SECTOR)
