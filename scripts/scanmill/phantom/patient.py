"""An analytic patient: structures with intensities, later over earlier, and their exact truth."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan
from typing import Any

from scanmill.phantom.body import Body
from scanmill.phantom.composition import Difference, Union, disjoint, nested
from scanmill.phantom.warp import Warp, Warped


@dataclass(frozen=True)
class Texture:
    """How a tissue's intensity varies from place to place.

    sd: HU, or MR signal. length: mm over which it varies (`correlated_field`). seed: of the field.
    """

    sd: float
    length: float
    seed: int


@dataclass(frozen=True)
class Structure:
    """A named body. label: its value in the label map, from 1. intensity: HU, or MR signal."""

    name: str
    label: int
    intensity: float
    body: Body
    texture: Texture | None = None


class Patient:
    """Structures, later ones over earlier ones, in a background of one intensity.

    Any two of them are proved disjoint, or the later nested in the earlier, so that what is visible
    of each has an exact volume. Raises ValueError where that cannot be proved, or where two
    structures share a name or a label.
    """

    def __init__(self, structures: Sequence[Structure], background: float) -> None:
        self.structures = tuple(structures)
        self.background = background
        for key in ("name", "label"):
            values = [getattr(structure, key) for structure in structures]
            if len(set(values)) < len(values):
                raise ValueError(f"two structures of a patient share a {key}")
        self._inside: dict[int, set[int]] = {i: set() for i in range(len(structures))}
        for earlier, later in combinations(range(len(structures)), 2):
            if self._is_nested(earlier, later):
                self._inside[earlier].add(later)

    def _is_nested(self, earlier: int, later: int) -> bool:
        under, over = self.structures[earlier], self.structures[later]
        if disjoint(over.body, under.body):
            return False
        if nested(over.body, under.body):
            return True
        raise ValueError(
            f"'{over.name}' is neither inside '{under.name}' nor clear of it: "
            "what is visible of them would have no exact volume"
        )

    def warped(self, warp: Warp) -> "Patient":
        """The patient after a warp: with the same volumes, and the same bodies in one another."""
        other = copy(self)
        other.structures = tuple(
            replace(structure, body=Warped(structure.body, warp)) for structure in self.structures
        )
        return other

    def children(self, index: int) -> list[int]:
        """The structures that lie directly in one, without those that lie in its children."""
        inside = self._inside[index]
        deeper = set().union(*(self._inside[i] for i in inside))
        return sorted(inside - deeper)

    def visible(self, index: int) -> Body:
        """What no other structure covers: the region of a structure in the label map."""
        body = self.structures[index].body
        covering = tuple(self.structures[i].body for i in self.children(index))
        return Difference(body, Union(covering)) if covering else body

    def truth(self) -> list[dict[str, Any]]:
        """Exact measures of each structure, in LPS mm, mm2 and mm3.

        `volume_mm3`, `area_mm2` and `centroid_mm` are of the visible part, as in the label map;
        `whole_…` of the structure with what lies in it. An area without a closed form is None.
        """
        return [
            {"name": structure.name, "label": structure.label}
            | _measures("", self.visible(index))
            | _measures("whole_", structure.body)
            for index, structure in enumerate(self.structures)
        ]


def _measures(prefix: str, body: Body) -> dict[str, Any]:
    return {
        f"{prefix}volume_mm3": float(body.volume),
        f"{prefix}area_mm2": None if isnan(body.area) else float(body.area),
        f"{prefix}centroid_mm": [float(x) for x in body.centroid],
    }
