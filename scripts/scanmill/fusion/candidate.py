"""What an atlas says of a target, and what several say together."""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import bounding_box
from scanmill.label_map import Box
from scanmill.registration.transform import Transform
from scanmill.volume_file import Volume

Array = np.ndarray


@dataclass
class Candidate:
    """An atlas on the target's grid, all [z, y, x].

    image: float32, its tissues on the scale of the target's. labels: from 0, background. inside: where
    the atlas reaches; elsewhere it says nothing.
    """

    image: Array
    labels: Array
    inside: Array

    @classmethod
    def of(cls, transform: Transform, image: Volume, labels: Volume, target: Volume) -> "Candidate":
        """An atlas, its image normalised as the target's is, through the map from the target to it."""
        values, inside = transform.image(image, target.grid)
        found, labelled = transform.labels(labels, target.grid)
        return cls(values, found, inside & labelled)


@dataclass
class Posterior:
    """How likely each label is at each voxel of a box; outside of the box all is background.

    fractions: [k, z, y, x], float32, of label 0 (background) to k - 1; they sum to 1.
    """

    box: Box
    fractions: Array

    def labels(self, shape: tuple[int, int, int]) -> Array:
        """The likeliest label of each voxel of the whole grid, in the smallest type."""
        result = np.zeros(shape, np.min_scalar_type(len(self.fractions) - 1))
        result[self.box] = self.fractions.argmax(axis=0)
        return result


def box_of(candidates: list[Candidate], margin: int) -> Box:
    """The box that holds every label of every candidate and a margin of voxels around, in the grid."""
    labelled = candidates[0].labels > 0
    for candidate in candidates[1:]:
        labelled |= candidate.labels > 0
    box = bounding_box(labelled, margin)
    return tuple(slice(s.start, min(s.stop, n)) for s, n in zip(box, labelled.shape, strict=True))


def majority(candidates: list[Candidate], box: Box, count: int) -> Posterior:
    """Each atlas that reaches a voxel has one vote there; none reaching, it is background."""
    votes = np.zeros((count, *candidates[0].labels[box].shape), np.float32)
    for candidate in candidates:
        for label in range(count):
            votes[label] += (candidate.labels[box] == label) & candidate.inside[box]
    votes[0] += votes.sum(axis=0) == 0
    return Posterior(box, votes / votes.sum(axis=0))
