"""The steps that rules are made of, and that clean up supplied labels.

Every length is in millimetres of physical space and every volume in millilitres, whatever the
grid. Components are joined through voxel faces only: two bodies that share no more than an edge or
a corner are two, since a chain of corners is the commonest way for a region to leak.
The scan's border is neutral: nothing is eroded there, because the body goes on beyond it.
"""

from collections.abc import Callable
from typing import Any

import cc3d
import fill_voids
import numpy as np

from scanmill.grid import Grid, bounding_box
from scanmill.hounsfield import doubt
from scanmill.label_map import Box, Region
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, margins

FACES = 6
CUBIC_MM_PER_ML = 1000.0
# No litre of a body is free of fat and air, whose HU are negative; a smaller crop can be.


def apply(steps: list[dict[str, Any]], region: Region | None, scene: Scene) -> Region:
    """The region after the steps, each a dict of one key, in order.

    region: where to start; None is the whole grid. Where a step leaves none, it is empty.
    Raises Refusal `structure-skipped` where a step needs a structure that is empty, `seed-misses`
    where no component holds a seed, `not-hounsfield` where a CT's intensities are none.
    """
    region = _whole(scene.grid) if region is None else region
    for step in steps:
        if not region.array.any():
            break
        ((name, value),) = step.items()
        region = tight(STEPS[name](region, value, scene))
    return region


def window(region: Region, limits: list[float | None], scene: Scene) -> Region:
    """Keep the voxels with low <= intensity <= high; None is no limit."""
    image = scene.image()
    if scene.modality == "CT":
        reason = doubt(image, scene.grid)
        if reason:
            raise Refusal("not-hounsfield", reason)
    low, high = limits
    inside = region.array.copy()
    if low is not None:
        inside &= image[region.box] >= low
    if high is not None:
        inside &= image[region.box] <= high
    return Region(region.box, inside)


def inside(region: Region, name: str, scene: Scene) -> Region:
    """Keep the voxels of a structure, the parts that others cover included."""
    return Region(region.box, region.array & cut(needed(name, scene), region.box))


def outside(region: Region, names: str | list[str], scene: Scene) -> Region:
    """Drop the voxels of one structure or several; one that is empty takes nothing away."""
    left = region.array.copy()
    for name in [names] if isinstance(names, str) else names:
        left &= ~cut(scene.label_map.region(scene.labels[name]), region.box)
    return Region(region.box, left)


def touching(region: Region, name: str, scene: Scene) -> Region:
    """Keep the components that overlap a structure or share a voxel face with it."""
    # Imported here, as SimpleITK below: most cases need neither, and every job pays for its imports.
    from scipy import ndimage

    wide = widen(region, (1, 1, 1), scene.grid)
    near = ndimage.binary_dilation(cut(needed(name, scene), wide.box))
    return _keep(wide, lambda components, _: np.unique(components[near]))


def dilate(region: Region, mm: float, scene: Scene) -> Region:
    """Add the voxels within `mm` of the region; see `_near` for how that meets the grid."""
    _warn_of_fine(mm, min(scene.grid.spacing), scene)
    more = tuple(int(mm / spacing + 0.5 + 1e-6) for spacing in scene.grid.spacing)
    wide = widen(region, more, scene.grid)
    return Region(wide.box, _near(wide.array, mm, scene.grid))


def erode(region: Region, mm: float, scene: Scene) -> Region:
    """Drop the voxels within `mm` of the region's outside: what `dilate` adds to the outside."""
    _warn_of_fine(mm, min(scene.grid.spacing), scene)
    wide = widen(region, (1, 1, 1), scene.grid)
    return Region(wide.box, ~_near(~wide.array, mm, scene.grid))


def margin(region: Region, mm: float | dict[str, float], scene: Scene) -> Region:
    """Add a margin to measure by, one length or one for each direction of the patient, mm.

    `dilate` is for clean-up: it takes voxels whole, so that `erode` undoes it.
    """
    reach = margins.reach_of(mm)
    half = np.repeat(margins.half_voxel(scene.grid), 2)
    for length, least in sorted(set(zip(reach.ravel().tolist(), half.tolist(), strict=True))):
        if length > 0:
            _warn_of_fine(length, 2 * least, scene)
    wide = widen(region, margins.voxels_of(reach, scene.grid), scene.grid)
    return Region(wide.box, margins.grow(wide.array, reach, scene.grid))


def opened(region: Region, mm: float, scene: Scene) -> Region:
    """Drop what a ball of radius `mm` does not fit into: erode, then dilate."""
    return dilate(tight(erode(region, mm, scene)), mm, scene)


def closed(region: Region, mm: float, scene: Scene) -> Region:
    """Fill what a ball of radius `mm` does not fit into: dilate, then erode."""
    return erode(dilate(region, mm, scene), mm, scene)


def fill(region: Region, what: str, scene: Scene) -> Region:
    """Fill the enclosed background: `holes` in 3D, `slices` within each slice across the body.

    The slices are those of the grid axis nearest the patient's superior axis.
    """
    if what == "holes":
        return Region(region.box, fill_voids.fill(region.array))
    axis = 2 - scene.grid.axial_axis
    slices = np.moveaxis(region.array, axis, 0)
    filled = [fill_voids.fill(np.ascontiguousarray(part)) for part in slices]
    return Region(region.box, np.moveaxis(np.stack(filled), 0, axis))


def largest(region: Region, count: int, scene: Scene) -> Region:
    """Keep the `count` largest components; of equal ones, those first in the array."""
    return _keep(region, lambda _, voxels: 1 + np.argsort(-voxels, kind="stable")[:count])


def minimum_ml(region: Region, ml: float, scene: Scene) -> Region:
    """Drop the components smaller than `ml` millilitres."""
    least = ml * CUBIC_MM_PER_ML / scene.grid.voxel_volume
    return _keep(region, lambda _, voxels: 1 + np.flatnonzero(voxels >= least * (1 - 1e-9)))


def seeds(region: Region, points: list[list[float]], scene: Scene) -> Region:
    """Keep the components that hold a seed, an LPS point in mm. Each seed must hit the region."""
    start = [part.start for part in reversed(region.box)]
    index = np.rint(scene.grid.to_index(np.array(points, float))).astype(int) - start
    size = region.array.shape[::-1]
    for number, (x, y, z) in enumerate(index, 1):
        if (
            not all(0 <= i < n for i, n in zip((x, y, z), size, strict=True))
            or not region.array[z, y, x]
        ):
            raise Refusal(
                "seed-misses",
                f"seed {number} of {len(points)} lies outside the scan or in no part of the region "
                "that the steps before it leave; seeds are LPS mm",
            )
    x, y, z = index.T
    return _keep(region, lambda components, _: components[z, y, x])


def drop(region: Region, _: str, scene: Scene) -> Region:
    """Drop the components that touch the scan's border (the only value) and are cut by it."""
    ends = [
        (axis, end)
        for axis, (part, length) in enumerate(zip(region.box, scene.grid.shape, strict=True))
        for end, reached in ((0, part.start == 0), (-1, part.stop == length))
        if reached
    ]

    def whole(components: np.ndarray, voxels: np.ndarray) -> np.ndarray:
        cut = [np.unique(components.take(end, axis)) for axis, end in ends]
        return np.setdiff1d(1 + np.arange(len(voxels)), np.concatenate([[0], *cut]))

    return _keep(region, whole)


STEPS: dict[str, Callable[[Region, Any, Scene], Region]] = {
    "window": window,
    "inside": inside,
    "outside": outside,
    "touching": touching,
    "erode": erode,
    "dilate": dilate,
    "margin": margin,
    "open": opened,
    "close": closed,
    "fill": fill,
    "largest": largest,
    "seeds": seeds,
    "minimum_ml": minimum_ml,
    "drop": drop,
}


def _whole(grid: Grid) -> Region:
    return Region(tuple(slice(0, n) for n in grid.shape), np.ones(grid.shape, bool))


def tight(region: Region) -> Region:
    """The same region in the smallest box."""
    inner = bounding_box(region.array)
    box = tuple(
        slice(part.start + cut.start, part.start + cut.stop)
        for part, cut in zip(region.box, inner, strict=True)
    )
    return Region(box, np.ascontiguousarray(region.array[inner]))


def widen(region: Region, margin: tuple[int, int, int], grid: Grid) -> Region:
    """The same region in a box that is wider by `margin` voxels (x, y, z), within the grid."""
    box = tuple(
        slice(max(0, part.start - more), min(length, part.stop + more))
        for part, more, length in zip(region.box, margin[::-1], grid.shape, strict=True)
    )
    return Region(box, cut(region, box))


def cut(region: Region, box: Box) -> np.ndarray:
    """The part of a region that lies in a box, as a mask of the box."""
    mask = np.zeros([part.stop - part.start for part in box], bool)
    both = [
        (max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(region.box, box, strict=True)
    ]
    if all(start < stop for start, stop in both):
        to = tuple(slice(s - b.start, e - b.start) for (s, e), b in zip(both, box, strict=True))
        of = tuple(
            slice(s - a.start, e - a.start) for (s, e), a in zip(both, region.box, strict=True)
        )
        mask[to] = region.array[of]
    return mask


def needed(name: str, scene: Scene) -> Region:
    """The region of a structure. Raises Refusal `structure-skipped` where it has no voxel."""
    region = scene.label_map.region(scene.labels[name])
    if not region.array.any():
        raise Refusal(
            "structure-skipped", f"it is built from the structure '{name}', which has no voxel"
        )
    return region


def _keep(region: Region, which: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Region:
    """The components that `which` names, from the array of components and their voxel counts."""
    components, count = cc3d.connected_components(region.array, connectivity=FACES, return_N=True)
    voxels = np.bincount(components[region.array], minlength=count + 1)[1:]
    kept = np.zeros(count + 1, bool)
    kept[which(components, voxels)] = True
    kept[0] = False
    return Region(region.box, kept[components])


def _warn_of_fine(mm: float, voxel: float, scene: Scene) -> None:
    if mm < voxel / 2:
        scene.record.warn(
            "step-too-fine",
            f"a step of {mm:g} mm is less than half a voxel of {voxel:.4g} mm and changes nothing",
        )


def _near(mask: np.ndarray, mm: float, grid: Grid) -> np.ndarray:
    """The voxels within `mm` of a true one: centres in an ellipsoid about its centre.

    Its semi-axes are half a voxel longer than `mm`, so that a face across an axis moves by the nearest
    whole number of voxels; without it a surface falls short by up to a whole voxel. Exact Euclidean
    distances: Maurer, Qi and Raghavan 2003, doi:10.1109/TPAMI.2003.1177156.
    """
    if not mask.any():
        return mask
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(mask.view(np.uint8))
    image.SetSpacing([spacing / (mm + spacing / 2) for spacing in grid.spacing])
    squared = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=True, useImageSpacing=True
    )
    # The array is a view of `squared`, which must live as long; float32 holds squares to 1e-7.
    return sitk.GetArrayViewFromImage(squared) <= 1 + 1e-6
