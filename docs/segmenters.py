"""How well each way to segment finds the structures of phantoms, beside plain ones: docs/segmenters.md.

    python docs/segmenters.py WORK [abdomens, 20]

WORK: a folder that keeps what was measured, so that a run which was broken off goes on where it was;
an empty one measures all, in some 15 CPU minutes. But for CPU seconds the numbers are the same again.
"""

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
import shapes  # noqa: E402
from challenge import contrast  # noqa: E402
from challenge.mill import dice, timed  # noqa: E402
from challenge.plain import ORGANS, PLAIN  # noqa: E402
from challenge.table import Goal, markdown, mean_of, seconds  # noqa: E402
from scanmill.corrections.intensities import correct  # noqa: E402
from scanmill.fusion.candidate import Candidate, majority  # noqa: E402
from scanmill.fusion.intensities import sharpened  # noqa: E402
from scanmill.fusion.joint import fuse  # noqa: E402
from scanmill.fusion.multi_atlas import Atlas, alike  # noqa: E402
from scanmill.phantom.cohort import patient  # noqa: E402
from scanmill.phantom.scanning import Scan, scan_of  # noqa: E402
from scanmill.registration.diffeomorphic import deform  # noqa: E402
from scanmill.registration.transform import Transform  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402
from seeded import Target, by_growing, by_otsu, half_ball  # noqa: E402

# Contrast of the tumours, in standard deviations of the noise.
SEEDS, RATIO = range(20), 0.5
# Each set of atlases, and the patients that it is tried on; none is in two sets, or both.
ATLASES, CASES = 5, 5
SPACING = 3.0
# Of the liver against muscle, HU; and the noise, of which that is half.
CONTRAST, NOISE = 60.0, 120.0
# Of the tumour in the liver, which is not looked for there.
TUMOUR = 30.0
COMPLETED = "kidney-left"
HEADER = ("structure", "by", "measured", "goal", "met", "scans", "CPU s")
Values = dict[str, list[float]]
INTRODUCTION = """\
# The ways to segment, beside plain ones

Written by `python docs/segmenters.py WORK {}`. Means with half their 95 % interval (Student's t) over
scans; a goal is met by the mean. CPU seconds: median of a scan, to one digit, one thread.
"""
EXPLANATION = f"""\
Organs: abdomens of `scanmill.phantom.cohort` at the highest variability, with textures, on voxels of
{SPACING:g} mm; the liver differs from muscle by {CONTRAST:g} HU, half of the noise, and all methods
see the scan after `noise: diffusion`. Each set of {ATLASES} atlases is tried on {CASES} patients; an
affine atlas is brought onto the scan by ScanMill's affine registration alone. Otsu's thresholds part
four classes, of which several organs may have one: the last of them has its voxels. Regions grow from
the deepest point of each true organ; rules have windows by the usual patient's tissues.

Tumours: those of docs/challenges.md at half the noise, searched for in a supplied organ; `seeded` and
region growing start in the middle. The affine atlas there is another patient's tumour, organ laid on
organ. Shape: organs of the cohort at the highest variability, by models of {shapes.ATLASES} others
(`docs/shapes.py`); the goal is for the mean size of the error.
"""


def main() -> None:
    """Measure what WORK lacks, and write the page."""
    work = Path(sys.argv[1])
    work.mkdir(exist_ok=True)
    cases = range(int(sys.argv[2]) if len(sys.argv) > 2 else len(SEEDS))
    in_organs = joined([kept(work / f"organs-{n}.json", partial(organs_of, n)) for n in cases])
    rows = [*organ_rows(in_organs), *tumour_rows(kept(work / "tumours.json", tumours))]
    rows += completed_rows(kept(work / f"{COMPLETED}.json", completed))
    lines = [
        INTRODUCTION.format(len(cases)),
        *markdown(HEADER, rows),
        EXPLANATION,
        *organ_table(in_organs),
    ]
    (ROOT / "docs" / "segmenters.md").write_text("\n".join(lines), encoding="utf-8")


def kept(path: Path, measure: Callable[[], Any]) -> Any:
    """What was measured, of JSON's types, from the file that keeps it, or now."""
    if not path.exists():
        path.write_text(json.dumps(measure()), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def joined(parts: list[Values]) -> Values:
    """The values of several sets."""
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def organs_of(case: int) -> Values:
    """An abdomen: of each method its CPU seconds, and its Dice by organ."""
    number, n = divmod(case, CASES)
    target, truth = atlas_of(number, ATLASES + n)
    found = by_atlases(target, [atlas_of(number, k)[0] for k in range(ATLASES)])
    for name, method in PLAIN.items():
        found[name] = timed(partial(method, shown(number, ATLASES + n), truth))
    values: Values = {}
    for method, (labels, spent) in found.items():
        values[method] = [spent]
        for label, organ in enumerate(ORGANS, 1):
            values[f"{method}: {organ}"] = [dice(labels == label, truth == label)]
    return values


@cache
def atlas_of(number: int, n: int) -> tuple[Atlas, np.ndarray]:
    """A patient of a set as an atlas, and its label map."""
    labels = label_map(abdomen(number, n))
    image = shown(number, n)
    return Atlas.of(image, Volume(labels, image.grid), SPACING), labels


def shown(number: int, n: int) -> Volume:
    """What the stage that segments sees of a patient."""
    return correct(abdomen(number, n).image, "CT", "off", "diffusion").shown


@cache
def abdomen(number: int, n: int) -> Scan:
    """A patient of a set, as unlike the others as can be."""
    return scan_of(patient("abdomen", [43, number, n], (SPACING,) * 3, 1.0, TUMOUR, NOISE))


def label_map(scan: Scan) -> np.ndarray:
    """The organs, 1, 2, ... in the order of ORGANS; what lies in an organ is of it."""
    numbers = {t["name"]: t["label"] for t in scan.truth}
    result = np.zeros(scan.labels.array.shape, np.uint8)
    for label, parts in enumerate(ORGANS.values(), 1):
        result[np.isin(scan.labels.array, [numbers[part] for part in parts])] = label
    return result


def by_atlases(target: Atlas, atlases: list[Atlas]) -> dict[str, tuple[np.ndarray, float]]:
    """Labels and CPU seconds of the method `atlas`, and of less than all that it does."""
    image = target.image.array
    fitting, affine = timed(lambda: alike(target.levels, atlases))

    def candidate(atlas: Atlas, transform: Transform) -> Candidate:
        return Candidate.of(transform, atlas.image, atlas.labels, target.image)

    still = np.zeros((*target.levels[0].grid.shape, 3), np.float32)
    moved, moving = timed(
        lambda: [candidate(a, Transform(m, target.levels[0].grid, still)) for a, m in fitting]
    )
    deformed, deforming = timed(
        lambda: [candidate(a, deform(target.levels, a.levels, m)) for a, m in fitting]
    )
    count = len(ORGANS) + 1
    posterior, fusing = timed(lambda: sharpened(fuse(image, deformed, count), image))
    return {
        "affine, the atlas most alike": (moved[0].labels, affine + moving / len(fitting)),
        "affine, majority of 5 atlases": (majority(moved, count).labels(), affine + moving),
        "`atlas`, one": (deformed[0].labels, affine + deforming / len(fitting)),
        "`atlas`, five": (posterior.labels(), affine + deforming + fusing),
    }


def tumours() -> Values:
    """Of each method, its CPU seconds and its Dice of tumours in their organ, at half the noise."""
    values: Values = {}
    for found in map(tumour, SEEDS):
        for method, (overlap, spent) in found.items():
            values.setdefault(method, []).append(spent)
            values.setdefault(f"{method}: tumour", []).append(overlap)
    return values


def tumour(seed: int) -> dict[str, tuple[float, float]]:
    """Of each method: Dice and CPU seconds."""
    own = contrast.case(seed)
    scan = own.scan(contrast.CONTRAST / RATIO, seed)
    shown = correct(scan, "CT", "off", "diffusion").shown
    target = Target(shown, own.truth, own.searched.full(own.truth.shape))
    found = {}
    for name, method in {"Otsu": by_otsu, "region growing": by_growing}.items():
        mask, spent = timed(partial(method, target, half_ball(target)))
        found[name] = dice(mask, own.truth), spent
    # Each tumour's grid lies around its organ, which is a ball: this is the best that affine maps do.
    other = contrast.case(seed + len(SEEDS))
    found["affine, an atlas"] = dice(other.truth, own.truth), 0.0
    for name in ("rules", "seeded"):
        trial = contrast.trial(RATIO, f"{name}, noise: diffusion", seed)
        found[f"`{name}`"] = trial.overlap, trial.seconds
    return found


def completed() -> Values:
    """Of organs of which the scan shows three quarters: volumes, % off, and the CPU seconds."""
    found = list(shapes.completions(COMPLETED, "abdomen"))
    return {
        "what the scan shows: all that Otsu, growing or rules may find": [c.shown for c in found],
        "rigid, an atlas": [c.by_atlas for c in found],
        "`shape`": [c.off for c in found],
        "seconds": [c.seconds for c in found],
    }


def methods(values: Values) -> list[str]:
    """Those that were tried, in their order."""
    return [name for name in values if ":" not in name]


def organ_rows(values: Values) -> Iterator[tuple[str, ...]]:
    """Rows of the mean over each patient's organs."""
    for method in methods(values):
        means = np.mean([values[f"{method}: {organ}"] for organ in ORGANS], axis=0)
        yield row("five organs", method, means.tolist(), Goal("at least", 0.93), values[method])


def tumour_rows(values: Values) -> Iterator[tuple[str, ...]]:
    """Rows of the tumours."""
    goal = Goal("at least", 0.85)
    for method in methods(values):
        yield row("tumour", method, values[f"{method}: tumour"], goal, values[method])


def completed_rows(values: Values) -> Iterator[tuple[str, ...]]:
    """Rows of an organ's volume, completed."""
    name, spent, goal = (
        f"{COMPLETED}, a quarter cut off",
        values.pop("seconds"),
        Goal("within", 3.0),
    )
    for method, off in values.items():
        yield row(name, method, off, goal, spent if method == "`shape`" else [])


def row(
    structure: str, method: str, found: list[float], goal: Goal, spent: list[float]
) -> tuple[str, ...]:
    """A row of the table, by HEADER."""
    is_volume, size = goal.kind == "within", float(np.mean(np.abs(found)))
    volume = f"{mean_of(found, 1)} % off, {size:.1f} in size"
    return (
        structure,
        method,
        volume if is_volume else f"Dice {mean_of(found, 3)}",
        str(goal),
        "yes" if goal.is_met(size) else "no",
        str(len(found)),
        seconds(spent) if any(spent) else "",
    )


def organ_table(values: Values) -> Iterator[str]:
    """Dice by organ and method."""
    means = {m: [mean_of(values[f"{m}: {o}"], 3) for o in ORGANS] for m in methods(values)}
    yield from markdown(("by", *ORGANS), ((m, *cells) for m, cells in means.items()))


if __name__ == "__main__":
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    main()
