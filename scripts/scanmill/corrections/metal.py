"""Metal in a CT: where it lies."""

import cc3d
import numpy as np

from scanmill.grid import Grid

# Enamel and the densest bone stay below CORE_HU, which a 12-bit CT, clipped at 3071, still holds.
CORE_HU = 3000
EDGE_HU = 2200
# A ball of 2.7 mm across: smaller metal casts no streak that stands out of the noise.
LEAST_CORE_MM3 = 10.0


def find_metal(image: np.ndarray, grid: Grid) -> np.ndarray | None:
    """The metal of a CT in HU, a mask [z, y, x]; None where there is none.

    Connected voxels above EDGE_HU of which at least LEAST_CORE_MM3 are above CORE_HU.
    """
    if image.max() <= CORE_HU:
        return None
    pieces = cc3d.connected_components(image > EDGE_HU)
    cores = np.bincount(pieces[image > CORE_HU], minlength=int(pieces.max()) + 1)
    chosen = cores * grid.voxel_volume >= LEAST_CORE_MM3
    chosen[0] = False
    return chosen[pieces] if chosen.any() else None
