"""The voxels that are known to be of a structure: around points, or the core of another structure."""

import cc3d
import numpy as np

from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.recipe import FROM_FILE
from scanmill.refusal import Refusal
from scanmill.seed_file import BACKGROUND, Seed
from scanmill.segmentation import Scene, Structure
from scanmill.segmentation.components import FACES
from scanmill.segmentation.regions import needed, tight
from scanmill.segmentation.steps import erode

# Air, and what is more air than tissue.
AIR_HU, HALF_AIR_HU = -900, -500
MIRRORED = (-1.0, -1.0, 1.0)


def seeds_of(structure: Structure, scene: Scene) -> Region:
    """The seeds of a structure. Raises Refusal where it has none, or one is where it cannot be."""
    segment = structure["segment"]
    source = segment["seeds"]
    if source == FROM_FILE:
        points = [seed for seed in scene.seeds if seed.is_of(structure["name"])]
        if not points:
            raise Refusal("seeds-missing", "the sheet's seeds have none of this structure")
    elif isinstance(source, str):
        return _core(source, segment["reach"], scene)
    else:
        points = [Seed(structure["name"], tuple(point), None) for point in source]
    return around(points, segment["radius"], scene)


def background_of(scene: Scene) -> Region:
    """The seeds in the sheet's file that are of no structure; without a voxel where it has none."""
    return around([seed for seed in scene.seeds if seed.is_of(BACKGROUND)], 0.0, scene)


def around(points: list[Seed], radius: float, scene: Scene) -> Region:
    """The voxels whose centre is in one of the balls, and those that the balls' centres lie in.

    radius: mm, of seeds that do not say theirs. Raises Refusal where a centre is outside the scan or,
    in CT, in the air around the patient.
    """
    _check_inside(points, scene.grid)
    if scene.modality == "CT":
        _check_tissue(points, scene)
    mask = np.zeros(scene.grid.shape, bool)
    for seed in points:
        _mark(mask, seed.point, radius if seed.radius is None else seed.radius, scene.grid)
    return Region.of(mask)


def _core(name: str, reach: float, scene: Scene) -> Region:
    """What lies deeper in a structure than half the reach, so that its boundary may move both ways."""
    core = tight(erode(needed(name, scene), reach / 2, scene))
    if not core.array.any():
        raise Refusal(
            "seeds-missing",
            f"no part of '{name}' lies deeper than half the reach of {reach:g} mm; a smaller reach "
            "would be right",
        )
    return core


def _mark(mask: np.ndarray, point: tuple[float, ...], radius: float, grid: Grid) -> None:
    middle = grid.to_index(np.array(point))
    steps = np.floor(radius / np.asarray(grid.spacing)).astype(int) + 1
    low = np.maximum(np.rint(middle).astype(int) - steps, 0)
    high = np.minimum(np.rint(middle).astype(int) + steps + 1, grid.size)
    x, y, z = (np.arange(a, b) for a, b in zip(low, high, strict=True))
    index = np.stack(np.broadcast_arrays(x, y[:, None], z[:, None, None]), axis=-1)
    away = np.linalg.norm(grid.to_physical(index) - point, axis=-1)
    mask[low[2] : high[2], low[1] : high[1], low[0] : high[0]] |= away <= radius
    x, y, z = np.rint(middle).astype(int)
    mask[z, y, x] = True


def _check_inside(points: list[Seed], grid: Grid) -> None:
    places = np.reshape([seed.point for seed in points], (-1, 3))
    outside = ~_holds(grid, places)
    if outside.any():
        found = f"{np.count_nonzero(outside)} of {len(points)} seeds lie outside the scan"
        if _holds(grid, places * MIRRORED).all():
            found += ", and none would if they were RAS"
        raise Refusal("seeds-outside", f"{found}; LPS mm in it would be right")


def _check_tissue(points: list[Seed], scene: Scene) -> None:
    """No seed lies in the air around the patient; in that of airways and bowel it may."""
    index = np.rint(scene.grid.to_index(np.reshape([s.point for s in points], (-1, 3)))).astype(int)
    x, y, z = index.T
    in_air = scene.image()[z, y, x] < AIR_HU
    if not in_air.any():
        return
    air = cc3d.connected_components(scene.image() < HALF_AIR_HU, connectivity=FACES)
    sides = [2 - axis for axis in range(3) if axis != scene.grid.axial_axis]
    around = np.unique(np.concatenate([air.take((0, -1), side).ravel() for side in sides]))
    outside = in_air & np.isin(air[z, y, x], around[around > 0])
    if outside.any():
        raise Refusal(
            "seeds-outside",
            f"{np.count_nonzero(outside)} of {len(points)} seeds lie in the air around the patient, or "
            "in air that a side of the scan cuts; LPS mm in the structure would be right",
        )


def _holds(grid: Grid, points: np.ndarray) -> np.ndarray:
    index = np.rint(grid.to_index(points))
    return ((index >= 0) & (index < grid.size)).all(axis=-1)
