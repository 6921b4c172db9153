"""The steps that rules are made of, and that clean up supplied labels.

Every length is in millimetres of physical space and every volume in millilitres, whatever the
grid. The scan's border is neutral: nothing is eroded there, because the body goes on beyond it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from scanmill.grid import Grid
from scanmill.hounsfield import doubt
from scanmill.label_map import Region
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, margins
from scanmill.segmentation.components import (
    cavities,
    drop,
    fill,
    largest,
    minimum_ml,
    seeds,
    touching,
)
from scanmill.segmentation.handles import handles
from scanmill.segmentation.regions import cut, needed, tight, whole, widen


def apply(steps: list[dict[str, Any]], region: Region | None, scene: Scene) -> Region:
    """The region after the steps, each a dict of one key, in order.

    region: where to start; None is the whole grid. Where a step leaves none, it is empty.
    Raises Refusal `structure-skipped` where a step needs a structure that is empty, `seed-misses`
    where no component holds a seed, `midline-unclear` where a step needs the patient's midline and
    there is none to be found, `not-hounsfield` where a CT's intensities are none.
    """
    region = whole(scene.grid) if region is None else region
    for step in steps:
        if not region.array.any():
            break
        ((name, value),) = step.items()
        region = tight(STEPS[name](region, value, scene))
    return region


def window(region: Region, limits: list[float | None], scene: Scene) -> Region:
    """Keep the voxels with low <= intensity <= high, more or less the leeway; None is no limit."""
    image = scene.image()
    if scene.modality == "CT":
        reason = doubt(image, scene.grid)
        if reason:
            raise Refusal("not-hounsfield", reason)
    low, high = limits
    inside = region.array.copy()
    if low is not None:
        inside &= image[region.box] >= low - scene.leeway
    if high is not None:
        inside &= image[region.box] <= high + scene.leeway
    return Region(region.box, inside)


def inside(region: Region, name: str, scene: Scene) -> Region:
    """Keep the voxels of a structure, the parts that others cover included."""
    return Region(region.box, region.array & cut(needed(name, scene), region.box))


def outside(region: Region, names: str | list[str], scene: Scene) -> Region:
    """Drop the voxels of one structure or several; one that is empty takes nothing away."""
    left = region.array.copy()
    for name in [names] if isinstance(names, str) else names:
        left &= ~cut(scene.opposite(name), region.box)
    return Region(region.box, left)


def apart(region: Region, other: dict[str, Any], scene: Scene) -> Region:
    """Drop the voxels that come nearer than `mm` to a voxel of the structure `from`, wherever in them.

    One that is empty takes nothing away.
    """
    mm = other["mm"]
    more = tuple(int(mm / spacing) + 2 for spacing in scene.grid.spacing)
    wide = widen(region, more, scene.grid)
    structure = cut(scene.opposite(other["from"]), wide.box)
    if not structure.any():
        return region
    from scipy import ndimage

    # Two voxels' boxes are as far apart as the one's centre and that of the other's nearest neighbour.
    around = ndimage.binary_dilation(structure, np.ones((3, 3, 3)))
    away = ndimage.distance_transform_edt(~around, sampling=scene.grid.spacing[::-1])
    return Region(wide.box, wide.array & (away >= mm * (1 - 1e-9)))


def side(region: Region, which: str, scene: Scene) -> Region:
    """Keep what lies left or right of the patient's midline. Raises Refusal `midline-unclear`."""
    left = scene.midline.is_left(region.box, scene.grid)
    return Region(region.box, region.array & (left if which == "left" else ~left))


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


STEPS: dict[str, Callable[[Region, Any, Scene], Region]] = {
    "window": window,
    "inside": inside,
    "outside": outside,
    "apart": apart,
    "side": side,
    "touching": touching,
    "erode": erode,
    "dilate": dilate,
    "margin": margin,
    "open": opened,
    "close": closed,
    "fill": fill,
    "cavities": cavities,
    "handles": handles,
    "largest": largest,
    "seeds": seeds,
    "minimum_ml": minimum_ml,
    "drop": drop,
}


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
