"""Single structures by chance, of any size, contrast, spacing and pose: to calibrate intervals."""

from collections.abc import Iterator
from math import pi
from typing import Any

import numpy as np

from scanmill.grid import Triple
from scanmill.phantom.description import body_of, grid_of

SHAPES = ("sphere", "ellipsoid", "lobed")
AXES = ("LPS", "RAS", "PIL", "SLA", "AIR")
# Signal around the structure, and how much more it has: HU, or units of MR.
AROUND, CONTRAST = {"CT": 40, "MR": 300}, 100
MARGIN_VOXELS = 6


def specimens(
    count: int,
    seed: int,
    modality: str = "CT",
    radii: tuple[float, float] = (1.5, 12.0),
    cnr: tuple[float, float] = (1.0, 20.0),
    anisotropy: tuple[float, float] = (1.0, 5.0),
) -> Iterator[dict[str, Any]]:
    """Descriptions of so many random specimens, for `scan_of`.

    radii: least and largest of the ball of the same volume, in voxels (`specimen`). cnr: contrast over
    noise. anisotropy: slice spacing over pixel spacing. All three are spread evenly in logarithm.
    """
    for n in range(count):
        random = np.random.default_rng([seed, n])
        radius, ratio, slices = (
            float(np.exp(random.uniform(*np.log(limits)))) for limits in (radii, cnr, anisotropy)
        )
        pixel = float(random.uniform(0.5, 1.5))
        shape = SHAPES[random.integers(len(SHAPES))]
        spacing = (pixel, pixel, pixel * slices)
        yield specimen(shape, radius, ratio, spacing, int(random.integers(1 << 31)), modality)


def specimen(
    shape: str, radius: float, cnr: float, spacing: Triple, seed: int, modality: str = "CT"
) -> dict[str, Any]:
    """The description of one structure in a uniform surrounding, for `scan_of`.

    shape: of SHAPES. radius: of the ball of the same volume, in voxels, that is in cube roots of a
    voxel's volume. cnr: contrast over the noise's sigma. spacing: mm. seed: of proportions,
    orientation, position between the voxels, and noise.
    """
    random = np.random.default_rng(seed)
    turn = [float(x) for x in random.uniform(-180, 180, 3)]
    body = _scaled(UNIT_BODIES[shape](random), radius * float(np.prod(spacing)) ** (1 / 3), turn)
    grid = {
        "spacing": list(spacing),
        "centre": [float(x) for x in random.uniform(-200, 200, 3)],
        "axes": str(random.choice(AXES)),
        "turn": [float(x) for x in random.uniform(-25, 25, 3)],
    }
    low, high = body_of(body, (0.0, 0.0, 0.0)).bounds()
    directions = np.reshape(grid_of(grid | {"size": [1, 1, 1]}).direction, (3, 3))
    reach = np.abs(directions.T) @ ((high - low) / 2) / spacing
    grid["size"] = [int(n) for n in 2 * (np.ceil(reach) + MARGIN_VOXELS)]
    shift = directions @ (random.uniform(-0.5, 0.5, 3) * spacing)
    return {
        "modality": modality,
        "grid": grid,
        "noise": {"sigma": CONTRAST / cnr, "seed": int(random.integers(1 << 31))},
        "background": AROUND[modality],
        "position": [float(x) for x in grid["centre"] + shift - (low + high) / 2],
        "structures": [
            {"name": shape, "label": 1, "intensity": AROUND[modality] + CONTRAST, "body": body}
        ],
    }


def _sphere(_: np.random.Generator) -> dict[str, Any]:
    return {"ellipsoid": {"radii": [1.0, 1.0, 1.0]}}


def _ellipsoid(random: np.random.Generator) -> dict[str, Any]:
    return {"ellipsoid": {"radii": [float(x) for x in random.uniform(0.5, 1.0, 3)]}}


def _lobed(random: np.random.Generator) -> dict[str, Any]:
    """A ball from which three to five lobes bulge."""
    towards = random.standard_normal((random.integers(3, 6), 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    ends = towards * random.uniform(0.6, 1.1, (len(towards), 1))
    radii = random.uniform(0.5, 0.8, len(towards))
    return {
        "tubes": {
            "branches": [
                [[0.0, 0.0, 0.0, 0.9], [*map(float, end), float(radius)]]
                for end, radius in zip(ends, radii, strict=True)
            ]
        }
    }


UNIT_BODIES = {"sphere": _sphere, "ellipsoid": _ellipsoid, "lobed": _lobed}


def _scaled(body: dict[str, Any], radius: float, turn: list[float]) -> dict[str, Any]:
    """A body with the volume of a ball of that radius, mm, turned."""
    ((shape, sizes),) = body.items()
    volume = body_of(body, (0.0, 0.0, 0.0)).volume
    factor = radius * (4 / 3 * pi / volume) ** (1 / 3)
    scaled = {key: (np.asarray(size) * factor).tolist() for key, size in sizes.items()}
    return {shape: scaled | {"turn": turn}}
