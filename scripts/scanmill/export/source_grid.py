"""A case's structures on the slices of its source, where viewers and planning systems expect them."""

import numpy as np

from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import LabelMap, Region, regions_of
from scanmill.volume_file import Volume

# Voxels of background around a structure on its own: its depth and its rim are then what they are.
MARGIN = 2


def on_source_grid(label_map: LabelMap, grid: Grid) -> dict[int, Region]:
    """The whole region of each structure on another grid, by label; none where it has no voxel there.

    Structures that share the map are brought over together, so that they still meet without gap or
    overlap; those that others cover, each whole and on its own.
    """
    if label_map.grid.same_as(grid):
        return label_map.regions()
    visible = label_map.array
    if label_map.covered:
        visible = np.where(np.isin(visible, list(label_map.covered)), 0, visible)
    regions = regions_of(resample_labels(Volume(visible, label_map.grid), grid))
    for label, region in label_map.covered.items():
        mask = resample_labels(_around(region, label_map.grid), grid)
        if mask.any():
            regions[label] = Region.of(mask > 0)
    return dict(sorted(regions.items()))


def volume_changes(
    label_map: LabelMap, regions: dict[int, Region], grid: Grid
) -> dict[int, tuple[float, float]]:
    """Each structure's voxel-count volume on the other grid, mm3, and its change in percent."""
    changes = {}
    for label, region in label_map.regions().items():
        before = region.count() * label_map.grid.voxel_volume
        after = regions[label].count() * grid.voxel_volume if label in regions else 0.0
        changes[label] = (after, 100 * (after / before - 1))
    return changes


def _around(region: Region, grid: Grid) -> Volume:
    """A region as a map of its own box, with background around it as far as the grid goes."""
    starts = [max(0, s.start - MARGIN) for s in region.box]
    stops = [min(n, s.stop + MARGIN) for s, n in zip(region.box, grid.shape, strict=True)]
    widths = [
        (s.start - low, high - s.stop)
        for s, low, high in zip(region.box, starts, stops, strict=True)
    ]
    array = np.pad(region.array.astype(np.uint8), widths)
    return Volume(array, grid.crop(tuple(starts[::-1]), tuple(array.shape[::-1])))
