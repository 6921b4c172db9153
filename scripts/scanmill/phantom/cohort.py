"""Whole patients by chance: descriptions whose anatomy, tissues, shape and pose vary with the seed."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from scanmill.grid import Triple
from scanmill.phantom.anatomy import ANATOMIES, Variation
from scanmill.phantom.description import body_of, grid_of, patient_of
from scanmill.phantom.warp import random_warp

AXES = ("LPS", "RAS", "PIL", "LPI", "SLA")
WAVELENGTH = 120.0
ATTEMPTS = 50
MARGIN_VOXELS = 2


def patients(
    kind: str,
    count: int,
    seed: int,
    spacing: Triple = (1.5, 1.5, 3.0),
    variability: float = 0.5,
    contrast: float = 30.0,
    noise: float = 12.0,
) -> Iterator[dict[str, Any]]:
    """Descriptions of so many random patients, for `scan_of`.

    kind: of ANATOMIES. spacing: mm. variability: from 0 to 1, of anatomy and of the warp's amplitude.
    contrast: of tumours against the organ that they lie in or beside. noise: sigma, HU or units of MR.
    """
    for n in range(count):
        yield patient(kind, [seed, n], spacing, variability, contrast, noise)


def patient(
    kind: str,
    seed: int | list[int],
    spacing: Triple,
    variability: float,
    contrast: float,
    noise: float,
) -> dict[str, Any]:
    """The description of one patient; see `patients`.

    Anatomies by chance in which organs would touch are drawn again. Raises ValueError where ATTEMPTS
    of them do.
    """
    random = np.random.default_rng(seed)
    modality, background, anatomy = ANATOMIES[kind]
    for _ in range(ATTEMPTS):
        vary = Variation(random, variability, contrast)
        position = [float(x) for x in random.uniform(-150, 150, 3)]
        description = {
            "modality": modality,
            "noise": {"sigma": noise, "seed": vary.seed()},
            "background": background,
            "position": position,
            "structures": [
                {"name": name, "label": label, "body": body} | tissue
                for label, (name, tissue, body) in enumerate(anatomy(vary), start=1)
            ],
        }
        try:
            patient_of(description)
        except ValueError:
            continue
        warp = {"amplitude": variability, "wavelength": WAVELENGTH, "seed": vary.seed()}
        return description | {
            "warp": warp,
            "grid": _grid_around(description, warp, spacing, random),
        }
    raise ValueError(
        f"in none of {ATTEMPTS} anatomies by chance were all organs clear of each other"
    )


def _grid_around(
    description: dict[str, Any],
    warp: dict[str, Any],
    spacing: Triple,
    random: np.random.Generator,
) -> dict[str, Any]:
    """A grid of random axes, slightly oblique, that holds the warped patient."""
    outermost = description["structures"][0]["body"]
    low, high = body_of(outermost, description["position"]).bounds()
    half = (high - low) / 2 + random_warp(**warp).reach
    grid = {
        "spacing": list(spacing),
        "centre": [float(x) for x in (low + high) / 2 + random.uniform(-1, 1, 3)],
        "axes": str(random.choice(AXES)),
        "turn": [float(x) for x in random.uniform(-10, 10, 3)],
    }
    directions = np.reshape(grid_of(grid | {"size": [1, 1, 1]}).direction, (3, 3))
    voxels = (np.abs(directions.T) @ (half + 1)) / spacing + MARGIN_VOXELS
    return grid | {"size": [int(n) for n in 2 * np.ceil(voxels)]}
