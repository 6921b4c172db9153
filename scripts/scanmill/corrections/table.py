"""The table below a patient in a CT: thin shells that are the same in slice after slice."""

import cc3d
import numpy as np
from scipy import ndimage

from scanmill.corrections.field_of_view import BODY_HU

# Shells are thinner, wider and longer than this; a finger is thicker, a hand is narrower, and a drip
# or a fold of cloth does not keep its place.
THICKEST_MM, LEAST_WIDTH_MM, LEAST_LENGTH_MM = 10.0, 100.0, 50.0
# Of a shell, so much at most is thicker: where it meets a second one, or the rim.
THICK_PART = 0.15
# On either side there is air or foam; lung, beside which walls are thin too, is mostly denser.
BESIDE_MM, DENSEST_HU = 6.0, -800
# Around its shells, a table is blurred.
BLUR_MM = 3.0


def find_table(image: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray | None:
    """The shells of a table, a mask [z, y, x]; None where there is none.

    image: HU, z across the plane that the scanner turns in. spacing: mm along (x, y, z). What touches
    the body in a slice, or could be a part of it, is left.
    """
    pixel = spacing[1::-1]
    shells = np.zeros(image.shape, bool)
    for k, slice_ in enumerate(image):
        _find_shells(slice_, pixel, shells[k])
    length = shells.sum(axis=0) * spacing[2]
    # A table sags by less than a pixel, mostly.
    steady = ndimage.maximum_filter(length, 3) >= LEAST_LENGTH_MM
    shells &= steady
    if not shells.any():
        return None
    around = _disc(BLUR_MM, pixel)
    for shell, slice_ in zip(shells, image, strict=True):
        if shell.any():
            body = (slice_ > BODY_HU) & ~shell
            near = ndimage.binary_dilation(body, np.ones((3, 3)))
            shell |= ndimage.binary_dilation(shell, around) & ~near
    return shells


def _find_shells(slice_: np.ndarray, pixel: tuple[float, float], shells: np.ndarray) -> None:
    """Set the thin, wide pieces beside the body in a slice [y, x]. pixel: mm along (y, x)."""
    pieces, number = cc3d.connected_components(slice_ > BODY_HU, return_N=True)
    if number < 2:
        return
    told = cc3d.statistics(pieces)
    body = 1 + int(np.argmax(told["voxel_counts"][1:]))
    filled = None
    for piece in range(1, number + 1):
        rows, columns = told["bounding_boxes"][piece]
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if piece == body or max(height * pixel[0], width * pixel[1]) < LEAST_WIDTH_MM:
            continue
        if filled is None:
            filled = ndimage.binary_fill_holes(pieces == body)
        mask = pieces == piece
        if not filled[mask].any() and _is_thin(mask, pixel) and _is_in_air(slice_, mask, pixel):
            shells |= mask


def _is_thin(mask: np.ndarray, pixel: tuple[float, float]) -> bool:
    """What is cut at the edge of the slice counts as going on there."""
    disc = _disc(THICKEST_MM / 2, pixel)
    reach = max(disc.shape)
    padded = np.pad(mask, reach, mode="edge")
    thick = ndimage.binary_opening(padded, disc)[reach:-reach, reach:-reach]
    return np.count_nonzero(thick & mask) <= THICK_PART * np.count_nonzero(mask)


def _is_in_air(slice_: np.ndarray, mask: np.ndarray, pixel: tuple[float, float]) -> bool:
    away = ndimage.distance_transform_edt(~mask, sampling=pixel)
    beside = (away > 2 * max(pixel)) & (away <= 2 * max(pixel) + BESIDE_MM) & (slice_ < BODY_HU)
    return bool(beside.any()) and float(np.percentile(slice_[beside], 75)) < DENSEST_HU


def _disc(radius: float, pixel: tuple[float, float]) -> np.ndarray:
    y, x = (np.arange(-int(radius / s), int(radius / s) + 1) * s for s in pixel)
    return np.hypot(y[:, None], x) <= radius
