"""How well artefacts are found and what is left of them, as one Markdown table.

    python docs/artefacts.py [seeds, 24 where none are given]

Bodies of fat, organs, lungs and bones in slices of 256 x 256 voxels. Metal of 2 to 14 mm in its bones,
titanium or iron, is scanned in real projections (`scanmill.phantom.metal`) with 3e5 to 3e6 photons a
ray; what it puts off by more than 40 HU is known of each voxel. False alarms are told of in the same
bodies without the artefact, and below in real scans where they are at hand.
"""

import os
import sys
from pathlib import Path

import numpy as np
import SimpleITK

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.corrections.artefacts import MARKS, Examination, examine_ct, examine_mr  # noqa: E402
from scanmill.grid import Grid  # noqa: E402
from scanmill.phantom.artefacts import cut_to_circle, with_motion, with_ring  # noqa: E402
from scanmill.phantom.body import Cylinder  # noqa: E402
from scanmill.phantom.metal import METALS, with_metal  # noqa: E402
from scanmill.phantom.noise import kernel_noise, rician, stored  # noqa: E402
from scanmill.phantom.point_spread import SAMPLES  # noqa: E402
from scanmill.phantom.rendering import occupancy  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402

FIELD_MM = 400.0
GRID = Grid((256, 256, 2), (FIELD_MM / 256, FIELD_MM / 256, 3.0), (40.0, -70.0, 15.0))
MIDDLE = GRID.to_physical((np.asarray(GRID.size) - 1) / 2)


DATA = Path(os.environ.get("SCANMILL_DATA", ROOT.parent / "shared" / "data"))
# Whole scans and crops in which nobody sees one of these artefacts; a table may lie below.
REAL = {
    "CT": (
        "totalsegmentator/example_ct_sm.nii.gz",
        "ibsi/ibsi_validation/nifti/STS_002/CT_image.nii.gz",
        "ibsi/ibsi_validation/nifti/STS_008/CT_image.nii.gz",
    ),
    "MR": (
        "totalsegmentator/example_mr_sm.nii.gz",
        "seg3d_mr/MR.nii.gz",
        "pyradiomics/brain1_image.nrrd",
        "dicom2nifti/generic/anatomical/001_ground_truth.nii.gz",
    ),
}
TABLE_SLICES = 20


def main() -> None:
    """Print the table, and what is said of real scans."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 24)
    print(
        "| artefact | measured | before | after | goal | false alarms |\n|---|---|---|---|---|---|"
    )
    metal(seeds)
    for name, spoiled in SPOILED.items():
        found, alarms = zip(*(spoiled(np.random.default_rng(seed)) for seed in seeds), strict=True)
        told, false = (f"{sum(said)} of {len(seeds)}" for said in (found, alarms))
        print(f"| {name} | scans of which it is told | 0 | {told} | | {false} |")
    shells, patient = np.mean([table_left(np.random.default_rng(s)) for s in seeds], axis=0)
    print(f"| table | % of its shells that are not air | 100 | {shells:.1f} | | |")
    print(f"| table | % of the patient that is made air | 0 | {patient:.4f} | 0 | |")
    if DATA.is_dir():
        real()


def metal(seeds: range) -> None:
    """Print what is marked of what metal puts off, and the error before and after in-painting."""
    caught, marked, errors, painted, alarms = [], [], [], 0, 0
    for seed in seeds:
        clean, part, scan, misleading = with_implant(seed)
        found = examine_ct(Volume(scan, GRID), "mark")
        marks = np.zeros(GRID.shape, np.uint8) if found.marks is None else found.marks
        caught.append((marks > 0)[misleading].mean())
        marked.append(100 * (marks > 0).mean())
        better = examine_ct(Volume(scan, GRID), "inpaint")
        painted += better.said.get("inpainted_slices", 0) > 0
        tissue = (marks == MARKS["streak"]) & (part == 0)
        errors.append([np.abs(i - clean)[tissue].mean() for i in (scan, better.image)])
        alarms += has(examine_ct(as_scan(clean), "mark"), "metal")
    before, after = np.array(errors).T
    both = sum(c >= 0.9 and m <= 20 for c, m in zip(caught, marked, strict=True))
    scans = len(seeds)
    rows = [
        ("marked of voxels off by > 40 HU", "0", f"{np.mean(caught):.3f}", "0.9"),
        ("the same, worst scan", "0", f"{min(caught):.3f}", "0.9"),
        ("marked of the slice, %: mean", "0", f"{np.mean(marked):.1f}", "20"),
        ("the same, worst scan", "0", f"{max(marked):.1f}", "20"),
        ("scans that meet both goals", "0", f"{both} of {scans}", "all"),
        (
            "in-painting: mean error of marked tissue, HU",
            f"{before.mean():.1f}",
            f"{after.mean():.1f}",
            "",
        ),
        (
            "scans in-painted; with a larger error then",
            "",
            f"{painted}; {(after > before).sum()}",
            "0",
        ),
    ]
    for measured, untouched, done, goal in rows:
        print(f"| metal | {measured} | {untouched} | {done} | {goal} | {alarms} of {scans} |")


def with_implant(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A body without metal, HU; the metal's part of each voxel; the scan, HU; where it misleads."""
    random = np.random.default_rng(seed)
    clean, bones = torso(random)
    radius = random.uniform(2, 14)
    part = filled((radius, radius * random.uniform(0.6, 1)), bones[0] + random.uniform(-3, 3, 2))
    material = list(METALS)[random.integers(len(METALS))]
    photons = float(10 ** random.uniform(5.5, 6.5))
    return clean, part, *with_metal(clean, part, GRID, material, photons, seed)


def table_left(random: np.random.Generator) -> tuple[float, float]:
    """% of a table's shells that stay, and % of the body that is made air.

    Two bent shells 3 to 6 mm thick below the body, 2 to 20 mm away from it, with foam between.
    """
    image, _ = torso(random)
    slices = (TABLE_SLICES, 1, 1)
    inside = image > -950
    lowest = (np.flatnonzero(inside.any(axis=(0, 2)))[-1] - 127.5) * GRID.spacing[1]
    bend, top = random.uniform(250, 500), lowest + random.uniform(2, 20)
    shells = np.zeros(GRID.shape)
    for below in (0.0, random.uniform(15, 40)):
        outer = bend + random.uniform(3, 6)
        place = np.array([random.uniform(-20, 20), top + below - bend])
        shells += filled((outer, outer), place) - filled((bend, bend), place)
    rows = np.arange(GRID.size[1])[:, None]
    shells *= rows > np.flatnonzero(inside.any(axis=(0, 2)))[-1] - 40
    shells[np.repeat(inside.any(axis=0)[None], len(shells), axis=0)] = 0
    scan = np.tile((image + shells * (random.uniform(0, 300) - image))[:1], slices)
    grid = Grid((*GRID.size[:2], TABLE_SLICES), GRID.spacing, GRID.origin)
    scan += 10 * kernel_noise(grid.shape, grid.spacing, 0.4, random)
    found = examine_ct(Volume(stored(scan), grid), "mark")
    left = found.image > -900
    return (
        100 * float(left[np.tile(shells[:1] > 0.7, slices)].mean()),
        100 * float((~left)[np.tile(image[:1] > -600, slices)].mean()),
    )


def real() -> None:
    """Print what is said of real scans that are clean."""
    print("\n| real scan | warnings | % marked | of it table |\n|---|---|---|---|")
    for modality, names in REAL.items():
        for name in names:
            image = SimpleITK.ReadImage(str(DATA / name))
            grid = Grid(
                image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()
            )
            scan = Volume(SimpleITK.GetArrayFromImage(image), grid)
            found = examine_ct(scan, "mark") if modality == "CT" else examine_mr(scan)
            marks = np.zeros(1) if found.marks is None else found.marks
            told = ", ".join(code for code, _ in found.warnings) or "none"
            parts = [100 * (marks > 0).mean(), 100 * (marks == MARKS["table"]).mean()]
            print(f"| {modality} {name.split('/')[0]} | {told} | {parts[0]:.1f} | {parts[1]:.1f} |")


def ring(random: np.random.Generator) -> tuple[bool, bool]:
    """Rings of 15 to 60 HU in noise of 5 to 20 HU: found where it is, and in the scan without."""
    clean, _ = torso(random)
    clean += random.uniform(5, 20) * kernel_noise(GRID.shape, GRID.spacing, 0.4, random)
    radius, pixel = random.uniform(20, 100), GRID.spacing[0]
    amplitude = random.uniform(15, 60) * random.choice([-1, 1])
    image = with_ring(clean, GRID, radius, random.uniform(1, 3) * pixel, amplitude)
    return has(examine_ct(as_scan(image), "off"), "rings"), has(
        examine_ct(as_scan(clean), "off"), "rings"
    )


def truncation(random: np.random.Generator) -> tuple[bool, bool]:
    """A body that the circle cuts on one side, and one that it does not."""
    diameter, padding = FIELD_MM * random.uniform(0.97, 1), random.choice([-1024, -2000, -3024])
    said = []
    for offset in (random.uniform(110, 130) * random.choice([-1, 1]), 0.0):
        image, _ = torso(random, offset)
        image += 10 * kernel_noise(GRID.shape, GRID.spacing, 0.4, random)
        image = np.maximum(image, -1023)
        said.append(examine_ct(as_scan(cut_to_circle(image, GRID, diameter, padding)), "off"))
        assert (said[-1].marks == MARKS["padding"]).any()
    return has(said[0], "truncation"), has(said[1], "truncation")


def motion(random: np.random.Generator) -> tuple[bool, bool]:
    """A body that moves 1 to 5 mm to and fro, 5 to 40 times in a scan, and one that lies still."""
    body = np.clip(torso(random)[0] + 1000, 0, 1100) * 0.3
    sigma, axis = random.uniform(4, 15), int(random.integers(2))
    moved = with_motion(body, GRID, axis, random.uniform(1, 5), random.uniform(5, 40))
    moved, still = (Volume(stored(rician(i, sigma, random)), GRID) for i in (moved, body))
    return has(examine_mr(moved), "ghosts"), has(examine_mr(still), "ghosts")


SPOILED = {"ring": ring, "truncation": truncation, "motion ghosts": motion}


def torso(random: np.random.Generator, offset: float = 0.0) -> tuple[np.ndarray, list[np.ndarray]]:
    """HU of a random body without noise, [z, y, x], and where its bones are, (x, y) mm."""
    image = np.full(GRID.shape, -1000.0)
    half = np.array([random.uniform(115, 160), random.uniform(85, 115)])
    middle = random.uniform(-8, 8, 2) + np.array([offset, 0.0])
    angles = random.uniform(0, 2 * np.pi) + np.arange(3) * 2 * np.pi / 3
    towards = np.column_stack([np.cos(angles), np.sin(angles)])
    bones = list(middle + towards * half * random.uniform(0.35, 0.6, (3, 1)))
    parts = [(half, middle, -90), (half - random.uniform(8, 20, 2), middle, 40)]
    for place in middle - towards * half * 0.45:
        parts.append((random.uniform(12, 30, 2), place, random.choice([20, 70, 100, -850])))
    for place in bones:
        radius = random.uniform(13, 25)
        parts += [((radius, radius), place, random.uniform(700, 1300))]
        parts += [((radius - 5, radius - 5), place, 200)]
    for radii, place, value in parts:
        inside = filled(radii, place)
        image += inside * (value - image)
    return image, bones


def filled(radii: tuple[float, float], place: np.ndarray) -> np.ndarray:
    """Which part of each voxel a cylinder along z fills. radii, place: mm, along (x, y)."""
    centre = tuple(float(x) for x in MIDDLE + np.append(place, 0.0))
    radii = tuple(float(r) for r in radii)
    return occupancy(Cylinder(radii=radii, length=400, centre=centre), GRID) / SAMPLES


def as_scan(image: np.ndarray) -> Volume:
    """A CT as a scanner stores it."""
    return Volume(stored(np.minimum(image, 3071)), GRID)


def has(found: Examination, code: str) -> bool:
    """Whether that was warned of."""
    return any(warned == code for warned, _ in found.warnings)


if __name__ == "__main__":
    main()
