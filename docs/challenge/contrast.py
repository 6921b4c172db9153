"""Limited contrast: tumours of half to twice the noise against their organ, found in it by rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scanmill.corrections.intensities import correct
from scanmill.phantom.fields import correlated_field
from scanmill.volume_file import Volume

from challenge.bodies import CONTRAST, ORGAN, Tumour, ellipsoid, tumour
from challenge.mill import Found, Measured, dice, measured, rules, segmented, timed
from challenge.table import Goal, Row, markdown, mean_of, spread_of

RATIOS = (0.5, 1.0, 2.0)
# Of the tumour, and from the middle of its organ to the tumour's; where in the organ it is looked for.
RADII, OFF, SEARCHED = (6.0, 12.0), 8.0, 24.0
# Of both tissues, as of the livers of `scanmill.phantom.anatomy`: sd, HU, and length, mm.
TEXTURE, LENGTH = 10.0, 4.0
RULES = rules({"inside": "organ"}, {"window": [ORGAN + CONTRAST / 2, None]}, {"largest": 1})
# Of the ball in the tumour that is its seed, and how far from it the tumour may reach, mm.
SEED, REACH = 3.0, 16.0
Method = Callable[[Volume, Tumour], Found]


def _rules(scan: Volume, own: Tumour) -> Found:
    return segmented(scan, {"tumour": RULES}, supplied={"organ": own.searched})


def _seeded(scan: Volume, own: Tumour) -> Found:
    """From one seed in the tumour's middle."""
    segment = {"method": "seeded", "seeds": [list(own.body.centre)], "radius": SEED}
    segment |= {"reach": REACH, "inside": "organ", "steps": []}
    return segmented(scan, {"tumour": segment}, supplied={"organ": own.searched})


def _smoothed(find: Method) -> Method:
    """A method after the correction of noise."""
    return lambda scan, own: find(correct(scan, "CT", "off", "diffusion").shown, own)


# How the structure `tumour` is found in a scan, of which a recipe may know where its organ lies and
# what a person would click at; the first is what others are held against.
METHODS: dict[str, Method] = {
    "rules": _rules,
    "rules, noise: diffusion": _smoothed(_rules),
    "seeded": _seeded,
    "seeded, noise: diffusion": _smoothed(_seeded),
}


@dataclass(frozen=True)
class Trial:
    """One tumour as found. overlap: Dice. seconds: CPU time of the method."""

    overlap: float
    measured: Measured
    seconds: float


def rows(seeds: range) -> list[Row]:
    """Tumours of all contrasts together, by each method."""
    low, high = RADII
    what = f"Dice of a tumour of {low:g} to {high:g} voxels' radius in its organ, contrast "
    what += f"{RATIOS[0]:g}, {RATIOS[1]:g} and {RATIOS[2]:g} noise"
    first, *others = METHODS
    before = [t.overlap for t in _trials(first, seeds)]
    return [_row(what, method, before, _trials(method, seeds)) for method in others]


def _row(what: str, method: str, before: list[float], found: list[Trial]) -> Row:
    after, cost = [t.overlap for t in found], [t.seconds for t in found]
    goal = Goal("at least", 0.85)
    return Row("limited contrast", what, method, before, after, goal, cost, 3)


def _trials(method: str, seeds: range) -> list[Trial]:
    return [trial(ratio, method, seed) for ratio in RATIOS for seed in seeds]


def tables(seeds: range) -> Iterator[str]:
    """Each contrast by itself, and what becomes of the volume."""
    yield (
        "Rules have a threshold halfway between the tumour and its organ, whose means are known to the "
        f"recipe; `seeded` has a ball of {SEED:g} mm in the tumour's middle instead. The organ is a "
        "supplied structure. Errors of volumes: mean and standard deviation. Wrong are the volumes in "
        "the table whose interval does not hold the truth."
    )
    yield ""
    header = ("contrast / noise", "by", "Dice", "mask % off", "volume % off")
    header += ("in the table", "of these wrong")
    each = [(ratio, method) for ratio in RATIOS for method in METHODS]
    yield from markdown(header, (_line(*one, seeds) for one in each))


def _line(ratio: float, method: str, seeds: range) -> tuple[str, ...]:
    found = [trial(ratio, method, seed) for seed in seeds]
    given = [t.measured for t in found if t.measured.given]
    return (
        f"{ratio:g}",
        method,
        mean_of([t.overlap for t in found], 3),
        spread_of([t.measured.mask_off for t in found]),
        spread_of([m.off for m in given]),
        f"{len(given)} of {len(found)}",
        str(sum(not m.held for m in given)),
    )


@cache
def case(seed: int) -> Tumour:
    """A textured tumour somewhere in its organ."""
    random = np.random.default_rng([seed, 11])
    centre = tuple(random.uniform(-200, 200, 3).tolist())
    towards = random.standard_normal(3)
    place = np.asarray(centre) + OFF * random.random() * towards / np.linalg.norm(towards)
    body = ellipsoid(random.uniform(*RADII), random, tuple(place.tolist()))
    smooth = tumour(body, centre, SEARCHED)
    texture = TEXTURE * correlated_field(smooth.grid, LENGTH, [seed, 12])
    return replace(smooth, clean=smooth.clean + texture)


@cache
def trial(ratio: float, method: str, seed: int) -> Trial:
    """A tumour as a method finds it. ratio: contrast over noise; method: of METHODS."""
    own = case(seed)
    scan = own.scan(CONTRAST / ratio, seed)
    found, spent = timed(lambda: METHODS[method](scan, own))
    told = measured(found, "tumour", scan, own.body.volume)
    return Trial(dice(found.mask("tumour"), own.truth), told, spent)
