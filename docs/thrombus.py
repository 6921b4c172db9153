"""Walls with thrombus in them, of tubes of voxels, against two cylinders that stick: a Markdown table.

    python docs/thrombus.py

Blood of a radius of 8 mm, thrombus to 13 mm, a wall of 1.5 mm; 120 mmHg. Voxels are brought to cubic
ones, meshed and solved as the workflow does it. The wall's mean stress is of the pressure that thrombus
leaves to it.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "scripts"), str(ROOT / "tests" / "unit")]
from scanmill import recipe_simulation  # noqa: E402
from scanmill.grid import Grid, Triple  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.phantom.body import Capsule  # noqa: E402
from scanmill.phantom.description import turned  # noqa: E402
from scanmill.simulation.equilibrium import solve  # noqa: E402
from scanmill.simulation.open_surface import End  # noqa: E402
from scanmill.simulation.summary import Measures, of_mesh, of_stress  # noqa: E402
from scanmill.simulation.vessel import MMHG, problem, vessel  # noqa: E402
from scanmill.surface import surface_of_mask  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402
from wall_truths import between  # noqa: E402
from walls import ASKED, CENTRE, SPACINGS, TILTS, mean_hoop, signed, spent  # noqa: E402

BLOOD, INNER, THICKNESS, LONG = 8.0, 13.0, 1.5, 25.0
YOUNGS, POISSON = (0.11, 2.7), 0.45


def main() -> None:
    """Print the table."""
    shared = between(
        (BLOOD, INNER, INNER + THICKNESS), tuple((y, POISSON) for y in YOUNGS), 120 * MMHG
    )
    alone, expected = (mean_hoop(INNER, THICKNESS, p) for p in (120 * MMHG, shared))
    volume = np.pi * (INNER**2 - BLOOD**2) * 2 * LONG
    print(f"Expected: {expected:.4f} N/mm2; without thrombus {alone:.4f} N/mm2.\n")
    print(
        "| voxels, mm | tube | mean stress: error, % | its 99th percentile, % | volume of thrombus: "
        "error, % | tetrahedra | smallest angle | CPU, s |\n|---|---|---|---|---|---|---|---|"
    )
    for spacing, tilt in product(SPACINGS, TILTS):
        before = spent()
        told = of_voxels(spacing, tilt)
        cells = " | ".join(
            signed(
                told["stress_mean_mpa"] / expected - 1,
                told["stress_p99_mpa"] / expected - 1,
                told["thrombus_volume_mm3"] / volume - 1,
            )
        )
        size, way = " x ".join(f"{s:g}" for s in spacing), "tilted" if any(tilt) else "along z"
        angle, seconds = told["dihedral_min_deg"], spent() - before
        print(
            f"| {size} | {way} | {cells} | {told['tetrahedra']} | {angle:.1f} | {seconds:.1f} |",
            flush=True,
        )


def of_voxels(spacing: Triple, tilt: Triple) -> Measures:
    """The columns of the wall."""
    rotation = turned(tilt)
    tubes = [
        Capsule(radius=radius, length=90, centre=CENTRE, rotation=tuple(rotation.ravel()))
        for radius in (INNER, BLOOD)
    ]
    low, high = tubes[0].bounds()
    size = tuple(int(n) for n in np.ceil((high - low + 8) / spacing))
    grid = Grid(size, spacing, tuple((low - 4).tolist()), tuple(np.eye(3).ravel().tolist()))
    z, y, x = np.indices(grid.shape)
    places = grid.to_physical(np.stack([x, y, z], axis=-1)).reshape(-1, 3)
    labels = sum((tube.distance(places) < 0).astype(np.uint8) for tube in tubes)
    cubic = grid.isotropic(1.0)
    labels = resample_labels(Volume(labels.reshape(grid.shape), grid), cubic)
    along = rotation[:, 2]
    ends = {
        name: End(np.array(CENTRE) + side * LONG * along, side * along)
        for name, side in (("inlet", -1), ("outlet-1", 1))
    }
    materials = [{"young": young, "poisson": POISSON} for young in YOUNGS]
    thrombus = {"structure": "thrombus", "material": materials[0]}
    said = ASKED | {"thickness": THICKNESS, "material": materials[1], "thrombus": thrombus}
    asked = recipe_simulation.filled({"wall": said})["wall"]
    whole, blood = (surface_of_mask(labels >= least, cubic, max(spacing)) for least in (1, 2))
    found = vessel(whole, ends, asked, blood)
    return of_mesh(found) | of_stress(found, solve(problem(found, asked, 120.0)), None)


if __name__ == "__main__":
    main()
