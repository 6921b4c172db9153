"""What else is tried where a structure cannot be meshed or solved as the recipe asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from scanmill.refusal import Refusal

Found = TypeVar("Found")


@dataclass(frozen=True)
class Way:
    """How a structure is meshed.

    edge: of the recipe's length of edges. blur: of its mask before (`Masks.blurred`), voxels.
    """

    edge: float = 1.0
    blur: float = 0.0

    def told(self, edge: float) -> str:
        """In words. edge: of the recipe, mm."""
        mask = f"its mask blurred by {self.blur:g} voxel" if self.blur else ""
        edges = f"edges of {self.edge * edge:g} mm" if self.edge != 1 else ""
        return " and ".join(filter(None, (edges, mask)))


AS_ASKED = Way()
SHORTER, LONGER, SMOOTHER = Way(edge=0.8), Way(edge=1.25), Way(blur=1.0)
SMOOTHEST = Way(blur=1.5)
SHORT_ENOUGH = (Way(edge=0.7), Way(edge=0.5))
# By the code of what failed. Walls fold where voxels make crotches and necks sharp: of those tried, a
# blur mends that, and no other length of edges does.
OTHERS = {
    "wall-folded": (SMOOTHER, SMOOTHEST),
    "ends-unclear": (SHORTER, SMOOTHER),
    "mesher-failed": (SHORTER, LONGER, SMOOTHER),
    "mesh-inverted": (SHORTER, LONGER, SMOOTHER),
    "solver-failed": (SHORTER, SMOOTHER),
    "part-lost": SHORT_ENOUGH,
    "solid-short": SHORT_ENOUGH,
}


def first_that_works(
    make: Callable[[Way], Found], edge: float
) -> tuple[Found, Way, Refusal | None]:
    """What was made as asked, or else by the first of OTHERS that works; which, and why not as asked.

    edge: of the recipe, mm. Raises the refusal of what was asked, where nothing works.
    """
    try:
        return make(AS_ASKED), AS_ASKED, None
    except Refusal as refusal:
        first = refusal
    others = OTHERS.get(first.code, ())
    for way in others:
        try:
            return make(way), way, first
        except Refusal:
            continue
    if not others:
        raise first
    tried = "; nor ".join(f"with {way.told(edge)}" for way in others)
    raise Refusal(first.code, f"{first.reason}; nor was it done {tried}")
