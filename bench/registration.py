"""Time ScanMill's registration against antspyx's SyN on the same pairs, and compare their Dice.

Usage: python bench/registration.py DATA PYTHON. DATA: the folder of public scans
(`tests/real/cohort.py`). PYTHON: an interpreter with antspyx (see README.md). CPU seconds of
registration alone, one thread, and the mean Dice of the moving scan's labels on the fixed one.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
from anatomies import HEADS, enclosed, masked  # noqa: E402
from challenge.mill import dice  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.registration.diffeomorphic import register  # noqa: E402
from scanmill.resampling import resample_image  # noqa: E402
from scanmill.source import read_source  # noqa: E402
from scanmill.volume_file import Volume, read_volume, write_volume  # noqa: E402

HIPPOCAMPI = 6
# Of the pair of heads, mm: over two million voxels.
SPACING = 1.25
Pair = tuple[Volume, Volume, Volume, np.ndarray]


def main() -> None:
    """Print a line per kind of pair."""
    data, python = Path(sys.argv[1]), sys.argv[2]
    pairs = {f"hippocampus-{n}": pair for n, pair in enumerate(hippocampi(data))}
    pairs["head"] = heads(data)
    with TemporaryDirectory() as folder:
        for name, (fixed, moving, labels, _) in pairs.items():
            (Path(folder) / name).mkdir()
            for file, volume in (("fixed", fixed), ("moving", moving), ("labels", labels)):
                write_volume(Path(folder) / name / f"{file}.nii.gz", volume)
        command = [python, str(ROOT / "bench" / "ants_syn.py"), folder]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        spent = json.loads(said)
        theirs = {
            name: (
                overlap(read_volume(Path(folder) / name / "found.nii.gz").array, pair),
                spent[name],
            )
            for name, pair in pairs.items()
        }
    # The first run loads what the others need.
    registered(pairs["hippocampus-0"])
    ours = {name: registered(pair) for name, pair in pairs.items()}
    print("pairs            voxels   SyN Dice   CPU s  ScanMill Dice   CPU s")
    for kind in ("hippocampus", "head"):
        chosen = [name for name in pairs if name.startswith(kind)]
        voxels = np.mean([pairs[name][0].array.size for name in chosen])
        cells = [np.mean([found[name] for name in chosen], axis=0) for found in (theirs, ours)]
        (dice_of_syn, syn), (own_dice, own) = cells
        numbers = f"{dice_of_syn:11.3f}{syn:8.1f}{own_dice:15.3f}{own:8.1f}"
        print(f"{len(chosen)} {kind:11}{voxels:11.0f}{numbers}", flush=True)


def hippocampi(data: Path) -> list[Pair]:
    """Pairs of crops, no one in two."""
    folder = data / "msd_hippocampus"
    names = sorted(path.name for path in (folder / "images").glob("*.nii.gz"))
    drawn = np.random.default_rng(0).choice(names, 2 * HIPPOCAMPI, replace=False)
    scans = [read(folder / "images" / name) for name in drawn]
    labels = [whole(read(folder / "labels" / name)) for name in drawn]
    return [
        (scans[n], scans[n + 1], labels[n + 1], labels[n].array) for n in range(0, len(drawn), 2)
    ]


def heads(data: Path) -> Pair:
    """Colin27 for the head of Seg3D, with their brains."""
    fixed, moving = read(data / HEADS["Seg3D"]), read(data / HEADS["Colin27"])
    grid = fixed.grid.isotropic(SPACING)
    aal = read(data / "atlas_multilabel/aal.nii.gz")
    brain = enclosed(aal.array > 0, aal.grid.spacing[0]).astype(np.uint8)
    truth = resample_labels(masked(read(data / "seg3d_mr/Brain.nrrd")), grid)
    return resample_image(fixed, grid), moving, Volume(brain, aal.grid), truth


def read(path: Path) -> Volume:
    """A volume of any format."""
    return read_source(path)[0]


def whole(labels: Volume) -> Volume:
    """Labels as small integers."""
    return Volume(labels.array.astype(np.uint8), labels.grid)


def registered(pair: Pair) -> tuple[float, float]:
    """The Dice and the CPU seconds of ScanMill's registration."""
    fixed, moving, labels, _ = pair
    started = time.process_time()
    transform = register(fixed, moving)
    spent = time.process_time() - started
    return overlap(transform.labels(labels, fixed.grid)[0], pair), spent


def overlap(found: np.ndarray, pair: Pair) -> float:
    """The mean Dice of the labels."""
    truth = pair[3]
    return float(np.mean([dice(found == n, truth == n) for n in range(1, int(truth.max()) + 1)]))


if __name__ == "__main__":
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    main()
