"""How well two masks of one grid agree.

Definitions: Metrics Reloaded (Maier-Hein et al. 2024, doi:10.1038/s41592-023-02151-z), those of
surfaces with areas in the place of counts (`surface_distance`).
"""

import numpy as np

from scanmill.agreement.surface_distance import surface_distances
from scanmill.grid import Triple

Array = np.ndarray


def measures_of(one: Array, other: Array, spacing: Triple, tolerance: float) -> dict[str, float]:
    """Overlap and distances of two masks, by the columns of `columns.REFERENCE`; lengths in mm.

    one, other: bool, [z, y, x], of one shape, neither empty. spacing: (x, y, z) mm. tolerance: mm.
    """
    both = int(np.count_nonzero(one & other))
    either = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    ways = surface_distances(one, other, spacing)
    area = sum(float(way.areas.sum()) for way in ways)
    return {
        "dice": 2 * both / either,
        "jaccard": both / (either - both),
        "surface_dice": sum(way.within(tolerance) for way in ways) / area,
        "surface_dice_tolerance_mm": tolerance,
        "hausdorff_95_mm": max(way.percentile(95) for way in ways),
        "hausdorff_mm": max(float(way.distances[-1]) for way in ways),
        "average_surface_distance_mm": sum(float(way.distances @ way.areas) for way in ways) / area,
    }
