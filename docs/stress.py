"""Aneurysms from scan to stress by the whole workflow, against what they were made as.

    python docs/stress.py FOLDER [cases, 50 where none is given] [cores, 2]

Writes a cohort of generated scans into a new folder: a trunk that bulges, in half of them with two
legs, in random poses; voxels of 1 mm to slices of 3 mm; in half of them thrombus around the blood;
noise of 10 to 40 HU. Runs it, and prints a Markdown table of how many were simulated,
why the others were not, and how far diameters and stress are off. Stress is known by the same solver
from the exact shape, cut at the same ends.
"""

import csv
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
from scanmill import recipe_simulation, used  # noqa: E402
from scanmill.centreline.curve_file import PLACE  # noqa: E402
from scanmill.centreline.sections import section  # noqa: E402
from scanmill.grid import Grid, Triple  # noqa: E402
from scanmill.phantom.description import turned  # noqa: E402
from scanmill.phantom.tubes import Tubes  # noqa: E402
from scanmill.refusal import Refusal  # noqa: E402
from scanmill.simulation.equilibrium import solve  # noqa: E402
from scanmill.simulation.summary import of_stress  # noqa: E402
from scanmill.simulation.vessel import ends_of, problem, vessel  # noqa: E402
from scanmill.surface import Surface  # noqa: E402
from vessels import as_branch  # noqa: E402

SPACINGS: tuple[Triple, ...] = ((1.0, 1.0, 1.0), (0.7, 0.7, 1.5), (0.8, 0.8, 2.0), (0.7, 0.7, 3.0))
BLOOD, THROMBUS, FAT = 300, 60, -80
MARGIN = 12.0
# Standard deviation of the point spread in the plane, and how thick what slices average is, mm.
POINT_SPREAD, THIN = 0.5, 0.5
SIMULATE = {
    "surface": "inner",
    "thickness": 1.5,
    "edge": 5.0,
    "material": {"young": 2.7, "poisson": 0.45},
    "pressure": 120,
}
RECIPE = """\
description: The blood of generated aneurysms, and the stress of the wall around it
modality: CT
spacing: 1
structures:
  - name: lumen
    label: 1
    code: {{scheme: SCT, value: "7832008", meaning: Abdominal aorta}}
    colour: "#d62728"
    centreline: true
    simulate: {{wall: {wall}}}
    segment: {{method: rules, steps: [window: [{least}, null], open: 1, largest: 1, fill: holes]}}
"""
# Halfway between blood and what surrounds it, as who looks at a scan would choose.
RECIPES = {
    "without": RECIPE.format(wall=SIMULATE, least=(BLOOD + FAT) / 2),
    "with": RECIPE.format(wall=SIMULATE, least=(BLOOD + THROMBUS) / 2),
}


@dataclass(frozen=True)
class Made:
    """What a scan is of. diameter: the largest across, mm. thrombus: by RECIPES."""

    tubes: Tubes
    diameter: float
    spacing: Triple
    thrombus: str


def shape(rng: np.random.Generator, legs: bool) -> tuple[Tubes, float]:
    """A trunk of radius 9 to 12 mm that bulges to 16 to 27, and its largest diameter across."""
    neck, bulge, width = rng.uniform(9, 12), rng.uniform(7, 15), rng.uniform(14, 22)
    z = np.linspace(-60, 60, 80)
    more = np.exp(-((z / width) ** 2))
    sideways = rng.uniform(0, 0.5) * bulge
    trunk = np.stack([sideways * more, 6 * np.sin(z / 60), z, neck + bulge * more], axis=1)
    branches = [trunk]
    if legs:
        t = np.linspace(0, 1, 20)[:, None]
        branches += [trunk[0] + t * [side, 4, -40, -0.4 * neck] for side in (24, -24)]
    rotation = turned(tuple(rng.uniform(-180, 180, 3)))
    tubes = Tubes(
        branches=tuple(map(as_branch, branches)),
        rotation=tuple(rotation.ravel()),
        centre=tuple(rng.uniform(-200, 200, 3).tolist()),
    )
    return tubes, 2 * (neck + bulge)


def grid_over(tubes: Tubes, spacing: Triple) -> Grid:
    """A grid that holds them with a margin, turned as a patient may lie."""
    low, high = tubes.bounds()
    size = tuple(int(n) for n in np.ceil((high - low + 2 * MARGIN) / spacing))
    return Grid(size, spacing, tuple((low - MARGIN).tolist()), tuple(np.eye(3).ravel().tolist()))


def depths(tubes: Tubes, grid: Grid) -> np.ndarray:
    """How far outside the tubes each voxel's centre lies, mm; negative within. [z, y, x]."""
    z, y, x = np.indices(grid.shape)
    places = grid.to_physical(np.stack([x, y, z], axis=-1)).reshape(-1, 3)
    return tubes.distance(places).reshape(grid.shape)


def write_scan(
    path: Path,
    tubes: Tubes,
    spacing: Triple,
    thrombus: bool,
    noise: float,
    rng: np.random.Generator,
) -> None:
    """A CT of the tubes: slices that average what is in them, blurred in their plane, noisy."""
    grid = grid_over(tubes, spacing)
    image = np.mean([_thin_slices(tubes, each, thrombus) for each in within_slices(grid)], axis=0)
    image = gaussian_filter(image, [0, *(POINT_SPREAD / s for s in spacing[1::-1])])
    image += rng.normal(0, noise, grid.shape)
    written = sitk.GetImageFromArray(image.astype(np.int16))
    written.SetSpacing(grid.spacing)
    written.SetOrigin(grid.origin)
    sitk.WriteImage(written, str(path), useCompression=True)


def within_slices(grid: Grid) -> Iterator[Grid]:
    """The grid moved along its slices' normal, to even places within their thickness."""
    thickness, normal = grid.spacing[2], np.reshape(grid.direction, (3, 3))[:, 2]
    number = round(thickness / THIN)
    for place in (np.arange(number) + 0.5) / number - 0.5:
        origin = np.array(grid.origin) + place * thickness * normal
        yield replace(grid, origin=tuple(origin.tolist()))


def _thin_slices(tubes: Tubes, grid: Grid, thrombus: bool) -> np.ndarray:
    """Its voxels' HU: of one whose centre lies near the boundary, the part within, by its width."""
    depth, width = depths(tubes, grid), grid.spacing[0]
    blood = np.clip(0.5 - depth / width, 0, 1)
    clot = np.clip(0.5 - (depth - 4) / width, 0, 1) if thrombus else blood
    return FAT + (THROMBUS - FAT) * clot + (BLOOD - THROMBUS) * blood


def exact_surface(tubes: Tubes) -> Surface:
    """The surface of the tubes themselves, LPS mm: where the distance is zero, between voxels."""
    import pyvista

    grid = grid_over(tubes, (1.5, 1.5, 1.5))
    image = pyvista.ImageData(dimensions=grid.size, spacing=grid.spacing, origin=grid.origin)
    image.point_data["depth"] = depths(tubes, grid).ravel()
    found = (
        image.contour([0.0], scalars="depth", method="flying_edges").clean().connectivity("largest")
    )
    found = found.extract_surface().triangulate()
    if found.volume < 0:
        found.flip_faces(inplace=True)
    points, triangles = np.asarray(found.points, float), np.asarray(found.regular_faces)
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    inwards = np.linalg.det(np.stack((a, b, c), axis=1)).sum() < 0
    return Surface(points, triangles[:, ::-1] if inwards else triangles)


def expected(exact: Surface, course: Path) -> dict[str, float] | None:
    """Stress from the exact shape, cut where the workflow cut; None where that cannot be meshed."""
    asked = recipe_simulation.filled({"wall": SIMULATE})["wall"]
    try:
        found = vessel(exact, ends_of(course), asked)
        return of_stress(found, solve(problem(found, asked, asked["pressure"])), None)
    except Refusal:
        return None


def main() -> None:
    """Write the cohort, run it, and print the table."""
    folder = Path(sys.argv[1])
    number, cores = (int(n) for n in (*sys.argv[2:], *("50", "2")[len(sys.argv) - 2 :]))
    folder.mkdir(parents=True)
    rng = np.random.default_rng(11)
    made = {}
    with open(folder / "scans.tsv", "w") as sheet:
        sheet.write("case\tscan\trecipe\n")
        for n in range(number):
            # So that kinds of voxels, thrombus and legs are told apart.
            spacing = SPACINGS[n % 4]
            thrombus, legs = ("with", "without")[n // 4 % 2], n // 8 % 2 == 1
            tubes, diameter = shape(rng, legs)
            name = f"a{n:02d}"
            path = folder / f"{name}.nrrd"
            write_scan(path, tubes, spacing, thrombus == "with", rng.uniform(10, 40), rng)
            sheet.write(f"{name}\t{path.name}\t{thrombus}.yaml\n")
            made[name] = Made(tubes, diameter, spacing, thrombus)
    for thrombus, recipe in RECIPES.items():
        (folder / f"{thrombus}.yaml").write_text(recipe)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(cores), "--keep-going", "--quiet", "all"]
    command += ["--config", "scans=scans.tsv", "report=false"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    with open(folder / "results" / "cohort" / "measurements.csv", newline="") as stream:
        rows = {row["case"]: row for row in csv.DictReader(stream)}
    tell(folder, made, rows)
    tell_costs(folder, rows)


def tell_costs(folder: Path, rows: dict[str, dict[str, str]]) -> None:
    """Print what a case costs by stage, by the logs, and how good the meshes are."""
    print("\n| stage | CPU, s: median, most | MB: median, most |\n|---|---|---|")
    for stage in ("ingest", "resample", "segment", "mesh", "centreline", "simulate", "measure"):
        logs = [folder / "logs" / name / f"{stage}.log" for name in rows]
        told = [amounts for log in logs if (amounts := used.told(log))]
        cells = [
            f"{np.median(amounts):.1f}, {max(amounts):.1f}"
            for amounts in ([u.cpu_s for u in told], [u.memory_mb for u in told])
        ]
        print(f"| {stage} | {' | '.join(cells)} |")
    for key in ("tetrahedra", "dihedral_min_deg", "scaled_jacobian_min"):
        found = [float(row[key]) for row in rows.values() if row[key]]
        print(f"\n{key}: {min(found):g} to {max(found):g}, median {np.median(found):g}")


def tell(folder: Path, made: dict[str, Made], rows: dict[str, dict[str, str]]) -> None:
    """Print the table, by voxels and thrombus, and of each that was not simulated why."""
    print(
        "| voxels, mm | thrombus | cases | simulated | largest diameter: error, mean and largest, mm "
        "| of the exact shape across the same course | exact shapes solved "
        "| mean stress: error, mean and largest, % | its 99th percentile |\n" + "|---" * 9 + "|"
    )
    errors = {name: errors_of(folder, name, made[name], row) for name, row in rows.items()}
    for spacing, thrombus in product(SPACINGS, RECIPES):
        own = [n for n in rows if (made[n].spacing, made[n].thrombus) == (spacing, thrombus)]
        found = np.array([e for e in map(errors.get, own) if e is not None])
        cells = [
            f"{np.nanmean(off):+.2f}, {np.nanmax(abs(off)):.2f}" if np.isfinite(off).any() else ""
            for off in found.reshape(-1, 4).T
        ]
        cells.insert(2, str(np.isfinite(found[:, 2]).sum()))
        size = " x ".join(f"{s:g}" for s in spacing)
        print(f"| {size} | {thrombus} | {len(own)} | {len(found)} | {' | '.join(cells)} |")
    for name, row in rows.items():
        if errors[name] is None:
            print(f"\n{name}: {row['code'] or row['simulation_code'] or row['warnings']}")


def errors_of(folder: Path, name: str, made: Made, row: dict[str, str]) -> list[float] | None:
    """Of diameter, mm, mean stress and its percentile, %; None where nothing was simulated.

    The second is of the exact shape's diameter across the same course.
    """
    if not row["stress_mean_mpa"]:
        return None
    course = folder / "results" / "cases" / name / "centrelines" / "lumen.csv"
    exact = exact_surface(made.tubes)
    off = [float(row["section_max_diameter_mm"]), widest(exact, course)] - np.array(made.diameter)
    keys, truth = ("stress_mean_mpa", "stress_p99_mpa"), expected(exact, course)
    stress = [100 * (float(row[key]) / truth[key] - 1) if truth else np.nan for key in keys]
    return [*off, *stress]


def widest(exact: Surface, course: Path) -> float:
    """The largest diameter of a surface across a course, where the workflow measured it, mm."""
    with open(course, newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["widest_mm"]]
    places = [
        [[float(row[key]) for key in keys] for keys in (PLACE[2:5], PLACE[5:])] for row in rows
    ]
    found = [section(exact, np.array(point), np.array(along)) for point, along in places]
    return max(each.widest for each in found if each)


if __name__ == "__main__":
    main()
