"""A structure's shape in all cases of a cohort: how it varies, and how far each case is from that.

A case is in memory at a time.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from scanmill.checks import FEWEST
from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import LabelMap, Region
from scanmill.refusal import Refusal
from scanmill.shape_model.correspondence import Exemplar, carried, template
from scanmill.shape_model.known_shape import KnownShape
from scanmill.shape_model.variability import variability
from scanmill.surface import Surface
from scanmill.volume_file import Volume

Array = np.ndarray
# A structure in a case, and the grid that it is on; None where it is not there as a whole.
Place = tuple[Region, Grid] | None
# How far a case is from what other cases tell, mm, mean and 95th percentile; or why that is not known.
Away = tuple[float, float] | Refusal
# Registration looks at 56 voxels along the longest side; more of the mask than so many says nothing.
FINEST = 96
# Shapes whose points lie nearer than this, mm, are one.
SAME = 1e-3
CUT = Refusal(
    "shape-cut",
    "the structure is not there, or the edge of the scan cuts it; a scan that shows it whole would be "
    "right",
)


def held_against(known: KnownShape, places: Iterator[Place]) -> list[Away]:
    """How far each case is from what a known shape tells."""
    return [_away(known, exemplar(*place)) if place else CUT for place in places]


def compared(place: Callable[[int], Place], count: int) -> tuple[KnownShape, list[Away]]:
    """How the shape varies over cases 0 to count - 1, and how far each is from what the others tell.

    place: of a case; it is asked for twice. Raises Refusal `shape-missing` where too few cases have
    the structure, `shape-alike` where all have the same shape.
    """
    sizes = {n: lengths(*found) for n in range(count) if (found := place(n))}
    _check_number(len(sizes))
    found = list(sizes)
    reference = exemplar(*place(found[most_usual(list(sizes.values()))]))
    surface, points = carried_over(reference, (exemplar(*place(n)) for n in found))
    used = [n for n, own in zip(found, points, strict=True) if not isinstance(own, Refusal)]
    _check_number(len(used))
    shapes = np.stack([own for own in points if not isinstance(own, Refusal)])
    _check_differ(shapes)
    told = variability(shapes)
    errors = zip(told.errors.tolist(), told.far.tolist(), strict=True)
    every = dict(zip(found, points, strict=True)) | dict(zip(used, errors, strict=True))
    return KnownShape(reference, surface, told), [every.get(n, CUT) for n in range(count)]


def whole(label_map: LabelMap, label: int) -> Region | None:
    """The region of a structure; None where it is not there, or reaches the edge of the scan."""
    region, shape = label_map.region(label), label_map.grid.shape
    cut = any(s.start == 0 or s.stop == n for s, n in zip(region.box, shape, strict=True))
    return None if cut or not region.array.any() else region


def lengths(region: Region, grid: Grid) -> Array:
    """The logarithms of the standard deviations of a region's voxels along its principal axes, (3,)."""
    index = np.argwhere(region.array)[:, ::-1]
    spread = np.atleast_2d(np.cov(index @ grid.axes.T, rowvar=False))
    # Half a voxel, where it is but one thick.
    return np.log(np.linalg.eigvalsh(spread + np.eye(3) * min(grid.spacing) ** 2 / 12)) / 2


def most_usual(found: Sequence[Array]) -> int:
    """Which of several `lengths` are nearest to the medians of all."""
    apart = np.abs(np.array(found) - np.median(found, axis=0)).sum(axis=1)
    return int(apart.argmin())


def exemplar(region: Region, grid: Grid) -> Exemplar:
    """A region as registration takes it, on voxels no smaller than of use."""
    sides = np.multiply(region.array.shape[::-1], grid.spacing)
    spacing = float(sides.max()) / FINEST
    own = grid.crop(tuple(s.start for s in region.box[::-1]), region.array.shape[::-1])
    if spacing <= max(grid.spacing):
        return Exemplar.of(Region.of(region.array), own)
    # A voxel of background around, so that no boundary lies on the edge of either grid.
    mask = np.pad(region.array, 1).view(np.uint8)
    around = own.crop((-1, -1, -1), mask.shape[::-1])
    coarse = around.isotropic(spacing)
    found = resample_labels(Volume(mask, around), coarse)
    return Exemplar.of(Region.of(found > 0), coarse)


def carried_over(
    reference: Exemplar, cases: Iterator[Exemplar]
) -> tuple[Surface, list[Array | Refusal]]:
    """The surface of the reference, and its points on each case's, (n, 3), LPS mm.

    Or why there are none: a Refusal, `registration-failed`.
    """
    surface = template(reference)
    return surface, [_carried(surface, reference, case) for case in cases]


def _carried(surface: Surface, reference: Exemplar, case: Exemplar) -> Array | Refusal:
    try:
        return carried(surface, reference, case)
    except Refusal as refusal:
        return refusal


def _away(known: KnownShape, case: Exemplar) -> Away:
    try:
        return known.away(case)
    except Refusal as refusal:
        return refusal


def _check_number(cases: int) -> None:
    if cases < FEWEST:
        raise Refusal(
            "shape-missing",
            f"{cases} cases show the structure whole, and alike enough to be compared; {FEWEST} or "
            "more would be right",
        )


def _check_differ(shapes: Array) -> None:
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    if np.abs(centred - centred[0]).max() < SAME:
        raise Refusal(
            "shape-alike",
            f"all {len(shapes)} cases have the same shape; different patients would be right",
        )
