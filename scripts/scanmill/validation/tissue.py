"""What a scan shows within each structure and around them, without the blur of the edges between.

A voxel that is wholly one tissue tells it; what lies beside such voxels goes on beyond them, over the
boundary and a little further. So every edge is as sharp as geometry makes it, while each tissue keeps
what the scan shows in it: a bone its cortex, a lung its vessels, MR the shading of its coil.
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
# What a whole voxel beside a boundary counts against an inner one, and a mixed one against that.
LITTLE = 0.1
# Of the Gaussian, in voxels of the finest spacing; voxels that a field goes on beyond its structure.
REACH, MARGIN = 1.0, 3
LEAST_TRUST = 1e-12


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

    scan: without its noise. covered: the structures on its grid.
    """
    outside = np.ones(scan.grid.shape, np.float32)
    for part in covered:
        outside[part.box] -= part.visible
    # Never nothing, so that it has a mean also where structures fill the whole scan.
    outside = np.maximum(outside, LITTLE)
    everywhere = tuple(slice(0, n) for n in scan.grid.shape)
    around = _tissue(scan, Coverage(everywhere, outside, outside))
    return around, [_tissue(scan, part) if part.visible.any() else None for part in covered]


def _tissue(scan: Volume, part: Coverage) -> Tissue:
    box, visible = _widened(part, scan.grid)
    image = scan.array[box].astype(np.float32)
    trust = _trust(visible)
    mean = float((trust * image).sum(dtype=float) / trust.sum(dtype=float))
    sd = [REACH * min(scan.grid.spacing) / step for step in scan.grid.spacing[::-1]]
    near = gaussian_filter(trust, sd)
    beside = gaussian_filter((image - mean) * trust, sd) / np.maximum(near, LEAST_TRUST)
    return Tissue(np.where(visible > PURE, image, mean + beside), box)


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


def _trust(visible: np.ndarray) -> np.ndarray:
    """How much each voxel tells of a tissue: inner ones all, whole ones little, mixed ones hardly.

    So where a tissue is thin, it is told by what there is of it, however thick it is elsewhere.
    """
    pure = visible > PURE
    inner = binary_erosion(pure, border_value=1)
    return (inner + LITTLE * pure + LITTLE**2 * visible**4).astype(np.float32)
