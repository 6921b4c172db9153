"""The round field of view of a CT: what is padding around it, and where it cuts the body off."""

from collections.abc import Iterator

import numpy as np

from scanmill.kernel import kernel

# The circle is at least so wide against the slice, and so much of its rim is seen.
LEAST_DIAMETER, SEEN_RIM = 0.8, 0.9
BODY_HU, AIR_HU = -400, -1000
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
    filled = np.zeros(image.shape[1:], bool)
    for slice_ in image:
        filled |= slice_ != value
    radius = float(distance[filled].max(initial=0))
    step = max(spacing)
    rim = (distance <= radius) & (distance > radius - 2 * step)
    round_ = filled[rim].mean() >= SEEN_RIM if rim.any() else False
    wide = 2 * radius >= LEAST_DIAMETER * min(np.multiply(image.shape[:0:-1], spacing))
    return radius if round_ and wide and radius < distance[0, 0] - step else None


def cut_off(
    image: np.ndarray, spacing: tuple[float, float], radius: float
) -> Iterator[tuple[int, np.ndarray]]:
    """The slices in which a rim cuts the body: number, and where it lies beside the rim, mask [y, x].

    As `field_of_view`; radius: of the circle, mm.
    """
    steps = tuple(max(1, round(COARSE_MM / s)) for s in spacing[::-1])
    pixel = (spacing[1] * steps[0], spacing[0] * steps[1])
    distance = radii(image.shape[1:], spacing)[:: steps[0], :: steps[1]]
    rim = (distance <= radius) & (distance > radius - 1.5 * max(pixel))
    arc = max(pixel) * 1.5
    disc = disc_steps(TABLE_MM, pixel)
    near = distance > radius - UNTRUE_MM
    # Discs that reach what is near the rim lie within this.
    ring = (distance <= radius) & (distance > radius - UNTRUE_MM - 2 * TABLE_MM)
    for k, slice_ in enumerate(image):
        body = (slice_[:: steps[0], :: steps[1]] > BODY_HU) & ring
        if np.count_nonzero(body & rim) * arc < LEAST_CUT_MM:
            continue
        solid = opened(body, disc)
        if np.count_nonzero(solid & rim) * arc >= LEAST_CUT_MM:
            part = np.repeat(np.repeat(solid & near, steps[0], axis=0), steps[1], axis=1)
            yield k, part[: image.shape[1], : image.shape[2]]


def radii(shape: tuple[int, ...], spacing: tuple[float, float]) -> np.ndarray:
    """Distance in mm of a slice's voxels from its middle, [y, x]. spacing: along (x, y)."""
    y, x = ((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing[::-1], strict=True))
    return np.hypot(y[:, None], x)


def disc_steps(radius: float, pixel: tuple[float, float]) -> np.ndarray:
    """The steps (y, x) from the middle of a disc to its pixels. radius: mm; pixel: mm along (y, x)."""
    reach = [round(radius / s) for s in pixel]
    y, x = (np.arange(-n, n + 1) * s for n, s in zip(reach, pixel, strict=True))
    return np.argwhere(np.hypot(y[:, None], x) <= radius) - reach


@kernel
def opened(mask, disc):  # noqa: ANN001, ANN201
    """The discs that fit into a mask [y, x], by runs along its rows; libraries go through each pixel.

    disc: as `disc_steps` has them.
    """
    rows, columns = mask.shape
    reach = disc[-1, 0]
    half = np.zeros(2 * reach + 1, np.int64)
    for n in range(len(disc)):
        half[disc[n, 0] + reach] = max(half[disc[n, 0] + reach], disc[n, 1])
    # Of each pixel, how many of the mask there are up to it without a gap.
    run = np.zeros(mask.shape, np.int32)
    for y in range(rows):
        length = 0
        for x in range(columns):
            length = length + 1 if mask[y, x] else 0
            run[y, x] = length
    result = np.zeros_like(mask)
    for y in range(reach, rows - reach):
        for x in range(half[reach], columns - half[reach]):
            fits = mask[y, x]
            n = 0
            while fits and n < len(half):
                fits = run[y + n - reach, x + half[n]] > 2 * half[n]
                n += 1
            if fits:
                for n in range(len(half)):
                    result[y + n - reach, x - half[n] : x + half[n] + 1] = True
    return result
