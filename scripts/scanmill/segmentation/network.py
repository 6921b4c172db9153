"""Structures found by a trained network: all those of one network in one pass over the scan."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scanmill.grid import Grid
from scanmill.hounsfield import doubt
from scanmill.label_map import Region
from scanmill.model_folder import Model
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, Structure
from scanmill.segmentation.doubt import SURE
from scanmill.segmentation.inference import probabilities
from scanmill.segmentation.painting import paint_each
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

    def region_of(structure: Structure, scene: Scene) -> Region:
        segment = structure["segment"]
        answer = scene.answers(segment["model"])
        if scene.lean == 0:
            own = np.array([False, *(name in segment["classes"] for name in answer.names)])
            mask = own[answer.labels]
        else:
            mask = answer.chance(segment["classes"]) > (SURE if scene.lean < 0 else 1 - SURE)
        return apply(segment["steps"], Region.of(mask), scene)

    paint_each(structures, scene, region_of)


@dataclass
class Answer:
    """What a network says of a scan.

    names: of the classes that are wanted. chances: how likely each voxel of the grid `seen` is of one
    of the others, and of each of these, [1 + names, a, b, c]. grid: the scan's.
    """

    names: list[str]
    chances: np.ndarray
    seen: Grid
    grid: Grid

    @classmethod
    def of(cls, image: np.ndarray, grid: Grid, model: Model, wanted: list[str]) -> "Answer":
        """That of a model to an image [z, y, x] on the grid.

        The network sees the scan along the patient's axes, whatever the grid's. Raises Refusal
        `scan-too-small` and `network-not-finite`.
        """
        seen = patient_grid(grid, model.axes, model.spacing)
        chances = probabilities(onto(Volume(image, grid), seen).array, model, wanted)
        return cls(wanted, chances, seen, grid)

    @cached_property
    def labels(self) -> np.ndarray:
        """Which class each voxel of the scan's grid is of: 1 for the first, 0 for none; [z, y, x]."""
        return likeliest(self.chances, self.seen, self.grid)

    def chance(self, names: list[str]) -> np.ndarray:
        """How likely each voxel of the scan's grid is of any of these classes, [z, y, x]."""
        channels = [1 + self.names.index(name) for name in names]
        return onto(Volume(self.chances[channels].sum(axis=0), self.seen), self.grid).array


def likeliest(chances: np.ndarray, seen: Grid, grid: Grid) -> np.ndarray:
    """Which class is the likeliest in each voxel of a grid; chances: [class, a, b, c] on `seen`.

    What is resampled onto the grid is how likely each class is; the likeliest is chosen there.
    """
    labels = np.zeros(grid.shape, np.min_scalar_type(len(chances) - 1))
    best = onto(Volume(chances[0], seen), grid).array
    for number in range(1, len(chances)):
        chance = onto(Volume(chances[number], seen), grid).array
        likelier = chance > best
        labels[likelier] = number
        best = np.where(likelier, chance, best)
    return labels
