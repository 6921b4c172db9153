"""The scan of a described patient: signal, texture, coil, artefacts and noise, in that order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scanmill.grid import Grid
from scanmill.phantom.artefacts import cut_to_circle, with_body, with_motion, with_ring
from scanmill.phantom.description import body_of, grid_of, patient_of, samples_of
from scanmill.phantom.fields import bias_field, correlated_field
from scanmill.phantom.metal import with_metal
from scanmill.phantom.noise import add_kernel_noise, add_noise
from scanmill.phantom.patient import Patient
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import majority, occupancy, signal, visible_occupancy
from scanmill.volume_file import Volume


@dataclass
class Scan:
    """What a scanner gives, and the truth.

    image: int16. labels: what fills most of each voxel, as an ideal observer would find it by
    thresholds at half contrast in a scan without noise. truth: `Patient.truth`. misleading: voxels
    [z, y, x] that metal spoils (`with_metal`); none without metal.
    """

    image: Volume
    labels: Volume
    truth: list[dict[str, Any]]
    misleading: np.ndarray


def scan_of(description: Mapping[str, Any]) -> Scan:
    """Scan the patient of a description, as config/phantoms.yaml explains it.

    Raises ValueError where the patient is not exact or not wholly in the field of view.
    """
    patient, grid = patient_of(description), grid_of(description["grid"])
    visible = visible_occupancy(patient, grid, samples_of(description))
    image = signal(patient, visible) + texture(patient, visible, grid)
    if "bias" in description:
        image *= bias_field(grid, **description["bias"])
    for artefact in description.get("artefacts", ()):
        ((name, content),) = artefact.items()
        image = ARTEFACTS[name](image, grid, description["position"], **content)
    image, misleading = _measured(image, grid, description)
    return Scan(
        Volume(image, grid), Volume(majority(patient, visible), grid), patient.truth(), misleading
    )


def texture(patient: Patient, visible: np.ndarray, grid: Grid) -> np.ndarray:
    """What the structures' textures add to the signal, [z, y, x]."""
    added = np.zeros(grid.shape)
    for structure, part in zip(patient.structures, visible, strict=True):
        if structure.texture is not None:
            field = correlated_field(grid, structure.texture.length, structure.texture.seed)
            added += part * (structure.texture.sd / SAMPLES) * field
    return added


def _measured(
    image: np.ndarray, grid: Grid, description: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """The stored image with its noise, and where metal misleads."""
    if "metal" in description:
        implant = dict(description["metal"])
        part = occupancy(body_of(implant.pop("body"), description["position"]), grid) / SAMPLES
        return with_metal(image, part, grid, **implant)
    noise = description["noise"]
    if "peak" in noise:
        stored = add_kernel_noise(image, grid.spacing, **noise)
    else:
        stored = add_noise(image, description["modality"], **noise)
    return stored, np.zeros(grid.shape, bool)


Artefact = Callable[..., np.ndarray]


def _table(
    image: np.ndarray, grid: Grid, position: Any, body: Mapping[str, Any], intensity: float
) -> np.ndarray:
    return with_body(image, grid, body_of(body, position), intensity)


def _anywhere(artefact: Artefact) -> Artefact:
    """An artefact that does not depend on where the patient lies."""
    return lambda image, grid, _, **content: artefact(image, grid, **content)


ARTEFACTS: dict[str, Artefact] = {
    "ring": _anywhere(with_ring),
    "motion": _anywhere(with_motion),
    "circle": _anywhere(cut_to_circle),
    "table": _table,
}
