"""From an ROI's contours to its mask: each plane drawn, and what lies between planes by shape.

A contour stands for a layer of the scan's slices where it lies on one, else for a layer of the planes'
own distance, half of it to each side. Planes that were left out in drawing (every second slice, say)
are filled in: between two planes, the signed distances to their outlines are weighed by nearness
(shape-based interpolation: Raya and Udupa 1990, doi:10.1109/42.52980). A wider gap is taken for a real
one, so that two pieces stay two.
"""

import math

import numpy as np

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.layout import Note
from scanmill.source.segments.planes import FLAT, Contours, Planes, largest_gap, planes_of
from scanmill.source.segments.raster import draw
from scanmill.source.segments.segment import LARGEST_BOX, Mask


def mask_of(contours: Contours, scan: Grid) -> tuple[Mask, list[Note]]:
    """The mask of one ROI, and what to warn of.

    scan: the grid of its slices as acquired. Raises Refusal where the contours cannot be trusted, or
    span more than memory holds.
    """
    planes = planes_of(contours, scan)
    low = np.floor(planes.pixels.min(axis=0)).astype(int)
    width, height = (np.ceil(planes.pixels.max(axis=0)).astype(int) - low + 1).tolist()
    levels = planes.levels - np.floor(planes.levels[0])
    layers = int(np.rint(levels[-1])) + 1
    if max(layers, len(levels)) * width * height > LARGEST_BOX:
        raise Refusal(
            "labels-unreadable",
            f"the contours of this structure span {max(layers, len(levels))} planes of {width} x "
            f"{height} pixels; up to {LARGEST_BOX} pixels are accepted",
        )
    drawn, crossing = draw(
        planes.pixels - low, contours.bounds, planes.plane_of, (len(levels), height, width)
    )
    filled, notes = _filled(drawn, planes, levels, layers)
    if crossing:
        notes.append(
            (
                "contours-crossing",
                f"{crossing} contours cross others of their plane; what an even number of them "
                "encloses is taken for outside.",
            )
        )
    start = (int(low[0]), int(low[1]), math.floor(planes.levels[0]))
    return Mask(planes.lattice, start, filled), notes


def _filled(
    drawn: np.ndarray, planes: Planes, levels: np.ndarray, layers: int
) -> tuple[np.ndarray, list[Note]]:
    """Every layer from the drawn planes: a plane itself, an interpolation, or bare in a real gap."""
    limit = largest_gap(planes)
    filled = np.zeros((layers, *drawn.shape[1:]), bool)
    spacing = planes.lattice.spacing[1::-1]
    below = np.searchsorted(levels, np.arange(layers) + FLAT, side="right") - 1
    missing = bare = 0
    for layer in range(layers):
        under = max(int(below[layer]), 0)
        over = min(under + 1, len(levels) - 1)
        gap = levels[over] - levels[under]
        if abs(levels[under] - layer) <= FLAT or gap == 0:
            filled[layer] = drawn[under]
        elif gap <= limit:
            part = (layer - levels[under]) / gap
            filled[layer] = _between(drawn[under], drawn[over], part, spacing)
            missing += 1
        else:
            nearest = under if layer - levels[under] < levels[over] - layer else over
            if abs(levels[nearest] - layer) < 0.5:
                filled[layer] = drawn[nearest]
            else:
                bare += 1
    return filled, _notes(planes, missing, bare)


def _between(
    under: np.ndarray, over: np.ndarray, part: float, spacing: tuple[float, ...]
) -> np.ndarray:
    """The shape at `part` of the way from one plane to the next."""
    either = under | over
    rows, columns = (np.flatnonzero(either.any(axis=a)) for a in (1, 0))
    if rows.size == 0:
        return either
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    result = np.zeros_like(either)
    distance = (1 - part) * _depth(under[box], spacing) + part * _depth(over[box], spacing)
    result[box] = distance > 0
    return result


def _depth(plane: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Signed distance, mm, to the nearest pixel of the other kind; positive inside."""
    # Imported here, since most contours leave nothing out, and every job pays for its imports.
    from scipy.ndimage import distance_transform_edt

    # A rim, so that there is an outside to be far from, even where the plane is full or empty.
    ringed = np.pad(plane, 1)
    inside = distance_transform_edt(ringed, sampling=spacing)
    if not plane.any():
        # No shape to be near to: further than any pixel.
        return np.full(plane.shape, -float(np.hypot(*np.multiply(plane.shape, spacing))))
    return (inside - distance_transform_edt(~ringed, sampling=spacing))[1:-1, 1:-1]


def _notes(planes: Planes, missing: int, bare: int) -> list[Note]:
    notes: list[Note] = []
    step = planes.lattice.spacing[2]
    if planes.own and len(planes.levels) > 1:
        how = "evenly" if planes.even else "unevenly"
        notes.append(
            (
                "contours-interpolated",
                f"The contours lie {how} on {len(planes.levels)} planes that are not the scan's "
                f"slices; shapes were interpolated between planes, {step:.4g} mm apart.",
            )
        )
    elif missing:
        notes.append(
            (
                "contours-interpolated",
                f"{missing} of {missing + len(planes.levels)} slices had no contour between two that "
                "have one, and were interpolated by shape.",
            )
        )
    if bare:
        notes.append(
            (
                "contours-apart",
                f"{bare} layers of {step:.4g} mm between contours are too many to be left out in "
                "drawing, and stay empty.",
            )
        )
    return notes
