"""Stacks of slices whose values tell their own place, and the judge of how one was read.

Each pixel's value is a linear function of its centre's place in LPS mm, so that a flip, a swap of
axes, a shift, a wrong spacing, a lost or exchanged slice or a wrong rescale shows as a wrong value,
while a linear resampling, where one is due, keeps the values true.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

GRADIENT = (29.0, 61.0, 43.0)  # per mm along L, P and S: no two alike, so that swaps show
AIR = -1000.0  # what CT padding may read as at most: nothing that looks like tissue
CLOSE = 0.02  # voxels: rounding of positions that headers hold
LOOSE = 0.12  # voxels: damage that hides within what a reader takes for rounding


@dataclass(frozen=True)
class Stack:
    """Parallel slices, as acquired.

    columns, rows: pixels of a slice. pixel: mm between columns, and between rows. heights: mm of
    each slice along the slices' normal, rising. lean: mm that the slices move along their rows, and
    their columns, for each mm of height: a tilted gantry. turn: 3x3, its columns are the LPS unit
    vectors along a row, along a column and of the normal. origin: LPS mm of the first pixel of a
    slice of height 0. middle: the value at the stack's centre. gradient: change per mm along L, P, S.
    padded: the first corner of each slice holds padding.
    """

    columns: int = 12
    rows: int = 10
    pixel: tuple[float, float] = (0.7, 0.9)
    heights: tuple[float, ...] = tuple(2.5 * k for k in range(9))
    lean: tuple[float, float] = (0.0, 0.0)
    turn: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    origin: tuple[float, float, float] = (-31.5, 12.25, 70.0)
    middle: float = 1100.0
    gradient: tuple[float, float, float] = GRADIENT
    padded: bool = False

    @property
    def axes(self) -> np.ndarray:
        """3x3: columns are the unit vectors along a row, along a column, and the normal."""
        return np.reshape(self.turn, (3, 3))

    def position(self, k: int) -> np.ndarray:
        """LPS mm of the first pixel's centre of slice k."""
        height = self.heights[k]
        return self.axes @ [self.lean[0] * height, self.lean[1] * height, height] + self.origin

    def points(self) -> np.ndarray:
        """LPS mm of every pixel's centre, [slice, row, column, 3]."""
        along_row = np.arange(self.columns)[:, None] * self.pixel[0] * self.axes[:, 0]
        along_column = np.arange(self.rows)[:, None] * self.pixel[1] * self.axes[:, 1]
        corners = np.array([self.position(k) for k in range(len(self.heights))])
        return corners[:, None, None] + along_column[:, None] + along_row

    def value_at(self, points: np.ndarray) -> np.ndarray:
        """The true value at LPS points (..., 3)."""
        centre = self.points().reshape(-1, 3).mean(axis=0)
        return self.middle + (points - centre) @ self.gradient

    def values(self) -> np.ndarray:
        """The true value of every pixel, [slice, row, column]."""
        return self.value_at(self.points())

    def padding(self) -> np.ndarray:
        """Which pixels hold padding, [slice, row, column]."""
        mask = np.zeros((len(self.heights), self.rows, self.columns), bool)
        mask[:, :3, :4] = self.padded
        return mask

    @property
    def is_regular(self) -> bool:
        """True where the stack is a grid of right angles."""
        gaps = np.diff(self.heights)
        return self.lean == (0.0, 0.0) and bool(np.ptp(gaps) < 1e-6)

    def covers(self, points: np.ndarray, margin: float) -> np.ndarray:
        """Which LPS points lie among the pixel centres, or at most `margin` mm beyond them."""
        along_row, along_column, height = np.moveaxis((points - self.origin) @ self.axes, -1, 0)
        inside = (height >= self.heights[0] - margin) & (height <= self.heights[-1] + margin)
        sides = ((along_row, self.columns, 0), (along_column, self.rows, 1))
        for along, count, axis in sides:
            along = along - self.lean[axis] * height
            end = (count - 1) * self.pixel[axis]
            inside &= (along >= -margin) & (along <= end + margin)
        return inside


@dataclass(frozen=True)
class Reading:
    """What a reader made of a series: voxels [z, y, x], and LPS mm of index (x, y, z)."""

    array: np.ndarray
    axes: np.ndarray
    origin: np.ndarray

    def places(self) -> np.ndarray:
        """LPS mm of every voxel's centre, [z, y, x, 3]."""
        index = np.moveaxis(np.indices(self.array.shape)[::-1], 0, -1)
        return index @ np.transpose(self.axes) + self.origin

    def index_of(self, points: np.ndarray) -> np.ndarray:
        """Continuous index (x, y, z) of LPS points."""
        return (points - self.origin) @ np.linalg.inv(self.axes).T


def turned(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> tuple[float, ...]:
    """The axes of axial slices after turns in degrees about S, then P, then L."""
    return tuple(Rotation.from_euler("zyx", [z, y, x], degrees=True).as_matrix().ravel())


def facing(row: str, column: str) -> tuple[float, ...]:
    """The axes of slices whose rows and columns run to these sides of the patient (of LRPASI)."""
    sides = dict(zip("LPSRAI", [*np.eye(3), *-np.eye(3)], strict=True))
    both = [sides[row], sides[column]]
    return tuple(np.column_stack([*both, np.cross(*both)]).ravel())


def fault(reading: Reading, stack: Stack, step: float = 1.0, within: float = CLOSE) -> str:
    """What is wrong with a reading of a stack, or '' where every voxel and place is right.

    step: largest distance between two stored values, measured. within: voxels by which a voxel may
    lie off its true place.
    """
    if reading.array.ndim != 3 or not np.isfinite(reading.array).all():
        return "the array is not three-dimensional and finite"
    if stack.is_regular:
        return _fault_of_grid(reading, stack, 0.51 * step, within)
    # Once more where a resampled value is rounded to an integer, and the rounding of positions.
    return _fault_of_resampled(reading, stack, 0.51 * step + 0.51 + 0.1)


def _fault_of_grid(reading: Reading, stack: Stack, tolerance: float, within: float) -> str:
    index = reading.index_of(stack.points())
    nearest = np.rint(index).astype(int)
    if np.abs(index - nearest).max() > within:
        return "the voxels lie elsewhere than the pixels"
    size = reading.array.shape[::-1]
    if (nearest < 0).any() or (nearest >= size).any():
        return "a part of the series is lost"
    if reading.array.size != len(np.unique(nearest.reshape(-1, 3), axis=0)):
        return "there are voxels where the series has none"
    found = reading.array[nearest[..., 2], nearest[..., 1], nearest[..., 0]]
    padding = stack.padding()
    off = np.abs(found - stack.values())[~padding].max()
    if off > tolerance:
        return f"values are off by up to {off:.4g}"
    return "padding looks like tissue" if (found[padding] > AIR).any() else ""


def _fault_of_resampled(reading: Reading, stack: Stack, tolerance: float) -> str:
    index = reading.index_of(stack.points())
    if (index < -0.501).any() or (index > np.array(reading.array.shape[::-1]) - 0.499).any():
        return "a part of the series is lost"
    sides = np.linalg.norm(reading.axes, axis=0)
    finest = (*stack.pixel, np.diff(stack.heights).min())
    if (np.sort(sides) > 1.01 * np.sort(finest)).any():
        return "voxels are larger than what was acquired"
    places = reading.places()
    off = np.abs(reading.array - stack.value_at(places))[stack.covers(places, 1e-6)].max()
    if off > tolerance:
        return f"values are off by up to {off:.4g}"
    beyond = reading.array[~stack.covers(places, 1.01 * sides.max())]
    return "tissue was invented" if (beyond > stack.values().min()).any() else ""


def brighter(stack: Stack, by: float) -> Stack:
    """The same place, every value larger: another phase of the same scan."""
    return replace(stack, middle=stack.middle + by)
