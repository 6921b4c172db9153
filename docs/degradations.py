"""Scans made worse on purpose: thicker slices with what is drawn on them, noise, a bias field."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scanmill.grid import Grid
from scanmill.label_map import count_voxels
from scanmill.phantom.fields import bias_field
from scanmill.phantom.noise import NOISE
from scanmill.volume_file import Volume
from scipy.ndimage import gaussian_filter

AMPLITUDE = 0.4
# What decides of two labels that fill a thick voxel alike: how they fill those around it, so wide.
TIE, AROUND = 1e-3, 1.5


@dataclass(frozen=True)
class Labelled:
    """A scan, its label map on the same grid, and the contrast that its noise is counted in."""

    scan: Volume
    labels: Volume
    modality: str
    contrast: float


@dataclass(frozen=True)
class Degradation:
    """What is done to a scan.

    thickness: of slices, times the scan's own. ratio: contrast over the sd of the noise that is added,
    0 for none. shaded: by a coil's gain of 1 - AMPLITUDE to 1 + AMPLITUDE.
    """

    name: str
    thickness: int = 1
    ratio: float = 0
    shaded: bool = False

    def of(self, case: Labelled, seed: int) -> Labelled:
        """The scan made worse in this way, its labels as drawn on it; the same for the same seed."""
        if self.thickness > 1:
            case = thicker(case, self.thickness)
        if self.shaded:
            gain = bias_field(case.scan.grid, AMPLITUDE, seed)
            case = replace(case, scan=_like(case.scan, case.scan.array * gain, case.scan.grid))
        return noisy(case, self.ratio, seed) if self.ratio else case


def whole_blocks(case: Labelled, thickness: int) -> Labelled:
    """The middle slices of a scan, as many as so thick ones are made of without a rest."""
    grid = case.scan.grid
    axis = grid.axial_axis
    rest = grid.size[axis] % thickness
    start, size = [0, 0, 0], list(grid.size)
    start[axis], size[axis] = rest // 2, size[axis] - rest
    part = tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))[::-1]
    kept = grid.crop(tuple(start), tuple(size))
    scan, labels = (Volume(v.array[part], kept) for v in (case.scan, case.labels))
    return replace(case, scan=scan, labels=labels)


def thicker(case: Labelled, thickness: int) -> Labelled:
    """Slices so many times as thick, each the mean of those it replaces.

    Slices lie along the axis nearest to the patient's superior one; those beyond the last whole block
    (`whole_blocks`) are dropped. Labels are what a perfect annotator of the thick scan draws: what
    fills most of each voxel.
    """
    case = whole_blocks(case, thickness)
    grid = case.scan.grid
    axis = 2 - grid.axial_axis
    thick = _thick_grid(grid, thickness)

    def averaged(array: np.ndarray) -> np.ndarray:
        slices = np.moveaxis(array, axis, 0).astype(np.float32)
        blocks = slices.reshape(-1, thickness, *slices.shape[1:]).mean(axis=1)
        return np.moveaxis(blocks, 0, axis)

    drawn = Volume(_fullest(case.labels.array, averaged, axis), thick)
    return replace(case, scan=_like(case.scan, averaged(case.scan.array), thick), labels=drawn)


def noisy(case: Labelled, ratio: float, seed: int) -> Labelled:
    """Noise added, its sd the case's contrast over `ratio`: normal for CT, Rician for MR."""
    random = np.random.default_rng([seed, 1])
    image = NOISE[case.modality](case.scan.array, case.contrast / ratio, random)
    return replace(case, scan=_like(case.scan, image, case.scan.grid))


def _thick_grid(grid: Grid, thickness: int) -> Grid:
    size, spacing, first = list(grid.size), list(grid.spacing), np.zeros(3)
    axis = grid.axial_axis
    size[axis] //= thickness
    spacing[axis] *= thickness
    first[axis] = (thickness - 1) / 2
    origin = tuple(float(x) for x in grid.to_physical(first))
    return Grid(tuple(size), tuple(spacing), origin, grid.direction)


def _fullest(
    labels: np.ndarray, averaged: Callable[[np.ndarray], np.ndarray], axis: int
) -> np.ndarray:
    """The label that fills most of each thick voxel.

    Where one fills half: if it fills more of the voxels around in its slice than it does at the median
    of such places, so that each label gets half of them, else what is round would lose by how it is
    drawn.
    """
    most = averaged(labels == 0)
    result = np.zeros(most.shape, labels.dtype)
    in_slice = [0 if a == axis else AROUND for a in range(3)]
    for label in np.flatnonzero(count_voxels(labels.ravel(), int(labels.max()) + 1)[1:]) + 1:
        part = averaged(labels == label)
        halves = part == 0.5
        around = gaussian_filter(part, in_slice)
        if halves.any():
            part = part + TIE * (around - np.median(around[halves]))
        more = part > most
        most[more], result[more] = part[more], label
    return result


def _like(scan: Volume, image: np.ndarray, grid: Grid) -> Volume:
    """An image in the scan's own type."""
    if scan.array.dtype.kind != "f":
        limits = np.iinfo(scan.array.dtype)
        image = np.clip(np.rint(image), limits.min, limits.max)
    return Volume(image.astype(scan.array.dtype), grid)
