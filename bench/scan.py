"""Make the scan that the benchmarks run on: a torso CT and its supplied map of 25 labels.

Usage: python scan.py FOLDER [--small]. Writes scan.nii.gz (int16, HU) and labels.nii.gz (uint8),
the same bytes each time. Full size is 512 x 512 x 400 voxels of 0.7 x 0.7 x 1.0 mm on an oblique
grid; --small is the same torso shrunk to a quarter (128 x 128 x 100 voxels, same spacing).

It behaves as a real CT where the work depends on it: noise that a compressor cannot remove, blurred
edges, organs of 5 to 1500 ml that touch, enclosed holes and stray islands for the cleaning.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

Point = tuple[float, float, float]

SPACING = (0.7, 0.7, 1.0)
FULL_SIZE = (512, 512, 400)
SMALL_SIZE = (128, 128, 100)
TILT_DEGREES = (4.0, -3.0, 6.0)
LOWEST_HU = -1024
NOISE_HU = 15.0
BLUR_VOXELS = 0.7
SLAB = 25
SEED = 20240229


@dataclass(frozen=True)
class Part:
    """A superellipsoid: exponent 2 is an ellipsoid, higher ones approach a box.

    Centre and semi-axes are torso millimetres along the grid's axes, from the middle of the scan.
    """

    centre: Point
    semi_axes: Point
    exponent: float = 2.0


@dataclass(frozen=True)
class Structure:
    """An organ: its name, its intensity and the parts whose union it is."""

    name: str
    hu: float
    parts: tuple[Part, ...]


def ball(centre: Point, radius: float) -> Part:
    """A sphere."""
    return Part(centre, (radius, radius, radius))


def blob(centre: Point, *semi_axes: float) -> tuple[Part, ...]:
    """One ellipsoid."""
    return (Part(centre, semi_axes),)


def tube(radius: float, *points: Point) -> tuple[Part, ...]:
    """Balls along a smooth curve through the points, close enough to make one even tube."""
    through = np.array(points)
    steps = np.linalg.norm(np.diff(through, axis=0), axis=1)
    curve = CubicSpline(np.concatenate([[0], np.cumsum(steps)]), through)
    along = np.linspace(0, steps.sum(), int(np.ceil(steps.sum() / radius * 3)) + 1)
    return tuple(ball(tuple(centre), radius) for centre in curve(along).tolist())


def vertebra(z: float) -> tuple[Part, ...]:
    """A body, two pedicles, a lamina and a spinous process around the canal."""
    body = Part((0, 50, z), (23, 16, 13.5), 6)
    pedicles = tuple(Part((side * 14, 71, z), (5, 9, 8), 4) for side in (-1, 1))
    lamina = Part((0, 84, z), (19, 5, 8), 4)
    return (body, *pedicles, lamina, Part((0, 94, z - 4), (5, 14, 9), 4))


# Painted in this order, label 1 first: a later structure lies on an earlier one.
STRUCTURES = (
    Structure("liver", 105, (Part((-62, -8, 0), (92, 66, 62)), Part((5, -35, 12), (55, 38, 30)))),
    Structure("spleen", 115, blob((98, 38, 12), 31, 29, 56)),
    Structure("kidney_left", 150, blob((62, 45, -62), 28, 27, 54)),
    Structure("kidney_right", 150, blob((-62, 48, -78), 28, 27, 54)),
    Structure("stomach", 35, tube(29, (40, 5, 45), (66, -20, 10), (50, -45, -35), (8, -52, -48))),
    Structure("pancreas", 85, tube(11, (78, 22, -8), (40, -2, -18), (0, -12, -32), (-30, -8, -50))),
    Structure("gallbladder", 12, blob((-48, -60, -48), 16, 16, 34)),
    Structure("aorta", 190, tube(12, (22, 20, 200), (20, 22, 80), (14, 20, 0), (12, 16, -200))),
    Structure("vena_cava", 150, tube(10.5, (-22, 5, 90), (-22, 12, 20), (-18, 18, -200))),
    Structure("portal_vein", 165, tube(6.5, (6, 2, -30), (-20, -8, -5), (-62, -5, 8))),
    Structure("adrenal_left", 70, tube(5.8, (40, 32, 5), (46, 34, -12), (34, 38, -32))),
    Structure("adrenal_right", 70, tube(5.8, (-38, 38, -2), (-44, 40, -18), (-32, 44, -40))),
    Structure("lung_left", -820, blob((82, 0, 118), 56, 76, 79)),
    Structure("lung_right", -820, blob((-84, 0, 120), 58, 78, 79)),
    Structure("heart", 120, blob((20, -42, 105), 58, 50, 52)),
    Structure("trachea", -980, tube(9, (-2, 10, 200), (0, 14, 150), (2, 18, 130))),
    Structure("oesophagus", 40, tube(8, (2, 30, 200), (6, 34, 100), (24, 12, 45))),
    *(
        Structure(f"vertebra_{n}", 320, vertebra(z))
        for n, z in enumerate((90, 50, 10, -30, -70), 1)
    ),
    Structure("spinal_canal", 30, tube(7.5, (0, 74, 200), (0, 75, 0), (0, 74, -200))),
    Structure("bladder", 8, blob((0, -30, -165), 44, 38, 33)),
    Structure(
        "colon",
        -120,
        tube(
            19,
            (-108, -5, -165),
            (-112, -12, -80),
            (-85, -62, -82),
            (0, -82, -95),
            (88, -55, -60),
            (116, 0, -75),
            (112, 5, -150),
            (70, 20, -170),
        ),
    ),
)

# What is not labelled: tissues with values above every label's.
FAT, MUSCLE, COUCH = 101, 102, 103
BODY = (
    (FAT, Part((0, 0, 0), (168, 128, 4000), 2.4)),
    (MUSCLE, Part((0, 0, 0), (154, 114, 4000), 2.4)),
    (COUCH, Part((0, 148, 0), (170, 9, 4000), 6)),
)
HOLLOW = ("liver", "spleen", "aorta", "heart", "vertebra_3")
STRAYING = ("liver", "spleen", "kidney_left", "stomach", "lung_right", "colon")
FLAWS_EACH = 4


class Torso:
    """The tissue of every voxel, [z, y, x], while it is painted."""

    def __init__(self, size: tuple[int, int, int]) -> None:
        """An empty grid of size voxels (x, y, z); the torso is scaled to fill it."""
        scale = size[0] / FULL_SIZE[0]
        self.step = np.divide(SPACING, scale)
        self.axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(size, self.step, strict=True)]
        self.tissue = np.zeros(size[::-1], np.uint8)

    def paint(self, value: int, part: Part) -> None:
        """Give every voxel of the part the value."""
        reach = np.add(part.semi_axes, 8.0)
        box = [
            slice(*np.searchsorted(axis, (centre - r, centre + r)))
            for axis, centre, r in zip(self.axes, part.centre, reach, strict=True)
        ]
        for z in _slabs(box[2]):
            x = self.axes[0][box[0]][None, None, :]
            y = self.axes[1][box[1]][None, :, None]
            z_mm = self.axes[2][z][:, None, None]
            # Uneven surfaces, as organs have them: each axis is bent along another one.
            bent = (
                x + 2.5 * np.sin(z_mm / 13) + 1.5 * np.sin(y / 7),
                y + 2.5 * np.sin(x / 12) + 1.5 * np.sin(z_mm / 6),
                z_mm + 2.5 * np.sin(y / 11) + 1.5 * np.sin(x / 8),
            )
            inside = sum(
                np.abs((p - c) / r).astype(np.float32) ** part.exponent
                for p, c, r in zip(bent, part.centre, part.semi_axes, strict=True)
            )
            self.tissue[z, box[1], box[0]][inside <= 1] = value

    def spot(self, value: int, voxel: np.ndarray, radius: float) -> None:
        """Give a ball around a voxel (z, y, x) the value; the radius is torso millimetres."""
        step = self.step[::-1]
        reach = np.ceil(radius / step).astype(int)
        box = tuple(
            slice(max(0, v - r), min(n, v + r + 1))
            for v, r, n in zip(voxel, reach, self.tissue.shape, strict=True)
        )
        apart = sum(((i - v) * s) ** 2 for i, v, s in zip(np.ogrid[box], voxel, step, strict=True))
        self.tissue[box][apart <= radius**2] = value


def _slabs(rows: slice) -> Iterator[slice]:
    for start in range(rows.start, rows.stop, SLAB):
        yield slice(start, min(start + SLAB, rows.stop))


def make_torso(size: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """The tissue of every voxel, [z, y, x]: labels 1 to 25 and what lies around them."""
    torso = Torso(size)
    for value, part in BODY:
        torso.paint(value, part)
    for label, structure in enumerate(STRUCTURES, 1):
        for part in structure.parts:
            torso.paint(label, part)
    labels = {structure.name: label for label, structure in enumerate(STRUCTURES, 1)}
    flaws = [(labels[name], MUSCLE) for name in HOLLOW] + [(MUSCLE, labels[n]) for n in STRAYING]
    for where, value in flaws:
        voxels = np.flatnonzero(torso.tissue == where)
        for voxel in rng.choice(voxels, FLAWS_EACH, replace=False):
            place = np.array(np.unravel_index(voxel, torso.tissue.shape))
            torso.spot(value, place, rng.uniform(1.5, 4.0))
    return torso.tissue


def make_intensities(tissue: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The CT of the tissues, int16 HU: blurred edges, correlated noise, empty corners."""
    hu = np.full(256, -1000, np.float32)
    hu[[FAT, MUSCLE, COUCH]] = -100, 55, -150
    hu[1 : len(STRUCTURES) + 1] = [structure.hu for structure in STRUCTURES]
    y, x = (np.linspace(-1, 1, n) for n in tissue.shape[1:])
    corners = x[None, :] ** 2 + y[:, None] ** 2 > 1
    image = np.empty(tissue.shape, np.int16)
    for z in _slabs(slice(0, len(tissue))):
        clean = gaussian_filter(hu[tissue[z]], BLUR_VOXELS)
        noise = rng.standard_normal(clean.shape, np.float32)
        noise = gaussian_filter(noise, (0, BLUR_VOXELS, BLUR_VOXELS))
        noise *= NOISE_HU / noise.std()
        image[z] = np.rint(np.clip(clean + noise, LOWEST_HU, 3071))
        image[z][:, corners] = LOWEST_HU
    return image


def write(path: Path, array: np.ndarray) -> None:
    """Write an array [z, y, x] as .nii.gz on the benchmark's oblique grid."""
    image = sitk.GetImageFromArray(array)
    rotation = Rotation.from_euler("xyz", TILT_DEGREES, degrees=True).as_matrix()
    # The table's axis points to the feet, as in scanners that go through the patient from the head.
    direction = rotation @ np.diag([1.0, -1.0, -1.0])
    image.SetSpacing(SPACING)
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((-181.3, 164.2, 812.5))
    sitk.WriteImage(image, path, useCompression=True)


def main(folder: Path, size: tuple[int, int, int]) -> None:
    """Write scan.nii.gz and labels.nii.gz into a folder."""
    rng = np.random.default_rng(SEED)
    tissue = make_torso(size, rng)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "scan.nii.gz", make_intensities(tissue, rng))
    tissue[tissue > len(STRUCTURES)] = 0
    write(folder / "labels.nii.gz", tissue)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true", help="128 x 128 x 100 voxels")
    arguments = parser.parse_args()
    main(arguments.folder, SMALL_SIZE if arguments.small else FULL_SIZE)
