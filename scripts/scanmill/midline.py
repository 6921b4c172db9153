"""The plane that parts a patient's left from the right: that across which a scan is most like itself.

The plane is searched for, not taken from the axes: patients lie off centre and turned. Which of its
two sides is the left is what the scan's LPS axes say. The plane of symmetry as the one that best maps
an image onto itself: Ardekani et al. 1997, doi:10.1109/42.563663, there for heads.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_map import Box
from scanmill.refusal import Refusal
from scanmill.registration.sampling import between

# Between these, CT tells soft tissue from fat and bone; a table and the lungs' vessels hardly count.
CT_HU = (-300.0, 300.0)
# Of other scans, quantiles of the intensities.
ENDS = (0.01, 0.99)
# Voxels that planes are searched with, and then the best one is improved with, mm.
COARSE, FINE = 16.0, 6.0
# Planes are turned by so much at most, degrees, and tried in steps of so many degrees and mm. One that
# is turned by more than `TRUSTED` may be one that would be turned further.
MOST_TURNED, TRUSTED, TURN, STEP = 25.0, 20.0, 10.0, 10.0
# Of the body, so much must have its mirror image in the scan. Where a scan shows one side of a patient
# or a part of an organ, the best plane has little more than the least that is tried.
LEAST_SHOWN, ENOUGH_SHOWN = 0.6, 0.7
# Correlations of the scan with its mirror image: what real torsos and heads exceed, and by how much
# they exceed that of any plane so many mm off.
LEAST_SYMMETRY, LEAST_LEAD, APART = 0.55, 0.1, 25.0
# In place of the correlation across a plane that is not tried.
IMPOSSIBLE = -1.0


@dataclass(frozen=True)
class Midline:
    """A patient's midline plane.

    normal: LPS unit vector towards the left. offset: of the plane along it, mm. symmetry: correlation
    of the scan with its mirror image, up to 1. shown: part of the body whose mirror image is in it.
    """

    normal: tuple[float, float, float]
    offset: float
    symmetry: float
    shown: float

    def is_left(self, box: Box, grid: Grid) -> np.ndarray:
        """Which voxels of a box of a grid have their centre left of the plane, [z, y, x]."""
        step = np.asarray(self.normal) @ grid.axes
        start = float(np.dot(self.normal, grid.origin)) - self.offset
        z, y, x = (
            np.arange(part.start, part.stop) * along
            for part, along in zip(box, step[::-1], strict=True)
        )
        return start + z[:, None, None] + y[:, None] + x > 0


def find(image: np.ndarray, grid: Grid, modality: str) -> Midline:
    """The midline of what a scan shows.

    image: [z, y, x]. modality: CT, MR or any. Raises Refusal `midline-unclear` where no plane, or more
    than one, halves what is shown.
    """
    # Imported here: most cases need no midline, and every job pays for its imports.
    from scipy.optimize import minimize

    coarse, fine = (_Shown.of(image, grid, modality, spacing) for spacing in (COARSE, FINE))
    tried = coarse.tried()
    first = tried[np.argmax(tried[:, 3])]
    scale = np.array([np.deg2rad(TURN) / 2, np.deg2rad(TURN) / 2, STEP / 2])
    best = minimize(
        lambda moved: -fine.symmetry(first[:3] + moved * scale)[0],
        np.zeros(3),
        method="Nelder-Mead",
        options={"initial_simplex": np.eye(4)[:, :3], "xatol": 1e-3, "fatol": 1e-5},
    )
    plane = first[:3] + best.x * scale
    symmetry, shown = fine.symmetry(plane)
    reason = _doubt(plane, symmetry, shown, tried)
    if reason:
        raise Refusal("midline-unclear", f"{reason}; a scan that shows both sides would be right")
    normal = _normal(plane)
    offset = float(normal @ fine.centre + plane[2])
    return Midline(tuple(normal.tolist()), offset, symmetry, shown)


def _doubt(plane: np.ndarray, symmetry: float, shown: float, tried: np.ndarray) -> str | None:
    """Why a plane (see `_normal`) is not surely the midline; None where it is."""
    turned = float(np.rad2deg(np.arccos(min(1.0, _normal(plane)[0]))))
    rival = tried[np.abs(tried[:, 2] - plane[2]) > APART, 3].max(initial=IMPOSSIBLE)
    if symmetry == IMPOSSIBLE:
        return f"no plane has {100 * LEAST_SHOWN:.0f} % of the body on both its sides"
    if symmetry < LEAST_SYMMETRY:
        return f"the scan and its mirror image correlate by {symmetry:.2f} at most"
    if turned > TRUSTED or shown < ENOUGH_SHOWN:
        return (
            f"the plane across which the scan is most like itself is turned by {turned:.0f} degrees "
            f"and has {100 * shown:.0f} % of the body on both sides"
        )
    if symmetry - rival < LEAST_LEAD:
        return (
            f"the scan and its mirror image correlate by {symmetry:.2f}, and across another plane, "
            f"more than {APART:g} mm off, by {rival:.2f}"
        )
    return None


def _normal(plane: np.ndarray) -> np.ndarray:
    """LPS unit vector towards the left of a plane: turned about S, then about A, radians, and mm."""
    about_s, about_a = plane[:2]
    level = np.cos(about_a)
    return np.array([level * np.cos(about_s), level * np.sin(about_s), np.sin(about_a)])


@dataclass(frozen=True)
class _Shown:
    """A scan on few voxels. image: float32, [z, y, x], 0 in air. centre: of mass, LPS mm."""

    image: np.ndarray
    grid: Grid
    centre: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray, grid: Grid, modality: str, spacing: float) -> "_Shown":
        low, high = CT_HU if modality == "CT" else np.quantile(image, ENDS)
        blocks = np.minimum(np.maximum(1, np.rint(spacing / np.array(grid.spacing))), grid.size)
        whole = [
            slice(0, n // b * b) for n, b in zip(grid.shape, blocks[::-1].astype(int), strict=True)
        ]
        split = [
            m
            for part, b in zip(whole, blocks[::-1].astype(int), strict=True)
            for m in (part.stop // b, b)
        ]
        clipped = np.clip(image[tuple(whole)], low, high) - np.float32(low)
        few = clipped.reshape(split).mean(axis=(1, 3, 5), dtype=np.float32)
        origin = tuple(grid.to_physical((blocks - 1) / 2).tolist())
        steps = tuple(np.multiply(grid.spacing, blocks).tolist())
        own = Grid(few.shape[::-1], steps, origin, grid.direction)
        places = own.to_physical(np.argwhere(np.ones(few.shape))[:, ::-1])
        return cls(few, own, few.ravel() @ places / max(few.sum(), 1e-12))

    def tried(self) -> np.ndarray:
        """Planes all over the scan, rows of two angles, mm from the centre, and the symmetry."""
        turns = np.deg2rad(np.arange(-2 * TURN, 2 * TURN + 1, TURN))
        half = np.abs(np.array([1.0, 0, 0]) @ self.grid.axes) @ self.grid.size / 2
        offsets = np.arange(-np.floor(half / STEP), np.floor(half / STEP) + 1) * STEP
        planes = np.stack(np.meshgrid(turns, turns, offsets), axis=-1).reshape(-1, 3)
        return np.array([[*plane, self.symmetry(plane)[0]] for plane in planes])

    def symmetry(self, plane: np.ndarray) -> tuple[float, float]:
        """The correlation across a plane (see `_normal`), and the part of the body on both its sides.

        IMPOSSIBLE where the plane is too far turned, or too little is on both sides.
        """
        if np.abs(plane[:2]).max() > np.deg2rad(MOST_TURNED):
            return IMPOSSIBLE, 0.0
        normal = _normal(plane)
        mirror = np.eye(4)
        mirror[:3, :3] -= 2 * np.outer(normal, normal)
        mirror[:3, 3] = 2 * (normal @ self.centre + plane[2]) * normal
        return _likeness(self.image, between(self.grid, self.grid, mirror), LEAST_SHOWN)


@kernel
def _likeness(image, mirror, least_shown):  # noqa: ANN001, ANN202
    """The correlation of an image, 0 in air, with its mirror image where it has one, and that part.

    mirror: 3x4, to the mirrored voxel's indices (x, y, z), between which the image is trilinear.
    """
    depth, height, width = image.shape
    m = mirror.ravel()
    count, whole, ones, others, one_2, other_2, product = 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                one = image[z, y, x]
                whole += one
                u = m[0] * x + m[1] * y + m[2] * z + m[3]
                v = m[4] * x + m[5] * y + m[6] * z + m[7]
                w = m[8] * x + m[9] * y + m[10] * z + m[11]
                if 0 <= u < width - 1 and 0 <= v < height - 1 and 0 <= w < depth - 1:
                    i, j, k = int(u), int(v), int(w)
                    a, b, c = u - i, v - j, w - k
                    other = 0.0
                    for n in range(8):
                        part = a if n & 1 else 1 - a
                        part *= b if n & 2 else 1 - b
                        part *= c if n & 4 else 1 - c
                        other += part * image[k + (n >> 2), j + (n >> 1 & 1), i + (n & 1)]
                    count += 1
                    ones, others, product = ones + one, others + other, product + one * other
                    one_2, other_2 = one_2 + one * one, other_2 + other * other
    shown = ones / max(whole, 1e-12)
    if shown < least_shown or count < 2:
        return IMPOSSIBLE, shown
    spread = (one_2 - ones * ones / count) * (other_2 - others * others / count)
    return (product - ones * others / count) / np.sqrt(max(spread, 1e-12)), shown
