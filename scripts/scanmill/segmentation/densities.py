"""How often intensities occur in structures: histograms that are smoothed by the noise."""

from dataclasses import dataclass

import numpy as np

FINEST, COARSEST = 4096, 16
# Bins a standard deviation of the noise.
BINS = 2.0


@dataclass
class Densities:
    """Intensities as bins. low: where the first begins; width: of one, units of the image; count."""

    low: float
    width: float
    count: int

    @classmethod
    def over(cls, values: np.ndarray, noise: float) -> "Densities":
        """Bins for such values. noise: a standard deviation above 0, units of the image."""
        low, high = float(values.min()), float(values.max())
        count = int(np.clip(np.ceil(BINS * (high - low) / noise), COARSEST, FINEST))
        return cls(low, max((high - low) / count, noise / BINS), count)

    def bins(self, values: np.ndarray) -> np.ndarray:
        """The bin of each value; values beyond the first and last bin are theirs."""
        return np.clip((values - self.low) / self.width, 0, self.count - 1).astype(np.int16)

    def density(self, bins: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The density of weighted values, by bin; it sums to 1, or is 0 where all weights are."""
        from scipy.ndimage import gaussian_filter1d

        counts = np.bincount(bins, weights, self.count)
        smooth = gaussian_filter1d(counts, BINS, mode="constant")
        return smooth / max(smooth.sum(), 1e-12)
