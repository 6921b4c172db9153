"""How the structures of a recipe are found: one interface, several methods.

A method is given its structures and the scene, and paints what it finds into the scene's label map.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.midline import Midline
from scanmill.midline import find as find_midline
from scanmill.refusal import Refusal
from scanmill.seed_file import Seed
from scanmill.stage import Record

OF_ONE_STRUCTURE = (
    "structure-empty",
    "structure-skipped",
    "seed-misses",
    "seeds-missing",
    "seeds-outside",
    "seeds-conflict",
    "seeds-unbounded",
    "midline-unclear",
    "shape-missing",
    "shape-lost",
    "labels-elsewhere",
    "labels-unreadable",
    "labels-frame",
    "labels-ambiguous",
)


@dataclass(frozen=True)
class Exemplar:
    """Where an atlas lies: its isotropic volume, and its label map."""

    scan: Path
    labels: Path


@dataclass
class Scene:
    """What a method sees of one case.

    grid: where the voxels lie. modality: CT, MR or any, as the recipe says. image: gives the
    intensities, [z, y, x] on the grid, read on first use and kept. label_map: what has been found
    so far. labels: structure name to label. record: takes the warnings, and what went wrong with
    each structure. supplied: the user's label files, each with the structure that it is the mask of,
    or None for a map of several. scan: where the scan's slices lie as acquired; None: on the grid.
    frame_of_reference: the scan's, sealed (see the module of that name); None where it has none.
    seeds: those that the sheet supplies. classes: gives of a network of the recipe, by number, the
    names that are wanted and which of them, from 1, each voxel is of; found on first use and kept.
    atlases: labelled scans of the same recipe. shapes: the file of its shape models. seen: gives the
    voxels, [z, y, x], that show what is there, not beyond the scan or spoiled.
    """

    grid: Grid
    modality: str
    image: Callable[[], np.ndarray]
    label_map: LabelMap
    labels: dict[str, int]
    record: Record
    supplied: list[tuple[str | None, Path]] = field(default_factory=list)
    scan: Grid | None = None
    frame_of_reference: dict[str, str] | None = None
    seeds: list[Seed] = field(default_factory=list)
    classes: Callable[[int], tuple[list[str], np.ndarray]] | None = None
    atlases: list[Exemplar] = field(default_factory=list)
    shapes: Path | None = None
    seen: Callable[[], np.ndarray] | None = None

    @cached_property
    def midline(self) -> Midline:
        """The patient's, found on first use and noted. Raises Refusal `midline-unclear`."""
        found = find_midline(self.image(), self.grid, self.modality)
        self.record.details["midline"] = asdict(found)
        return found


Structure = dict[str, Any]
Method = Callable[[list[Structure], Scene], None]


def paint_each(
    structures: list[Structure], scene: Scene, region_of: Callable[[Structure], Region]
) -> None:
    """Paint the region of each structure, in order; note which have none, and why.

    What concerns one structure alone is noted in the record's details, `structures`, by name:
    status, code and reason. Any other Refusal concerns the whole case and is raised.
    """
    for structure in structures:
        try:
            region = region_of(structure)
            if not region.array.any():
                raise Refusal("structure-empty", "the method of this structure found no voxel")
        except Refusal as refusal:
            if refusal.code not in OF_ONE_STRUCTURE:
                raise
            said = {"status": "refused", "code": refusal.code, "reason": refusal.reason}
            scene.record.details.setdefault("structures", {})[structure["name"]] = said
        else:
            scene.label_map.paint(scene.labels[structure["name"]], region)
