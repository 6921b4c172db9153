"""Which values of a scan are shown as black and white."""

from dataclasses import dataclass

import numpy as np

# Of an image without Hounsfield units, the percentiles that are shown as black and white.
PERCENTILES = (1.0, 99.5)
# Voxels of each axis of which one is looked at for percentiles.
EVERY = 3


@dataclass(frozen=True)
class Window:
    """Values from low, black, to high, white. name: what it is for, or how it was told."""

    low: float
    high: float
    name: str

    @property
    def text(self) -> str:
        """As radiologists say it: the name, width and level."""
        level, width = (self.low + self.high) / 2, self.high - self.low
        return f"{self.name} window, W {width:.0f} L {level:.0f}"

    def grey(self, values: np.ndarray) -> np.ndarray:
        """The values as grey from 0 to 255."""
        scaled = (values.astype(np.float32) - self.low) * np.float32(255 / (self.high - self.low))
        return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


LUNG = Window(-1350, 150, "lung")
SOFT = Window(-160, 240, "soft tissue")
BONE = Window(-500, 1300, "bone")
# A structure is shown in the first of these whose end its median, HU, does not pass.
BY_MEDIAN = ((-250, LUNG), (180, SOFT), (np.inf, BONE))


def of_image(image: np.ndarray, hounsfield: bool) -> Window:
    """The window of a whole scan. hounsfield: whether its values are HU."""
    if hounsfield:
        return SOFT
    some = image[::EVERY, ::EVERY, ::EVERY]
    low, high = (float(value) for value in np.percentile(some, PERCENTILES))
    return Window(low, max(high, low + 1e-6), "percentile")


def of_structure(values: np.ndarray, whole: Window) -> Window:
    """The window of a structure with these values, HU where the whole scan's window is of HU."""
    if whole != SOFT:
        return whole
    median = float(np.median(values))
    return next(window for end, window in BY_MEDIAN if median <= end)
