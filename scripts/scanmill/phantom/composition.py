"""Bodies made of bodies; measures stay exact since parts are proved disjoint or nested."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from scanmill.phantom.body import Body

Distance = Callable[[np.ndarray], np.ndarray]

HALVINGS = 14
MOST_CELLS = 500_000
OCTANTS = np.array(list(product((-1.0, 1.0), repeat=3)))


@dataclass(frozen=True)
class Union(Body):
    """Several disjoint bodies as one; `unite` proves it."""

    parts: tuple[Body, ...]

    @property
    def volume(self) -> float:
        """The sum of the parts."""
        return sum(part.volume for part in self.parts)

    @property
    def area(self) -> float:
        """The sum of the parts."""
        return sum(part.area for part in self.parts)

    @property
    def centroid(self) -> np.ndarray:
        """The mean of the parts' centroids by volume."""
        return sum(part.volume * part.centroid for part in self.parts) / self.volume

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The box around the parts' boxes."""
        low, high = zip(*(part.bounds() for part in self.parts), strict=True)
        return np.min(low, axis=0), np.max(high, axis=0)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """See `Body.distance`."""
        return np.min([part.distance(points) for part in self.parts], axis=0)


@dataclass(frozen=True)
class Difference(Body):
    """A body without the disjoint bodies that lie within it; `subtract` proves it."""

    whole: Body
    holes: Union

    @property
    def volume(self) -> float:
        """The whole less the holes."""
        return self.whole.volume - self.holes.volume

    @property
    def area(self) -> float:
        """The outer surface and the walls of the holes."""
        return self.whole.area + self.holes.area

    @property
    def centroid(self) -> np.ndarray:
        """The whole's moment less that of the holes, by what volume is left."""
        moment = self.whole.volume * self.whole.centroid - self.holes.volume * self.holes.centroid
        return moment / self.volume

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Those of the whole."""
        return self.whole.bounds()

    def distance(self, points: np.ndarray) -> np.ndarray:
        """See `Body.distance`."""
        return np.maximum(self.whole.distance(points), -self.holes.distance(points))


def unite(parts: Sequence[Body]) -> Union:
    """The union of bodies. Raises ValueError unless they are proved disjoint."""
    for first, second in combinations(parts, 2):
        if not disjoint(first, second):
            raise ValueError("the parts of a union touch or overlap: its volume would not be exact")
    return Union(tuple(parts))


def subtract(whole: Body, holes: Sequence[Body]) -> Difference:
    """A body less others. Raises ValueError unless these are proved nested in it and disjoint."""
    for hole in holes:
        if not nested(hole, whole):
            raise ValueError("a body to subtract is not wholly inside: no volume would be exact")
    return Difference(whole, unite(holes))


def disjoint(first: Body, second: Body) -> bool:
    """True where it is proved that two bodies have no point in common and do not touch."""
    boxes = first.bounds(), second.bounds()
    low = np.maximum(boxes[0][0], boxes[1][0])
    high = np.minimum(boxes[0][1], boxes[1][1])
    return bool((low > high).any()) or _never_both(first.distance, second.distance, low, high)


def nested(inner: Body, outer: Body) -> bool:
    """True where it is proved that one body lies inside another and does not touch its wall."""
    return _never_both(inner.distance, lambda points: -outer.distance(points), *inner.bounds())


def _never_both(first: Distance, second: Distance, low: np.ndarray, high: np.ndarray) -> bool:
    """True where it is proved that no point of a box is inside both of two solids.

    Branch and bound: a cell whose centre is farther from one solid than the cell's corner holds
    none of it and is settled; the others are cut in eight. A centre inside both is a
    counterexample. What is not settled within HALVINGS and MOST_CELLS counts as not proved: long
    gaps below about 1/100 of the box, say, and bodies that touch.
    """
    cells, half = ((low + high) / 2)[None], (high - low) / 2
    for _ in range(HALVINGS):
        clear = np.maximum(first(cells), second(cells))
        if (clear < 0).any():
            return False
        cells = cells[clear <= np.linalg.norm(half)]
        if len(cells) == 0 or len(cells) * len(OCTANTS) > MOST_CELLS:
            break
        half = half / 2
        cells = (cells[:, None] + OCTANTS * half).reshape(-1, 3)
    return len(cells) == 0
