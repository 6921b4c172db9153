"""What a network looks at: its spacing, its window and its normalisation, from what it is to learn."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scanmill.grid import Triple

# Indices of the network's axes rise towards the patient's head, back and left.
AXES = "SPL"
# Channels by level; each level but the first has half the voxels along each axis.
WIDTHS = (16, 32, 64, 128)
STEP = 2 ** (len(WIDTHS) - 1)
# Of a window: an iteration with two of them takes a core of a laptop about a second.
VOXELS = 100_000
# Windows that what is labelled may fill before the network looks at larger voxels.
WINDOWS = 4
# Percentiles of the intensities of what is labelled, between which CT is clipped.
CLIP = 0.5, 99.5


@dataclass(frozen=True)
class Survey:
    """What a design needs to know of a labelled scan.

    spacing: mm. extent: of the scan, along the network's axes, mm. box: of all that is labelled, mm
    along each axis of the scan. intensities: of labelled voxels, some of them. labels: those in it.
    """

    spacing: float
    extent: Triple
    box: Triple
    intensities: np.ndarray
    labels: frozenset[int]


@dataclass(frozen=True)
class Design:
    """How a network sees: spacing, mm; size of its window, voxels; `normalise` as in model.yaml."""

    spacing: Triple
    size: tuple[int, int, int]
    normalise: dict[str, Any]


def design(surveys: list[Survey], modality: str) -> Design:
    """The design for labelled scans."""
    spacing = _spacing(surveys)
    extent = np.median([known.extent for known in surveys], axis=0)
    size = _size(np.maximum(1, np.rint(extent / spacing)).astype(int))
    return Design((spacing,) * 3, size, _normalise(surveys, modality))


def _spacing(surveys: list[Survey]) -> float:
    """The scans' own; larger where a window would show less than a quarter of what is labelled."""
    own = float(np.median([known.spacing for known in surveys]))
    voxels = float(np.median([np.prod(known.box) for known in surveys])) / own**3
    return round(own * max(1.0, voxels / (WINDOWS * VOXELS)) ** (1 / 3), 3)


def _size(shape: np.ndarray) -> tuple[int, int, int]:
    """The window: a scan's shape where that is small, else as near to a cube as it can be."""
    size = np.maximum(2 * STEP, STEP * np.ceil(shape / STEP)).astype(int)
    while np.prod(size) > VOXELS:
        size[np.argmax(size)] -= STEP
    return tuple(int(n) for n in size)


def _normalise(surveys: list[Survey], modality: str) -> dict[str, Any]:
    """CT by the intensities of what is labelled, the same for all; else each scan by its own."""
    if modality != "CT":
        return {"zscore": "scan"}
    found = np.concatenate([known.intensities for known in surveys])
    low, high = (float(x) for x in np.percentile(found, CLIP))
    within = np.clip(found, low, high)
    clip = [round(low, 3), round(max(high, low + 1), 3)]
    mean, sd = round(float(within.mean()), 3), round(max(float(within.std()), 1.0), 3)
    return {"zscore": {"clip": clip, "mean": mean, "sd": sd}}
