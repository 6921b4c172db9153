"""The patches of a structure's boundary in a scan, and the sums over voxels that tell their place.

A patch is what of the boundary lies in a block of the scan and has one thing on its other side: one
neighbour of the label map, or what nothing is labelled in.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.surroundings import OWN, Scene
from scanmill.voxel_response import Array

# Square of the voxels from the nearest one of the other side: up to which a voxel may hold both, to
# which it is near the boundary, and to which it tells a side's own signal.
BAND, NEAR, FAR = 4, 8, 16
# Its root: voxels around a structure that are looked at.
SHELL = 4
# Edge of a block, voxels; each is told by those around it too, that weigh less.
BLOCK = 4
WEIGHTS = (1.0, 0.5)


@dataclass
class Patches:
    """What tells where the patches of a boundary lie.

    patch, value, held: of each voxel near the boundary, which patch it is of, its signal, and which
    part of it the mask has. inner, outer: of each patch, over the pure voxels in the blocks around, of
    the structure and of the other side: number, sum and sum of squares, of those near the boundary and
    of those a voxel farther, (patches, 2, 3). known: those on whose inner side no other structure lies.
    keys: block and other side of each patch, among `shape` blocks (z, y, x) of `number` sides.
    """

    patch: Array
    value: Array
    held: Array
    inner: Array
    outer: Array
    known: Array
    keys: Array
    number: int
    shape: tuple[int, int, int]

    def pooled(self, sums: Array) -> Array:
        """Sums over each patch and those around it of the same other side; sums: (patches, what)."""
        return _pooled(sums, self.keys, self.number, self.shape)


def patches(scene: Scene, image: Array, scan: Grid) -> Patches:
    """The patches of a structure. image: values [z, y, x] on the grid `scan`."""
    window = image[scene.box]
    away = _away(scene.inside)
    patch, at, keys = _band(scene.inside, scene.top, scene.number, away, _nearest_first(scan))
    shape = tuple((n - 1) // BLOCK + 1 for n in scene.top.shape)
    inner, outer = _pure(scene.top, scene.number, away, window, keys, shape)
    known = keys % scene.number != OWN
    return Patches(
        patch,
        window.ravel()[at].astype(float),
        scene.filled(at),
        inner,
        outer,
        known,
        keys,
        scene.number,
        shape,
    )


def _nearest_first(scan: Grid) -> Array:
    """Steps (z, y, x) to the voxels around one, nearest first."""
    reach = np.arange(-2, 3)
    steps = np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), axis=-1).reshape(-1, 3)
    far = np.linalg.norm(steps * scan.spacing[::-1], axis=1)
    return steps[np.argsort(far, kind="stable")]


@kernel
def _away(inside):  # noqa: ANN001, ANN202
    """The square of how many voxels each is from the nearest one of the other side; FAR + 1 beyond."""
    depth, height, width = inside.shape
    away = np.zeros(inside.shape, np.uint8)
    along = np.empty(inside.shape, np.uint8)
    flat = np.empty(inside.shape, np.uint8)
    for side in (True, False):
        for z in range(depth):
            for y in range(height):
                steps = SHELL + 1
                for x in range(width):
                    steps = 0 if inside[z, y, x] == side else min(steps + 1, SHELL + 1)
                    along[z, y, x] = steps
                for x in range(width - 1, -1, -1):
                    steps = min(along[z, y, x], steps + 1)
                    along[z, y, x] = min(steps * steps, FAR + 1)
            for y in range(height):
                flat[z, y] = along[z, y]
                for v in range(max(0, y - SHELL), min(height, y + SHELL + 1)):
                    more = np.uint8((v - y) ** 2)
                    for x in range(width):
                        far = np.uint8(along[z, v, x] + more)
                        if far < flat[z, y, x]:
                            flat[z, y, x] = far
        for z in range(depth):
            for y in range(height):
                along[z, y] = flat[z, y]
                for v in range(max(0, z - SHELL), min(depth, z + SHELL + 1)):
                    more = np.uint8((v - z) ** 2)
                    for x in range(width):
                        far = np.uint8(flat[v, y, x] + more)
                        if far < along[z, y, x]:
                            along[z, y, x] = far
                for x in range(width):
                    if along[z, y, x] > away[z, y, x]:
                        away[z, y, x] = along[z, y, x]
    return away


@kernel
def _band(inside, top, number, away, steps):  # noqa: ANN001, ANN202
    """Each voxel of the band: its patch, and its place in the flat window; each patch's key."""
    depth, height, width = inside.shape
    rows, columns = (height - 1) // BLOCK + 1, (width - 1) // BLOCK + 1
    index = np.full(((depth - 1) // BLOCK + 1) * rows * columns * number, -1, np.int32)
    many = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                many += away[z, y, x] <= BAND
    patch = np.empty(many, np.int32)
    places = np.empty(many, np.int64)
    keys = np.empty(many, np.int64)
    at, found = 0, 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if away[z, y, x] > BAND:
                    continue
                own = inside[z, y, x]
                beside = top[z, y, x]
                for dz, dy, dx in steps:
                    v, u, t = z + dz, y + dy, x + dx
                    within = 0 <= v < depth and 0 <= u < height and 0 <= t < width
                    if within and inside[v, u, t] != own:
                        beside = top[v, u, t]
                        break
                # Where another structure lies on this one at its boundary, no patch is told.
                inner, outer = (top[z, y, x], beside) if own else (beside, top[z, y, x])
                side = outer if inner == OWN else OWN
                block = (z // BLOCK * rows + y // BLOCK) * columns + x // BLOCK
                key = block * number + side
                if index[key] < 0:
                    index[key] = found
                    keys[found] = key
                    found += 1
                patch[at] = index[key]
                places[at] = (z * height + y) * width + x
                at += 1
    return patch, places, keys[:found].copy()


@kernel
def _pure(top, number, away, image, keys, shape):  # noqa: ANN001, ANN202
    """The sums over the pure voxels in the blocks around each patch, within and on its other side."""
    index, found = _blocks_of_pure(top, number, away, shape)
    sums = np.zeros((found, 2, 3))
    _add_pure(sums, index, top, number, away, image, shape)
    flat = sums.reshape(found, 6)
    inner = np.zeros((len(keys), 6))
    outer = np.zeros((len(keys), 6))
    _add_around(inner, keys, number, shape, index, flat, True)
    _add_around(outer, keys, number, shape, index, flat, False)
    return inner.reshape(-1, 2, 3), outer.reshape(-1, 2, 3)


@kernel
def _blocks_of_pure(top, number, away, shape):  # noqa: ANN001, ANN202
    """Of each block and side, its place among those that have pure voxels, or -1; and their number."""
    index = np.full(shape[0] * shape[1] * shape[2] * number, -1, np.int32)
    found = 0
    for z in range(top.shape[0]):
        for y in range(top.shape[1]):
            row = (z // BLOCK * shape[1] + y // BLOCK) * shape[2]
            for x in range(top.shape[2]):
                if BAND < away[z, y, x] <= FAR and _is_pure(top, z, y, x):
                    key = (row + x // BLOCK) * number + top[z, y, x]
                    if index[key] < 0:
                        index[key] = found
                        found += 1
    return index, found


@kernel
def _add_pure(sums, index, top, number, away, image, shape):  # noqa: ANN001, ANN202
    """Add up what `Patches.inner` has, by place. Apart from `index`, since sums that grow are slow."""
    for z in range(top.shape[0]):
        for y in range(top.shape[1]):
            row = (z // BLOCK * shape[1] + y // BLOCK) * shape[2]
            for x in range(top.shape[2]):
                if BAND < away[z, y, x] <= FAR and _is_pure(top, z, y, x):
                    at = index[(row + x // BLOCK) * number + top[z, y, x]]
                    farther = int(away[z, y, x] > NEAR)
                    value = float(image[z, y, x])
                    sums[at, farther, 0] += 1
                    sums[at, farther, 1] += value
                    sums[at, farther, 2] += value * value


@kernel
def _pooled(sums, keys, number, shape):  # noqa: ANN001, ANN202
    """What patches sum to, (patches, what), with those of the same other side in the blocks around."""
    index = np.full(shape[0] * shape[1] * shape[2] * number, -1, np.int32)
    for n in range(len(keys)):
        index[keys[n]] = n
    pooled = np.zeros(sums.shape)
    _add_around(pooled, keys, number, shape, index, sums, False)
    return pooled


@kernel
def _add_around(into, keys, number, shape, index, sums, own):  # noqa: ANN001, ANN202
    """Add to each patch the sums of the blocks around, of its own side or of its other side."""
    layers, rows, columns = shape
    for n in range(len(keys)):
        block = keys[n] // number
        side = OWN if own else keys[n] % number
        m, j, i = block // (rows * columns), block // columns % rows, block % columns
        for v in range(max(0, m - 1), min(layers, m + 2)):
            for u in range(max(0, j - 1), min(rows, j + 2)):
                for t in range(max(0, i - 1), min(columns, i + 2)):
                    at = index[((v * rows + u) * columns + t) * number + side]
                    if at >= 0:
                        weight = WEIGHTS[abs(v - m)] * WEIGHTS[abs(u - j)] * WEIGHTS[abs(t - i)]
                        for k in range(sums.shape[1]):
                            into[n, k] += weight * sums[at, k]


@kernel
def _is_pure(top, z, y, x):  # noqa: ANN001, ANN202
    """Do the voxel and those that touch it belong to one thing?"""
    own = top[z, y, x]
    depth, height, width = top.shape
    return (
        top[max(z - 1, 0), y, x] == own
        and top[min(z + 1, depth - 1), y, x] == own
        and top[z, max(y - 1, 0), x] == own
        and top[z, min(y + 1, height - 1), x] == own
        and top[z, y, max(x - 1, 0)] == own
        and top[z, y, min(x + 1, width - 1)] == own
    )
