"""Noise: a tumour whose contrast to its organ is one standard deviation of the noise."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import SimpleITK as sitk
from scanmill.corrections.intensities import correct
from scanmill.corrections.noise import without_floor, without_noise
from scanmill.phantom.body import sphere
from scanmill.phantom.noise import rician
from scanmill.volume_file import Volume

from challenge.bodies import CONTRAST, ORGAN, Tumour, part, tumour
from challenge.mill import dice, rules, segmented, timed
from challenge.table import Goal, Row, markdown, seconds

CENTRE = (61.3, -112.7, 402.9)
RADIUS = 9.5
# Around the tumour, mm: where it is looked for, and how far from its edge tissue is all of one kind.
SEARCHED, APART = 18.0, 4.0
RATIOS = (1, 3, 10)
TUMOUR = rules({"inside": "organ"}, {"window": [ORGAN + CONTRAST / 2, None]})
Filter = Callable[[Volume, float], Volume]


def rows(seeds: range) -> list[Row]:
    """The tumour by its threshold at half contrast, in the scan as it is and as it is shown."""
    before, after, cost = [], [], []
    for seed in seeds:
        scan = _body().scan(CONTRAST, seed)
        smooth, spent = timed(lambda scan=scan: _own(scan, CONTRAST))
        before.append(dice(_found(scan), _body().truth))
        after.append(dice(_found(smooth), _body().truth))
        cost.append(spent)
    measured = f"Dice of a tumour of {RADIUS:g} voxels' radius, contrast 1 noise"
    method = "noise: diffusion"
    return [Row("noise", measured, method, before, after, Goal("at least", 0.92), cost, 3)]


def tables(seeds: range) -> Iterator[str]:
    """Filters beside each other, and the floor of MR's noise."""
    yield (
        "Further goals: means of tissues moved by less than 1 % of the contrast, edges by less than "
        "0.25 voxel. ScanMill's strength is estimated from the scan; that of total variation is in "
        "standard deviations, known."
    )
    yield ""
    header = ("filter", "contrast / noise", "Dice", "tissue means moved, % of contrast")
    header += ("edge moved, voxel", "CPU s")
    yield from markdown(header, (_filtered(n, r, seeds) for n in FILTERS for r in RATIOS))
    yield "MR magnitudes have a floor; taken off after smoothing, by the inverse of the mean's formula:"
    yield ""
    header = ("MR signal, noise 20", "as scanned", "smoothed", "and without the floor")
    yield from markdown(header, (_floor(level, seeds) for level in (0.0, 20.0, 50.0, 100.0)))


@cache
def _body() -> Tumour:
    return tumour(sphere(RADIUS, CENTRE), CENTRE, SEARCHED)


def _found(image: Volume) -> np.ndarray:
    """The tumour as rules find it in its organ."""
    organ = {"organ": _body().searched}
    return segmented(image, {"tumour": TUMOUR}, supplied=organ).mask("tumour")


def _own(scan: Volume, _: float) -> Volume:
    return correct(scan, "CT", "off", "diffusion").shown


def _by_itk(run: Callable[[sitk.Image], sitk.Image]) -> Filter:
    def smooth(scan: Volume, _: float) -> Volume:
        image = sitk.GetImageFromArray(scan.array.astype(np.float32))
        return Volume(sitk.GetArrayFromImage(run(image)), scan.grid)

    return smooth


def _total_variation(weight: float, steps: int = 60) -> Filter:
    """Rudin, Osher and Fatemi's, by Chambolle's projection; weight: in standard deviations."""

    def divergence(dual: np.ndarray) -> np.ndarray:
        return sum(np.diff(dual[axis], axis=axis, prepend=0) for axis in range(3))

    def smooth(scan: Volume, sd: float) -> Volume:
        values = scan.array.astype(np.float32)
        dual = np.zeros((3, *values.shape), np.float32)
        for _ in range(steps):
            slope = values / (weight * sd) + divergence(dual)
            for axis in range(3):
                last = np.take(slope, [-1], axis)
                dual[axis] += np.diff(slope, axis=axis, append=last) / 6
            dual /= np.maximum(1, np.linalg.norm(dual, axis=0))
        return Volume(values + weight * sd * divergence(dual), scan.grid)

    return smooth


FILTERS: dict[str, Filter] = {
    "none": lambda scan, _: scan,
    "diffusion (ScanMill)": _own,
    "curvature diffusion": _by_itk(
        lambda image: sitk.CurvatureAnisotropicDiffusion(image, 0.0625, 3, 1, 10)
    ),
    "Gaussian 1 voxel": _by_itk(lambda image: sitk.SmoothingRecursiveGaussian(image, 1.0)),
    "median 5": _by_itk(lambda image: sitk.Median(image, [2, 2, 2])),
    "total variation 0.7": _total_variation(0.7),
    "total variation 1": _total_variation(1.0),
}


def _filtered(name: str, ratio: float, seeds: range) -> tuple[str, ...]:
    """What one filter does at one contrast to noise."""
    body, sd, found, cost = _body(), CONTRAST / ratio, [], []
    deep = part(sphere(RADIUS - APART, CENTRE), body.grid) == 1
    around = body.searched.full(body.grid.shape)
    around &= part(sphere(RADIUS + APART, CENTRE), body.grid) == 0
    for seed in seeds:
        scan = body.scan(sd, seed)
        smooth, spent = timed(lambda scan=scan: FILTERS[name](scan, sd))
        mask, change = _found(smooth), smooth.array - scan.array.astype(np.float32)
        moved = [100 * float(change[where].mean()) / CONTRAST for where in (deep, around)]
        edge = RADIUS * ((mask.sum() / body.truth.sum()) ** (1 / 3) - 1)
        found.append((dice(mask, body.truth), *moved, edge))
        cost.append(spent)
    overlap, inside, outside, edge = np.mean(found, axis=0)
    means = f"{inside:+.1f}, {outside:+.1f}"
    return name, f"{ratio}", f"{overlap:.3f}", means, f"{edge:+.2f}", seconds(cost)


def _floor(level: float, seeds: range) -> tuple[str, ...]:
    """The mean of a faint tissue of MR, with the floor of the noise and without."""
    found = []
    for seed in seeds:
        scan = rician(np.full((24, 32, 32), level), 20, np.random.default_rng(seed))
        smooth = without_noise(scan, (1.0, 1.0, 1.0), 20)
        found.append((scan.mean(), smooth.mean(), without_floor(smooth, 20).mean()))
    return f"{level:g}", *(f"{v:.1f}" for v in np.mean(found, axis=0))
