"""Can an image's intensities be Hounsfield units?"""

import numpy as np

from scanmill.grid import Grid

TELLING_VOLUME_MM3 = 1e6
LEAST_SPAN_HU = 100.0


def doubt(image: np.ndarray, grid: Grid) -> str | None:
    """Why the intensities of a CT cannot be Hounsfield units; None where they can.

    A litre or more without a negative value (8-bit greys, or CT numbers whose offset of 1024 was
    not subtracted), or with hardly any contrast (scaled to 0..1 or to unit variance), is not in HU:
    fat lies at -100, air at -1000. Smaller crops may lie within one organ: they pass.
    """
    low, high = float(image.min()), float(image.max())
    telling = image.size * grid.voxel_volume >= TELLING_VOLUME_MM3
    if telling and (low >= 0 or high - low < LEAST_SPAN_HU):
        return (
            f"the intensities run from {low:g} to {high:g}; in Hounsfield units a body has fat "
            "near -100 and air near -1000: supply the CT in its original units"
        )
    return None
