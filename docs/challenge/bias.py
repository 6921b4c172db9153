"""Intensity inhomogeneity: heads and hearts in a coil whose gain varies by 40 %."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from scanmill.corrections.intensities import correct
from scanmill.phantom.cohort import patient
from scanmill.phantom.description import grid_of, patient_of
from scanmill.phantom.fields import bias_field
from scanmill.phantom.noise import rician, stored
from scanmill.phantom.rendering import signal, visible_occupancy
from scanmill.phantom.scanning import texture
from scanmill.volume_file import Volume

from challenge.mill import timed
from challenge.table import Goal, Row, markdown, seconds

KINDS = ("head", "heart")
AMPLITUDE, NOISE = 0.4, 8.0
# The body's signal, of which the lungs and the skull's cortex have less.
BODY = 60.0


def rows(seeds: range) -> list[Row]:
    """What is left of the field, in heads and hearts together."""
    found = [_scanned(kind, seed) for kind in KINDS for seed in seeds]
    before, after, _, cost = zip(*found, strict=True)
    measured = "log sd of the gain of a coil of 1 ± 0.4 over heads and hearts"
    goal = Goal("at most", 0.02)
    return [Row("intensity inhomogeneity", measured, "bias: n4", before, after, goal, cost, 3)]


def tables(seeds: range) -> Iterator[str]:
    """Each anatomy by itself."""
    header = ("anatomy", "log sd before", "after: mean, worst", "taken off", "CPU s")
    yield from markdown(header, (_anatomy(kind, seeds) for kind in KINDS))


def _anatomy(kind: str, seeds: range) -> tuple[str, ...]:
    before, after, taken, cost = zip(*(_scanned(kind, seed) for seed in seeds), strict=True)
    left = f"{np.mean(after):.3f}, {max(after):.3f}"
    return kind, f"{np.mean(before):.3f}", left, f"{sum(taken)} of {len(seeds)}", seconds(cost)


@cache
def _scanned(kind: str, seed: int) -> tuple[float, float, bool, float]:
    """The field's log sd over the body before and after, whether it was taken off, and CPU seconds."""
    described = patient(kind, [11, seed], (2.5, 2.5, 3.5), 0.5, 30.0, NOISE)
    subject, grid = patient_of(described), grid_of(described["grid"])
    visible = visible_occupancy(subject, grid)
    clean = signal(subject, visible) + texture(subject, visible, grid)
    gain = bias_field(grid, AMPLITUDE, seed)
    scan = Volume(stored(rician(clean * gain, NOISE, np.random.default_rng(seed))), grid)
    corrected, spent = timed(lambda: correct(scan, "MR", "n4", "off"))
    body = clean > BODY
    left = np.log(gain[body] * corrected.measured.array[body] / scan.array[body])
    before = float(np.log(gain[body]).std())
    return before, float(left.std()), corrected.said["bias"]["applied"], spent
