"""How the structures of a recipe are found: one interface, several methods.

A method is given its structures and the scene, and paints what it finds into the scene's label map.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scanmill.grid import Grid
from scanmill.label_map import Doubt, LabelMap, Region
from scanmill.midline import Midline
from scanmill.midline import find as find_midline
from scanmill.seed_file import Seed
from scanmill.stage import Record

if TYPE_CHECKING:
    from scanmill.segmentation.network import Answer

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
    seeds: those that the sheet supplies. answers: gives what a network of the recipe says, by number;
    found on first use and kept. atlases: labelled scans of the same recipe. shapes: the file of its
    shape models. seen: gives the voxels, [z, y, x], that show what is there, not beyond the scan or
    spoiled. doubts: what methods were not sure of, by structure. lean: what is asked for, of
    structures that others are built from as well: 0 what is likely, -1 the least that there surely is,
    1 the most that there perhaps is; windows are then wider by `leeway` to each side, units of the
    image, below 0 narrower.
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
    answers: "Callable[[int], Answer] | None" = None
    atlases: list[Exemplar] = field(default_factory=list)
    shapes: Path | None = None
    seen: Callable[[], np.ndarray] | None = None
    doubts: dict[str, Doubt] = field(default_factory=dict)
    lean: int = 0
    leeway: float = 0.0

    def region(self, name: str) -> Region:
        """The region of a structure, which is empty where it has no voxel."""
        return self._leaning(name, self.lean)

    def opposite(self, name: str) -> Region:
        """That of a structure which takes away from the one that is asked for."""
        return self._leaning(name, -self.lean)

    def _leaning(self, name: str, lean: int) -> Region:
        doubt = self.doubts.get(name)
        if doubt is None or lean == 0:
            return self.label_map.region(self.labels[name])
        return doubt.perhaps if lean > 0 else doubt.surely

    def that_leans(self, lean: int, leeway: float) -> "Scene":
        """The same scene, what is known of it included; what it warns of is not noted again."""
        scene = copy(self)
        scene.lean, scene.leeway, scene.record = lean, lean * leeway, Record()
        return scene

    @cached_property
    def midline(self) -> Midline:
        """The patient's, found on first use and noted. Raises Refusal `midline-unclear`."""
        found = find_midline(self.image(), self.grid, self.modality)
        self.record.details["midline"] = asdict(found)
        return found


Structure = dict[str, Any]
Method = Callable[[list[Structure], Scene], None]
