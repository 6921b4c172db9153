"""How well structures grow from seeds: tumours nearly of their organ's intensity, and real scans.

    python docs/seeded.py [DATA] > docs/seeded.md

DATA: the folder of public scans (`tests/real/cohort.py`); without it, phantoms only. Where scikit-image
is installed (envs/bench.lock), its random walker is in the table.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.grid import Grid, bounding_box  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.label_map import LabelMap, Region  # noqa: E402
from scanmill.phantom.cohort import patients  # noqa: E402
from scanmill.phantom.scanning import scan_of  # noqa: E402
from scanmill.resampling import resample_image  # noqa: E402
from scanmill.seed_file import BACKGROUND, Seed  # noqa: E402
from scanmill.segmentation import Scene, seeded  # noqa: E402
from scanmill.source import read_source  # noqa: E402
from scanmill.stage import Record  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402

COUNT, SPACING = 20, 1.5
CONTRASTS = (20.0, 30.0, 40.0)
REACH = 15.0
ORGANS = {"liver": 5, "spleen": 1, "right kidney": 2, "left kidney": 3, "aorta": 52}
FAINT, WRONG = "seeded-faint", 0.8
STS = "ibsi/ibsi_validation/nifti"


@dataclass(frozen=True)
class Target:
    """A structure to find. truth, organ: masks [z, y, x]; organ: what it lies in."""

    image: Volume
    truth: np.ndarray
    organ: np.ndarray


def tumours(contrast: float) -> Iterator[Target]:
    """The liver's tumour in patients by chance, on cubic voxels, within 20 voxels around it."""
    for patient in patients("abdomen", COUNT, 5, variability=0.8, contrast=contrast):
        scan = scan_of(patient)
        grid = scan.image.grid.isotropic(SPACING)
        labels = resample_labels(scan.labels, grid)
        number = {s["name"]: s["label"] for s in patient["structures"]}
        truth = labels == number["liver-tumour"]
        box = bounding_box(truth, 20)
        start, size = [s.start for s in box[::-1]], [s.stop - s.start for s in box[::-1]]
        image = resample_image(scan.image, grid).array[box].astype(np.float32)
        organ = truth | (labels == number["liver"])
        yield Target(Volume(image, grid.crop(start, size)), truth[box], organ[box])


def depth(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """How deep in the mask each voxel lies, mm."""
    return ndimage.distance_transform_edt(mask, sampling=grid.spacing[::-1])


def half_ball(target: Target) -> Seed:
    """A ball of half the depth of the deepest point, there."""
    inside = depth(target.truth, target.image.grid)
    deepest = np.unravel_index(inside.argmax(), inside.shape)
    point = target.image.grid.to_physical(np.array(deepest[::-1]))
    return Seed("target", tuple(point.tolist()), float(inside.max()) / 2)


def spread(mask: np.ndarray, grid: Grid, name: str, count: int, radius: float) -> list[Seed]:
    """Points of a mask, each as far as can be from those before."""
    places = grid.to_physical(np.argwhere(mask)[:, ::-1])
    chosen = [places[len(places) // 2]]
    while len(chosen) < count:
        away = np.min([((places - p) ** 2).sum(axis=1) for p in chosen], axis=0)
        chosen.append(places[away.argmax()])
    return [Seed(name, tuple(point.tolist()), radius) for point in chosen]


def grown(
    target: Target, seeds: list[Seed], reach: float, inside: bool
) -> tuple[np.ndarray, list[str]]:
    """The mask that the method `seeded` finds, and the codes of its warnings."""
    image, grid = target.image.array, target.image.grid
    labels = {"organ": 1, "target": 2}
    scene = Scene(
        grid, "any", lambda: image, LabelMap.empty(grid, 2), labels, Record(), seeds=seeds
    )
    scene.label_map.paint(1, Region.of(target.organ))
    own = {"seeds": "file", "radius": 0.0, "reach": reach, "steps": []}
    own |= {"method": "seeded", "inside": "organ" if inside else None}
    seeded.segment([{"name": "target", "segment": own}], scene)
    codes = [warning["code"] for warning in scene.record.warnings]
    return scene.label_map.region(2).full(grid.shape), codes


def by_otsu(target: Target, _: Seed) -> np.ndarray:
    """What lies above Otsu's threshold of the organ."""
    image, organ = (
        sitk.GetImageFromArray(a) for a in (target.image.array, target.organ.view("u1"))
    )
    above = sitk.OtsuThreshold(image, organ, 0, 1, 128, True, 1)
    return sitk.GetArrayFromImage(above) > 0


def by_growing(target: Target, seed: Seed) -> np.ndarray:
    """Confidence connected region growing from the seed, 2.5 standard deviations, in the organ."""
    index = np.rint(target.image.grid.to_index(np.array(seed.point))).astype(int)
    image = sitk.GetImageFromArray(target.image.array)
    found = sitk.ConfidenceConnected(image, [index.tolist()], 4, 2.5, 2)
    return (sitk.GetArrayFromImage(found) > 0) & target.organ


def by_scikit_image(target: Target, seed: Seed) -> np.ndarray:
    """scikit-image's random walker with its defaults, from the same seeds."""
    from skimage.segmentation import random_walker

    places = target.image.grid.to_physical(np.argwhere(target.organ)[:, ::-1])
    away = np.linalg.norm(places - seed.point, axis=1)
    markers = np.full(target.organ.shape, -1)
    reached = seed.radius + REACH
    markers[target.organ] = np.where(away <= seed.radius, 1, np.where(away > reached, 2, 0))
    walked = random_walker(target.image.array, markers, mode="cg_j", spacing=np.ones(3))
    return walked == 1


def by_seeds(target: Target, seed: Seed) -> np.ndarray:
    """The method `seeded`."""
    return grown(target, [seed], REACH, inside=True)[0]


METHODS: dict[str, Callable[[Target, Seed], np.ndarray]] = {
    "Otsu in the organ": by_otsu,
    "region growing": by_growing,
    "scikit-image random walker": by_scikit_image,
    "seeded": by_seeds,
}


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Twice what two masks share over what both have."""
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def print_tumours(found_in: dict[float, list[Target]]) -> None:
    """Print each method at each contrast."""
    print("| contrast HU | method | Dice, mean (worst) | wall s, median |\n|---|---|---|---|")
    for contrast, targets in found_in.items():
        for name, method in METHODS.items():
            found = []
            try:
                for target in targets:
                    seed = half_ball(target)
                    begun = time.perf_counter()
                    mask = method(target, seed)
                    found.append((dice(mask, target.truth), time.perf_counter() - begun))
            except ImportError:
                continue
            overlap, seconds = np.array(found).T
            cells = f"{overlap.mean():.3f} ({overlap.min():.2f}) | {np.median(seconds):.2f}"
            print(f"| {contrast:g} | {name} | {cells} |", flush=True)


def real_targets(data: Path) -> Iterator[tuple[str, Target]]:
    """Sarcomas, organs of a CT (labels of a network), and the lumen of an aorta."""
    for case in ("STS_002", "STS_008"):
        for kind in ("CT", "MR_T1"):
            image, mask = (
                data / STS / case / f"{kind}_{what}.nii.gz" for what in ("image", "mask")
            )
            yield f"sarcoma, {case} {kind}", _real(read(image), read(mask).array > 0)
    scan, labels = (read(data / f"totalsegmentator/example_{n}.nii.gz") for n in ("ct_sm", "seg"))
    for name, value in ORGANS.items():
        yield f"{name}, CT of 3 mm", _real(scan, labels.array == value)
    lumen = read(data / "vmtk_aorta/aorta-final-levelset.mha").array < 0
    yield "aorta's lumen, angiography", _real(read(data / "vmtk_aorta/aorta.mha"), lumen)


def read(path: Path) -> Volume:
    """A volume of any format."""
    return read_source(path)[0]


def _real(scan: Volume, truth: np.ndarray) -> Target:
    return Target(scan, truth, truth)


def print_real(data: Path) -> None:
    """Print the Dice of each real structure from points within it, alone and with points around."""
    print("| structure | 8 points | and 12 around | wall s |\n|---|---|---|---|")
    judged: list[tuple[float, bool]] = []
    for name, target in real_targets(data):
        grid = target.image.grid
        inside = depth(target.truth, grid)
        own = spread(inside > 0.4 * inside.max(), grid, "target", 8, 2.0)
        away = depth(~target.truth, grid)
        around = spread((away > 6) & (away < 12), grid, BACKGROUND, 12, 2.0)
        points = np.array([seed.point for seed in own])
        places = grid.to_physical(np.argwhere(target.truth)[:, ::-1])
        # As a person would choose it: the structure, and 6 mm more.
        reach = 6 + max(np.linalg.norm(points - p, axis=1).min() for p in places)
        cells, begun = [], time.perf_counter()
        for seeds in (own, [*own, *around]):
            mask, codes = grown(target, seeds, reach, inside=False)
            overlap = dice(mask, target.truth)
            judged.append((overlap, FAINT in codes))
            cells.append(f"{overlap:.2f}{', warned' if FAINT in codes else ''}")
        cells.append(f"{(time.perf_counter() - begun) / 2:.1f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"\n{warned(judged)}")


def print_warned(targets: list[Target]) -> None:
    """Print how many tumours that were found badly, and well, are warned of as faint."""
    for what, radius in (("a ball of half the tumour's radius", None), ("a point", 0.0)):
        judged = []
        for target in targets:
            seed = half_ball(target)
            seed = seed if radius is None else replace(seed, radius=radius)
            mask, codes = grown(target, [seed], REACH, inside=True)
            judged.append((dice(mask, target.truth), FAINT in codes))
        print(f"From {what}: {warned(judged)}\n", flush=True)


def warned(judged: list[tuple[float, bool]]) -> str:
    """How many of the wrong ones, and of the right ones, are warned of. judged: Dice, and if warned."""
    counts = {True: [0, 0], False: [0, 0]}
    for overlap, said in judged:
        counts[overlap < WRONG][0] += said
        counts[overlap < WRONG][1] += 1
    return (
        f"`{FAINT}` warns of {counts[True][0]} of {counts[True][1]} whose Dice is below {WRONG:g}, "
        f"and of {counts[False][0]} of {counts[False][1]} others."
    )


if __name__ == "__main__":
    print("# Structures grown from seeds\n\nPrinted by `python docs/seeded.py DATA`.\n")
    print(
        f"Tumours of 7 to 9 mm radius in a liver with texture of 10 HU and noise of 12 HU, {COUNT} "
        f"patients, voxels of {SPACING:g} mm; one ball of half the tumour's radius is the seed.\n"
    )
    by_contrast = {contrast: list(tumours(contrast)) for contrast in CONTRASTS}
    print_tumours(by_contrast)
    print()
    print_warned([target for targets in by_contrast.values() for target in targets])
    if len(sys.argv) > 1:
        print("\nReal structures, seeds chosen from the reference mask, far apart:\n")
        print_real(Path(sys.argv[1]))
