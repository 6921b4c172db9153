"""Analytic patients and their grids from plain data, as config/phantoms.yaml has it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scanmill.grid import TOWARDS, Grid, Triple
from scanmill.phantom.body import (
    Aneurysm,
    Body,
    Box,
    Capsule,
    Cylinder,
    Ellipsoid,
    Torus,
    sphere,
)
from scanmill.phantom.composition import subtract, unite
from scanmill.phantom.patient import Patient, Structure, Texture
from scanmill.phantom.point_spread import LATTICE, Profile, offsets
from scanmill.phantom.tubes import Tubes
from scanmill.phantom.warp import random_warp

SHAPES: dict[str, Callable[..., Body]] = {
    "sphere": sphere,
    "ellipsoid": Ellipsoid,
    "cylinder": Cylinder,
    "capsule": Capsule,
    "torus": Torus,
    "box": Box,
    "aneurysm": Aneurysm,
    "tubes": Tubes,
}
SLICE_PROFILES: dict[str, Callable[[float], Profile]] = {
    "box": Profile,
    "gaussian": lambda width: Profile(0.0, width),
}


def patient_of(description: Mapping[str, Any]) -> Patient:
    """The patient of a description: its `structures`, `background`, `position` and `warp`.

    position: LPS mm of the point that the centres of the bodies are counted from. warp: as for
    `random_warp`; none where the key is missing. A structure may have a `texture` (`Texture`).
    Raises ValueError or TypeError where the description makes no exact patient.
    """
    structures = [
        Structure(
            entry["name"],
            entry["label"],
            entry["intensity"],
            body_of(entry["body"], description["position"]),
            Texture(**entry["texture"]) if "texture" in entry else None,
        )
        for entry in description["structures"]
    ]
    patient = Patient(structures, description["background"])
    return patient.warped(random_warp(**description["warp"])) if "warp" in description else patient


def body_of(description: Mapping[str, Any], position: Triple) -> Body:
    """The body of `{shape: {sizes, centre, turn}}`, `{union: [...]}` or `{difference: [...]}`.

    Sizes and centre in mm, the centre from `position` (LPS); turn: degrees about the LPS axes. A
    difference is the first body less the others.
    """
    ((shape, content),) = description.items()
    if shape in ("union", "difference"):
        parts = [body_of(part, position) for part in content]
        return unite(parts) if shape == "union" else subtract(parts[0], parts[1:])
    if shape not in SHAPES:
        raise ValueError(f"'{shape}' is no shape; one of {', '.join(SHAPES)} would be right")
    sizes = {key: _frozen(x) for key, x in content.items()}
    centre = np.add(sizes.pop("centre", (0, 0, 0)), position)
    pose = {"centre": _floats(centre)}
    if "turn" in sizes:
        pose["rotation"] = _floats(turned(sizes.pop("turn")))
    return SHAPES[shape](**sizes, **pose)


def grid_of(description: Mapping[str, Any]) -> Grid:
    """The grid of `{size, spacing, centre, axes, turn}`.

    centre: LPS mm of the middle of the block. axes: where the x, y and z axes point, in letters:
    LPS, RAS, PIL, ... turn: degrees about the LPS axes by which the block is then turned.
    """
    letters = np.array([TOWARDS[letter] for letter in description["axes"]]).T
    direction = turned(description["turn"]) @ letters
    size, spacing = tuple(description["size"]), tuple(description["spacing"])
    half = (direction * spacing) @ ((np.asarray(size) - 1) / 2)
    return Grid(size, spacing, _floats(description["centre"] - half), _floats(direction))


def turned(degrees: Triple) -> np.ndarray:
    """The 3x3 rotation about the LPS x axis, then y, then z, by the right-hand rule."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def samples_of(description: Mapping[str, Any]) -> np.ndarray:
    """The points that a voxel averages over, (SAMPLES, 3), in voxels; of `grid` and `scanner`.

    scanner: fwhm: in-plane blur over the voxel's own box, mm; thickness: of a slice, mm, whatever the
    spacing; profile: `box`, or `gaussian` of that full width at half maximum. Without it a voxel
    averages over its own box.
    """
    if "scanner" not in description:
        return LATTICE
    spacing, scanner = description["grid"]["spacing"], description["scanner"]
    across = [Profile(step, scanner["fwhm"]) for step in spacing[:2]]
    return offsets([*across, SLICE_PROFILES[scanner["profile"]](scanner["thickness"])], spacing)


def _frozen(content: Any) -> Any:
    return tuple(map(_frozen, content)) if isinstance(content, list) else content


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(x) for x in np.ravel(values))
