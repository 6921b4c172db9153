"""Artefacts: metal in the bones of random bodies, tables below them, and those of other kinds."""

from collections.abc import Iterator
from functools import cache

import artefacts
import numpy as np
from scanmill.corrections.artefacts import MARKS, examine_ct
from scanmill.phantom.metal import MISLEADING_HU
from scanmill.volume_file import Volume

from challenge.mill import timed
from challenge.table import Goal, Row, markdown, mean_of

# Goals: the part that is marked, and % of the slice that the marks take.
CAUGHT, MARKED = 0.9, 20.0


def rows(seeds: range) -> list[Row]:
    """What is marked of what metal puts off."""
    caught, _, _, cost = zip(*map(_scanned, seeds), strict=True)
    measured = f"part of the voxels off by > {MISLEADING_HU} HU by metal that is marked"
    nothing = [0.0] * len(seeds)
    goal = Goal("at least", CAUGHT)
    return [Row("artefacts", measured, "metal: mark", nothing, caught, goal, cost, 3)]


def tables(seeds: range) -> Iterator[str]:
    """Metal in full, tables, and artefacts of other kinds."""
    caught, marked, errors, _ = zip(*map(_scanned, seeds), strict=True)
    both = sum(c >= CAUGHT and m <= MARKED for c, m in zip(caught, marked, strict=True))
    shells, patient = np.transpose(
        [artefacts.table_left(np.random.default_rng(seed)) for seed in seeds]
    )
    before, after = np.transpose(errors)
    yield (
        f"The marks of metal take {np.mean(marked):.1f} % of the slice on average, at worst "
        f"{max(marked):.1f} % (goal: {MARKED:g}); both goals are met in {both} of {len(seeds)} scans. "
        f"In-painting, which is optional, leaves a larger error in {(after > before).sum()} scans. "
        "More, and real scans: `python docs/artefacts.py`."
    )
    yield ""
    header = ("artefact", "measured", "before", "after")
    painted = (mean_of(before, 1), mean_of(after, 1))
    left = ("100", mean_of(shells, 1))
    cut = ("0", mean_of(patient, 4))
    each = [
        ("metal", "mean error of marked tissue, in-painted, HU", *painted),
        ("table", "% of its shells that are not air", *left),
        ("table", "% of the patient that is made air", *cut),
    ]
    yield from markdown(header, each)
    header = ("artefact", "found where it is", "found where it is not")
    yield from markdown(header, (_told(name, seeds) for name in artefacts.SPOILED))


def _told(name: str, seeds: range) -> tuple[str, str, str]:
    said = [artefacts.SPOILED[name](np.random.default_rng(seed)) for seed in seeds]
    found, alarms = np.sum(said, axis=0)
    return name, f"{found} of {len(seeds)}", f"{alarms} of {len(seeds)}"


@cache
def _scanned(seed: int) -> tuple[float, float, tuple[float, float], float]:
    """One body with metal in it.

    The part of the misleading voxels that is marked; % of the slice that is marked; mean error of
    marked tissue, HU, before and after in-painting; CPU seconds of the marks.
    """
    clean, metal, image, misleading = artefacts.with_implant(seed)
    scan = Volume(image, artefacts.GRID)
    found, spent = timed(lambda: examine_ct(scan, "mark"))
    marks = np.zeros(image.shape, np.uint8) if found.marks is None else found.marks
    better = examine_ct(scan, "inpaint").image
    tissue = (marks == MARKS["streak"]) & (metal == 0)
    before, after = (float(np.abs(i - clean)[tissue].mean()) for i in (image, better))
    caught = float((marks > 0)[misleading].mean())
    return caught, 100 * float((marks > 0).mean()), (before, after), spent
