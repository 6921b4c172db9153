"""The shape model of one structure: its modes, and what each atlas teaches of their worth."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from scanmill.refusal import Refusal
from scanmill.shape_model import FEWEST
from scanmill.shape_model.correspondence import Exemplar, carried, template
from scanmill.shape_model.fit import fit, mahalanobis, residual
from scanmill.shape_model.modes import Modes

Array = np.ndarray
# Points that are compared to choose the reference, along each axis.
LATTICE = 24


@dataclass(frozen=True)
class ShapeModel:
    """A structure's shape as atlases show it.

    triangles: (m, 3), of the modes' points. residuals, distances: of each atlas, held against the model
    of the others: the root mean square distance, mm, that it could not explain, and Mahalanobis' of
    its coefficients.
    """

    modes: Modes
    triangles: Array
    residuals: Array
    distances: Array

    @property
    def noise(self) -> float:
        """What the modes cannot explain of a new shape, sd, mm."""
        return float(np.sqrt((self.residuals**2).mean()))

    def percentile(self, distance: float) -> float:
        """How many shapes of a hundred are less unusual than one at that distance.

        Squared distances are taken to spread as chi-squared does, by the mean of the atlases'.
        """
        freedom = len(self.modes.modes)
        scale = (self.distances**2).mean() / freedom
        return float(100 * chi2.cdf(distance**2 / scale, freedom))


def build(exemplars: list[Exemplar]) -> tuple[ShapeModel, int]:
    """The model of exemplars, and how many of them registration could not use.

    Raises Refusal `shape-missing` where too few are left.
    """
    check_number(len(exemplars))
    reference = exemplars[_most_usual(exemplars)]
    surface = template(reference)
    shapes, used = [], []
    for exemplar in exemplars:
        try:
            shapes.append(carried(surface, reference, exemplar))
        except Refusal:
            continue
        used.append(exemplar)
    check_number(len(used))
    residuals, distances = np.transpose(
        [_left_out(n, np.stack(shapes), used, surface.triangles) for n in range(len(used))]
    )
    model = ShapeModel(Modes.of(np.stack(shapes)), surface.triangles, residuals, distances)
    return model, len(exemplars) - len(used)


def check_number(count: int) -> None:
    """Raises Refusal `shape-missing` where so many atlases are too few."""
    if count < FEWEST:
        raise Refusal(
            "shape-missing",
            f"{count} atlases show the whole structure, and a shape model needs {FEWEST} or more",
        )


def _left_out(
    n: int, shapes: Array, exemplars: list[Exemplar], triangles: Array
) -> tuple[float, float]:
    """Residual, mm, and distance of one exemplar from the model of the others."""
    exemplar = exemplars[n]
    modes = Modes.of(np.delete(shapes, n, axis=0))
    found = fit(modes, triangles, exemplar.distance, max(exemplar.mask.grid.spacing) / 2)
    return residual(found), mahalanobis(found)


def _most_usual(exemplars: list[Exemplar]) -> int:
    """The exemplar whose surface lies nearest to all others', centroid on centroid."""
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
