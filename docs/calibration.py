"""How often the 95 % intervals hold the truth: analytic structures, as Markdown tables.

The first is of volumes, the second of diameters, areas and mean signals.

    python docs/calibration.py [structures, 400 where none is given] [seed, 1] [chart.svg]

Structures of radius 1.5 to 12 voxels and contrast 2 to 30 times the noise, in scans of slices 1 to 5
times as thick as wide, in any pose, with blur, textures, white or correlated noise and, but for two in
seven, other tissues around them, of which the label map knows some. Their masks are true, too small or
too large by up to half a voxel, rough, or found by a threshold. The chart: nominal against observed
coverage.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from coverage_chart import coverage_chart  # noqa: E402
from scanmill.diameters import axial_diameters, diameter  # noqa: E402
from scanmill.grid import Grid  # noqa: E402
from scanmill.interval import Estimate, intervals, volume_of  # noqa: E402
from scanmill.label_map import Region  # noqa: E402
from scanmill.phantom.body import Body, Box, Ellipsoid  # noqa: E402
from scanmill.phantom.description import body_of, samples_of  # noqa: E402
from scanmill.phantom.fields import correlated_field  # noqa: E402
from scanmill.phantom.point_spread import SAMPLES  # noqa: E402
from scanmill.phantom.rendering import occupancy  # noqa: E402
from scanmill.phantom.scanning import scan_of  # noqa: E402
from scanmill.phantom.specimen import CONTRAST, SHAPES, specimen  # noqa: E402
from scanmill.resampling import resample_image  # noqa: E402
from scanmill.surface import boundaries, surfaces_of  # noqa: E402
from scanmill.surface_measures import area  # noqa: E402
from scanmill.surroundings import Neighbours  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402

# What lies around a structure: nothing else; another tissue; an organ with a label; the organ that it
# lies in; several tissues, of which some have labels; a layer, and another tissue behind it.
AROUND = ("alone", "alone", "tissue", "organ", "in an organ", "several", "layer")
MASKS = ("true", "too small", "too large", "rough", "threshold")
NOMINAL = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
RADII = (1.5, 2.0, 3.0, 4.5, 7.0, 12.0)


@dataclass(frozen=True)
class Trial:
    """One structure: what it was, its volume, its mask's, the estimate, and whether a row gives it.

    others: of each quantity beside the volume its value, the ends of its interval, and the truth.
    """

    radius: float
    classes: dict[str, str]
    volume: float
    counted: float
    estimate: Estimate
    given: bool
    others: dict[str, tuple[float, float, float, float]]


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Scan and measure so many random structures; the same for the same seed."""
    for n in range(count):
        random = np.random.default_rng([seed, n])
        radius = float(np.exp(random.uniform(*np.log((1.5, 12)))))
        cnr = float(np.exp(random.uniform(*np.log((2, 30)))))
        ratio, pixel = float(random.choice([1, 1, 2, 3, 5])), float(random.uniform(0.5, 1.5))
        shape = SHAPES[random.integers(len(SHAPES))]
        spacing = (pixel, pixel, pixel * ratio)
        described = specimen(shape, radius, cnr, spacing, int(random.integers(1 << 31)))
        _scanner(described, spacing, random)
        body = body_of(described["structures"][0]["body"], described["position"])
        scan = scan_of(described).image
        around = AROUND[random.integers(len(AROUND))]
        bodies = _bodies(around, body, scan.grid, random)
        _put_around(scan, body, bodies, samples_of(described), random)
        kind = MASKS[random.integers(len(MASKS))]
        cubic = scan.grid.isotropic(pixel)
        mask = _mask(kind, body, cubic, described, random)
        if not mask.any():
            continue
        counted = np.count_nonzero(mask) * cubic.voxel_volume
        classes = {
            "slices": f"{ratio:g}:1",
            "mask": kind,
            "shape": shape,
            "contrast": "below 8" if cnr < 8 else "from 8",
            "around": around,
        }
        neighbours = Neighbours(_regions(around, bodies, cubic, mask))
        estimate = volume_of(Region.of(mask), cubic, scan, counted, neighbours)
        classes["method"] = estimate.method
        given = not estimate.is_uncertain(scan.grid)
        others = _others(mask, cubic, body, scan, estimate)
        yield Trial(radius, classes, body.volume, counted, estimate, given, others)


def _scanner(described: dict, spacing: tuple, random: np.random.Generator) -> None:
    """Blur, slice profile, texture and the colour of noise."""
    described["scanner"] = {
        "fwhm": float(random.uniform(0, 2.2)) * spacing[0],
        "thickness": float(random.choice([1.0, 0.8])) * spacing[2],
        "profile": str(random.choice(["box", "box", "gaussian"])),
    }
    sd = float(random.choice([0, 0, 0.05, 0.15])) * CONTRAST
    if sd > 0:
        length = float(random.uniform(1, 3)) * spacing[0]
        texture = {"sd": sd, "length": length, "seed": int(random.integers(1 << 31))}
        described["structures"][0]["texture"] = texture
    if random.random() < 0.3:
        described["noise"]["peak"] = float(random.uniform(0.2, 0.6))


def _bodies(around: str, body: Body, grid: Grid, random: np.random.Generator) -> list[Body]:
    """What lies around a structure, each on the one before."""
    low, high = body.bounds()
    reach = (high - low).max() / 2
    whole = 4 * float(np.linalg.norm(np.multiply(grid.size, grid.spacing)))

    def half_space(away: float, thick: float = whole) -> Body:
        """A slab whose near face lies so far from the structure's middle, at random sides."""
        turn, _ = np.linalg.qr(random.standard_normal((3, 3)))
        centre = tuple((low + high) / 2 + turn[:, 0] * (away + thick / 2))
        return Box(size=(thick, whole, whole), centre=centre, rotation=tuple(turn.ravel()))

    if around == "in an organ":
        centre = (low + high) / 2 + random.standard_normal(3) * reach / 3
        return [Ellipsoid(radii=tuple(reach * random.uniform(1.2, 2.5, 3)), centre=tuple(centre))]
    if around == "layer":
        near = half_space(random.uniform(0.3, 1.0) * reach)
        thick = random.uniform(0.5, 3) * grid.voxel_volume ** (1 / 3)
        turn = np.reshape(near.rotation, (3, 3))
        centre = tuple(np.asarray(near.centre) + turn[:, 0] * (thick - whole) / 2)
        return [near, Box(size=(thick, whole, whole), centre=centre, rotation=near.rotation)]
    number = {"alone": 0, "several": 3}.get(around, 1)
    return [half_space(random.uniform(0, 1.2) * reach) for _ in range(number)]


def _put_around(
    scan: Volume,
    body: Body,
    bodies: list[Body],
    samples: np.ndarray,
    random: np.random.Generator,
) -> None:
    """Give each body around the structure a signal of its own, seldom near the structure's."""
    added = np.zeros(scan.grid.shape)
    for other in bodies:
        part = occupancy(other, scan.grid, samples) / SAMPLES
        added += part * (random.uniform(-1.5, 0.6) * CONTRAST - added)
    own = occupancy(body, scan.grid, samples) / SAMPLES
    scan.array = np.rint(scan.array + (1 - own) * added).astype(np.int16)


def _regions(around: str, bodies: list[Body], grid: Grid, mask: np.ndarray) -> list[Region]:
    """The masks of those that the label map knows."""
    known = {"organ": bodies, "in an organ": bodies, "several": bodies[:2]}.get(around, [])
    points = _points(grid)
    found = [(other.distance(points) < 0).reshape(grid.shape) for other in known]
    return [Region.of(m & ~mask if around == "several" else m) for m in found if m.any()]


def _points(grid: Grid) -> np.ndarray:
    z, y, x = np.indices(grid.shape)
    return grid.to_physical(np.stack([x, y, z], axis=-1).reshape(-1, 3))


def _mask(
    kind: str, body: Body, grid: Grid, described: dict, random: np.random.Generator
) -> np.ndarray:
    """The mask that a segmentation of that kind makes, on cubic voxels."""
    if kind == "threshold":
        quiet = scan_of(described | {"noise": {"sigma": CONTRAST / 30, "seed": 1}}).image
        return resample_image(quiet, grid).array > described["background"] + CONTRAST / 2
    planes = np.stack(np.meshgrid(*map(np.arange, grid.size[:2]), [0]), axis=-1).reshape(-1, 3)
    distance = [
        body.distance(grid.to_physical(np.add(planes, (0, 0, k)))) for k in range(grid.size[2])
    ]
    step = grid.spacing[0]
    moved: float | np.ndarray = 0.0
    if kind == "rough":
        moved = 0.3 * step * correlated_field(grid, 2.5 * step, int(random.integers(1 << 31)))
    elif kind != "true":
        moved = random.uniform(0, 0.5) * step * (1 if kind == "too large" else -1)
    return np.reshape(distance, grid.shape) < moved


def _others(
    mask: np.ndarray, grid: Grid, body: Body, scan: Volume, estimate: Estimate
) -> dict[str, tuple[float, float, float, float]]:
    """Value, interval and truth of what has an interval beside the volume."""
    region = Region.of(mask)
    long, short = axial_diameters(region.array, grid)
    mesh, _ = boundaries(mask.astype(np.uint8), grid)
    ((_, surface),) = surfaces_of(mesh, grid)
    image = resample_image(scan, grid).array
    measured = {
        "axial_long_mm": long,
        "axial_short_mm": short,
        "morph_diam": diameter(np.pad(region.array, 1).astype(np.uint8), np.array(grid.spacing)),
        "surface_area_mm2": area(surface),
        "stat_mean": float(image[region.box][region.array].mean()),
    }
    inside = (body.distance(_points(grid)) < 0).reshape(grid.shape)
    truth = _diameters(body, grid)
    if np.isfinite(body.area):
        truth["surface_area_mm2"] = body.area
    if inside.any():
        truth["stat_mean"] = float(image[inside].mean())
    ends = list(intervals(measured, estimate, region, grid, scan.grid).items())
    found = {}
    for (name, low), (_, high) in zip(ends[::2], ends[1::2], strict=True):
        quantity = next(q for q in measured if name.replace("_low", "") == q)
        if quantity in truth:
            found[quantity] = (measured[quantity], low, high, truth[quantity])
    return found


def _diameters(body: Body, grid: Grid) -> dict[str, float]:
    """Of an ellipsoid: its longest, and the axes of its middle section across the axial axis."""
    if not isinstance(body, Ellipsoid):
        return {}
    turn = np.reshape(body.rotation, (3, 3))
    shape = turn @ np.diag(1 / np.square(body.radii)) @ turn.T
    plane = np.delete(np.reshape(grid.direction, (3, 3)), grid.axial_axis, axis=1)
    short, long = 2 / np.sqrt(np.linalg.eigvalsh(plane.T @ shape @ plane))[::-1]
    return {"morph_diam": 2 * max(body.radii), "axial_long_mm": long, "axial_short_mm": short}


def _other_row(name: str, found: list[Trial]) -> str:
    value, low, high, truth = np.array([t.others[name] for t in found if name in t.others]).T
    scale = CONTRAST if name == "stat_mean" else truth
    errors, widths = 100 * (value - truth) / scale, 100 * (high - low) / scale
    held = 100 * np.mean((low <= truth) & (truth <= high))
    return (
        f"| {name} | {len(value)} | {held:.1f} | {errors.mean():+.1f} | "
        f"{np.median(abs(errors)):.1f} | {widths.mean():.1f} | {np.median(widths):.1f} |"
    )


def coverage(found: list[Trial], nominal: float = 0.95) -> float:
    """Percent of the intervals, scaled to another nominal coverage, that hold the truth."""
    scale = NormalDist().inv_cdf(0.5 + nominal / 2) / NormalDist().inv_cdf(0.975)
    held = 0
    for t in found:
        e = t.estimate
        low, high = (e.volume + scale * (end - e.volume) for end in (e.low, e.high))
        held += low <= t.volume <= high
    return 100 * held / len(found)


def _row(name: str, found: list[Trial]) -> str:
    errors = np.array([t.estimate.volume / t.volume - 1 for t in found]) * 100
    counts = np.array([t.counted / t.volume - 1 for t in found]) * 100
    widths = [100 * (t.estimate.high - t.estimate.low) / t.volume for t in found]
    return (
        f"| {name} | {len(found)} | {coverage(found):.1f} | {errors.mean():+.1f} | "
        f"{np.median(abs(errors)):.1f} | {np.median(abs(counts)):.1f} | {np.mean(widths):.1f} | "
        f"{np.median(widths):.1f} |"
    )


def main() -> None:
    """Print the tables; draw the chart where a file is named."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    found = list(trials(count, int(sys.argv[2]) if len(sys.argv) > 2 else 1))
    told = [t for t in found if t.given]
    print(
        "| structures | number | held % | bias % | error % | count's error % | width %, mean | median |"
    )
    print("|---|---|---|---|---|---|---|---|")
    print(_row("all", found))
    print(_row("all that get a volume", told))
    for low, high in pairwise(RADII):
        some = [t for t in told if low <= t.radius < high]
        if some:
            print(_row(f"radius {low:g} to {high:g} voxels", some))
    for key in told[0].classes:
        for value in sorted({t.classes[key] for t in told}):
            print(_row(f"{key}: {value}", [t for t in told if t.classes[key] == value]))
    print("\n| quantity | number | held % | bias % | error % | width %, mean | median |")
    print("|---|---|---|---|---|---|---|")
    for name in sorted({name for t in told for name in t.others}):
        print(_other_row(name, told))
    if len(sys.argv) > 3:
        pairs = [(100 * n, coverage(found, n)) for n in NOMINAL]
        Path(sys.argv[3]).write_text(coverage_chart(pairs, len(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
