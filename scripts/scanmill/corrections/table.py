"""The table below a patient in a CT: thin shells that are the same in slice after slice."""

from collections.abc import Iterator
from math import ceil

import cc3d
import numpy as np

from scanmill.corrections.field_of_view import BODY_HU, disc_steps, opened
from scanmill.label_map import boxes_of, count_voxels

# Shells are thinner, wider and longer than this; a finger is thicker, a hand is narrower, and a drip
# or a fold of cloth does not keep its place.
THICKEST_MM, LEAST_WIDTH_MM, LEAST_LENGTH_MM = 10.0, 100.0, 50.0
# Of a shell, so much at most is thicker: where it meets a second one, or the rim.
THICK_PART = 0.15
# On either side there is air or foam; lung, beside which walls are thin too, is mostly denser.
BESIDE_MM, DENSEST_HU = 6.0, -800
# Around its shells, a table is blurred.
BLUR_MM = 3.0


def find_table(
    image: np.ndarray, spacing: tuple[float, float, float]
) -> Iterator[tuple[int, np.ndarray]]:
    """The slices that show the shells of a table: number, and where they lie, mask [y, x].

    image: HU, [z, y, x], z across the plane that the scanner turns in. spacing: mm along (x, y, z).
    What touches the body in a slice, or could be a part of it, is left.
    """
    pixel = spacing[1::-1]
    found = {
        k: shells for k, slice_ in enumerate(image) if (shells := _shells(slice_, pixel)).any()
    }
    if not found:
        return
    from scipy import ndimage

    length = sum(found.values(), np.zeros(image.shape[1:])) * spacing[2]
    # A table sags by less than a pixel, mostly.
    steady = ndimage.maximum_filter(length, 3) >= LEAST_LENGTH_MM
    steps = disc_steps(BLUR_MM, pixel)
    around = np.zeros(np.ptp(steps, axis=0) + 1, bool)
    around[tuple((steps - steps.min(axis=0)).T)] = True
    for k, shells in found.items():
        shells &= steady
        if shells.any():
            body = (image[k] > BODY_HU) & ~shells
            near = ndimage.binary_dilation(body, np.ones((3, 3)))
            yield k, shells | ndimage.binary_dilation(shells, around) & ~near


def _shells(slice_: np.ndarray, pixel: tuple[float, float]) -> np.ndarray:
    """The thin, wide pieces beside the body in a slice [y, x]. pixel: mm along (y, x)."""
    pieces, number = cc3d.connected_components(slice_ > BODY_HU, return_N=True)
    shells = np.zeros(slice_.shape, bool)
    body = 1 + int(np.argmax(count_voxels(pieces, number + 1)[1:])) if number > 1 else 0
    filled = None
    for piece, (_, *box) in boxes_of(pieces[None], number + 1).items():
        sides = [(side.stop - side.start) * s for side, s in zip(box, pixel, strict=True)]
        if body in (0, piece) or max(sides) < LEAST_WIDTH_MM:
            continue
        around = _grown(box, 2 * BESIDE_MM, pixel)
        mask = pieces[around] == piece
        if not _is_thin(mask, pixel) or not _is_in_air(slice_[around], mask, pixel):
            continue
        if filled is None:
            from scipy import ndimage

            filled = ndimage.binary_fill_holes(pieces == body)
        if not filled[around][mask].any():
            shells[around] |= mask
    return shells


def _grown(
    box: tuple[slice, slice], margin: float, pixel: tuple[float, float]
) -> tuple[slice, slice]:
    """A box with a margin in mm; it ends where the slice does."""
    y, x = (
        slice(max(0, side.start - ceil(margin / s)), side.stop + ceil(margin / s))
        for side, s in zip(box, pixel, strict=True)
    )
    return y, x


def _is_thin(mask: np.ndarray, pixel: tuple[float, float]) -> bool:
    """What is cut at the edge of the slice counts as going on there."""
    disc = disc_steps(THICKEST_MM / 2, pixel)
    reach = int(disc.max()) + 1
    padded = np.pad(mask, reach, mode="edge")
    thick = opened(padded, disc)[reach:-reach, reach:-reach]
    return np.count_nonzero(thick & mask) <= THICK_PART * np.count_nonzero(mask)


def _is_in_air(slice_: np.ndarray, mask: np.ndarray, pixel: tuple[float, float]) -> bool:
    # Imported here, as above: few pieces come so far, and every job pays for its imports.
    from scipy import ndimage

    away = ndimage.distance_transform_edt(~mask, sampling=pixel)
    blurred = 2 * max(pixel)
    beside = (away > blurred) & (away <= blurred + BESIDE_MM) & (slice_ < BODY_HU)
    return bool(beside.any()) and float(np.percentile(slice_[beside], 75)) < DENSEST_HU
