"""SEG: the segments of a DICOM segmentation, binary, fractional or a label map.

Where a frame lies is what its functional groups say, proven as strictly as for images; a plane without
a frame is empty, as the standard has it. Attributes: DICOM PS3.3, C.8.20.
"""

from functools import cached_property

import numpy as np
from pydicom import Dataset
from pydicom.sr.coding import Code

from scanmill.refusal import Refusal
from scanmill.snomed import LATERALITIES
from scanmill.source.layout import Note
from scanmill.source.segments.frame_pixels import FramePixels
from scanmill.source.segments.frame_stack import groups_of, stack_of
from scanmill.source.segments.object_file import interpreting
from scanmill.source.segments.segment import Mask, Segment

LEAST_FRACTION = 0.5


class SegmentationObject:
    """The segments of a SEG, in its order; pixels are decoded when a mask is asked for."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        # Number 0 is the background of a label map.
        items = [item for item in dataset.SegmentSequence if int(item.SegmentNumber) > 0]
        self._numbers = [int(item.SegmentNumber) for item in items]
        if len(set(self._numbers)) < len(self._numbers):
            raise Refusal(
                "labels-unreadable", "two segments of the supplied labels have one number"
            )
        frame_of_reference = dataset.get("FrameOfReferenceUID")
        self.listed = [
            Segment(
                str(item.get("SegmentLabel") or ""),
                str(frame_of_reference) if frame_of_reference else None,
                _code(item, "SegmentedPropertyTypeCodeSequence"),
                _side(item),
            )
            for item in items
        ]
        self._kind = str(dataset.SegmentationType)
        if self._kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
            raise Refusal("labels-unreadable", "the supplied segmentation is of an unknown type")
        self._stack = stack_of(dataset)
        self._pixels = FramePixels(dataset)

    @interpreting()
    def mask(self, number: int) -> tuple[Mask, list[Note]]:
        """The mask of the segment at that place in the list, on the planes of the object's frames.

        Raises Refusal where two frames of it lie on one plane, or cannot be decoded.
        """
        value = self._numbers[number]
        if self._kind == "LABELMAP":
            first, values = self._label_map
            return self._mask(first, values == value), []
        frames = self._frames_of[value]
        if self._kind == "BINARY":
            first, values = self._placed(frames)
            return self._mask(first, values > 0), []
        first, values = self._placed(frames)
        least = LEAST_FRACTION * int(self._dataset.MaximumFractionalValue)
        message = f"The segment holds fractions; from {LEAST_FRACTION:g} on, a voxel belongs to it."
        return self._mask(first, values >= least), [("labels-thresholded", message)]

    @cached_property
    def _label_map(self) -> tuple[int, np.ndarray]:
        return self._placed(list(range(len(self._stack.layers))))

    @cached_property
    def _frames_of(self) -> dict[int, list[int]]:
        """The frames of each segment, by its number."""
        frames: dict[int, list[int]] = {number: [] for number in self._numbers}
        groups = groups_of(self._dataset, "SegmentIdentificationSequence")
        for frame, group in enumerate(groups):
            number = int(group.ReferencedSegmentNumber)
            if number not in frames:
                raise Refusal("labels-unreadable", "a frame is of a segment that is not described")
            frames[number].append(frame)
        return frames

    def _placed(self, frames: list[int]) -> tuple[int, np.ndarray]:
        """The first layer of some frames, and their stored values, [z, y, x] from there on."""
        layers = self._stack.layers[frames]
        if len(np.unique(layers)) < len(layers):
            raise Refusal("labels-unreadable", "two frames of a segment lie on one plane")
        if not frames:
            return 0, np.zeros((0, *self._stack.grid.shape[1:]), np.uint8)
        first = int(layers.min())
        shape = (int(layers.max()) - first + 1, *self._stack.grid.shape[1:])
        values = np.zeros(shape, self._pixels.dtype)
        for frame, layer in zip(frames, layers, strict=True):
            values[layer - first] = self._pixels.read(frame)
        return first, values

    def _mask(self, first: int, array: np.ndarray) -> Mask:
        return Mask(self._stack.grid, (0, 0, first), array)


def _code(item: Dataset, sequence: str) -> Code | None:
    """A coded concept; SRT codes of old objects compare equal to the SCT ones that replaced them."""
    codes = item.get(sequence)
    if not codes or not codes[0].get("CodeValue"):
        return None
    return Code(str(codes[0].CodeValue), str(codes[0].get("CodingSchemeDesignator")), "")


def _side(item: Dataset) -> str | None:
    """The side of a segment: a modifier of its type, or of its anatomic region."""
    modifiers = [item.get("SegmentedPropertyTypeCodeSequence"), item.get("AnatomicRegionSequence")]
    for modified in filter(None, modifiers):
        for keyword in (
            "SegmentedPropertyTypeModifierCodeSequence",
            "AnatomicRegionModifierSequence",
        ):
            code = _code(modified[0], keyword)
            for side, (value, _) in LATERALITIES.items():
                if code and code == Code(value, "SCT", ""):
                    return side
    return None
