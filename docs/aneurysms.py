"""How well the recipe `aaa` finds aneurysms with thrombus, in phantoms, and the lumen of a real aorta.

    python docs/aneurysms.py [DATA] > docs/aneurysms.md

DATA: the folder of public scans (`tests/real/cohort.py`); without it, phantoms only.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from seeded import FAINT, depth, dice, read, spread

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.grid import Grid, bounding_box  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.label_map import LabelMap  # noqa: E402
from scanmill.phantom.cohort import patients  # noqa: E402
from scanmill.phantom.scanning import scan_of  # noqa: E402
from scanmill.recipe import load  # noqa: E402
from scanmill.resampling import resample_image  # noqa: E402
from scanmill.seed_file import BACKGROUND, Seed  # noqa: E402
from scanmill.segmentation import Scene  # noqa: E402
from scanmill.stage import Record  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402
from segment import method_of  # noqa: E402

RECIPE = load(ROOT / "config" / "recipes" / "aaa.yaml")
COUNT, SPACING = 6, (1.0, 1.0, 2.0)
# Voxels around the aneurysm: more than its reach.
MARGIN = 24
# How many seeds a person puts into the lumen, into the thrombus, and into each neighbour.
FEW, MANY = (4, 6, 2), (8, 12, 4)
NEIGHBOURS = ("spine", "psoas", "vena-cava", "bowel", "body")
Masks = dict[str, np.ndarray]


def phantoms() -> Iterator[tuple[Volume, Masks]]:
    """Scans on the recipe's voxels around the aneurysm, and what fills most of each, by name."""
    for patient in patients("thrombus", COUNT, 5, SPACING, variability=0.8):
        scan = scan_of(patient)
        grid = scan.image.grid.isotropic(RECIPE.spacing)
        labels = resample_labels(scan.labels, grid)
        masks = {s["name"]: labels == s["label"] for s in patient["structures"]}
        masks["thrombus"] = masks["aneurysm"]
        masks["aneurysm"] = masks["thrombus"] | masks["lumen"]
        box = bounding_box(masks["aneurysm"], MARGIN)
        start, size = [s.start for s in box[::-1]], [s.stop - s.start for s in box[::-1]]
        image = resample_image(scan.image, grid).array[box]
        yield Volume(image, grid.crop(start, size)), {n: mask[box] for n, mask in masks.items()}


def seeds_of(masks: Masks, grid: Grid, counts: tuple[int, int, int]) -> list[Seed]:
    """Balls of 2 mm, far apart: in lumen and thrombus, and in each neighbour within 20 mm."""
    in_lumen, in_thrombus, in_each = counts
    chosen = []
    for name, count in (("lumen", in_lumen), ("thrombus", in_thrombus)):
        inside = depth(masks[name], grid)
        chosen += spread(inside > 0.5 * inside.max(), grid, "aneurysm", count, 2.0)
    away = depth(~masks["aneurysm"], grid)
    for name in NEIGHBOURS:
        near = (depth(masks[name], grid) > 2.5) & (away > 4) & (away < 20)
        if near.any():
            chosen += spread(near, grid, BACKGROUND, in_each, 2.0)
    return chosen


def found(scan: Volume, seeds: list[Seed], modality: str) -> tuple[LabelMap, list[str]]:
    """The label map that the recipe's structures make, and the codes of the warnings."""
    scene = Scene(
        grid=scan.grid,
        modality=modality,
        image=lambda: scan.array,
        label_map=LabelMap.empty(scan.grid, len(RECIPE.structures)),
        labels={s["name"]: s["label"] for s in RECIPE.structures},
        record=Record(),
        seeds=seeds,
    )
    for method, run in groupby(RECIPE.structures, key=lambda s: s["segment"]["method"]):
        method_of(method)(list(run), scene)
    return scene.label_map, [warning["code"] for warning in scene.record.warnings]


def print_phantoms() -> None:
    """Print the overlap and the error of the volume of each structure, by the number of seeds."""
    names = [s["name"] for s in RECIPE.structures]
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    faint = dict.fromkeys(("few", "many"), 0)
    for scan, masks in phantoms():
        for tag, counts in (("few", FEW), ("many", MANY)):
            label_map, codes = found(scan, seeds_of(masks, scan.grid, counts), "CT")
            faint[tag] += FAINT in codes
            for structure in RECIPE.structures:
                mask = label_map.region(structure["label"]).full(scan.grid.shape)
                truth = masks[structure["name"]]
                off = 100 * (mask.sum() / truth.sum() - 1)
                results.setdefault((tag, structure["name"]), []).append((dice(mask, truth), off))
    print("| seeds | structure | Dice, mean (worst) | volume % off, mean (sd) |\n|---|---|---|---|")
    for tag, (lumen, thrombus, each) in (("few", FEW), ("many", MANY)):
        for name in names:
            overlap, off = np.array(results[tag, name]).T
            seeds = f"{lumen} + {thrombus}, {each} in each neighbour"
            cells = (
                f"{overlap.mean():.3f} ({overlap.min():.2f}) | {off.mean():+.1f} ({off.std():.1f})"
            )
            print(f"| {seeds} | {name} | {cells} |")
    said = [f"{count} of {COUNT} from {tag} seeds" for tag, count in faint.items()]
    print(f"\n`{FAINT}` warns of {', '.join(said)}.", flush=True)


def print_aorta(data: Path) -> None:
    """Print how well the lumen of a real aorta grows, along the stretch that the reference shows."""
    scan = read(data / "vmtk_aorta/aorta.mha")
    lumen = read(data / "vmtk_aorta/aorta-final-levelset.mha").array < 0
    inside, away = depth(lumen, scan.grid), depth(~lumen, scan.grid)
    seeds = spread(inside > 0.4 * inside.max(), scan.grid, "aneurysm", 8, 2.0)
    seeds += spread((away > 6) & (away < 12), scan.grid, BACKGROUND, 12, 2.0)
    # Its intensities are no Hounsfield units: the threshold of the lumen says nothing here.
    mask = found(scan, seeds, "any")[0].region(1).full(scan.grid.shape)
    stretch = np.zeros(mask.shape, bool)
    stretch[:, bounding_box(lumen)[1]] = True
    print(
        "The lumen of a real aorta without thrombus (angiography, voxels of 0.88 x 0.88 x 1.5 mm), "
        f"from 8 seeds in it and 12 around: Dice {dice(mask & stretch, lumen):.2f} with the level set "
        f"that came with it, volume {100 * ((mask & stretch).sum() / lumen.sum() - 1):+.0f} %."
    )


if __name__ == "__main__":
    print(
        "# Aneurysms with thrombus, by the recipe `aaa`\n\nPrinted by `python docs/aneurysms.py DATA`."
    )
    print(
        f"\n{COUNT} phantoms by chance, scanned with voxels of {SPACING[0]:g} x {SPACING[1]:g} x "
        f"{SPACING[2]:g} mm and noise of 12 HU: a thrombus of 45 HU around a lumen of 330 HU, in fat, "
        "a few mm from muscle, a vein and bowel of 35 to 110 HU.\n"
    )
    print_phantoms()
    if len(sys.argv) > 1:
        print()
        print_aorta(Path(sys.argv[1]))
