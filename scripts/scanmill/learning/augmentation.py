"""Other cases that might have been: a window of a labelled scan, moved, bent, and seen differently.

All that is random is drawn by the generator that is passed in, so the same seed gives the same windows.
No left is made right: structures of the two sides are told apart by where they lie.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

Size = tuple[int, int, int]

# Degrees about each axis; sds of the logarithm of the scale, of all axes and of each; voxels by which
# a window is moved.
TURN, SCALE, STRETCH, SHIFT = 20.0, 0.15, 0.05, 4.0
# Control points of cubic B-splines: apart from each other at least, and the sd of their moves, voxels,
# of which the spline lets a third through.
KNOTS, BEND = 10, 4.0
# How often a window is bent; blurred; noisy.
OFTEN, BLURRED, NOISY = 0.8, 0.2, 0.5
# Sds of the logarithms: of a bias field's control points, of contrast, of gamma; of the brightness.
BIAS, CONTRAST, GAMMA, BRIGHTNESS = 0.4, 0.2, 0.3, 0.1
NOISE, BLUR = 0.2, (0.5, 1.0)


@dataclass(frozen=True)
class View:
    """How a window looks at a scan.

    centre: voxels of the scan. matrix: 3x3, from the window's voxels, about its middle, to the
    scan's. knots: [4, i, j, k], control points: moves along the three axes, voxels, and the logarithm
    of a bias field. gamma, contrast, brightness, noise (sd) and blur (sd, voxels; 0: none) of
    intensities whose sd is 1.
    """

    centre: np.ndarray
    matrix: np.ndarray
    knots: np.ndarray
    gamma: float
    contrast: float
    brightness: float
    noise: float
    blur: float


def plain(centre: np.ndarray, size: Size) -> View:
    """The view that changes nothing."""
    return View(centre, np.eye(3), np.zeros((4, *lattice(size))), 1.0, 1.0, 0.0, 0.0, 0.0)


def drawn(random: np.random.Generator, centre: np.ndarray, size: Size) -> View:
    """A random view about a voxel of a scan."""
    knots = random.normal(size=(4, *lattice(size)))
    knots[:3] *= BEND * (random.random() < OFTEN)
    knots[3] *= BIAS * (random.random() < OFTEN)
    return View(
        centre + random.uniform(-SHIFT, SHIFT, 3),
        _turn(random) * np.exp(random.normal(0, SCALE) + random.normal(0, STRETCH, 3)),
        knots,
        float(np.exp(random.normal(0, GAMMA))),
        float(np.exp(random.normal(0, CONTRAST))),
        float(random.normal(0, BRIGHTNESS)),
        float(NOISE * random.random() * (random.random() < NOISY)),
        float(random.uniform(*BLUR) * (random.random() < BLURRED)),
    )


def window(
    image: np.ndarray, labels: np.ndarray, size: Size, view: View, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What the view shows of a scan: intensities, float32, linearly, and labels of the nearest voxels.

    image: [a, b, c], of mean 0 and sd 1. Beyond the scan both are 0. random: draws the noise.
    """
    fields = _bent(view.knots, size)
    places = _places(view, size) + fields[:3]
    seen, inside = linear(image, places)
    if view.blur:
        seen = _blurred(seen, view.blur)
    seen = _with_gamma(seen, view.gamma) * (view.contrast * np.exp(fields[3])) + view.brightness
    if view.noise:
        seen += view.noise * random.standard_normal(size, np.float32)
    return np.where(inside, seen, np.float32(0)).astype(np.float32), nearest(labels, places)


def lattice(size: Size) -> Size:
    """How many control points bend a window: cubic splines need three more than they have spans."""
    return tuple(max(1, n // KNOTS) + 3 for n in size)


def linear(image: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intensities at places [3, ...], voxels, 0 beyond; and which places lie within the image."""
    low = np.floor(places).astype(np.int32)
    part = (places - low).astype(np.float32)
    last = np.array(image.shape, np.int32).reshape(3, *[1] * (places.ndim - 1)) - 1
    inside = ((places > -0.5) & (places < last + 0.5)).all(axis=0)
    ends = np.clip(low, 0, last), np.clip(low + 1, 0, last)
    strides = image.shape[1] * image.shape[2], image.shape[2], 1
    flat = np.ascontiguousarray(image).reshape(-1)
    steps = [[end[axis] * strides[axis] for end in ends] for axis in range(3)]
    weights = [[1 - part[axis], part[axis]] for axis in range(3)]
    total = np.zeros(places.shape[1:], np.float32)
    for i in range(2):
        for j in range(2):
            row, weight = steps[0][i] + steps[1][j], weights[0][i] * weights[1][j]
            for k in range(2):
                total += weight * weights[2][k] * flat[row + steps[2][k]]
    return np.where(inside, total, np.float32(0)), inside


def nearest(labels: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Labels of the voxels nearest to places [3, ...]; 0 beyond the label map."""
    index = np.rint(places).astype(np.int32)
    last = np.array(labels.shape, np.int32).reshape(3, *[1] * (places.ndim - 1)) - 1
    inside = ((index >= 0) & (index <= last)).all(axis=0)
    return np.where(inside, labels[tuple(np.clip(index, 0, last))], 0).astype(labels.dtype)


def _turn(random: np.random.Generator) -> np.ndarray:
    """A rotation about each axis in turn."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(random.uniform(-TURN, TURN, 3))):
        i, j = [other for other in range(3) if other != axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def _places(view: View, size: Size) -> np.ndarray:
    """Where in the scan the window's voxels lie before it is bent: [3, a, b, c], voxels."""
    steps = [np.arange(n) - (n - 1) / 2 for n in size]
    turned = [view.matrix[:, axis][:, None] * step for axis, step in enumerate(steps)]
    about = turned[0][:, :, None, None] + turned[1][:, None, :, None] + turned[2][:, None, None, :]
    return (about + view.centre[:, None, None, None]).astype(np.float32)


def _bent(knots: np.ndarray, size: Size) -> np.ndarray:
    """Fields [n, a, b, c] of control points [n, i, j, k] of uniform cubic B-splines."""
    a, b, c = (_basis(n, count) for n, count in zip(size, knots.shape[1:], strict=True))
    return np.einsum("ai,bj,ck,nijk->nabc", a, b, c, knots.astype(np.float32), optimize=True)


@cache
def _basis(n: int, count: int) -> np.ndarray:
    """[n, count]: how much each control point counts at each voxel."""
    place = np.linspace(0, count - 3, n)
    distance = np.abs(place[:, None] - (np.arange(count) - 1))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)


def _blurred(image: np.ndarray, sd: float) -> np.ndarray:
    for axis, n in enumerate(image.shape):
        apart = np.subtract.outer(np.arange(n), np.arange(n)) / sd
        kernel = np.exp(-0.5 * apart**2).astype(np.float32)
        kernel /= kernel.sum(axis=1, keepdims=True)
        image = np.moveaxis(np.tensordot(kernel, image, (1, axis)), 0, axis)
    return image


def _with_gamma(image: np.ndarray, gamma: float) -> np.ndarray:
    """The intensities' range raised to a power; the ends stay."""
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return image
    return low + (high - low) * ((image - low) / (high - low)) ** np.float32(gamma)
