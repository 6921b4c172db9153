"""What an atlas says of a target, and what several say together."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import find_objects

from scanmill.label_map import Box
from scanmill.registration.transform import Transform
from scanmill.volume_file import Volume

Array = np.ndarray
NOWHERE: Box = (slice(0, 0), slice(0, 0), slice(0, 0))


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
class Part:
    """How likely one label is: fractions, float32, of a box [z, y, x] of the grid; 0 around it."""

    box: Box
    fractions: Array


@dataclass
class Posterior:
    """How likely each label is at each voxel of a grid.

    shape: of the grid, [z, y, x]. parts: of the labels 1, 2, ..., each in its own box, so that a
    hundred structures of a large scan take little room. What they lack to 1 is background's.
    """

    shape: tuple[int, int, int]
    parts: list[Part]

    def background(self) -> Array:
        """How likely each voxel is of no label, float32, [z, y, x]."""
        rest = np.ones(self.shape, np.float32)
        for part in self.parts:
            rest[part.box] -= part.fractions
        return np.maximum(rest, 0)

    def labels(self) -> Array:
        """The likeliest label of each voxel, in the smallest type; the first of equals."""
        most = self.background()
        result = np.zeros(self.shape, np.min_scalar_type(len(self.parts)))
        for label, part in enumerate(self.parts, 1):
            here = part.fractions > most[part.box]
            most[part.box][here] = part.fractions[here]
            result[part.box][here] = label
        return result


def label_boxes(candidates: list[Candidate], count: int, margin: int) -> list[Box]:
    """For each label from 1 to count - 1: the box that holds it in all candidates, and a margin.

    A label that none has gets an empty box.
    """
    found = [find_objects(candidate.labels, count - 1) for candidate in candidates]
    shape = candidates[0].labels.shape
    return [
        _around([box for box in boxes if box], shape, margin) for boxes in zip(*found, strict=True)
    ]


def _around(boxes: list[Box], shape: tuple[int, int, int], margin: int) -> Box:
    """The box that holds others and a margin, within a grid."""
    if not boxes:
        return NOWHERE
    return tuple(
        slice(
            max(0, min(box[axis].start for box in boxes) - margin),
            min(shape[axis], max(box[axis].stop for box in boxes) + margin),
        )
        for axis in range(3)
    )


def majority(candidates: list[Candidate], count: int) -> Posterior:
    """Each atlas that reaches a voxel has one vote there; none reaching, it is background."""
    cast = np.zeros(candidates[0].labels.shape, np.float32)
    for candidate in candidates:
        cast += candidate.inside
    cast[cast == 0] = 1
    parts = []
    for label, box in enumerate(label_boxes(candidates, count, 0), 1):
        votes = np.zeros(cast[box].shape, np.float32)
        for candidate in candidates:
            votes += (candidate.labels[box] == label) & candidate.inside[box]
        parts.append(Part(box, votes / cast[box]))
    return Posterior(cast.shape, parts)
