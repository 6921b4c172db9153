"""How well networks segment labelled scans that they were not shown: Dice, volumes and calibration."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scanmill.learning.lessons import Labelled, labels_on
from scanmill.model_folder import Model
from scanmill.segmentation.inference import probabilities
from scanmill.segmentation.network import likeliest
from scanmill.segmentation.reorientation import onto, patient_grid

BINS = 10
# A voxel of which neither the labels nor the network think that it could be a structure tells nothing.
DOUBTED = 0.01


@dataclass
class Reliability:
    """Of voxels by how likely the network finds its answer: their number, and sums over them."""

    number: np.ndarray = field(default_factory=lambda: np.zeros(BINS, int))
    said: np.ndarray = field(default_factory=lambda: np.zeros(BINS))
    right: np.ndarray = field(default_factory=lambda: np.zeros(BINS, int))

    def add(self, chances: np.ndarray, truth: np.ndarray) -> None:
        """Count voxels: chances [class, ...], the background first; truth [...]."""
        doubted = (truth > 0) | (chances[0] < 1 - DOUBTED)
        own, truth = chances[:, doubted], truth[doubted]
        likely, is_right = own.max(axis=0), own.argmax(axis=0) == truth
        bins = np.minimum((likely * BINS).astype(int), BINS - 1)
        self.number += np.bincount(bins, minlength=BINS)
        self.said += np.bincount(bins, likely, BINS)
        self.right += np.bincount(bins[is_right], minlength=BINS)

    def error(self) -> float:
        """The expected calibration error: how far the said is from the observed, on the average."""
        return float(np.abs(self.said - self.right).sum() / max(1, self.number.sum()))

    def table(self) -> list[dict[str, float]]:
        """Of each bin with voxels: their number, how likely, and how often, they are right."""
        return [
            {"voxels": int(n), "said": round(float(s / n), 4), "right": round(float(r / n), 4)}
            for n, s, r in zip(self.number, self.said, self.right, strict=True)
            if n
        ]


def examined(known: Labelled, model: Model, reliability: Reliability) -> list[dict[str, float]]:
    """What a network finds of each structure of a scan that it was not shown, on the scan's own grid.

    dice is None where neither the labels nor the network have it; volumes are of voxels, mm3.
    """
    structures = list(model.classes[1:])
    grid = known.scan.grid
    seen = patient_grid(grid, model.axes, model.spacing)
    chances = probabilities(onto(known.scan, seen).array, model, structures)
    reliability.add(chances, labels_on(seen, known.labels, len(model.classes)))
    found, truth = likeliest(chances, seen, grid), known.labels.array
    return [
        {
            "dice": dice(found == n, truth == n),
            "labelled_mm3": round(float((truth == n).sum() * grid.voxel_volume), 3),
            "found_mm3": round(float((found == n).sum() * grid.voxel_volume), 3),
        }
        for n in range(1, len(model.classes))
    ]


def dice(found: np.ndarray, truth: np.ndarray) -> float | None:
    """Dice's coefficient of two masks, None where both are empty."""
    total = int(found.sum()) + int(truth.sum())
    return round(2 * int((found & truth).sum()) / total, 4) if total else None


def summary(structures: Sequence[str], cases: Sequence[list[dict[str, float]]]) -> dict[str, Any]:
    """By structure: the mean Dice, its standard deviation over the scans, and the mean volume error."""
    told = {}
    for n, name in enumerate(structures):
        own = [case[n] for case in cases]
        scores = [one["dice"] for one in own if one["dice"] is not None]
        errors = [
            100 * (one["found_mm3"] / one["labelled_mm3"] - 1) for one in own if one["labelled_mm3"]
        ]
        told[name] = {
            "scans": len(scores),
            "dice_mean": _rounded(np.mean, scores, 1),
            "dice_sd": _rounded(lambda s: np.std(s, ddof=1), scores, 2),
            "volume_error_percent_mean": _rounded(np.mean, errors, 1),
            "volume_error_percent_sd": _rounded(lambda s: np.std(s, ddof=1), errors, 2),
            "dice": scores,
        }
    return told


def _rounded(statistic: Any, values: list[float], least: int) -> float | None:
    return round(float(statistic(values)), 4) if len(values) >= least else None
