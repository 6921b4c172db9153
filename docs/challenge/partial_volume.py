"""Partial volume: balls of a few voxels, told from the image and not counted."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from scanmill.grid import Triple
from scanmill.phantom.description import patient_of
from scanmill.phantom.scanning import scan_of
from scanmill.phantom.specimen import CONTRAST, specimen
from scanmill.resampling import resample_image

from challenge.mill import Measured, measured, rules, segmented, timed
from challenge.table import Goal, Row, markdown, mean_of

CNR = 10.0
# Full width at half maximum of the blur within slices, voxels.
BLUR = 1.5
SPACINGS: tuple[Triple, ...] = ((1.0, 1.0, 1.0), (0.8, 0.8, 4.0))
RADII = (1.5, 2.5, 5.0, 10.0)
# Without bias: below the first radius a volume may be off by 2 % on average.
BIAS = {2.5: 2.0, 5.0: 1.0}


def rows(seeds: range) -> list[Row]:
    """The mean error of small balls in cubic voxels; their tissues' means are not told."""
    return [_row(radius, limit, seeds) for radius, limit in BIAS.items()]


def tables(seeds: range) -> Iterator[str]:
    """Each size, in cubic voxels and in slices five times as thick as wide."""
    yield (
        f"Balls of contrast {CNR:g} to the noise, blurred by {BLUR:g} voxels, found by rules at half "
        "contrast. Errors of volumes: mean with its interval, and mean size. Wrong are the volumes in "
        "the table whose interval does not hold the truth."
    )
    yield ""
    header = (
        "voxel mm",
        "radius, voxels",
        "mask's voxels %",
        "told from the image %",
        "error's size %",
    )
    header += ("in the table", "of these wrong")
    yield from markdown(header, (_size(s, r, seeds) for s in SPACINGS for r in RADII))


def _row(radius: float, limit: float, seeds: range) -> Row:
    found, cost = zip(*(_ball(SPACINGS[0], radius, seed) for seed in seeds), strict=True)
    name = f"% off, volume of a ball of {radius:g} voxels' radius, contrast {CNR:g} noise"
    before, after = [m.mask_off for m in found], [m.off for m in found if m.given]
    return Row("partial volume", name, "volume_mm3", before, after, Goal("within", limit), cost, 2)


def _size(spacing: Triple, radius: float, seeds: range) -> tuple[str, ...]:
    found = [_ball(spacing, radius, seed)[0] for seed in seeds]
    given = [m for m in found if m.given]
    return (
        " x ".join(f"{s:g}" for s in spacing),
        f"{radius:g}",
        mean_of([m.mask_off for m in found], 1),
        mean_of([m.off for m in given], 1),
        f"{np.mean([abs(m.off) for m in given]):.1f}" if given else "",
        f"{len(given)} of {len(found)}",
        str(sum(not m.held for m in given)),
    )


@cache
def _ball(spacing: Triple, radius: float, seed: int) -> tuple[Measured, float]:
    """What is told of a ball, and the CPU seconds that it took."""
    described = specimen("sphere", radius, CNR, spacing, seed)
    blur, thickness = BLUR * spacing[0], spacing[2]
    described["scanner"] = {"fwhm": blur, "thickness": thickness, "profile": "box"}
    scan = scan_of(described).image
    image = resample_image(scan, scan.grid.isotropic(min(spacing)))
    half = described["background"] + CONTRAST / 2
    ball = rules({"window": [half, None]}, {"largest": 1})
    found = segmented(image, {"ball": ball}, described["modality"])
    volume = patient_of(described).visible(0).volume
    return timed(lambda: measured(found, "ball", scan, volume))
