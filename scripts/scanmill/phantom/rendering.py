"""The scan of an analytic patient on any grid: partial volume, label map and noise."""

from itertools import product

import numpy as np

from scanmill.grid import Grid
from scanmill.phantom.body import Body, Box
from scanmill.phantom.composition import nested
from scanmill.phantom.patient import Patient

# A rank-1 (Korobov) lattice centred on the voxel; of its generators, the one whose points lie
# farthest apart in space and seen along each axis. Seen from the side all its points differ, so a
# face along the grid is resolved to 1/251 of a voxel, where a raster of 6x6x6 has 1/6.
SAMPLES = 251
GENERATOR = 148
_steps = np.outer(np.arange(SAMPLES), (1, GENERATOR, GENERATOR**2)) / SAMPLES
LATTICE = _steps - np.rint(_steps)


def field_of_view(grid: Grid) -> Box:
    """The block of space that the voxels of a grid fill."""
    centre = grid.to_physical((np.asarray(grid.size) - 1) / 2)
    size = np.multiply(grid.size, grid.spacing)
    return Box(size=tuple(size), centre=tuple(centre), rotation=grid.direction)


def occupancy(body: Body, grid: Grid) -> np.ndarray:
    """How much of each voxel a body fills, uint8 [z, y, x], in parts of SAMPLES.

    A voxel averages over its own box. Only voxels that the surface may cross are sampled.
    """
    filled = np.zeros(grid.shape, np.uint8)
    start, stop = _index_range(body, grid)
    box = grid.crop(tuple(start), tuple(np.maximum(stop - start, 0)))
    inner = filled[start[2] : stop[2], start[1] : stop[1], start[0] : stop[0]]
    plane = np.stack(np.meshgrid(*map(np.arange, box.size[:2]), [0], indexing="xy"), axis=-1)
    centres = box.to_physical(plane.reshape(-1, 3))
    for k in range(box.size[2]):
        inner[k] = _fill(body, centres + k * box.axes[:, 2], box).reshape(inner.shape[1:])
    return filled


def _fill(body: Body, centres: np.ndarray, grid: Grid) -> np.ndarray:
    """Occupancy of voxels around given centres (n, 3)."""
    distance = body.distance(centres)
    reach = np.linalg.norm(grid.spacing) / 2
    filled = np.where(distance < 0, SAMPLES, 0).astype(np.uint8)
    crossed = np.flatnonzero(np.abs(distance) <= reach)
    points = centres[crossed, None] + LATTICE @ grid.axes.T
    inside = body.distance(points.reshape(-1, 3)) < 0
    filled[crossed] = inside.reshape(-1, SAMPLES).sum(axis=1)
    return filled


def _index_range(body: Body, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The first voxel (x, y, z) that a body may touch, and the one after the last."""
    corners = np.array(list(product(*zip(*body.bounds(), strict=True))))
    index = grid.to_index(corners)
    start = np.clip(np.floor(index.min(axis=0)).astype(int), 0, grid.size)
    stop = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, start, grid.size)
    return start, stop


def visible_occupancy(patient: Patient, grid: Grid) -> np.ndarray:
    """What is visible of each structure, uint8 [structure, z, y, x], in parts of SAMPLES.

    Raises ValueError where a structure is not wholly in the field of view: its scan would not hold
    its volume.
    """
    view = field_of_view(grid)
    for structure in patient.structures:
        if not nested(structure.body, view):
            raise ValueError(f"'{structure.name}' is not wholly within the field of view")
    filled = np.stack([occupancy(structure.body, grid) for structure in patient.structures])
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


def gaussian(image: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    """Noise of CT: normal, with standard deviation `sigma` HU."""
    return image + sigma * random.standard_normal(image.shape)


def rician(image: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    """Noise of MR: the magnitude of a complex signal with normal noise of `sigma` on both channels.

    Gudbjartsson and Patz 1995, doi:10.1002/mrm.1910340618.
    """
    return np.hypot(gaussian(image, sigma, random), sigma * random.standard_normal(image.shape))


NOISE = {"CT": gaussian, "MR": rician}


def add_noise(image: np.ndarray, modality: str, sigma: float, seed: int) -> np.ndarray:
    """A noisy scan, int16 [z, y, x], the same for the same seed. Raises KeyError on no modality."""
    random = np.random.Generator(np.random.PCG64(seed))
    limits = np.iinfo(np.int16)
    noisy = np.rint(NOISE[modality](image, sigma, random))
    return np.clip(noisy, limits.min, limits.max).astype(np.int16)
