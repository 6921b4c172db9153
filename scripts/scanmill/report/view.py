"""The three ways to look at a scan: slices across its grid's own axes, hung as radiologists do.

Axial slices are seen from the feet and coronal ones from the front, with the patient's right on the
viewer's left; sagittal ones from the patient's left, with the front on the viewer's left.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from scanmill.grid import TOWARDS, Grid

# By name: the patient's axis (0 left, 1 posterior, 2 superior) across the slices, and what lies to the
# viewer's right and below.
HANGINGS = {
    "axial": (2, (0, 1), (1, 1)),
    "coronal": (1, (0, 1), (2, -1)),
    "sagittal": (0, (1, 1), (2, -1)),
}
# A side of the patient is named where an edge faces it by at least this: the sine of 10 degrees.
FACING = 0.17


@dataclass(frozen=True)
class View:
    """Slices across one axis of a grid, and how they lie in a picture.

    name: of the patient's planes the nearest: axial, coronal or sagittal. across, right, down: axes of
    the grid (0 x, 1 y, 2 z). signs: of right and down, -1 where the picture runs against the axis.
    """

    name: str
    grid: Grid
    across: int
    right: int
    down: int
    signs: tuple[int, int]

    @property
    def slices(self) -> int:
        """How many slices there are."""
        return self.grid.size[self.across]

    @property
    def pixel(self) -> tuple[float, float]:
        """Width and height of a pixel, mm."""
        return self.grid.spacing[self.right], self.grid.spacing[self.down]

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height of a picture, mm."""
        width, height = self.grid.size[self.right], self.grid.size[self.down]
        return width * self.pixel[0], height * self.pixel[1]

    def cut(self, array: np.ndarray, index: int) -> np.ndarray:
        """The slice of an array [z, y, x] of the grid as a picture, rows from top to bottom."""
        return self.turned(np.take(array, index, axis=2 - self.across))

    def turned(self, plane: np.ndarray) -> np.ndarray:
        """A slice with its rows and columns as they lie in the array, as a picture."""
        upright = plane.T if self.right > self.down else plane
        return upright[:: self.signs[1], :: self.signs[0]]

    def place(self, point: np.ndarray) -> np.ndarray:
        """Where LPS points (..., 3) are in a picture: mm to the right and down from its corner."""
        index = self.grid.to_index(point)
        ends = np.array([self.grid.size[self.right], self.grid.size[self.down]])
        pixels = index[..., [self.right, self.down]] + 0.5
        pixels = np.where(np.array(self.signs) > 0, pixels, ends - pixels)
        return pixels * self.pixel

    def slice_of(self, point: np.ndarray) -> int:
        """The slice nearest to an LPS point."""
        index = int(np.rint(self.grid.to_index(point)[self.across]))
        return min(max(index, 0), self.slices - 1)

    def marks(self) -> dict[str, str]:
        """Which side of the patient the picture's left, right, top and bottom face: L, AR, …"""
        axes = np.reshape(self.grid.direction, (3, 3)).T
        right, down = axes[self.right] * self.signs[0], axes[self.down] * self.signs[1]
        return {
            "left": facing(-right),
            "right": facing(right),
            "top": facing(-down),
            "bottom": facing(down),
        }


def views(grid: Grid) -> list[View]:
    """The axial, coronal and sagittal view of a grid, in this order, along its own axes."""
    direction = np.reshape(grid.direction, (3, 3))
    # Of the patient's axes the grid's nearest, each one's own.
    nearest = max(
        permutations(range(3)), key=lambda axes: sum(abs(direction[p, axes[p]]) for p in range(3))
    )
    found = []
    for name, (across, (right, to_right), (down, to_down)) in HANGINGS.items():
        signs = tuple(
            1 if direction[patient, nearest[patient]] * towards > 0 else -1
            for patient, towards in ((right, to_right), (down, to_down))
        )
        found.append(View(name, grid, nearest[across], nearest[right], nearest[down], signs))
    return found


def facing(vector: np.ndarray) -> str:
    """The sides of the patient that a unit vector in LPS points to, the nearest first."""
    towards = {side: float(np.dot(vector, unit)) for side, unit in TOWARDS.items()}
    return "".join(
        side for side in sorted(towards, key=lambda s: -towards[s]) if towards[side] > FACING
    )
