"""Volume of a structure from the intensities of its boundary voxels, with all that it may well be.

The image is explained by a body of the mask's shape (`template`), grown or shrunk, in a surrounding
that may vary, seen through a point spread of unknown width. Contrast, surrounding and noise level are
solved for each growth and width; what remains is the posterior of the volume, by Bayes' rule:

- of the boundary's place a normal prior around the mask, PLACE_SD voxels of the scan wide, so that an
  image that says nothing leaves the mask's volume and that much doubt;
- of where it ends along thick slices, between which the mask says little, a normal prior END_SD slices
  wide at either end;
- of the point spread's sd a prior over WIDTHS of the least spacing;
- of the noise none (Jeffreys): its level is told from the residuals, and counts once per independent
  voxel, so that textures, correlated noise and misfit widen the posterior.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import exp, log, sqrt

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.template import Template, template_of
from scanmill.voxel_response import Array, apply, smoothing

PLACE_SD = 0.5
# Slices are thick that are so many times as thick as the voxels are wide. The bodies that are tried,
# in sds of the prior, the one as long as the mask first. Where a mask of two slices ends a third of a
# slice off, volumes scatter by 2 % with 7 of them, by 9 % with 3.
THICK, END_SD = 2.0, 0.3
STRETCHES = np.array([0, -2, -4 / 3, -2 / 3, 2 / 3, 4 / 3, 2])
# The growths that are tried first, in sds of the prior; then, in sds of the posterior around its mode.
FIRST = np.linspace(-2.5, 2.5, 9)
THEN = np.linspace(-3, 3, 7)
REFINEMENTS = 2
# Growths that differ by less, in voxels, are one.
ALIKE = 1e-6
WIDTHS = np.array([0.0, 0.3, 0.5, 0.7, 0.9, 1.1])
WIDTH_PRIOR = np.exp(-(((WIDTHS - 0.5) / 0.3) ** 2) / 2) * [0.5, 1, 1, 1, 1, 1]
# The surrounding is told from voxels of which the widened mask has less than this, averaged this wide.
APART, AROUND = 0.05, 1.5
# The boundary's doubt, in voxels of the scan, where the surrounding varies by as much as the contrast.
VARIED = 0.4
# Voxels that the boundary's place matters to, of the largest effect; neighbours whose residuals agree.
FELT, LAGS = 0.1, 3
PARAMETERS = 4


@dataclass
class Posterior:
    """The volumes that a structure may have, mm3, ascending, and how likely each is, summing to 1.

    shift, shift_sd: of the boundary, outward from the mask, mm. inside, around: mean signal of the
    structure and of what surrounds it; varied: how much that varies, over the contrast. noise: sd of
    the residuals.
    """

    volumes: Array
    weights: Array
    shift: float
    shift_sd: float
    inside: float
    around: float
    varied: float
    noise: float

    @property
    def mean(self) -> float:
        """The mean volume, mm3."""
        return float(self.volumes @ self.weights)

    @property
    def sd(self) -> float:
        """Its standard deviation, mm3."""
        return sqrt(float((self.volumes - self.mean) ** 2 @ self.weights))

    def quantile(self, part: float) -> float:
        """The volume that the true one is below with that probability, mm3."""
        below = np.cumsum(self.weights) - self.weights / 2
        return float(np.interp(part, below, self.volumes))


def fit(mask: Array, grid: Grid, image: Array, scan: Grid) -> Posterior:
    """The posterior of the volume of a mask in a scan.

    mask: bool [z, y, x], cropped to its voxels; grid: its own. image: the scan's values [z, y, x] on
    its native grid, `scan`, which has the directions of `grid`. Raises ValueError where the image has
    no voxel around the mask, or is constant there.
    """
    template = template_of(mask, grid, scan)
    bodies = [(template, 1.0)]
    axis, thin = int(np.argmax(scan.spacing)), min(scan.spacing)
    if scan.spacing[axis] > THICK * thin:
        length = mask.shape[2 - axis] * grid.spacing[axis]
        sd = sqrt(2) * END_SD * scan.spacing[axis] / length
        bodies = [(template.stretched(axis, exp(s * sd)), exp(-s * s / 2)) for s in STRETCHES]
    return _Fit(bodies, image, np.count_nonzero(mask) * grid.voxel_volume, grid).posterior()


@dataclass
class _Solution:
    """The best explanation with one growth and one width. coefficients: inside, around, its map."""

    squares: float
    volume: float
    coefficients: Array
    explained: Array


class _Fit:
    """bodies: of one shape, longer and shorter, and how likely each is; the first as the mask is."""

    def __init__(
        self, bodies: list[tuple[Template, float]], image: Array, volume: float, grid: Grid
    ) -> None:
        self.bodies = bodies
        self.template = template = bodies[0][0]
        window = image[template.box].astype(float)
        self.values = window[template.near]
        self.surrounding = _surrounding(template, window)[template.near]
        self.unit = (np.prod(template.voxel) / grid.voxel_volume) ** (1 / 3)
        self.step = grid.voxel_volume ** (1 / 3)
        self.place_sd = PLACE_SD * self.unit
        self.least = float(np.ptp(self.values)) ** 2 * 1e-6 * len(self.values)
        if self.least == 0:
            raise ValueError("a constant image shows no boundary")
        self.start = self._of_volume(volume)

    @cached_property
    def models(self) -> list[tuple[Template, list[Array], float]]:
        """Each body with each width of the point spread: its responses, and how likely it is before."""
        return [
            (body, body.responses(w * min(body.voxel)), log(likely * prior))
            for body, likely in self.bodies
            for w, prior in zip(WIDTHS, WIDTH_PRIOR, strict=True)
        ]

    def _of_volume(self, volume: float) -> float:
        """How far the template shrinks to have a volume."""
        shrunk = np.linspace(1.5, -2.0, 15)
        volumes = [self.template.volume(self.template.occupied(s)) for s in shrunk]
        return float(np.interp(volume, volumes, shrunk))

    def seen(self, occupied: Array, model: int) -> Array:
        """Which part of its signal each voxel near has from the body."""
        return apply(self.models[model][1], occupied)[self.template.near].astype(float)

    def solve(self, growth: float, model: int) -> _Solution:
        """Explain the image by the body that has grown so far, in voxels of the mask."""
        body = self.models[model][0]
        occupied = body.occupied(self.start - growth)
        inside = self.seen(occupied, model)
        parts = np.stack([inside, 1 - inside, (1 - inside) * self.surrounding])
        normal = parts @ parts.T
        normal += np.diag(1e-9 * np.trace(normal) * np.ones(3))
        coefficients = np.linalg.solve(normal, parts @ self.values)
        residuals = self.values - coefficients @ parts
        squares = float(residuals @ residuals) + self.least
        return _Solution(squares, body.volume(occupied), coefficients, parts)

    def posterior(self) -> Posterior:
        tried = {
            (model, growth): self.solve(growth, model)
            for model in range(len(self.models))
            for growth in FIRST * self.place_sd
        }
        (model, growth), best = min(tried.items(), key=lambda item: item[1].squares)
        freedom = self._freedom(growth, model, best)
        volumes, growths, logs = [], [], []
        for model in range(len(self.models)):
            own = {g: s for (m, g), s in tried.items() if m == model}
            g, likely = self._curve(own, model, freedom)
            volumes.append(
                np.interp(g, *zip(*sorted((k, s.volume) for k, s in own.items()), strict=True))
            )
            growths.append(g)
            logs.append(likely)
        volume, growth, likely = map(np.concatenate, (volumes, growths, logs))
        weight = np.exp(likely - likely.max())
        weight /= weight.sum()
        mean = float(growth @ weight)
        sd = sqrt(float((growth - mean) ** 2 @ weight))
        inside, around, varying = best.coefficients
        # What varies around is told from a little farther out, and may be another thing at the edge.
        varied = abs(varying / (inside - around)) * self.surrounding.std()
        wider = sqrt(1 + (VARIED * self.unit * min(varied, 1.0) / sd) ** 2)
        middle = float(volume @ weight)
        volume = np.maximum(middle + (volume - middle) * wider, 0.0)
        order = np.argsort(volume, kind="stable")
        return Posterior(
            volume[order],
            weight[order],
            mean * self.step,
            sd * wider * self.step,
            inside,
            around,
            varied,
            sqrt(best.squares / len(self.values)),
        )

    def _curve(
        self, own: dict[float, _Solution], model: int, freedom: float
    ) -> tuple[Array, Array]:
        """Growths, and the log of how likely each is with its share of the axis; adds to `own`."""
        prior = self.models[model][2]

        def likely(growth: float) -> float:
            place = growth / self.place_sd
            return prior - freedom / 2 * log(own[growth].squares) - place * place / 2

        for _ in range(REFINEMENTS):
            growths = sorted(own)
            at = max(range(len(growths)), key=lambda n: likely(growths[n]))
            at = min(max(at, 1), len(growths) - 2)
            mode, sd = _vertex(
                growths[at - 1 : at + 2], [likely(g) for g in growths[at - 1 : at + 2]]
            )
            for growth in (mode + THEN * sd).tolist():
                within = abs(growth) < FIRST[-1] * self.place_sd
                if within and min(abs(growth - g) for g in own) > ALIKE * self.unit:
                    own[growth] = self.solve(growth, model)
        growths = sorted(own)
        fine = np.concatenate([np.linspace(a, b, 16, endpoint=False) for a, b in pairwise(growths)])
        logs = np.interp(fine, growths, [likely(g) for g in growths])
        return fine, logs + np.log(np.gradient(fine))

    def _freedom(self, growth: float, model: int, best: _Solution) -> float:
        """How many independent voxels speak about the boundary's place.

        Fewer where neighbours' residuals agree, or are larger where the boundary is felt.
        """
        near = self.template.near
        residuals = self.values - best.coefficients @ best.explained
        step = 0.05 * self.unit
        pair = (self.template.occupied(self.start - growth - s) for s in (step, -step))
        effect = np.subtract(*(self.seen(o, model) for o in pair))
        felt = np.abs(effect) > FELT * np.abs(effect).max()
        if not felt.any():
            return PARAMETERS
        own = effect - best.explained.T @ np.linalg.lstsq(best.explained.T, effect, rcond=None)[0]
        own /= sqrt(own @ own)
        larger = (own**2 @ residuals**2) / (residuals @ residuals) * len(residuals)
        fields = [np.zeros(near.shape) for _ in range(3)]
        for field, part in zip(fields, (residuals * felt, own, felt), strict=True):
            field[near] = part
        fewer = _correlation(*fields) / (float(residuals[felt] @ residuals[felt]) / felt.sum())
        return max(len(residuals) / (max(1.0, larger) * max(1.0, fewer)) - PARAMETERS, PARAMETERS)


def _surrounding(template: Template, window: Array) -> Array:
    """The mean of what lies around each voxel, less its mean over the window; 0 where nothing does."""
    apart = (template.widened < APART).astype(np.float32)
    if not apart.any():
        return np.zeros(window.shape)
    level = float(window[apart > 0].mean())
    around = [
        smoothing(v, v, s, AROUND * s) for v, s in zip(template.voxels, template.voxel, strict=True)
    ]
    weight = apply(around, apart)
    return apply(around, ((window - level) * apart).astype(np.float32)) / (weight + 1e-3)


def _vertex(places: list[float], values: list[float]) -> tuple[float, float]:
    """The mode and the sd of the normal density whose logarithm passes through three points."""
    curve = np.polyfit(np.subtract(places, places[1]), np.subtract(values, values[1]), 2)
    spread = (places[2] - places[0]) / 4
    if curve[0] >= 0:
        return places[1], spread
    mode = float(np.clip(-curve[1] / (2 * curve[0]), -2 * spread, 2 * spread))
    return places[1] + mode, min(sqrt(-0.5 / curve[0]), spread)


@kernel
def _correlation(residuals, own, felt):  # noqa: ANN001, ANN202
    """Sum over lags of the residuals' covariance times the autocorrelation of an effect of unit sum.

    What the variance of independent residuals has to be multiplied with; residuals are 0 off `felt`.
    """
    depth, height, width = residuals.shape
    total = 0.0
    for dz in range(-LAGS, LAGS + 1):
        for dy in range(-LAGS, LAGS + 1):
            for dx in range(-LAGS, LAGS + 1):
                products, pairs, effects = 0.0, 0.0, 0.0
                for z in range(max(0, -dz), min(depth, depth - dz)):
                    for y in range(max(0, -dy), min(height, height - dy)):
                        for x in range(max(0, -dx), min(width, width - dx)):
                            effects += own[z, y, x] * own[z + dz, y + dy, x + dx]
                            if felt[z, y, x] > 0:
                                pairs += felt[z + dz, y + dy, x + dx]
                                products += residuals[z, y, x] * residuals[z + dz, y + dy, x + dx]
                if pairs > 20:
                    total += products / pairs * effects
    return total
