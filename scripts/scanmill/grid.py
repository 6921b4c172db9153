"""Where voxels lie: size, spacing, origin and direction of a regular grid in LPS millimetres."""

from dataclasses import dataclass

import numpy as np

Triple = tuple[float, float, float]
Size = tuple[int, int, int]
# LPS unit vectors towards the sides of the patient.
TOWARDS: dict[str, Triple] = {
    "L": (1.0, 0.0, 0.0),
    "R": (-1.0, 0.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0),
    "S": (0.0, 0.0, 1.0),
    "I": (0.0, 0.0, -1.0),
}


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels.

    size: voxels along (x, y, z). spacing: mm between voxel centres. origin: LPS mm of the centre of
    voxel (0, 0, 0). direction: row-major 3x3, its columns are the LPS unit vectors of the x, y and z
    axes (as in ITK and DICOM).
    """

    size: Size
    spacing: Triple
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    @property
    def shape(self) -> Size:
        """Shape of the array of this grid, [z, y, x]."""
        return self.size[::-1]

    @property
    def axes(self) -> np.ndarray:
        """3x3: column k is the LPS step in mm of one voxel along axis k."""
        return np.reshape(self.direction, (3, 3)) * self.spacing

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel, mm3."""
        return float(np.prod(self.spacing))

    @property
    def axial_axis(self) -> int:
        """The axis (0 x, 1 y, 2 z) nearest to the patient's superior axis."""
        return int(np.argmax(np.abs(np.reshape(self.direction, (3, 3))[2])))

    def to_physical(self, index: np.ndarray) -> np.ndarray:
        """LPS mm of continuous voxel indices (..., 3), ordered (x, y, z)."""
        return np.asarray(index, float) @ self.axes.T + self.origin

    def to_index(self, point: np.ndarray) -> np.ndarray:
        """Continuous voxel indices (x, y, z) of LPS points (..., 3) in mm."""
        return (np.asarray(point, float) - self.origin) @ np.linalg.inv(self.axes).T

    def crop(self, start: Size, size: Size) -> "Grid":
        """The part of this grid that begins at voxel `start` (x, y, z) and has `size` voxels."""
        origin = tuple(float(x) for x in self.to_physical(np.asarray(start)))
        return Grid(size, self.spacing, origin, self.direction)

    def isotropic(self, spacing: float) -> "Grid":
        """The cubic-voxel grid that covers the same block of space.

        The two blocks share their centre; the new one is at most one voxel longer on each axis, so no
        part of the scan is lost and the block's faces stay parallel to the acquired slices.
        """
        extent = np.multiply(self.size, self.spacing)
        size = np.maximum(1, np.ceil(extent / spacing - 1e-6)).astype(int)
        return self.concentric(tuple(int(n) for n in size), (spacing, spacing, spacing))

    def concentric(self, size: Size, spacing: Triple) -> "Grid":
        """The grid of that size and spacing with this one's centre and directions."""
        centre = self.to_physical((np.asarray(self.size) - 1) / 2)
        step = np.reshape(self.direction, (3, 3)) * spacing
        origin = centre - step @ ((np.asarray(size) - 1) / 2)
        return Grid(size, spacing, tuple(float(x) for x in origin), self.direction)

    def coverage(self, other: "Grid") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which part of each layer of voxels, along x, y and z, another grid's block of space covers.

        All ones where the two grids' axes are not parallel.
        """
        step = np.abs(np.linalg.inv(self.axes) @ other.axes)
        if (np.sort(step, axis=1)[:, :2] > 1e-3 * step.max(axis=1, keepdims=True)).any():
            return tuple(np.ones(n) for n in self.size)
        ends = np.array([[-0.5] * 3, np.asarray(other.size) - 0.5])
        index = self.to_index(other.to_physical(ends))
        low, high = index.min(axis=0), index.max(axis=0)
        layers = [np.arange(n) for n in self.size]
        return tuple(
            np.clip(np.minimum(high[a], k + 0.5) - np.maximum(low[a], k - 0.5), 0, 1)
            for a, k in enumerate(layers)
        )

    def same_as(self, other: "Grid", tolerance: float = 1e-3) -> bool:
        """True where every voxel centre of the two grids agrees within `tolerance` voxels."""
        if self.size != other.size:
            return False
        corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        corners = corners * (np.asarray(self.size) - 1)
        apart = np.abs(self.to_physical(corners) - other.to_physical(corners)).max()
        steps = np.abs(self.axes - other.axes).max()
        return bool(max(apart, steps) <= tolerance * min(self.spacing))


def bounding_box(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice, slice]:
    """The slices [z, y, x] that hold every true voxel of a mask, widened by `margin` voxels.

    An empty mask gives three empty slices.
    """
    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        if hit.size == 0:
            return (slice(0, 0), slice(0, 0), slice(0, 0))
        box.append(slice(max(0, int(hit[0]) - margin), int(hit[-1]) + 1 + margin))
    return (box[0], box[1], box[2])
