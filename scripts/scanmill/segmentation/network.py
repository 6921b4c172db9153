"""Structures found by a trained network: all those of one network in one pass over the scan."""

import numpy as np

from scanmill.grid import Grid
from scanmill.hounsfield import doubt
from scanmill.label_map import Region
from scanmill.model_folder import Model
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, Structure, paint_each
from scanmill.segmentation.inference import probabilities
from scanmill.segmentation.reorientation import onto, patient_grid
from scanmill.segmentation.steps import apply
from scanmill.volume_file import Volume


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint the classes that the networks find, cleaned up by each structure's steps.

    Raises Refusal `not-hounsfield` where a recipe for CT meets other intensities, `scan-too-small`,
    and `network-not-finite`.
    """
    if scene.modality == "CT":
        reason = doubt(scene.image(), scene.grid)
        if reason:
            raise Refusal("not-hounsfield", reason)

    def region_of(structure: Structure) -> Region:
        segment = structure["segment"]
        known, found = scene.classes(segment["model"])
        own = np.array([False, *(name in segment["classes"] for name in known)])
        return apply(segment["steps"], Region.of(own[found]), scene)

    paint_each(structures, scene, region_of)


def classify(image: np.ndarray, grid: Grid, model: Model, wanted: list[str]) -> np.ndarray:
    """Which of the wanted classes each voxel is of: 1 for the first, 0 for none of them; [z, y, x].

    image: [z, y, x] on the grid. The network sees the scan along the patient's axes, whatever the
    grid's. What is resampled onto the grid is how likely each class is; the likeliest is chosen there.
    """
    seen = patient_grid(grid, model.axes, model.spacing)
    chances = probabilities(onto(Volume(image, grid), seen).array, model, wanted)
    return likeliest(chances, seen, grid)


def likeliest(chances: np.ndarray, seen: Grid, grid: Grid) -> np.ndarray:
    """Which class is the likeliest in each voxel of a grid; chances: [class, a, b, c] on `seen`."""
    labels = np.zeros(grid.shape, np.min_scalar_type(len(chances) - 1))
    best = onto(Volume(chances[0], seen), grid).array
    for number in range(1, len(chances)):
        chance = onto(Volume(chances[number], seen), grid).array
        likelier = chance > best
        labels[likelier] = number
        best = np.where(likelier, chance, best)
    return labels
