"""How well atlases segment real scans, without training: hippocampi, as Markdown tables.

    python docs/atlases.py FOLDER [scans, all where none is given] [atlases, 20]

FOLDER holds `images` and `labels` of the Medical Segmentation Decathlon's hippocampus task (1 anterior,
2 posterior). Five folds: each scan is segmented by atlases drawn from the four folds it is not in; of
more than 20, by the 20 most like it.
"""

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.fusion.candidate import Candidate, Posterior, majority  # noqa: E402
from scanmill.fusion.intensities import sharpened  # noqa: E402
from scanmill.fusion.joint import fuse  # noqa: E402
from scanmill.fusion.multi_atlas import MOST, Atlas, alike  # noqa: E402
from scanmill.registration.diffeomorphic import deform  # noqa: E402
from scanmill.source import read_source  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402

FOLDS, FINEST, LABELS = 5, 1.0, 3
PARTS = ("anterior", "posterior")
METHODS = ("the atlas most like it", "majority", "joint", "joint and the scan's look")
Dice = list[float]


def main() -> None:
    """Print the tables."""
    folder = Path(sys.argv[1])
    names = sorted(path.name for path in (folder / "images").glob("*.nii.gz"))
    order = np.random.default_rng(0).permutation(len(names))
    scans = int(sys.argv[2]) if len(sys.argv) > 2 else len(names)
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    known = {n: read_atlas(folder, names[n]) for n in order}
    rows, costs = [], []
    for place, n in enumerate(order[:scans]):
        others = [m for at, m in enumerate(order) if at % FOLDS != place % FOLDS]
        drawn = np.random.default_rng([1, place % FOLDS]).choice(others, number, replace=False)
        found, cost = methods_of(known[n], [known[m] for m in drawn])
        truth = known[n].labels.array
        rows.append([dice(labels, truth) for labels in found])
        costs.append(cost)
        print(f"{place + 1} of {scans}", file=sys.stderr)
    table(np.array(rows))
    registering, fusing = np.mean(costs[1:] or costs, axis=0)
    print(
        f"\nCPU s a scan: {registering:.1f} for registering {number} atlases, {fusing:.1f} for fusion."
    )


def read_atlas(folder: Path, name: str) -> Atlas:
    """A scan of the data set with its labels."""
    image, _ = read_source(folder / "images" / name)
    labels, _ = read_source(folder / "labels" / name)
    return Atlas.of(image, Volume(labels.array.astype(np.uint8), labels.grid), FINEST)


def methods_of(target: Atlas, atlases: list[Atlas]) -> tuple[list[np.ndarray], tuple[float, float]]:
    """The labels that each method finds, and the CPU seconds of registration and of fusion."""
    started = time.process_time()
    candidates = []
    for atlas, affine in alike(target.levels, atlases)[:MOST]:
        transform = deform(target.levels, atlas.levels, affine)
        candidates.append(Candidate.of(transform, atlas.image, atlas.labels, target.image))
    registered = time.process_time()
    joint = fuse(target.image.array, candidates, LABELS)
    looked = sharpened(joint, target.image.array)
    done = time.process_time()
    posteriors: list[Posterior] = [
        majority(candidates[:1], LABELS),
        majority(candidates, LABELS),
        joint,
        looked,
    ]
    found = [posterior.labels() for posterior in posteriors]
    return found, (registered - started, done - registered)


def dice(found: np.ndarray, truth: np.ndarray) -> Dice:
    """Of each part."""
    return [
        2 * ((found == n) & (truth == n)).sum() / ((found == n).sum() + (truth == n).sum())
        for n in range(1, LABELS)
    ]


def table(rows: np.ndarray) -> None:
    """Print the means over scans with their 95 % intervals. rows: (scans, methods, parts)."""
    print(f"| {len(rows)} scans: Dice | {' | '.join(PARTS)} |\n|---|---|---|")
    half = 1.96 * rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    for name, means, widths in zip(METHODS, rows.mean(axis=0), half, strict=True):
        cells = (f"{m:.3f} ± {w:.3f}" for m, w in zip(means, widths, strict=True))
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
