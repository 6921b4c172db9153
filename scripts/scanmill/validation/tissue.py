"""What a scan shows within each structure and around them, freed of noise and of the edges' blur.

Where a voxel is wholly one tissue, and its neighbours are, a scan tells that tissue; the smoothed mean
of such voxels goes on to the boundary and a little beyond it. So every edge is as sharp as geometry
makes it, while each tissue keeps the scan's own slow changes: texture, and the shading of an MR coil.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import affine_transform, binary_erosion, gaussian_filter

from scanmill.grid import Grid
from scanmill.label_map import Box
from scanmill.validation.coverage import Coverage
from scanmill.volume_file import Volume

PURE = 0.99
# Fewer voxels than this tell a tissue badly: those beside a boundary are asked too.
FEW = 20
# Of the Gaussian, in voxels of the finest spacing; voxels that a field goes on beyond its structure.
SMOOTHING, MARGIN = 1.5, 3
LEAST_WEIGHT = 1e-6


@dataclass(frozen=True)
class Tissue:
    """A tissue's intensities, float32 [z, y, x], where it is and a little around.

    box: of the scan's array.
    """

    values: np.ndarray
    box: Box

    def on(self, scan: Grid, grid: Grid, box: Box) -> np.ndarray:
        """The intensities in a box of another grid; its thicker voxels average along their length."""
        parts = np.maximum(1, np.rint(np.divide(grid.spacing, scan.spacing))).astype(int)
        steps = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5 for n in parts]), -1)
        steps = steps.reshape(-1, 3)
        start = [s.start for s in box[::-1]]
        turn = (np.linalg.inv(scan.axes) @ grid.axes)[::-1, ::-1]
        mean = np.zeros([s.stop - s.start for s in box], np.float32)
        for step in steps:
            first = scan.to_index(grid.to_physical(start + step))[::-1]
            offset = first - [s.start for s in self.box]
            mean += affine_transform(
                self.values, turn, offset, mean.shape, order=1, mode="nearest", output=np.float32
            )
        return mean / np.float32(len(steps))


def tissues_of(scan: Volume, covered: Sequence[Coverage]) -> tuple[Tissue, list[Tissue | None]]:
    """The tissue around all structures, and that of each; None of a structure that no voxel shows.

    covered: the structures on the scan's grid.
    """
    outside = np.ones(scan.grid.shape, np.float32)
    for part in covered:
        outside[part.box] -= part.visible
    everywhere = tuple(slice(0, n) for n in scan.grid.shape)
    around = _tissue(scan, Coverage(everywhere, outside, outside))
    own = [_tissue(scan, part) if part.visible.any() else None for part in covered]
    if around is None:
        around = Tissue(np.full((1, 1, 1), scan.array.min(), np.float32), everywhere)
    return around, own


def _tissue(scan: Volume, part: Coverage) -> Tissue | None:
    box, visible = _widened(part, scan.grid)
    image = scan.array[box].astype(np.float32)
    weight = _purest(visible)
    if weight is None:
        return None
    mean = float((weight * image).sum(dtype=float) / weight.sum(dtype=float))
    sd = [SMOOTHING * min(scan.grid.spacing) / step for step in scan.grid.spacing[::-1]]
    near = gaussian_filter(weight, sd)
    image = gaussian_filter((image - mean) * weight, sd)
    return Tissue(mean + np.where(near > LEAST_WEIGHT, image / np.maximum(near, 1e-30), 0), box)


def _widened(part: Coverage, grid: Grid) -> tuple[Box, np.ndarray]:
    """A box with a margin, and what is visible in it."""
    box = tuple(
        slice(max(0, s.start - MARGIN), min(n, s.stop + MARGIN))
        for s, n in zip(part.box, grid.shape, strict=True)
    )
    visible = np.zeros([s.stop - s.start for s in box], np.float32)
    inner = tuple(
        slice(s.start - b.start, s.stop - b.start) for s, b in zip(part.box, box, strict=True)
    )
    visible[inner] = part.visible
    return box, visible


def _purest(visible: np.ndarray) -> np.ndarray | None:
    """Weights of the voxels that tell a tissue best: inner ones, or whole ones, or by their part."""
    pure = visible > PURE
    inner = binary_erosion(pure, border_value=1)
    for mask in (inner, pure):
        if np.count_nonzero(mask) >= FEW:
            return mask.astype(np.float32)
    return visible**4 if visible.max() > 0 else None
