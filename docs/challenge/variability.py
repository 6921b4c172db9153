"""Morphological variability: organs of patients whose shape, place, tissues and textures differ."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scanmill.corrections.intensities import correct
from scanmill.phantom.cohort import patient
from scanmill.phantom.scanning import Scan, scan_of
from scanmill.recipe import load
from scanmill.volume_file import Volume

from challenge.mill import Found, Measured, dice, measured, rules, segmented, timed
from challenge.table import Goal, Row, markdown, mean_of, spread_of

RECIPE = Path(__file__).resolve().parents[2] / "config" / "recipes" / "phantom-ct.yaml"
# The recipe's structures that are found without seeds, in its order; then what it has no rules for,
# by the usual patient's means: kidneys 180, their surroundings 50, livers 110, their tumours 140.
KEPT = ("body", "lungs", "spine", "aorta", "liver")
KIDNEYS = rules(
    {"inside": "body"},
    {"window": [115, None]},
    {"outside": ["spine", "aorta", "liver"]},
    {"open": 2},
    {"largest": 2},
    {"dilate": 1.5},
    {"window": [115, None]},
)
TUMOUR = rules({"inside": "liver"}, {"window": [125, None]}, {"open": 2}, {"largest": 1})
# What is measured, and the labels of the patient in it.
ORGANS = {
    "lungs": ("lungs",),
    "spine": ("spine",),
    "aorta": ("aorta",),
    "liver": ("liver", "liver-tumour"),
    "kidneys": ("kidney-left", "kidney-right"),
    "liver-tumour": ("liver-tumour",),
}
SPACING, CONTRAST, NOISE = (2.5, 2.5, 2.5), 30.0, 12.0
STRENGTHS = (0.0, 1.0)
Method = Callable[[Volume], Found]


def _rules(noise: str) -> Method:
    """The same fixed rules for every patient, after that correction of noise."""
    return lambda scan: segmented(correct(scan, "CT", "off", noise).shown, segments(), "CT")


# How the structures of ORGANS are found in a scan; the first is what others are held against.
METHODS: dict[str, Method] = {
    "rules": _rules("off"),
    "rules, noise: diffusion": _rules("diffusion"),
}


def rows(seeds: range) -> list[Row]:
    """The mean Dice of a patient's organs at the strongest variation, by each method."""
    what = "mean Dice of lungs, spine, aorta, liver, kidneys, tumour; variability 1, textures"
    first, *others = METHODS
    before, goal = _overlaps(first, seeds), Goal("at least", 0.93)
    cost = {m: [_found(STRENGTHS[-1], m, seed)[1] for seed in seeds] for m in others}
    name = "morphological variability"
    return [Row(name, what, m, before, _overlaps(m, seeds), goal, cost[m], 3) for m in others]


def _overlaps(method: str, seeds: range) -> list[float]:
    strongest = STRENGTHS[-1]
    return [float(np.mean([_overlap(strongest, method, o, s) for o in ORGANS])) for s in seeds]


def tables(seeds: range) -> Iterator[str]:
    """Each organ at each strength of variation, and what becomes of its volume."""
    yield (
        "Abdomens of `scanmill.phantom.cohort`, by the windows of `phantom-ct`, the same for every "
        "patient. Errors of volumes: mean and standard deviation over patients. Wrong are the volumes "
        "in the table whose interval does not hold the truth."
    )
    yield ""
    header = ("variability", "organ", "by", "Dice", "mask % off", "volume % off")
    header += ("interval's width %", "in the table", "of these wrong")
    _, *methods = METHODS
    each = [(strength, organ, m) for strength in STRENGTHS for organ in ORGANS for m in methods]
    yield from markdown(header, (_line(*one, seeds) for one in each))


def _line(strength: float, organ: str, method: str, seeds: range) -> tuple[str, ...]:
    found = [_measured(strength, method, organ, seed) for seed in seeds]
    overlaps = [_overlap(strength, method, organ, seed) for seed in seeds]
    given = [m for m in found if m.given]
    return (
        f"{strength:g}",
        organ,
        method,
        mean_of(overlaps, 3),
        spread_of([m.mask_off for m in found]),
        spread_of([m.off for m in given]),
        f"{np.mean([m.width for m in given]):.0f}" if given else "",
        f"{len(given)} of {len(found)}",
        str(sum(not m.held for m in given)),
    )


@cache
def _overlap(strength: float, method: str, organ: str, seed: int) -> float:
    found, truth = _found(strength, method, seed)[0], _scan(strength, seed).labels
    named = {t["name"]: t["label"] for t in _scan(strength, seed).truth}
    inside = np.isin(truth.array, [named[name] for name in ORGANS[organ]])
    return dice(found.mask(organ), inside)


def _measured(strength: float, method: str, organ: str, seed: int) -> Measured:
    scan = _scan(strength, seed)
    visible = {t["name"]: t["volume_mm3"] for t in scan.truth}
    volume = sum(visible[name] for name in ORGANS[organ])
    return measured(_found(strength, method, seed)[0], organ, scan.image, volume)


@cache
def _found(strength: float, method: str, seed: int) -> tuple[Found, float]:
    """The organs of a patient, and the CPU seconds that it took to find them."""
    scan = _scan(strength, seed).image
    return timed(lambda: METHODS[method](scan))


@cache
def _scan(strength: float, seed: int) -> Scan:
    return scan_of(patient("abdomen", [17, seed], SPACING, strength, CONTRAST, NOISE))


@cache
def segments() -> dict[str, dict[str, Any]]:
    """How each structure is found, in order."""
    structures = load(RECIPE).structures
    segments = {s["name"]: s["segment"] for s in structures if s["name"] in KEPT}
    return segments | {"kidneys": KIDNEYS, "liver-tumour": TUMOUR}
