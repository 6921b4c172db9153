"""Shape of a mask, as the Image Biomarker Standardisation Initiative (IBSI) defines it.

Definitions and tags: IBSI reference manual, chapter 3.1 (arXiv:1612.07003). The IBSI mesh is marching
cubes on the binary mask at 0.5: its vertices are midpoints between voxels, so that area and volume are
sums over a table of the 256 possible cubes, and diameters need only the outermost midpoints. No mesh is
built. Own code, since the field's packages take seconds for what one pass over the mask gives.
"""

import math
from functools import cache

import numpy as np

from scanmill.cube_table import cube_triangles
from scanmill.diameters import diameter, hull_volume_and_area
from scanmill.grid import Triple
from scanmill.kernel import kernel

Array = np.ndarray


def shape_features(mask: Array, spacing: Triple) -> dict[str, float]:
    """IBSI shape features of a mask [z, y, x] by tag; lengths in mm, areas mm2, volumes mm3.

    spacing: (x, y, z) mm. Raises ValueError on an empty mask.
    """
    inside = bordered(mask)
    found = mesh_features(inside, spacing)
    hull_volume, hull_area = hull_volume_and_area(inside, np.asarray(spacing, float))
    found["morph_vol_dens_conv_hull"] = found["morph_volume"] / hull_volume
    found["morph_area_dens_conv_hull"] = found["morph_area_mesh"] / hull_area
    return found


def mesh_features(inside: Array, spacing: Triple) -> dict[str, float]:
    """Those of `shape_features` that need no convex hull, of a mask with a border of zeros."""
    step = np.asarray(spacing, float)
    count, covariance, extent = _moments(inside, step)
    if count == 0:
        raise ValueError("an empty mask has no shape")
    voxels = count * math.prod(spacing)
    volume, area = mesh_volume_and_area(inside, spacing)
    # Rounding can leave a flat mask's smallest variance a hair below zero.
    least, minor, major = (math.sqrt(max(v, 0.0)) for v in np.linalg.eigvalsh(covariance).tolist())
    x, y, z = (extent * step).tolist()
    return {
        "morph_volume": volume,
        "morph_vol_approx": voxels,
        "morph_area_mesh": area,
        "morph_av": area / volume,
        "morph_comp_1": volume / (math.sqrt(math.pi) * area**1.5),
        "morph_comp_2": 36 * math.pi * volume**2 / area**3,
        "morph_sph_dispr": area / (36 * math.pi * volume**2) ** (1 / 3),
        "morph_sphericity": (36 * math.pi * volume**2) ** (1 / 3) / area,
        "morph_asphericity": (area**3 / (36 * math.pi * volume**2)) ** (1 / 3) - 1,
        "morph_diam": diameter(inside, step),
        "morph_pca_maj_axis": 4 * major,
        "morph_pca_min_axis": 4 * minor,
        "morph_pca_least_axis": 4 * least,
        "morph_pca_elongation": minor / major if major > 0 else 1.0,
        "morph_pca_flatness": least / major if major > 0 else 1.0,
        "morph_vol_dens_aabb": volume / (x * y * z),
        "morph_area_dens_aabb": area / (2 * (x * y + y * z + z * x)),
    }


def bordered(mask: Array) -> Array:
    """A mask as uint8 with a border of zeros."""
    inside = np.zeros(tuple(n + 2 for n in mask.shape), np.uint8)
    inside[1:-1, 1:-1, 1:-1] = mask
    return inside


def mesh_volume_and_area(inside: Array, spacing: Triple) -> tuple[float, float]:
    """Volume (mm3) and area (mm2) of the marching-cubes mesh of a mask with a border of zeros."""
    volume, area = _sum_cubes(inside, *_cube_sums(tuple(spacing)))
    return volume * math.prod(spacing), area


def cube_areas(spacing: Triple) -> Array:
    """Area, mm2, of that mesh within each set of eight voxels that meet in a point, (256,).

    Of a set, bit n is the voxel at (x, y, z) = (n & 1, n >> 1 & 1, n >> 2).
    """
    return _cube_sums(tuple(spacing))[0]


@cache
def _cube_sums(spacing: Triple) -> tuple[Array, Array, Array]:
    """Of the mesh in each of the 256 cubes: area, mm2; flux and its moment, in voxels."""
    case, corners = cube_triangles()
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    sizes = np.linalg.norm(np.cross((b - a) * spacing, (c - a) * spacing), axis=1) / 2
    # Divergence theorem with the field (x, 0, 0): the x part of each area vector.
    across = np.cross(b - a, c - a)[:, 0] / 2
    parts = (sizes, across, across * (a + b + c)[:, 0] / 3)
    return tuple(np.bincount(case, part, minlength=256) for part in parts)


@kernel
def _sum_cubes(inside, areas, flux, moment):  # noqa: ANN001, ANN202
    """Sums of the cubes' areas, and of x times their area vectors' x parts (voxel units)."""
    volume, area = 0.0, 0.0
    for z in range(inside.shape[0] - 1):
        for y in range(inside.shape[1] - 1):
            left = inside[z, y, 0] | inside[z, y + 1, 0] << 2
            left |= inside[z + 1, y, 0] << 4 | inside[z + 1, y + 1, 0] << 6
            for x in range(inside.shape[2] - 1):
                right = inside[z, y, x + 1] | inside[z, y + 1, x + 1] << 2
                right |= inside[z + 1, y, x + 1] << 4 | inside[z + 1, y + 1, x + 1] << 6
                case = left | right << 1
                left = right
                if case != 0 and case != 255:
                    area += areas[case]
                    volume += x * flux[case] + moment[case]
    return volume, area


@kernel
def _moments(inside, spacing):  # noqa: ANN001, ANN202
    """Number of voxels, the covariance of their places (x, y, z), mm2, and voxels from end to end."""
    count = 0
    total = np.zeros(3)
    products = np.zeros((3, 3))
    low = np.array(inside.shape[::-1])
    high = np.zeros(3, np.int64)
    for z in range(inside.shape[0]):
        for y in range(inside.shape[1]):
            n, sx, sxx, first, last = 0, 0, 0, -1, 0
            for x in range(inside.shape[2]):
                if inside[z, y, x]:
                    n += 1
                    sx += x
                    sxx += x * x
                    last = x
                    if first < 0:
                        first = x
            if n == 0:
                continue
            count += n
            total[0] += sx
            total[1] += n * y
            total[2] += n * z
            products[0, 0] += sxx
            products[0, 1] += sx * y
            products[0, 2] += sx * z
            products[1, 1] += n * y * y
            products[1, 2] += n * y * z
            products[2, 2] += n * z * z
            low[0], low[1], low[2] = min(low[0], first), min(low[1], y), min(low[2], z)
            high[0], high[1], high[2] = max(high[0], last), max(high[1], y), max(high[2], z)
    covariance = np.zeros((3, 3))
    for a in range(3):
        for b in range(a, 3):
            # By count - 1, as the IBSI reference values have it; PyRadiomics divides by count.
            scatter = products[a, b] - total[a] * total[b] / max(count, 1)
            covariance[a, b] = scatter / max(1, count - 1) * (spacing[a] * spacing[b])
            covariance[b, a] = covariance[a, b]
    return count, covariance, high - low + 1
