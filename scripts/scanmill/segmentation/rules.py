"""Structures found by rules: a list of steps from the whole scan to the structure."""

from scanmill.label_map import Region
from scanmill.segmentation import Scene, Structure, steps
from scanmill.segmentation.painting import paint_each


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint each structure that its recipe's steps find.

    A structure that comes out empty, or is built from an empty one, is noted in the record.
    Raises Refusal `not-hounsfield` where a CT recipe meets other intensities.
    """

    def region_of(structure: Structure, scene: Scene) -> Region:
        return steps.apply(structure["segment"]["steps"], None, scene)

    paint_each(structures, scene, region_of)
