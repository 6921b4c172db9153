"""Where a structure lies in the patient: LPS millimetres."""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_map import Region


def location(region: Region, grid: Grid) -> dict[str, float | bool]:
    """Centroid and bounding box of a region, LPS mm, and whether it touches the scan's border.

    The box holds the voxels whole, not just their centres; its faces follow the patient's axes, also
    where the grid's do not.
    """
    offset = np.array([s.start for s in region.box[::-1]], float)
    mean, low, high = _extremes(region.array, grid.axes)
    centroid = grid.to_physical(mean + offset)
    start = grid.to_physical(offset)
    half = np.abs(grid.axes).sum(axis=1) / 2
    found: dict[str, float | bool] = {}
    for n, axis in enumerate("xyz"):
        found[f"centroid_{axis}_mm"] = float(centroid[n])
        found[f"bbox_min_{axis}_mm"] = float(start[n] + low[n] - half[n])
        found[f"bbox_max_{axis}_mm"] = float(start[n] + high[n] + half[n])
    found["touches_border"] = any(
        s.start == 0 or s.stop == n for s, n in zip(region.box, grid.shape, strict=True)
    )
    return found


@kernel
def _extremes(mask, axes):  # noqa: ANN001, ANN202
    """Mean index (x, y, z) of a mask, and the least and largest axes @ index along each axis."""
    count = 0
    total = np.zeros(3)
    low = np.full(3, np.inf)
    high = np.full(3, -np.inf)
    for z in range(mask.shape[0]):
        for y in range(mask.shape[1]):
            first, last, n, sx = -1, -1, 0, 0
            for x in range(mask.shape[2]):
                if mask[z, y, x]:
                    if first < 0:
                        first = x
                    last = x
                    n += 1
                    sx += x
            if n == 0:
                continue
            count += n
            total[0] += sx
            total[1] += n * y
            total[2] += n * z
            for a in range(3):
                row = axes[a, 1] * y + axes[a, 2] * z
                one, other = row + axes[a, 0] * first, row + axes[a, 0] * last
                low[a] = min(low[a], one, other)
                high[a] = max(high[a], one, other)
    return total / count, low, high
