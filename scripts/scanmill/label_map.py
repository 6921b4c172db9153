"""Which structure each voxel belongs to, without losing what overlaps."""

from dataclasses import dataclass, field

import numpy as np

from scanmill.grid import Grid, bounding_box
from scanmill.kernel import kernel

Box = tuple[slice, slice, slice]


@dataclass
class Region:
    """A mask cropped to a box of its grid. array: bool, [z, y, x], of the box's shape."""

    box: Box
    array: np.ndarray

    @classmethod
    def of(cls, mask: np.ndarray) -> "Region":
        """The region of a mask of the whole grid."""
        box = bounding_box(mask)
        return cls(box, np.ascontiguousarray(mask[box]))

    def count(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.array))

    def full(self, shape: tuple[int, int, int]) -> np.ndarray:
        """The mask on the whole grid."""
        mask = np.zeros(shape, bool)
        mask[self.box] = self.array
        return mask


@dataclass(frozen=True)
class Doubt:
    """A structure as small and as large as it may be: masks of one box, all of the one in the other."""

    surely: Region
    perhaps: Region


@dataclass
class LabelMap:
    """A semantic label map, [z, y, x], and the whole masks of the structures that others cover.

    Structures are painted in the order of the recipe, so a later one (a tumour) lies on an earlier one
    (its organ). `covered` keeps, by label, the whole region of each structure that lost voxels so.
    """

    array: np.ndarray
    grid: Grid
    covered: dict[int, Region] = field(default_factory=dict)

    @classmethod
    def empty(cls, grid: Grid, largest_label: int) -> "LabelMap":
        """A map of background, in the smallest type that holds the largest label."""
        return cls(np.zeros(grid.shape, np.min_scalar_type(largest_label)), grid)

    def paint(self, label: int, region: Region) -> None:
        """Give a structure its region; keep whole what it covers."""
        under = self.array[region.box]
        for other in np.unique(under[region.array]):
            if other not in (0, label) and int(other) not in self.covered:
                self.covered[int(other)] = self.region(int(other))
        under[region.array] = label

    def region(self, label: int) -> Region:
        """The whole region of a structure, covered parts included; empty where it has no voxel."""
        if label in self.covered:
            return self.covered[label]
        return Region.of(self.array == label)

    def regions(self) -> dict[int, Region]:
        """The whole region of every structure that has a voxel, by label, found in one pass."""
        found = regions_of(self.array)
        return dict(sorted((found | self.covered).items()))


def regions_of(labels: np.ndarray) -> dict[int, Region]:
    """The region of each label of a map [z, y, x] but the background, by label."""
    boxes = boxes_of(labels, int(labels.max(initial=0)) + 1)
    return {label: Region(box, labels[box] == label) for label, box in boxes.items()}


def boxes_of(labels: np.ndarray, number: int) -> dict[int, Box]:
    """The box of each label, from 1 to number - 1, that a map [z, y, x] has, by label."""
    return {
        label: (slice(*ends[0:2]), slice(*ends[2:4]), slice(*ends[4:6]))
        for label, ends in enumerate(_boxes(labels, number).tolist())
        if label > 0 and ends[1] > 0
    }


def count_voxels(labels: np.ndarray, number: int) -> np.ndarray:
    """Voxels of each label from 0 to number - 1; numpy's bincount copies the map to 64 bits first."""
    return _count(labels.ravel(), number)


def weighted_counts(
    labels: np.ndarray, weights: tuple[np.ndarray, np.ndarray, np.ndarray], number: int
) -> np.ndarray:
    """Voxels of each label, each counting by the product of its layers' weights along x, y and z."""
    counts = count_voxels(labels, number).astype(float)
    if all((weight > 1 - 1e-6).all() for weight in weights):
        return counts
    return counts - _lacking(labels, *weights, number)


@kernel
def _lacking(labels, along_x, along_y, along_z, number):  # noqa: ANN001, ANN202
    """What voxels of each label weigh less than one: few layers do, at the edges of a scan."""
    lacking = np.zeros(number)
    light = np.flatnonzero(along_x < 1)
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            row = along_z[z] * along_y[y]
            if row < 1:
                for x in range(labels.shape[2]):
                    lacking[labels[z, y, x]] += 1 - row * along_x[x]
            else:
                for x in light:
                    lacking[labels[z, y, x]] += 1 - along_x[x]
    return lacking


@kernel
def _count(labels, number):  # noqa: ANN001, ANN202
    counts = np.zeros((4, number), np.int64)
    whole = len(labels) // 4 * 4
    # Four tallies: neighbours mostly share a label, and adding to one number in a row is slow.
    for n in range(0, whole, 4):
        counts[0, labels[n]] += 1
        counts[1, labels[n + 1]] += 1
        counts[2, labels[n + 2]] += 1
        counts[3, labels[n + 3]] += 1
    for n in range(whole, len(labels)):
        counts[0, labels[n]] += 1
    return counts.sum(axis=0)


@kernel
def _boxes(labels, number):  # noqa: ANN001, ANN202
    """For each label: first and last-plus-one index along z, y and x; zeros where it is absent."""
    ends = np.zeros((number, 6), np.int64)
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            x = 0
            while x < labels.shape[2]:
                label = labels[z, y, x]
                start = x
                while x < labels.shape[2] and labels[z, y, x] == label:
                    x += 1
                e = ends[label]
                if e[1] == 0:
                    e[0], e[2], e[4] = z, y, start
                e[1] = z + 1
                e[2], e[3] = min(e[2], y), max(e[3], y + 1)
                e[4], e[5] = min(e[4], start), max(e[5], x)
    return ends
