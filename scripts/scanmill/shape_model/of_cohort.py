"""A structure's shape in all cases of a cohort as corresponding points, a case in memory at a time."""

from collections.abc import Iterator, Sequence

import numpy as np

from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import LabelMap, Region
from scanmill.refusal import Refusal
from scanmill.shape_model.correspondence import Exemplar, carried, template
from scanmill.surface import Surface
from scanmill.volume_file import Volume

Array = np.ndarray
# Registration looks at 56 voxels along the longest side; more of the mask than so many says nothing.
FINEST = 96


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
