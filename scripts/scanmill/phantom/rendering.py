"""An analytic patient on any grid: what of each structure each voxel sees, signal and label map."""

from itertools import product

import numpy as np

from scanmill.grid import Grid
from scanmill.phantom.body import Body, Box
from scanmill.phantom.composition import nested
from scanmill.phantom.patient import Patient
from scanmill.phantom.point_spread import LATTICE, SAMPLES

# Voxels whose points are sampled at once: they stay in the processor's cache.
CHUNK = 64


def field_of_view(grid: Grid) -> Box:
    """The block of space that the voxels of a grid fill."""
    centre = grid.to_physical((np.asarray(grid.size) - 1) / 2)
    size = np.multiply(grid.size, grid.spacing)
    return Box(size=tuple(size), centre=tuple(centre), rotation=grid.direction)


def occupancy(body: Body, grid: Grid, offsets: np.ndarray = LATTICE) -> np.ndarray:
    """How much of each voxel a body fills, uint8 [z, y, x], in parts of SAMPLES.

    offsets: the points that a voxel averages over (`point_spread.offsets`); its own box unless told.
    Only voxels that the surface may cross are sampled.
    """
    filled = np.zeros(grid.shape, np.uint8)
    start, stop = _index_range(body, grid, offsets)
    box = grid.crop(tuple(start), tuple(np.maximum(stop - start, 0)))
    inner = filled[start[2] : stop[2], start[1] : stop[1], start[0] : stop[0]]
    plane = np.stack(np.meshgrid(*map(np.arange, box.size[:2]), [0], indexing="xy"), axis=-1)
    centres = box.to_physical(plane.reshape(-1, 3))
    steps = offsets @ grid.axes.T
    for k in range(box.size[2]):
        inner[k] = _fill(body, centres + k * box.axes[:, 2], steps).reshape(inner.shape[1:])
    return filled


def _fill(body: Body, centres: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Occupancy of voxels around given centres (n, 3); steps: from a centre to its points, mm."""
    distance = body.distance(centres)
    reach = np.linalg.norm(steps, axis=1).max()
    filled = np.where(distance < 0, SAMPLES, 0).astype(np.uint8)
    crossed = np.flatnonzero(np.abs(distance) <= reach)
    for first in range(0, len(crossed), CHUNK):
        part = crossed[first : first + CHUNK]
        points = centres[part, None] + steps
        inside = body.distance(points.reshape(-1, 3)) < 0
        filled[part] = inside.reshape(-1, SAMPLES).sum(axis=1)
    return filled


def _index_range(body: Body, grid: Grid, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first voxel (x, y, z) that may see a body, and the one after the last."""
    corners = np.array(list(product(*zip(*body.bounds(), strict=True))))
    index = grid.to_index(corners)
    reach = np.abs(offsets).max(axis=0)
    start = np.clip(np.floor(index.min(axis=0) - reach).astype(int), 0, grid.size)
    stop = np.clip(np.ceil(index.max(axis=0) + reach).astype(int) + 1, start, grid.size)
    return start, stop


def visible_occupancy(patient: Patient, grid: Grid, offsets: np.ndarray = LATTICE) -> np.ndarray:
    """What is visible of each structure, uint8 [structure, z, y, x], in parts of SAMPLES.

    offsets: as for `occupancy`. Raises ValueError where a structure is not wholly in the field of
    view: its scan would not hold its volume.
    """
    view = field_of_view(grid)
    for structure in patient.structures:
        if not nested(structure.body, view):
            raise ValueError(f"'{structure.name}' is not wholly within the field of view")
    filled = np.stack(
        [occupancy(structure.body, grid, offsets) for structure in patient.structures]
    )
    for index in range(len(filled)):
        for child in patient.children(index):
            filled[index] -= filled[child]
    return filled


def signal(patient: Patient, visible: np.ndarray) -> np.ndarray:
    """Noise-free intensities, float64 [z, y, x]: the mean over each voxel's tissues."""
    contrast = [structure.intensity - patient.background for structure in patient.structures]
    return patient.background + np.tensordot(contrast, visible / SAMPLES, axes=1)


def majority(patient: Patient, visible: np.ndarray) -> np.ndarray:
    """The label map, [z, y, x]: what fills most of each voxel, 0 for the background."""
    labels = np.array([0, *(structure.label for structure in patient.structures)])
    free = SAMPLES - visible.sum(axis=0, dtype=np.uint8)
    winner = np.argmax(np.concatenate([free[None], visible]), axis=0)
    return labels.astype(np.min_scalar_type(labels.max()))[winner]
