"""The round field of view of a CT: what is padding around it, and where it cuts the body off."""

import numpy as np
from scipy import ndimage

# The circle is at least so wide against the slice, and so much of its rim is seen.
LEAST_DIAMETER, SEEN_RIM = 0.8, 0.9
BODY_HU = -400
# Tables are thinner than twice the first, and what is cut off shorter than the second is skin that
# rests on the rim.
TABLE_MM, LEAST_CUT_MM = 8.0, 20.0
# Beside a cut, values are too high: what lies outside attenuates all the same (Ohnesorge et al. 2000,
# doi:10.1118/1.598855).
UNTRUE_MM = 10.0
# Bodies are sought on voxels of about this size.
COARSE_MM = 3.0


def field_of_view(image: np.ndarray, spacing: tuple[float, float]) -> float | None:
    """Radius in mm of the circle about the slices' middle outside of which a CT is padded.

    image: HU, [z, y, x], z across the plane that the scanner turns in. spacing: mm along (x, y). None
    where one value does not fill what is outside such a circle in all slices.
    """
    value = image[0, 0, 0]
    corners = image[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    if value >= BODY_HU or (corners != value).any():
        return None
    distance = radii(image.shape[1:], spacing)
    filled = (image != value).any(axis=0)
    radius = float(distance[filled].max(initial=0))
    step = max(spacing)
    rim = (distance <= radius) & (distance > radius - 2 * step)
    round_ = filled[rim].mean() >= SEEN_RIM if rim.any() else False
    wide = 2 * radius >= LEAST_DIAMETER * min(np.multiply(image.shape[:0:-1], spacing))
    return radius if round_ and wide and radius < distance[0, 0] - step else None


def cut_off(image: np.ndarray, spacing: tuple[float, float], radius: float) -> np.ndarray | None:
    """Where the body lies beside the rim that cuts it, a mask [z, y, x]; None where nothing is cut.

    As `field_of_view`; radius: of the circle, mm.
    """
    steps = tuple(max(1, round(COARSE_MM / s)) for s in spacing[::-1])
    coarse = image[:, :: steps[0], :: steps[1]]
    pixel = (spacing[1] * steps[0], spacing[0] * steps[1])
    distance = radii(image.shape[1:], spacing)[:: steps[0], :: steps[1]]
    rim = (distance <= radius) & (distance > radius - 1.5 * max(pixel))
    body = (coarse > BODY_HU) & (distance <= radius)
    arc = max(pixel) * 1.5
    touching = np.flatnonzero((body & rim).sum(axis=(1, 2)) * arc >= LEAST_CUT_MM)
    found = np.zeros(image.shape, bool)
    disc = _disc(pixel)
    near = distance > radius - UNTRUE_MM
    for k in touching:
        solid = ndimage.binary_opening(body[k], disc)
        if (solid & rim).sum() * arc >= LEAST_CUT_MM:
            part = np.repeat(np.repeat(solid & near, steps[0], axis=0), steps[1], axis=1)
            found[k] = part[: image.shape[1], : image.shape[2]]
    return found if found.any() else None


def radii(shape: tuple[int, ...], spacing: tuple[float, float]) -> np.ndarray:
    """Distance in mm of a slice's voxels from its middle, [y, x]. spacing: along (x, y)."""
    y, x = ((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing[::-1], strict=True))
    return np.hypot(y[:, None], x)


def _disc(pixel: tuple[float, float]) -> np.ndarray:
    reach = [round(TABLE_MM / s) for s in pixel]
    y, x = (np.arange(-n, n + 1) * s for n, s in zip(reach, pixel, strict=True))
    return np.hypot(y[:, None], x) <= TABLE_MM
