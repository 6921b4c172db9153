"""How well stress in walls under pressure is found, where it is known exactly, as a Markdown table.

    python docs/walls.py

Meshes are turned and away from the origin; hoop stress is that of cells, weighted by their volumes.
"""

import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "unit")]
from scanmill.simulation import calculix, equilibrium  # noqa: E402
from scanmill.simulation.body import Problem  # noqa: E402
from scanmill.simulation.solution import Solution  # noqa: E402
from wall_cases import (  # noqa: E402
    Case,
    errors,
    inflated_cylinder,
    lame_cylinder,
    lame_sphere,
    two_cylinders,
)

SOLVERS: dict[str, Callable[[Problem], Solution]] = {
    "ScanMill's": equilibrium.solve,
    "CalculiX": partial(calculix.solve, seconds=3600),
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


def signed(*parts: float) -> list[str]:
    """Parts of the whole as percent."""
    return [f"{100 * part:+.2f}" for part in parts]


def spent() -> float:
    """Processor time of this process and of the programs that it has run, s."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
