"""A shape model built of a structure in atlases, and what it is worth by leaving each of them out."""

import numpy as np

from scanmill.label_map import Region
from scanmill.refusal import Refusal
from scanmill.shape_model import FEWEST
from scanmill.shape_model.completion import complete
from scanmill.shape_model.correspondence import Exemplar, carried, template
from scanmill.shape_model.fit import fit, mahalanobis, residual
from scanmill.shape_model.model import ShapeModel
from scanmill.shape_model.modes import Modes

Array = np.ndarray
# Points that are compared to choose the reference, along each axis.
LATTICE = 24
# Of an atlas, what is hidden from the model of the others.
HIDDEN = 0.25


def build(exemplars: list[Exemplar]) -> tuple[ShapeModel, int]:
    """The model of exemplars, and how many of them registration could not use.

    Raises Refusal `shape-missing` where too few are left.
    """
    _check_number(len(exemplars))
    reference = exemplars[_most_usual(exemplars)]
    surface = template(reference)
    shapes, used = [], []
    for exemplar in exemplars:
        try:
            shapes.append(carried(surface, reference, exemplar))
        except Refusal:
            continue
        used.append(exemplar)
    _check_number(len(used))
    return assessed(np.stack(shapes), used, surface.triangles), len(exemplars) - len(used)


def assessed(shapes: Array, exemplars: list[Exemplar], triangles: Array) -> ShapeModel:
    """The model of corresponding points (m, n, 3), LPS mm, on the surfaces of m exemplars."""
    others = [Modes.of(np.delete(shapes, n, axis=0)) for n in range(len(shapes))]
    fits = [
        fit(m, triangles, e.distance, max(e.mask.grid.spacing) / 2)
        for m, e in zip(others, exemplars, strict=True)
    ]
    reach = around(np.max([found.apart for found in fits], axis=0), triangles)
    residuals, distances = (np.array([of(f) for f in fits]) for of in (residual, mahalanobis))
    worth = triangles, reach, residuals, distances
    misses = [
        _miss(ShapeModel(modes, *worth, np.ones(1)), exemplar, n)
        for n, (modes, exemplar) in enumerate(zip(others, exemplars, strict=True))
    ]
    return ShapeModel(Modes.of(shapes), *worth, np.array(misses))


def around(values: Array, triangles: Array) -> Array:
    """The largest of each point's value and its neighbours'."""
    largest = values.copy()
    for n in range(3):
        np.maximum.at(largest, triangles[:, n], values[triangles].max(axis=1))
    return largest


def _check_number(count: int) -> None:
    if count < FEWEST:
        raise Refusal(
            "shape-missing",
            f"{count} atlases show the whole structure, and a shape model needs {FEWEST} or more",
        )


def _miss(others: ShapeModel, exemplar: Exemplar, n: int) -> float:
    """How wrong the others are about a part of an exemplar that is cut off: error over its sd.

    The n-th of them is cut along each axis and from either side in turn.
    """
    mask, grid = exemplar.mask.array > 0, exemplar.mask.grid
    axis = n % 3
    parts = np.cumsum(mask.sum(axis=tuple(a for a in range(3) if a != axis))) / mask.sum()
    seen = np.ones_like(mask)
    hidden = parts <= HIDDEN if n // 3 % 2 else parts > 1 - HIDDEN
    np.moveaxis(seen, axis, 0)[hidden] = False
    try:
        found = complete(others, Region.of(mask & seen), grid, seen, None)
    except Refusal:
        # It says itself that it does not fit.
        return 1.0
    return (found.volume - exemplar.volume) / max(found.sd, grid.voxel_volume)


def _most_usual(exemplars: list[Exemplar]) -> int:
    """The exemplar whose surface lies nearest to the mean of all, centroid on centroid."""
    reach = max(exemplar.length for exemplar in exemplars) / 2
    steps = np.linspace(-reach, reach, LATTICE)
    points = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    each = []
    for exemplar in exemplars:
        inside = np.argwhere(exemplar.mask.array)[:, ::-1]
        centre = exemplar.mask.grid.to_physical(inside.mean(axis=0))
        depth = exemplar.distance.at(points + centre)
        each.append(np.clip(depth, -reach / 4, reach / 4))
    return int(np.abs(each - np.mean(each, axis=0)).mean(axis=1).argmin())
