"""Artefacts: metal in the bones of random bodies; found and unfound ones of other kinds."""

from collections.abc import Iterator
from functools import cache

import artefacts
import numpy as np
from scanmill.corrections.artefacts import MARKS, examine_ct
from scanmill.phantom.metal import METALS, MISLEADING_HU, with_metal
from scanmill.volume_file import Volume

from challenge.mill import timed
from challenge.table import Goal, Row, markdown, mean_of

# Of metal in bone, mm; and photons of a ray, power of ten. HU beyond which tissue is not soft.
RADII, PHOTONS, SOFT = (2.0, 14.0), (5.5, 6.5), 300.0
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
    """Metal in full, and artefacts of other kinds."""
    caught, marked, errors, _ = zip(*map(_scanned, seeds), strict=True)
    both = sum(c >= CAUGHT and m <= MARKED for c, m in zip(caught, marked, strict=True))
    yield (
        f"The marks of metal take {np.mean(marked):.1f} % of the slice on average, at worst "
        f"{max(marked):.1f} % (goal: {MARKED:g}); both goals are met in {both} of {len(seeds)} scans. "
        "In-painting is optional."
    )
    yield ""
    before, after = np.transpose([error for error in errors if error])
    header = ("soft tissue off by metal: RMSE, HU", "in-painted", "larger after")
    worse = f"{(after > before).sum()} of {len(before)}"
    yield from markdown(header, [(mean_of(before, 0), mean_of(after, 0), worse)])
    header = ("artefact", "found where it is", "found where it is not")
    yield from markdown(header, (_told(name, seeds) for name in artefacts.SPOILED))


def _told(name: str, seeds: range) -> tuple[str, str, str]:
    said = [artefacts.SPOILED[name](np.random.default_rng(seed)) for seed in seeds]
    found, alarms = np.sum(said, axis=0)
    return name, f"{found} of {len(seeds)}", f"{alarms} of {len(seeds)}"


@cache
def _scanned(seed: int) -> tuple[float, float, tuple[float, float] | None, float]:
    """One body with metal in it.

    The part of the misleading voxels that is marked; % of the slice that is marked; RMSE of misleading
    soft tissue, HU, before and after in-painting; CPU seconds of the marks.
    """
    random = np.random.default_rng(seed)
    clean, bones = artefacts.torso(random)
    radius = random.uniform(*RADII)
    radii = (radius, radius * random.uniform(0.6, 1))
    part = artefacts.filled(radii, bones[0] + random.uniform(-3, 3, 2))
    material = list(METALS)[random.integers(len(METALS))]
    photons = float(10 ** random.uniform(*PHOTONS))
    image, misleading = with_metal(clean, part, artefacts.GRID, material, photons, seed)
    scan = Volume(image, artefacts.GRID)
    found, spent = timed(lambda: examine_ct(scan, "mark"))
    marks = np.zeros(image.shape, np.uint8) if found.marks is None else found.marks
    tissue = misleading & (marks != MARKS["metal"]) & (part == 0) & (np.abs(clean) < SOFT)
    errors = None
    if tissue.any():
        better = examine_ct(scan, "inpaint").image
        before, after = (float(np.sqrt(((i - clean)[tissue] ** 2).mean())) for i in (image, better))
        errors = before, after
    caught = float((marks > 0)[misleading].mean())
    return caught, 100 * float((marks > 0).mean()), errors, spent
