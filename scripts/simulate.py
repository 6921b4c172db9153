"""Simulate: the stress that pressure puts the walls of vessels under.

In: labels.nii.gz with overlaps/, and centrelines/. Out: simulation/<structure>.vtu (and other formats
on request), the wall as quadratic tetrahedra with displacements, stress and strain, and
simulation/<structure>-stress.vtp, stress averaged through the wall on the surface in its middle; LPS,
mm, N/mm2. What the table tells of a wall is in the sidecar. A structure that cannot be meshed or solved
is refused alone; simulation/<structure>-failed.ply is then the surface that it failed with.
"""

from pathlib import Path
from typing import Any

from scanmill.atomic import replacing_folder
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_surface
from scanmill.refusal import Refusal
from scanmill.simulation.equilibrium import check_memory, solve
from scanmill.simulation.model_files import PROBLEMS, write_problem, write_solution
from scanmill.simulation.stress_map import write_stress_map
from scanmill.simulation.summary import Measures, of_mesh, of_stress, require_away
from scanmill.simulation.vessel import ends_of, problem, surface_of_mask, vessel
from scanmill.stage import Record, run_job
from scanmill.surface import Surface


def simulate(
    record: Record,
    labels: Path,
    overlaps: Path,
    centrelines: Path,
    simulation: Path,
    structures: list[dict[str, Any]],
    pressures: dict[str, float],
) -> None:
    """Write what was simulated.

    structures: name, label and simulate of all. pressures: of the case, mmHg, by the names that the
    recipe gives.
    """
    label_map = read_label_map(labels, overlaps, {s["name"]: s["label"] for s in structures})
    grid = record.grid = label_map.grid
    present = label_map.regions()
    record.details["structures"] = said = {}
    with replacing_folder(simulation) as folder:
        for name, label, asked in (s.values() for s in structures):
            course = centrelines / f"{name}.csv"
            if not asked or label not in present or not course.exists():
                continue
            pressure = pressures.get(asked["pressure"], asked["pressure"])
            surface = _surface(present[label], grid)
            try:
                said[name] = _simulated(surface, course, asked, pressure, folder / name)
            except Refusal as refusal:
                record.warn(refusal.code, refusal.reason, name)
                said[name] = {"simulation_code": refusal.code}
                write_surface(folder / f"{name}-failed.ply", surface)


def _surface(region: Region, grid: Grid) -> Surface:
    start = tuple(s.start for s in region.box[::-1])
    return surface_of_mask(region.array, grid.crop(start, region.array.shape[::-1]))


def _simulated(
    surface: Surface, course: Path, asked: dict[str, Any], pressure: float, result: Path
) -> Measures:
    """Mesh, solve and write one structure, and return its columns. result: without a suffix."""
    found = vessel(surface, ends_of(course), asked)
    require_away(found)
    to_solve = problem(found, asked, pressure)
    check_memory(to_solve, asked["memory_mb"])
    for suffix in asked["formats"]:
        if f".{suffix}" in PROBLEMS:
            write_problem(Path(f"{result}.{suffix}"), to_solve)
    solution = solve(to_solve)
    for suffix in asked["formats"]:
        if f".{suffix}" not in PROBLEMS:
            write_solution(Path(f"{result}.{suffix}"), to_solve.body, solution)
    write_stress_map(Path(f"{result}-stress.vtp"), found, solution)
    told = {"simulation_pressure_mmhg": pressure} | of_mesh(found)
    return told | of_stress(found, solution, asked["strength"])


if __name__ == "__main__":
    run_job(snakemake, simulate)
