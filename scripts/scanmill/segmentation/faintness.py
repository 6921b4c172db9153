"""How much of a structure's surface a scan does not show: what grew there may have stopped anywhere."""

import numpy as np

from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.segmentation import Scene, Structure
from scanmill.segmentation.regions import cut, needed, widen

# On either side of a place of the surface, voxels count by a Gaussian of so many voxels.
NEARBY = 1.5
# Where two sides differ by less than this, in standard deviations of either, they look alike. Where
# more of the surface does, there is a warning: docs/seeded.py counts how many of the wrong ones it
# finds, and how many of the right ones it doubts.
ALIKE, MOST_ALIKE = 1.0, 0.3
# Of a Gaussian, less than this lies on one side: too little to judge by.
TOO_LITTLE = 0.02


def warn(structure: Structure, found: Region, scene: Scene) -> None:
    """Warn, `seeded-faint`, where much of the surface of what grew looks alike on both sides."""
    share = faint_share(found, scene.image(), _open_to(structure, scene), scene.grid)
    if share > MOST_ALIKE:
        scene.record.warn(
            "seeded-faint",
            f"over {100 * share:.0f} % of its surface, the intensities on both sides differ by less "
            "than their own standard deviation; there it may have leaked or fallen short: look at it, "
            "and put seeds into what it missed, and of the background into what it took wrongly",
            structure["name"],
        )


def faint_share(found: Region, image: np.ndarray, open_to: Region | None, grid: Grid) -> float:
    """The part of a region's surface, counted in voxels, across which the image hardly changes.

    image: [z, y, x] on the grid. open_to: where the region could have grown; None: everywhere. What of
    the surface lies against the rest is not judged; 0 where nothing is.
    """
    # Imported here: most cases do without it, and every job pays for its imports.
    from scipy import ndimage

    sigma = NEARBY * grid.voxel_volume ** (1 / 3) / np.array(grid.spacing)
    wide = widen(found, tuple(int(n) for n in np.ceil(4 * sigma) + 1), grid)
    allowed = np.ones(wide.array.shape, bool) if open_to is None else cut(open_to, wide.box)
    inner, outer = wide.array & allowed, ~wide.array & allowed
    values = image[wide.box].astype(np.float32)
    values -= values[inner].mean() if inner.any() else 0

    def nearby(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the voxels around each place: how many, their mean and their variance."""
        amount, total, squares = (
            ndimage.gaussian_filter(weights * power, sigma[::-1], mode="constant")
            for power in (np.float32(1), values, values**2)
        )
        mean = total / np.maximum(amount, TOO_LITTLE)
        return amount, mean, np.maximum(squares / np.maximum(amount, TOO_LITTLE) - mean**2, 0)

    (n1, mean1, var1), (n2, mean2, var2) = nearby(inner), nearby(outer)
    surface = inner & ndimage.binary_dilation(outer) & (np.minimum(n1, n2) > TOO_LITTLE)
    alike = (mean1 - mean2) ** 2 < ALIKE**2 * (var1 + var2) / 2
    return float(np.count_nonzero(alike & surface) / max(np.count_nonzero(surface), 1))


def _open_to(structure: Structure, scene: Scene) -> Region | None:
    around = structure["segment"]["inside"]
    return needed(around, scene) if around else None
