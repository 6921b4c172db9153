"""The shape model of one structure: its modes, and what each atlas teaches of their worth."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, t

from scanmill.shape_model.modes import Modes

Array = np.ndarray


@dataclass(frozen=True)
class ShapeModel:
    """A structure's shape as atlases show it.

    triangles: (m, 3), of the modes' points. What follows is of atlases held against the model of the
    others. reach: of each point, the largest distance of an atlas's surface, mm. residuals, distances,
    misses: of each atlas, the root mean square distance, mm, that was not explained; Mahalanobis' of
    its coefficients; and by how many of the standard deviations that a fit tells the volume of a
    hidden part was wrong.
    """

    modes: Modes
    triangles: Array
    reach: Array
    residuals: Array
    distances: Array
    misses: Array

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

    def half_interval(self, sd: float) -> float:
        """Half the 95 % interval of a volume, by the standard deviation that a fit tells of it.

        Student's t, of the misses of the atlases; a fit is not taken to be surer than it says.
        """
        spread = max(1.0, float(np.sqrt((self.misses**2).mean())))
        return float(t.ppf(0.975, len(self.misses)) * spread * sd)
