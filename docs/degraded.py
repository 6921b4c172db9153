"""Real scans made worse on purpose: how far volumes move, and whether the intervals hold them.

    python docs/degraded.py DATA [hippocampi, 40 where none is given] > docs/degraded.md

DATA: the folder of public scans (`tests/real/cohort.py`). Each scan, and each made worse
(`degradations`), goes through the stages ingest to measure, with the recipe's corrections off and on.
What is compared with what, and why, stands above the tables.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from degradations import Degradation, Labelled, whole_blocks  # noqa: E402
from scanmill.recipe import Recipe, load  # noqa: E402
from scanmill.source import read_source  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402
from stages import Outcome, measured  # noqa: E402

# The contrast that noise in CT is counted in, fat beside an organ, HU; in MR it is the range from the
# darkest to the brightest tenth of what lies within so many voxels of the labels.
FAT_TO_ORGAN, NEAR = 100.0, 3
IN_CT = (
    Degradation("slices x 2", thickness=2),
    Degradation("slices x 3", thickness=3),
    Degradation("slices x 5", thickness=5),
    Degradation("noise, CNR 8", ratio=8),
    Degradation("noise, CNR 4", ratio=4),
    Degradation("noise, CNR 2", ratio=2),
    Degradation("x 3, CNR 4", thickness=3, ratio=4),
)
IN_MR = (
    *IN_CT[:-1],
    Degradation("bias +- 0.4", shaded=True),
    Degradation("x 3, CNR 4, bias", thickness=3, ratio=4, shaded=True),
)
# Where rules find structures, the corrections matter.
IN_TORSO = tuple(d for d in IN_CT if d.thickness == 3 or d.ratio in (2, 4))
IN_HEAD = tuple(d for d in IN_MR if d.shaded or d.ratio in (2, 4))
# Intensity that tells the head of that scan from air.
DARKEST_HEAD = 40
OFF = {"metal": "off", "bias": "off", "noise": "off"}
ON = {"metal": "mark", "bias": "n4", "noise": "diffusion"}
# Supplied labels stay where they are, and volumes are told from the scan as acquired: with the
# corrections on they are the same.
FOR_LABELS, FOR_RULES = {"off": OFF}, {"off": OFF, "on": ON}
TEXT = """# Real scans made worse on purpose

Printed by `python docs/degraded.py DATA`. Every scan goes through the stages ingest to measure, as
the workflow runs them: as it was, and made worse. Slices get 2, 3 and 5 times as thick (each the
mean of those it replaces; the label is what fills most of each thick voxel, as a perfect annotator
of the thick scan would draw), noise is added (normal in CT, Rician in MR; CNR: the contrast over
its sd, in CT 100 HU, in MR the range between the darkest and the brightest tenth within 3 mm of the
label), and MR is scanned by a coil of 1 +- 0.4.

What is true here? Nobody knows the organ's volume. A drawn label is not the object: one annotator,
or a network, put a boundary on whole voxels; the image may show another. So two things are
compared, each with the same slices of the scan as it was. **The mask before**: the label counted
there. An interval is to hold it, so it has to be as wide as drawn labels and images differ. **The
volume before**: `volume_mm3` told from the scan as it was. How far it moves, and whether the
interval of the degraded scan holds it, says what the degradation alone does, since the annotator's
share is in both. Neither tells how well an interval is calibrated (`docs/calibration.py` does, on
phantoms): the label drawn anew is an error-free reading of the old label, so that intervals which
hold all of them may be too wide.

Moves: mean of the deviations, median and largest of their sizes, %. Width: of the interval, % of
the volume. A small structure whose interval is wider than its volume gets no volume. Structures of
all sizes, also those that the scan cuts. Volumes of supplied labels do not depend on the
corrections: labels stay where they are, and volumes are told from the scan as acquired; so these
are off in the tables of labels. For structures that rules find they are off and on, and the mask
before is what the same rules find in the scan as it was, nothing corrected."""
METHODS = ("fit", "fractions", "count")


@dataclass(frozen=True)
class Pair:
    """A structure measured in the scan as it was, and in the degraded one."""

    degraded: str
    before: Outcome
    after: Outcome


def pairs(
    cases: Sequence[Labelled],
    recipe: Recipe,
    degradations: Sequence[Degradation],
    corrections: Mapping[str, dict[str, str]],
) -> Iterator[tuple[str, str, list[Pair]]]:
    """Each degradation, the corrections, and what was measured; first without either.

    Measured before a degradation: the same slices of the scan as it was, nothing corrected.
    """
    before: dict[int, list[Outcome]] = {}

    def kept(thickness: int) -> list[Outcome]:
        if thickness not in before:
            before[thickness] = every((whole_blocks(c, thickness) for c in cases), OFF)
        return before[thickness]

    def every(some: Iterable[Labelled], correct: dict[str, str]) -> list[Outcome]:
        own = replace(recipe, correct=correct)
        return [outcome for case in some for outcome in measured(case, own)]

    yield "nothing", "off", [Pair("nothing", o, o) for o in kept(1) if o.mask > 0]
    for degradation in degradations:
        for name, correct in corrections.items():
            after = every((degradation.of(c, seed) for seed, c in enumerate(cases)), correct)
            both = zip(kept(degradation.thickness), after, strict=True)
            yield (
                degradation.name,
                name,
                [Pair(degradation.name, b, a) for b, a in both if b.mask > 0],
            )


HEADER = """| volumes told | mask's move | volume against the mask before | against the volume before \
| holds the mask before | holds the volume before | width, mean | median | fit / fractions / count |
|---|---|---|---|---|---|---|---|---|---|"""
HEADER_BY_RULES = """| degraded | corrections | structure | mask before, mL | mask's move | volume \
against the mask before | interval, % of the mask before | holds it |
|---|---|---|---|---|---|---|---|"""
LABELS = """| data | slices | structures | volume as drawn anew | on cubic voxels, against that |
|---|---|---|---|---|"""
BY_METHOD = """| method | volumes | mask's move | volume against the mask before | against the volume \
before | holds the mask before | holds the volume before | width, mean | median |
|---|---|---|---|---|---|---|---|---|"""
MISSES = """| data | degraded | structure | method | mask before | mask | volume | interval |
|---|---|---|---|---|---|---|---|"""
FARTHEST = 15


def row(found: Sequence[Pair]) -> str:
    """What happened to structures, as cells of HEADER's table, in %; moves as `moved`."""
    known = [p for p in found if p.after.told > 0]
    twice = [p for p in known if p.before.told > 0]
    widths = [100 * (p.after.high - p.after.low) / p.after.told for p in known]
    cells = [
        f"{len(known)} of {len(found)}",
        moved([p.after.mask / p.before.mask for p in found]),
        moved([p.after.told / p.before.mask for p in known]),
        moved([p.after.told / p.before.told for p in twice]),
        f"{100 * np.mean([p.after.holds(p.before.mask) for p in known]):.0f}",
        f"{100 * np.mean([p.after.holds(p.before.told) for p in twice]):.0f}",
        f"{np.mean(widths):.0f}",
        f"{np.median(widths):.0f}",
        " / ".join(str(sum(p.after.method == m for p in known)) for m in METHODS),
    ]
    return " | ".join(cells)


def moved(ratios: Sequence[float]) -> str:
    """Mean of the deviations, and median and largest of their sizes, %."""
    off = 100 * (np.asarray(ratios) - 1)
    off = off[~np.isnan(off)]
    if not len(off):
        return ""
    return f"{off.mean():+.1f}, {np.median(abs(off)):.1f}, {abs(off).max():.0f}"


def table(
    name: str, cases: Sequence[Labelled], recipe: Recipe, degradations: Sequence[Degradation]
) -> list[Pair]:
    """Print the table of labelled scans; all their pairs."""
    print(f"\n## {name}\n\n| degraded {HEADER}")
    every: list[Pair] = []
    for degraded, _, found in pairs(cases, recipe, degradations, FOR_LABELS):
        print(f"| {degraded} | {row(found)} |", flush=True)
        every += found
    return every


def table_by_rules(
    name: str, case: Labelled, recipe: Recipe, degradations: Sequence[Degradation]
) -> None:
    """Print the table of a scan whose structures are found by rules, each in a row of its own."""
    print(f"\n## {name}\n\n{HEADER_BY_RULES}")
    for degraded, corrected, found in pairs([case], recipe, degradations, FOR_RULES):
        for p in found:
            share, a = 100 / p.before.mask, p.after
            holds = "yes" if a.holds(p.before.mask) else "no"
            told = "not told" if np.isnan(a.told) else f"{share * a.told - 100:+.1f}"
            print(
                f"| {degraded} | {corrected} | {a.structure} | {p.before.mask / 1000:.4g} | "
                f"{share * a.mask - 100:+.1f} | {told} | "
                f"{share * a.low:.0f} to {share * a.high:.0f} | {holds} |",
                flush=True,
            )


def supplied(found: Mapping[str, Sequence[Pair]]) -> None:
    """Print what thick slices do to labels, and what bringing them onto cubic voxels does."""
    print(f"\n## Supplied labels alone\n\n{LABELS}")
    for name, those in found.items():
        for thickness in (d for d in IN_CT if d.thickness > 1 and not d.ratio):
            some = [p for p in those if p.degraded == thickness.name and p.after.mask > 0]
            drawn = moved([p.after.supplied / p.before.supplied for p in some])
            cubic = moved([p.after.mask / p.after.supplied for p in some])
            print(f"| {name} | {thickness.name} | {len(some)} | {drawn} | {cubic} |")


def misses(found: Mapping[str, Sequence[Pair]]) -> None:
    """Print, by method, how often intervals miss, and the volumes that lie farthest from theirs."""
    told = [(name, p) for name, those in found.items() for p in those if p.after.told > 0]
    print(f"\n## Methods\n\n{BY_METHOD}")
    for method in METHODS:
        some = [p for _, p in told if p.after.method == method]
        if some:
            print(f"| {method} | {row(some).rpartition(' | ')[0]} |")
    print(f"\n## The farthest misses\n\n{MISSES}")
    missed = [(name, p) for name, p in told if not p.after.holds(p.before.mask)]
    for name, p in sorted(missed, key=lambda m: -_beyond(m[1]))[:FARTHEST]:
        a, b = p.after, p.before
        print(
            f"| {name} | {p.degraded} | {a.structure} | {a.method} | {b.mask:.4g} | {a.mask:.4g} | "
            f"{a.told:.4g} | {a.low:.4g} to {a.high:.4g} |"
        )


def _beyond(pair: Pair) -> float:
    """How far the mask before lies beyond the interval, in half widths of it."""
    low, high = pair.after.low, pair.after.high
    return abs(pair.before.mask - (low + high) / 2) / ((high - low) / 2)


def hippocampi(data: Path, number: int) -> Iterator[Labelled]:
    """So many of the crops, spread over all of them."""
    images = sorted((data / "msd_hippocampus" / "images").glob("*.nii.gz"))
    chosen = np.linspace(0, len(images) - 1, number).astype(int)
    for image in (images[n] for n in chosen):
        scan, _ = read_source(image)
        labels = _labels(data / "msd_hippocampus" / "labels" / image.name)
        near = binary_dilation(labels.array > 0, iterations=NEAR) & (labels.array == 0)
        dark, bright = np.percentile(scan.array[near], (10, 90))
        yield Labelled(scan, labels, "MR", float(bright - dark))


def torso(data: Path, scan: str, labels: str) -> Labelled:
    """One of the public CTs with its label map."""
    folder = data / "totalsegmentator"
    return Labelled(read_source(folder / scan)[0], _labels(folder / labels), "CT", FAT_TO_ORGAN)


def head(data: Path) -> Labelled:
    """An MR without labels; its contrast is the range that `hippocampi` have it from, in the head."""
    scan, _ = read_source(data / "seg3d_mr" / "MR.nii.gz")
    dark, bright = np.percentile(scan.array[scan.array > DARKEST_HEAD], (10, 90))
    nothing = Volume(np.zeros(scan.grid.shape, np.uint8), scan.grid)
    return Labelled(scan, nothing, "MR", float(bright - dark))


def _labels(path: Path) -> Volume:
    labels, _ = read_source(path)
    return Volume(labels.array.astype(np.uint8), labels.grid)


def main() -> None:
    """Print the text and the tables."""
    data, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40
    recipes = ROOT / "config" / "recipes"
    crops = list(hippocampi(data, number))
    large = torso(data, "example_ct.nii.gz", "example_seg_fast_force_split.nii.gz")
    small = torso(data, "example_ct_sm.nii.gz", "example_seg_fast.nii.gz")
    hippocampus = load(ROOT / "tests" / "real" / "recipes" / "hippocampus.yaml")
    organs, body = (load(recipes / f"{name}.yaml") for name in ("totalsegmentator", "ct-body"))
    print(TEXT)
    found = {
        name: table(f"{name}: {said}", cases, recipe, degradations)
        for name, said, cases, recipe, degradations in (
            ("Hippocampus", f"{len(crops)} MR crops, drawn by hand", crops, hippocampus, IN_MR),
            ("Torso", "a CT, labelled by a network", [large], organs, IN_CT),
            ("Abdomen", "a CT of 30 slices, labelled by a network", [small], organs, IN_CT),
        )
    }
    supplied(found)
    misses(found)
    table_by_rules("Torso by rules: the same CT, `ct-body`", large, body, IN_TORSO)
    by_intensity = load(ROOT / "docs" / "head.yaml")
    table_by_rules("Head by rules: an MR, `docs/head.yaml`", head(data), by_intensity, IN_HEAD)


if __name__ == "__main__":
    main()
