"""How well shape models complete and mend structures, as Markdown tables.

    python docs/shapes.py [FOLDER]

Phantoms: organs of `scanmill.phantom.cohort` at the highest variability, a quarter of each beyond the
end of the scan. FOLDER holds `labels` of the Medical Segmentation Decathlon's hippocampus task, which
are hidden in part, made to leak and bitten on purpose. No case is among the atlases of its model.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
from challenge.table import markdown, mean_of  # noqa: E402
from scanmill.grid import Grid  # noqa: E402
from scanmill.label_map import Region  # noqa: E402
from scanmill.phantom.cohort import patient  # noqa: E402
from scanmill.phantom.description import grid_of, patient_of  # noqa: E402
from scanmill.phantom.point_spread import SAMPLES  # noqa: E402
from scanmill.phantom.rendering import occupancy  # noqa: E402
from scanmill.refusal import Refusal  # noqa: E402
from scanmill.shape_model.building import build  # noqa: E402
from scanmill.shape_model.completion import Completion, complete  # noqa: E402
from scanmill.shape_model.correspondence import Exemplar, template  # noqa: E402
from scanmill.shape_model.filling import filled  # noqa: E402
from scanmill.shape_model.fit import fit, mahalanobis  # noqa: E402
from scanmill.shape_model.model import ShapeModel  # noqa: E402
from scanmill.shape_model.modes import Modes  # noqa: E402
from scanmill.shape_model.signed_distance import SignedDistance  # noqa: E402
from scanmill.source import read_source  # noqa: E402

ORGANS = {"liver": "abdomen", "kidney-left": "abdomen", "aorta": "abdomen", "lungs": "abdomen"}
SPACING, MARGIN = 2.0, 12.0
CUT = 0.25
# Sets of atlases, and the cases that each is tried on.
SETS, CASES = 4, 5
ATLASES = 15
REAL_SETS, REAL_CASES, REAL_ATLASES = 5, 8, 20
LEAK_RADIUS = 5.0


@dataclass(frozen=True)
class Body:
    """A structure on its grid, whole, and its true volume, mm3."""

    mask: np.ndarray
    grid: Grid
    volume: float


def main() -> None:
    """Print the tables."""
    header = ("organ, a quarter cut off", "cases", "volume off, %: as it is", "by an atlas alone")
    header += (
        "by the shape model",
        "mean size of that",
        "interval holds the truth",
        "its width, %",
    )
    print("\n".join(markdown(header, (_completed(*organ) for organ in ORGANS.items()))))
    if len(sys.argv) > 1:
        header = ("hippocampi", "cases", "Dice before", "after", "volume off, % before", "after")
        header += ("mean size of that, before", "after")
        print("\n".join(markdown(header, _mended(Path(sys.argv[1])))))


def phantom(name: str, kind: str, seed: int) -> Body:
    """An organ of a patient by chance, on a grid of random axes."""
    description = patient(kind, [23, seed], (SPACING,) * 3, 1.0, 30.0, 12.0)
    body = {s.name: s for s in patient_of(description).structures}[name].body
    low, high = body.bounds()
    grid = grid_of(description["grid"])
    reach = np.abs(np.reshape(grid.direction, (3, 3)).T) @ (high - low) / 2 + MARGIN
    size = tuple(int(n) for n in np.ceil(2 * reach / SPACING))
    middle = Grid((1, 1, 1), grid.spacing, tuple(((low + high) / 2).tolist()), grid.direction)
    around = middle.concentric(size, grid.spacing)
    return Body(occupancy(body, around) >= SAMPLES / 2, around, body.volume)


def exemplar(body: Body) -> Exemplar:
    """It as an atlas."""
    return Exemplar.of(Region.of(body.mask), body.grid)


@dataclass(frozen=True)
class Completed:
    """An organ of which a quarter lies beyond the end of the scan.

    shown, by_atlas, off: errors of its volume, %, as it is, by an atlas alone, and by the shape model.
    held: does that one's interval hold the truth? width: of the interval, %. seconds: CPU time of the
    model's part, of a model that is there.
    """

    shown: float
    by_atlas: float
    off: float
    held: bool
    width: float
    seconds: float


def completions(name: str, kind: str) -> Iterator[Completed]:
    """Organs that are cut in any direction, by models of other patients' organs."""
    for n in range(SETS):
        atlases = [exemplar(phantom(name, kind, 1000 * (n + 1) + k)) for k in range(ATLASES)]
        model = build(atlases)[0]
        for k in range(CASES):
            body = phantom(name, kind, CASES * n + k)
            kept, grid = cut(body, np.random.default_rng([29, n, k]))
            counted = kept.sum() * grid.voxel_volume
            started = time.process_time()
            found = complete(model, Region.of(kept), grid, np.ones_like(kept), None)
            seconds = time.process_time() - started
            half = model.half_interval(found.sd)
            beyond = beyond_by_atlas(kept, grid, atlases[0], body.grid)
            yield Completed(
                shown=_percent(counted, body.volume),
                by_atlas=_percent(counted + beyond, body.volume),
                off=_percent(found.volume, body.volume),
                held=bool(abs(found.volume - body.volume) <= half),
                width=200 * half / body.volume,
                seconds=seconds,
            )
        print(f"{name}: {n + 1} of {SETS}", file=sys.stderr)


def _completed(name: str, kind: str) -> tuple[str, ...]:
    """A row of an organ."""
    found = list(completions(name, kind))
    return (
        name,
        str(len(found)),
        mean_of([c.shown for c in found], 1),
        mean_of([c.by_atlas for c in found], 1),
        mean_of([c.off for c in found], 1),
        mean_of([abs(c.off) for c in found], 1),
        f"{sum(c.held for c in found)} of {len(found)}",
        f"{np.mean([c.width for c in found]):.0f}",
    )


def cut(body: Body, random: np.random.Generator) -> tuple[np.ndarray, Grid]:
    """What a scan shows that ends within the body, along one of its axes."""
    axis, low = int(random.integers(3)), bool(random.integers(2))
    others = tuple(a for a in range(3) if a != axis)
    parts = np.cumsum(body.mask.sum(axis=others)) / body.mask.sum()
    box = [slice(None)] * 3
    box[axis] = (
        slice(int((parts < CUT).sum()), None) if low else slice(0, int((parts < 1 - CUT).sum()))
    )
    kept = np.ascontiguousarray(body.mask[tuple(box)])
    start = tuple(s.start or 0 for s in box[::-1])
    return kept, body.grid.crop(start, kept.shape[::-1])


def beyond_by_atlas(kept: np.ndarray, grid: Grid, atlas: Exemplar, around: Grid) -> float:
    """What one atlas, brought rigidly onto what is shown, has of volume beyond the scan, mm3.

    around: a grid that holds all.
    """
    surface = template(atlas)
    mean = surface.points - surface.points.mean(axis=0)
    rigid = Modes(mean, np.zeros((0, *mean.shape)))
    shown = SignedDistance.of(kept, grid, np.ones_like(kept))
    found = fit(rigid, surface.triangles, shown, noise=SPACING)
    whole = filled(found.points, surface.triangles, around)
    start = np.rint(around.to_index(np.asarray(grid.origin))).astype(int)[::-1]
    whole[tuple(slice(s, s + n) for s, n in zip(start, kept.shape, strict=True))] = False
    return float(whole.sum()) * around.voxel_volume


def _mended(folder: Path) -> Iterator[tuple[str, ...]]:
    """Rows: real hippocampi, spoiled in several ways and mended by the model of others."""
    names = sorted(path.name for path in (folder / "labels").glob("*.nii.gz"))
    order = np.random.default_rng(0).permutation(len(names))
    errors: dict[str, list[tuple[float, ...]]] = {way: [] for way in SPOILED}
    percentiles, started = [], time.process_time()
    for n in range(REAL_SETS):
        tried = [names[m] for m in order[n::REAL_SETS][:REAL_CASES]]
        others = [names[m] for m in order if names[m] not in tried]
        atlases = [_hippocampus(folder / "labels" / name) for name in others]
        whole = [exemplar(body) for body in atlases if not _is_cut(body)][:REAL_ATLASES]
        model = build(whole)[0]
        for k, name in enumerate(tried):
            body = _hippocampus(folder / "labels" / name)
            for way, spoil in SPOILED.items():
                random = np.random.default_rng([31, n, k])
                errors[way].append(_errors(body, *spoil(body, random), model, percentiles))
        print(f"hippocampi: {n + 1} of {REAL_SETS}", file=sys.stderr)
    for way, found in errors.items():
        dice, after, off, left = np.transpose(found)
        yield (
            way,
            str(len(found)),
            mean_of(dice, 3),
            mean_of(after, 3),
            mean_of(off, 1),
            mean_of(left, 1),
            mean_of(np.abs(off), 1),
            mean_of(np.abs(left), 1),
        )
    print(
        f"{np.mean(np.array(percentiles) > 99):.0%} of untouched hippocampi have a shape_percentile "
        f"above 99, {np.mean(np.array(percentiles) > 90):.0%} above 90. All of these took "
        f"{time.process_time() - started:.0f} CPU s.\n"
    )


def _hippocampus(path: Path) -> Body:
    labels = read_source(path)[0]
    mask = labels.array > 0
    return Body(mask, labels.grid, float(mask.sum()) * labels.grid.voxel_volume)


def _is_cut(body: Body) -> bool:
    box = Region.of(body.mask).box
    return any(s.start == 0 or s.stop == n for s, n in zip(box, body.mask.shape, strict=True))


def _untouched(body: Body, _: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return body.mask, np.ones_like(body.mask)


def _hidden(body: Body, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A part at one end is marked as spoiled, and not found."""
    kept, grid = cut(body, random)
    start = np.rint(body.grid.to_index(np.asarray(grid.origin))).astype(int)[::-1]
    seen = np.zeros_like(body.mask)
    seen[tuple(slice(s, s + n) for s, n in zip(start, kept.shape, strict=True))] = True
    return body.mask & seen, seen


def _leaking(body: Body, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A ball around a point of the surface is taken as well."""
    ball = _ball(body, random)
    return body.mask | ball, np.ones_like(body.mask)


def _bitten(body: Body, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A ball around a point of the surface is missing."""
    return body.mask & ~_ball(body, random), np.ones_like(body.mask)


def _ball(body: Body, random: np.random.Generator) -> np.ndarray:
    centre = random.choice(template(exemplar(body)).points)
    z, y, x = np.indices(body.mask.shape)
    points = body.grid.to_physical(np.stack([x, y, z], axis=-1))
    return np.linalg.norm(points - centre, axis=-1) < LEAK_RADIUS


SPOILED: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "as they are": _untouched,
    "a quarter hidden": _hidden,
    "with a leak, a ball of 5 mm": _leaking,
    "without such a ball": _bitten,
}


def _errors(
    body: Body,
    mask: np.ndarray,
    seen: np.ndarray,
    model: ShapeModel,
    percentiles: list[float],
) -> tuple[float, ...]:
    """Dice before and after, and the volume's error, %, before and after."""
    try:
        found = complete(model, Region.of(mask), body.grid, seen, None)
    except Refusal:
        return _dice(mask, body.mask), np.nan, _percent(mask.sum(), body.mask.sum()), np.nan
    if mask is body.mask:
        percentiles.append(model.percentile(mahalanobis(found.fit)))
    return (
        _dice(mask, body.mask),
        _dice(_within(found, body), body.mask),
        _percent(mask.sum(), body.mask.sum()),
        _percent(_within(found, body).sum(), body.mask.sum()),
    )


def _within(found: Completion, body: Body) -> np.ndarray:
    return found.region.full(body.mask.shape)


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def _percent(found: float, truth: float) -> float:
    return 100 * (float(found) / float(truth) - 1)


if __name__ == "__main__":
    main()
