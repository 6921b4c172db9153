"""How well networks segment real scans that are trained on a few of them: hippocampi, as Markdown.

    python docs/learned.py FOLDER WORK [labelled scans, 8] [others, all where none is given] [cores, 1]

FOLDER holds `images` and `labels` of the Medical Segmentation Decathlon's hippocampus task (1 anterior,
2 posterior). WORK is a folder for the run, which goes on from where it was interrupted. The workflow is
run from the sheet to the label maps with the recipe `hippocampus-learned`; the labels of the others are
only compared with what it found. Needs `make learner`.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.learning.cross_validation import dice  # noqa: E402
from scanmill.source import read_source  # noqa: E402
from scanmill.volume_file import read_volume  # noqa: E402

RECIPE = "hippocampus-learned"
PARTS = {"hippocampus-anterior": 1, "hippocampus-posterior": 2}
RESAMPLES = 10_000


def main() -> None:
    """Run the workflow and print the table."""
    folder, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    labelled, others, cores = (int(n) for n in [*sys.argv[3:], "8", "100000", "1"][:3])
    names = sorted(path.name for path in (folder / "images").glob("*.nii.gz"))
    names = [names[n] for n in np.random.default_rng(0).permutation(len(names))]
    cases = {f"scan-{n}": name for n, name in enumerate(names[labelled:][:others])}
    work.mkdir(parents=True, exist_ok=True)
    write_sheet(work / "scans.tsv", folder, names[:labelled], cases)
    wanted = [f"results/cases/{case}/labels.nii.gz" for case in cases]
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", work, "--cores", str(cores), "--rerun-incomplete", "--quiet", "all"]
    command += ["--config", "scans=scans.tsv", f"recipe={RECIPE}", "--", *wanted]
    subprocess.run(command, check=True)
    found = [
        [dice_of(work / path, folder / "labels" / name, label) for label in PARTS.values()]
        for path, name in zip(wanted, cases.values(), strict=True)
    ]
    model = work / "results/cohort/models" / RECIPE / "network" / "validation.json"
    table(labelled, np.array(found), json.loads(model.read_text("utf-8")))


def write_sheet(path: Path, folder: Path, labelled: list[str], cases: dict[str, str]) -> None:
    """The sheet of labelled scans, and of those that are to be segmented."""
    lines = ["case\tscan\tlabels\trole"]
    lines += [
        f"known-{n}\t{folder / 'images' / name}\t{folder / 'labels' / name}\tatlas"
        for n, name in enumerate(labelled)
    ]
    lines += [f"{case}\t{folder / 'images' / name}\t\t" for case, name in cases.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def dice_of(found: Path, truth: Path, label: int) -> float:
    """Dice of a structure on the scan's own grid, which is the recipe's; 0 where it is refused."""
    if not found.stat().st_size:
        return 0.0
    known, _ = read_source(truth)
    labels = read_volume(found)
    assert labels.grid.same_as(known.grid)
    return dice(labels.array == label, known.array == label)


def table(labelled: int, found: np.ndarray, validation: dict) -> None:
    """Print Dice in the others, with the interval of its mean, and as the cross-validation told it."""
    print(
        f"{labelled} labelled scans; Dice of the {len(found)} others, and of cross-validation\n\n"
        "| part | mean (95 % interval) | sd | least | cross-validated |\n|---|---|---|---|---|"
    )
    drawn = np.random.default_rng(0).integers(len(found), size=(RESAMPLES, len(found)))
    for part, scores in zip(PARTS, found.T, strict=True):
        low, high = np.quantile(scores[drawn].mean(axis=1), (0.025, 0.975))
        told = validation["structures"][part]
        print(
            f"| {part} | {scores.mean():.3f} ({low:.3f} to {high:.3f}) | {scores.std(ddof=1):.3f} "
            f"| {scores.min():.3f} | {told['dice_mean']:.3f} |"
        )
    print(f"\nExpected calibration error, cross-validated: {validation['calibration_error']:.3f}")


if __name__ == "__main__":
    main()
