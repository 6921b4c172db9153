"""Parallel-beam projection of a slice, and its reconstruction by filtered back projection.

Both follow Kak and Slaney 1988, Principles of Computerized Tomographic Imaging, chapter 3. Slices are
[y, x]; the beam turns about the middle of the slice through half a circle.
"""

from dataclasses import dataclass
from math import ceil, hypot, pi

import numpy as np
from scipy import fft

from scanmill.kernel import kernel


@dataclass(frozen=True)
class Beam:
    """Rays through a slice. shape: of the slice, [y, x]. spacing: mm along (x, y)."""

    shape: tuple[int, int]
    spacing: tuple[float, float]

    @property
    def pitch(self) -> float:
        """Distance between neighbouring rays, mm: the smaller spacing."""
        return min(self.spacing)

    @property
    def rays(self) -> int:
        """How many rays each view has: they cover the diagonal."""
        (y, x), (step_x, step_y) = self.shape, self.spacing
        return ceil(hypot(x * step_x, y * step_y) / self.pitch) + 2

    @property
    def angles(self) -> np.ndarray:
        """Of the views, rad: as many as the resolution of the rays asks for at the rim."""
        views = ceil(self.rays * pi / 2)
        return np.arange(views) * (pi / views)


def project(image: np.ndarray, beam: Beam, wanted: np.ndarray | None = None) -> np.ndarray:
    """Line integrals [view, ray] of a slice, in its unit times mm (Joseph 1982).

    wanted: the rays that are asked for, a mask [view, ray]; the others get 0. None: all.
    """
    image = np.ascontiguousarray(image, np.float64)
    if wanted is None:
        wanted = np.ones((len(beam.angles), beam.rays), bool)
    return _project(image, *beam.spacing, beam.angles, wanted, beam.pitch)


def softened(views: np.ndarray) -> np.ndarray:
    """Views [view, ray] smoothed along the rays by a Hann window, as soft kernels of scanners do."""
    padded = np.pad(views, [(0, 0), (1, 1)])
    return padded[:, 1:-1] / 2 + (padded[:, :-2] + padded[:, 2:]) / 4


def reconstruct(views: np.ndarray, beam: Beam) -> np.ndarray:
    """The slice [y, x] that has these line integrals, by a ramp filter."""
    padded = fft.next_fast_len(2 * beam.rays, real=True)
    ramp = np.zeros(padded)
    ramp[0] = 0.25
    odd = np.arange(1, beam.rays, 2)
    ramp[odd] = ramp[-odd] = -1 / (pi * odd) ** 2
    spectrum = fft.rfft(views, padded, axis=1) * (fft.rfft(ramp) / beam.pitch)
    filtered = fft.irfft(spectrum, padded, axis=1)[:, : beam.rays]
    image = np.zeros(beam.shape)
    _back_project(np.ascontiguousarray(filtered), *beam.spacing, beam.angles, beam.pitch, image)
    return image


@kernel
def _along(image, at, slope):  # noqa: ANN001, ANN202
    """Sum of an image along a ray that meets line 0 at column `at`, and moves by slope a line."""
    lines, columns = image.shape
    total = 0.0
    for line in range(lines):
        i = int(np.floor(at))
        part = at - i
        if 0 <= i < columns:
            total += (1 - part) * image[line, i]
        if -1 <= i < columns - 1:
            total += part * image[line, i + 1]
        at += slope
    return total


@kernel
def _project(image, step_x, step_y, angles, wanted, pitch):  # noqa: ANN001, ANN202
    rows, columns = image.shape
    rays = wanted.shape[1]
    views = np.zeros(wanted.shape)
    for view in range(len(angles)):
        cosine, sine = np.cos(angles[view]), np.sin(angles[view])
        # Along the axis that the rays cross more steeply; linear interpolation along the other.
        down = abs(cosine) * step_y >= abs(sine) * step_x
        for ray in np.flatnonzero(wanted[view]):
            place = (ray - (rays - 1) / 2) * pitch
            if down:
                at = (place + (rows - 1) / 2 * step_y * sine) / cosine / step_x + (columns - 1) / 2
                slope = -step_y * sine / cosine / step_x
                views[view, ray] = _along(image, at, slope) * step_y / abs(cosine)
            else:
                at = (place + (columns - 1) / 2 * step_x * cosine) / sine / step_y + (rows - 1) / 2
                slope = -step_x * cosine / sine / step_y
                views[view, ray] = _along(image.T, at, slope) * step_x / abs(sine)
    return views


@kernel
def _back_project(filtered, step_x, step_y, angles, pitch, image):  # noqa: ANN001, ANN202
    rows, columns = image.shape
    rays = filtered.shape[1]
    for view in range(len(angles)):
        cosine, sine = np.cos(angles[view]) / pitch, np.sin(angles[view]) / pitch
        for j in range(rows):
            at = (rays - 1) / 2 - (columns - 1) / 2 * step_x * cosine
            at += (j - (rows - 1) / 2) * step_y * sine
            for i in range(columns):
                ray = int(at)
                part = at - ray
                image[j, i] += (1 - part) * filtered[view, ray] + part * filtered[view, ray + 1]
                at += step_x * cosine
    image *= np.pi / len(angles)
