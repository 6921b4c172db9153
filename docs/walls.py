"""How well stress in walls under pressure is found, where it is known exactly, as Markdown tables.

    python docs/walls.py

First of meshes, turned and away from the origin: hoop stress is that of cells, weighted by their
volumes. Then of tubes of voxels, brought to cubic ones, meshed and solved as the workflow does it: the
first principal stress, averaged through the wall, whose mean is pressure times radius by thickness.
"""

import resource
import sys
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "unit")]
import wall_truths  # noqa: E402
from scanmill import recipe_simulation  # noqa: E402
from scanmill.grid import Grid, Triple  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.phantom.body import Capsule  # noqa: E402
from scanmill.phantom.description import turned  # noqa: E402
from scanmill.simulation import calculix  # noqa: E402
from scanmill.simulation.body import Problem  # noqa: E402
from scanmill.simulation.equilibrium import solve  # noqa: E402
from scanmill.simulation.open_surface import End  # noqa: E402
from scanmill.simulation.solution import Solution  # noqa: E402
from scanmill.simulation.summary import Measures, of_mesh, of_stress  # noqa: E402
from scanmill.simulation.vessel import MMHG, problem, vessel  # noqa: E402
from scanmill.surface import surface_of_mask  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402
from wall_cases import (  # noqa: E402
    Case,
    errors,
    inflated_cylinder,
    lame_cylinder,
    lame_sphere,
    two_cylinders,
)

SOLVERS: dict[str, Callable[[Problem], Solution]] = {
    "ScanMill": solve,
    "CalculiX": partial(calculix.solve, seconds=3600),
}
SPACINGS = ((1.0, 1.0, 1.0), (0.7, 0.7, 3.0))
TILTS = ((0.0, 0.0, 0.0), (35.0, 20.0, 0.0))
RADIUS, CENTRE = 10.0, (31.3, -112.7, 402.9)
ASKED = {
    "surface": "inner",
    "thickness": 2.0,
    "edge": 3.0,
    "material": {"young": 2.7, "poisson": 0.45},
    "pressure": 120,
    "ends": "sliding",
}
CASES: dict[str, Callable[[], Case]] = {
    **{
        f"thick cylinder, Poisson's ratio {poisson}, {layers} layers": partial(
            lame_cylinder, poisson, layers
        )
        for poisson, layers in ((0.3, 3), (0.3, 6), (0.45, 6), (0.49, 3), (0.49, 6), (0.49, 9))
    },
    "thick sphere, Poisson's ratio 0.3": partial(lame_sphere, 0.3),
    "thick sphere, Poisson's ratio 0.45": partial(lame_sphere, 0.45),
    "soft cylinder in a stiff one": two_cylinders,
    "hyperelastic cylinder that grows by 7 %": inflated_cylinder,
}


def main() -> None:
    """Print the table."""
    print(
        "| wall | solver | cells | hoop stress: L2 error, % | of the mean | of the 99th percentile "
        "| CPU, s |\n|---|---|---|---|---|---|---|"
    )
    for name, made in CASES.items():
        case = made()
        for solver, solved in SOLVERS.items():
            before = spent()
            off = errors(case, solved(case.problem))
            told = " | ".join((f"{100 * off['l2']:.2f}", *signed(off["mean"], off["p99"])))
            cells, seconds = len(case.volumes), spent() - before
            print(f"| {name} | {solver} | {cells} | {told} | {seconds:.1f} |", flush=True)
    tell_voxels()


def tell_voxels() -> None:
    """Print the table of tubes of voxels."""
    print(
        "\n| voxels, mm | tube | Poisson's ratio | mean stress: error, % | its 99th percentile, % "
        "| the same of single cells, % | tetrahedra | CPU, s |\n|---|---|---|---|---|---|---|---|"
    )
    for spacing, tilt, poisson in product(SPACINGS, TILTS, (0.3, 0.45, 0.49)):
        before = spent()
        told = of_voxels(spacing, tilt, poisson)
        keys = ("stress_mean_mpa", "stress_p99_mpa", "stress_raw_p99_mpa")
        expected = mean_hoop(RADIUS, ASKED["thickness"], ASKED["pressure"] * MMHG)
        cells = " | ".join(signed(*(told[key] / expected - 1 for key in keys)))
        size, way = " x ".join(f"{s:g}" for s in spacing), "tilted" if any(tilt) else "along z"
        seconds = spent() - before
        print(f"| {size} | {way} | {poisson} | {cells} | {told['tetrahedra']} | {seconds:.1f} |")


def of_voxels(spacing: Triple, tilt: Triple, poisson: float) -> Measures:
    """The columns of a tube's wall, from a mask of voxels."""
    rotation = turned(tilt)
    tube = Capsule(radius=RADIUS, length=90, centre=CENTRE, rotation=tuple(rotation.ravel()))
    low, high = tube.bounds()
    size = tuple(int(n) for n in np.ceil((high - low + 8) / spacing))
    grid = Grid(size, spacing, tuple((low - 4).tolist()), tuple(np.eye(3).ravel().tolist()))
    z, y, x = np.indices(grid.shape)
    places = grid.to_physical(np.stack([x, y, z], axis=-1)).reshape(-1, 3)
    labels = (tube.distance(places) < 0).reshape(grid.shape).astype(np.uint8)
    cubic = grid.isotropic(1.0)
    labels = resample_labels(Volume(labels, grid), cubic)
    along = rotation[:, 2]
    ends = {
        name: End(np.array(CENTRE) + side * 30 * along, side * along)
        for name, side in (("inlet", -1), ("outlet-1", 1))
    }
    asked = recipe_simulation.filled(
        {"wall": ASKED | {"material": {"young": 2.7, "poisson": poisson}}}
    )["wall"]
    found = vessel(surface_of_mask(labels == 1, cubic, max(spacing)), ends, asked)
    solution = solve(problem(found, asked, asked["pressure"]))
    return of_mesh(found) | of_stress(found, solution, None)


def mean_hoop(inner: float, thickness: float, pressure: float) -> float:
    """The hoop stress in a thick cylinder, averaged over its volume as the workflow does, N/mm2."""
    radii = np.linspace(inner, inner + thickness, 1001)
    hoop = wall_truths.cylinder(inner, inner + thickness, pressure, 0.0, radii)[:, 1]
    return float(np.average(hoop, weights=radii))


def signed(*parts: float) -> list[str]:
    """Parts of the whole as percent."""
    return [f"{100 * part:+.2f}" for part in parts]


def spent() -> float:
    """Processor time of this process and of the programs that it has run, s."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
