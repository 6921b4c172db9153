"""How the shape of a structure varies over a cohort, and how well the other cases tell each case's.

Compactness, generalisation and specificity: Styner et al. 2003, doi:10.1007/978-3-540-45087-0_6, after
Davies 2002; distances are means over corresponding points, mm.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.shape_model.modes import Modes, turn_onto

Array = np.ndarray
# Of more cases, several are left out at a time.
FOLDS = 200
# Of the distances of a case's points. The largest is often that of one that slipped along an edge.
FAR = 95.0
# Shapes by chance that the specificity is told from.
SAMPLES = 500


@dataclass(frozen=True)
class Variability:
    """What the shapes of m cases tell.

    modes: of all. errors, far: of each case, how far its points lie from the nearest shape that the
    modes of the others make, mean and FAR-th percentile, mm. specificity: mean distance of shapes by
    chance from the nearest case, mm.
    """

    modes: Modes
    errors: Array
    far: Array
    specificity: float

    @property
    def compactness(self) -> float:
        """The variance that the modes hold, mm2, mean over the points; less is more compact."""
        return float(self._variances.sum())

    @property
    def first_part(self) -> float:
        """Of that, what the first mode holds, %."""
        return float(100 * self._variances[0] / self._variances.sum())

    @property
    def generalisation(self) -> float:
        """The mean of the errors, mm."""
        return float(self.errors.mean())

    @property
    def _variances(self) -> Array:
        return (self.modes.modes**2).sum(axis=2).mean(axis=1)


def variability(shapes: Array) -> Variability:
    """That of corresponding points (m, n, 3), LPS mm, of m cases, 4 or more."""
    errors, far = np.empty(len(shapes)), np.empty(len(shapes))
    for left in np.array_split(np.arange(len(shapes)), min(len(shapes), FOLDS)):
        others = Modes.of(np.delete(shapes, left, axis=0))
        for n in left:
            errors[n], far[n] = away(others, shapes[n])
    modes = Modes.of(shapes)
    return Variability(modes, errors, far, _specificity(modes, shapes))


def away(modes: Modes, shape: Array) -> tuple[float, float]:
    """How far a shape (n, 3), LPS mm, is from the nearest of modes, mm: mean, FAR-th percentile."""
    apart = np.linalg.norm(shapes_of(modes, shape) - aligned(modes, shape), axis=1)
    return float(apart.mean()), float(np.percentile(apart, FAR))


def aligned(modes: Modes, shape: Array) -> Array:
    """A shape (n, 3) moved and turned onto the mean of modes, mm."""
    centred = shape - shape.mean(axis=0)
    return centred @ turn_onto(centred, modes.mean)


def shapes_of(modes: Modes, shape: Array) -> Array:
    """The shape that modes make which is nearest to one, (n, 3), both aligned, mm."""
    apart = (aligned(modes, shape) - modes.mean).ravel()
    ways = modes.modes.reshape(len(modes.modes), -1)
    return modes.shape(ways @ apart / (ways**2).sum(axis=1))


def _specificity(modes: Modes, shapes: Array) -> float:
    cases = np.stack([aligned(modes, shape) for shape in shapes])
    random = np.random.default_rng(0)
    nearest = []
    for coefficients in random.standard_normal((SAMPLES, len(modes.modes))):
        apart = np.linalg.norm(cases - modes.shape(coefficients), axis=2).mean(axis=1)
        nearest.append(apart.min())
    return float(np.mean(nearest))
