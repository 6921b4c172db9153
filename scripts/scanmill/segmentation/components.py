"""Steps that keep connected parts of a region, or fill parts of its background.

Components are joined through voxel faces only: two bodies that share no more than an edge or a corner
are two, since a chain of corners is the commonest way for a region to leak. The background is joined
through edges and corners as well, so that each loop and each shell has an inside.
"""

from collections.abc import Callable

import cc3d
import fill_voids
import numpy as np

from scanmill.label_map import Region, count_voxels
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene
from scanmill.segmentation.regions import cut, needed, widen

FACES, CORNERS = 6, 26
CUBIC_MM_PER_ML = 1000.0
# Of a list of components, by the array that numbers them and their voxel counts, those that are kept.
Choice = Callable[[np.ndarray, np.ndarray], np.ndarray]


def touching(region: Region, name: str, scene: Scene) -> Region:
    """Keep the components that overlap a structure or share a voxel face with it."""
    # Imported here: most cases do without it, and every job pays for its imports.
    from scipy import ndimage

    wide = widen(region, (1, 1, 1), scene.grid)
    near = ndimage.binary_dilation(cut(needed(name, scene), wide.box))
    return _keep(wide, lambda components, _: np.unique(components[near]))


def largest(region: Region, count: int | dict[str, int], scene: Scene) -> Region:
    """Keep the `count` largest components; of equal ones, those first in the array.

    count: a number, or {per_side: number}: so many of those mostly left of the patient's midline, and
    as many of the others. Raises Refusal `midline-unclear`.
    """
    if isinstance(count, int):
        return _keep(region, lambda _, voxels: _by_size(voxels)[:count])
    left = scene.midline.is_left(region.box, scene.grid)

    def of_each_side(components: np.ndarray, voxels: np.ndarray) -> np.ndarray:
        lefts = np.bincount(components[left], minlength=len(voxels) + 1)[1:]
        order = _by_size(voxels)
        mostly = (2 * lefts > voxels)[order - 1]
        return np.concatenate([order[side][: count["per_side"]] for side in (mostly, ~mostly)])

    return _keep(region, of_each_side)


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

    def inner(components: np.ndarray, voxels: np.ndarray) -> np.ndarray:
        cut_off = [np.unique(components.take(end, axis)) for axis, end in ends]
        return np.setdiff1d(1 + np.arange(len(voxels)), np.concatenate([[0], *cut_off]))

    return _keep(region, inner)


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


def cavities(region: Region, count: int, scene: Scene) -> Region:
    """Fill the cavities, background enclosed in 3D, but the `count` largest; warn where fewer are."""
    holes = fill_voids.fill(region.array) & ~region.array
    numbers, found = cc3d.connected_components(holes, connectivity=CORNERS, return_N=True)
    if found < count:
        scene.record.warn(
            "cavities-missing",
            f"{found} of {count} cavities that the recipe says a structure has are there",
        )
    voxels = np.bincount(numbers[holes], minlength=found + 1)[1:]
    return Region(region.box, region.array | np.isin(numbers, _by_size(voxels)[count:]))


def _by_size(voxels: np.ndarray) -> np.ndarray:
    """The numbers of components, from 1, the largest first."""
    return 1 + np.argsort(-voxels, kind="stable")


def _keep(region: Region, which: Choice) -> Region:
    components, count = cc3d.connected_components(region.array, connectivity=FACES, return_N=True)
    voxels = count_voxels(components, count + 1)[1:]
    kept = np.zeros(count + 1, bool)
    kept[which(components, voxels)] = True
    kept[0] = False
    return region if kept[1:].all() else Region(region.box, kept[components])
