"""Images, label maps and fields of displacements at points between their voxels, trilinear.

A field is [z, y, x, 3], float32: displacements along its grid's own axes (x, y, z), in voxels.
Matrices are 3x4 and map continuous voxel indices (x, y, z).
"""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel

Array = np.ndarray
IDENTITY = np.eye(4)[:3]


def between(fixed: Grid, moving: Grid, affine: Array) -> Array:
    """3x4: indices of the moving grid from those of the fixed one, through a 4x4 map of LPS mm."""
    return (np.linalg.inv(_homogeneous(moving)) @ affine @ _homogeneous(fixed))[:3]


def _homogeneous(grid: Grid) -> Array:
    """4x4: LPS mm of a grid's continuous voxel indices."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = grid.axes, grid.origin
    return matrix


@kernel
def pull_image(image, to_field, field, to_image, values, inside):  # noqa: ANN001, ANN201
    """The image at each voxel's place, moved by the field, into `values`; 0 outside.

    inside: 1 where the place lies in the image, which ends half a voxel beyond its outermost centres.
    to_field: from indices of `values` to those of the field. to_image: from those to the image's.
    """
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                u, v, w = _moved(to_field, field, to_image, x, y, z)
                inside[z, y, x] = _lies_in(image, u, v, w)
                if inside[z, y, x]:
                    (k, k1, c), (j, j1, b), (i, i1, a) = _cell(image, u, v, w)
                    low = _mix(_mix(image[k, j, i], image[k, j, i1], a),
                               _mix(image[k, j1, i], image[k, j1, i1], a), b)  # fmt: skip
                    high = _mix(_mix(image[k1, j, i], image[k1, j, i1], a),
                                _mix(image[k1, j1, i], image[k1, j1, i1], a), b)  # fmt: skip
                    values[z, y, x] = _mix(low, high, c)
                else:
                    values[z, y, x] = 0


@kernel
def pull_labels(labels, to_field, field, to_labels, result, inside):  # noqa: ANN001, ANN201
    """The label that has most of each voxel's place, moved by the field; see `pull_image`.

    Of labels that have equal parts, the smallest.
    """
    found, part = np.empty(8, labels.dtype), np.empty(8)
    for z in range(result.shape[0]):
        for y in range(result.shape[1]):
            for x in range(result.shape[2]):
                u, v, w = _moved(to_field, field, to_labels, x, y, z)
                inside[z, y, x] = _lies_in(labels, u, v, w)
                result[z, y, x] = 0
                if inside[z, y, x]:
                    (k, k1, c), (j, j1, b), (i, i1, a) = _cell(labels, u, v, w)
                    for n in range(8):
                        zz, pz = (k1, c) if n & 4 else (k, 1 - c)
                        yy, py = (j1, b) if n & 2 else (j, 1 - b)
                        xx, px = (i1, a) if n & 1 else (i, 1 - a)
                        found[n], part[n] = labels[zz, yy, xx], pz * py * px
                    most = -1.0
                    for n in range(8):
                        whole = 0.0
                        for m in range(8):
                            if found[m] == found[n]:
                                whole += part[m]
                        if whole > most or (whole == most and found[n] < result[z, y, x]):
                            most = whole
                            result[z, y, x] = found[n]


@kernel
def pull_field(other, matrix, field, result):  # noqa: ANN001, ANN201
    """Another field at matrix @ (voxel + field), into `result`; its border continues beyond it."""
    for z in range(result.shape[0]):
        for y in range(result.shape[1]):
            for x in range(result.shape[2]):
                d = field[z, y, x]
                u, v, w = _mapped(matrix, x + d[0], y + d[1], z + d[2])
                result[z, y, x, 0], result[z, y, x, 1], result[z, y, x, 2] = _field_at(
                    other, u, v, w
                )


@kernel
def field_at_points(field, points):  # noqa: ANN001, ANN201
    """The field at points (n, 3), continuous voxel indices (x, y, z): (n, 3)."""
    result = np.empty_like(points)
    for n in range(len(points)):
        u, v, w = points[n]
        result[n, 0], result[n, 1], result[n, 2] = _field_at(field, u, v, w)
    return result


@kernel
def _moved(to_field, field, to_image, x, y, z):  # noqa: ANN001, ANN202
    u, v, w = _mapped(to_field, x, y, z)
    dx, dy, dz = _field_at(field, u, v, w)
    return _mapped(to_image, u + dx, v + dy, w + dz)


@kernel
def _mapped(matrix, x, y, z):  # noqa: ANN001, ANN202
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3],
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3],
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3],
    )


@kernel
def _field_at(field, u, v, w):  # noqa: ANN001, ANN202
    (k, k1, c), (j, j1, b), (i, i1, a) = _cell(field, u, v, w)
    p, q, r, s = field[k, j, i], field[k, j, i1], field[k, j1, i], field[k, j1, i1]
    t, e, f, g = field[k1, j, i], field[k1, j, i1], field[k1, j1, i], field[k1, j1, i1]
    return (
        _mix(_mix(_mix(p[0], q[0], a), _mix(r[0], s[0], a), b),
             _mix(_mix(t[0], e[0], a), _mix(f[0], g[0], a), b), c),
        _mix(_mix(_mix(p[1], q[1], a), _mix(r[1], s[1], a), b),
             _mix(_mix(t[1], e[1], a), _mix(f[1], g[1], a), b), c),
        _mix(_mix(_mix(p[2], q[2], a), _mix(r[2], s[2], a), b),
             _mix(_mix(t[2], e[2], a), _mix(f[2], g[2], a), b), c),
    )  # fmt: skip


@kernel
def _mix(one, other, part):  # noqa: ANN001, ANN202
    return one + part * (other - one)


@kernel
def _lies_in(image, u, v, w):  # noqa: ANN001, ANN202
    depth, height, width = image.shape
    return -0.5 <= u <= width - 0.5 and -0.5 <= v <= height - 0.5 and -0.5 <= w <= depth - 0.5


@kernel
def _cell(array, u, v, w):  # noqa: ANN001, ANN202
    """Along z, y and x: the voxels before and after a place, and the part of the way between."""
    return _step(w, array.shape[0]), _step(v, array.shape[1]), _step(u, array.shape[2])


@kernel
def _step(place, count):  # noqa: ANN001, ANN202
    place = min(max(place, 0.0), count - 1.0)
    first = int(place)
    return first, min(first + 1, count - 1), np.float32(place - first)
