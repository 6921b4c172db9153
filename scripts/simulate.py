"""Simulate: the stress that pressure puts the walls of vessels under, and organs as solid bodies.

In: labels.nii.gz with overlaps/, the isotropic scan, and centrelines/ where walls are asked for. Out:
simulation/<structure>.vtu (and other formats on request), the wall or the organ as quadratic
tetrahedra with displacements, stress and strain; of a wall also simulation/<structure>-stress.vtp,
stress averaged through it on the surface in its middle; LPS, mm, N/mm2. What the table tells is in the
sidecar. A structure that cannot be meshed or solved is refused alone;
simulation/<structure>-failed.ply is then the surface that it failed with.
"""

from pathlib import Path
from typing import Any

from scanmill.atomic import replacing_folder
from scanmill.hounsfield import doubt
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_surface
from scanmill.refusal import Refusal
from scanmill.simulation import solid_summary
from scanmill.simulation.body import Body, Problem
from scanmill.simulation.equilibrium import check_memory, solve
from scanmill.simulation.masks import Masks
from scanmill.simulation.materials import of_part
from scanmill.simulation.model_files import (
    BODIES,
    PROBLEMS,
    SOLUTIONS,
    write_body,
    write_problem,
    write_solution,
)
from scanmill.simulation.quality import flatness, quality
from scanmill.simulation.solid import pressed, solid
from scanmill.simulation.solution import Solution
from scanmill.simulation.stress_map import write_stress_map
from scanmill.simulation.summary import Measures, of_mesh, of_stress, require_away
from scanmill.simulation.vessel import ends_of, problem, vessel
from scanmill.stage import Record, run_job
from scanmill.volume_file import Volume, read_volume

Asked = dict[str, Any]


def simulate(
    record: Record,
    labels: Path,
    overlaps: Path,
    isotropic: Path,
    centrelines: list[Path],
    simulation: Path,
    structures: list[dict[str, Any]],
    pressures: dict[str, float],
) -> None:
    """Write what was simulated.

    centrelines: their folder, where there is one. structures: name, label and simulate of all.
    pressures: of the case, mmHg, by the names that the recipe gives.
    """
    names = {s["name"]: s["label"] for s in structures}
    masks = Masks(read_label_map(labels, overlaps, names), names)
    record.grid = masks.grid
    record.details["structures"] = said = {}
    with replacing_folder(simulation) as folder:
        for name, asked in ((s["name"], s["simulate"]) for s in structures if s["simulate"]):
            if name not in masks:
                continue
            try:
                if "solid" in asked:
                    found = _solid(masks, name, asked["solid"], isotropic, folder)
                else:
                    found = _wall(masks, name, asked["wall"], centrelines, pressures, folder)
                for part, told in found.items():
                    said[part] = said.get(part, {}) | told
                if reason := flatness(found.get(name, {})):
                    record.warn("mesh-flat", reason, name)
            except Refusal as refusal:
                record.warn(refusal.code, refusal.reason, name)
                said[name] = {"simulation_code": refusal.code}
                write_surface(folder / f"{name}-failed.ply", masks.surface(name))


def _wall(
    masks: Masks,
    name: str,
    asked: Asked,
    centrelines: list[Path],
    pressures: dict[str, float],
    folder: Path,
) -> dict[str, Measures]:
    """Mesh, solve and write a vessel's wall; its columns."""
    (course,) = (path / f"{name}.csv" for path in centrelines)
    if not course.exists():
        return {}
    thrombus = asked["thrombus"] and asked["thrombus"]["structure"]
    inner = [name, thrombus] if thrombus in masks else [name]
    blood = masks.surface(name) if thrombus in masks else None
    outer = None
    if isinstance(asked["thickness"], str):
        outer = masks.surface(*inner, asked["thickness"])
    found = vessel(masks.surface(*inner), ends_of(course), asked, blood, outer)
    require_away(found)
    pressure = pressures.get(asked["pressure"], asked["pressure"])
    solution = _solved(problem(found, asked, pressure), asked, folder / name)
    write_stress_map(folder / f"{name}-stress.vtp", found, solution)
    told = {"simulation_pressure_mmhg": pressure} | of_mesh(found)
    return {name: told | of_stress(found, solution, asked["strength"])}


def _solid(
    masks: Masks, name: str, asked: Asked, isotropic: Path, folder: Path
) -> dict[str, Measures]:
    """Mesh and write an organ, and solve it where it is loaded; columns of it and of its parts."""
    inner = {part: masks.surface(part) for part in asked["parts"] if part in masks}
    body = solid(masks.surface(name), inner, name, asked["edge"])
    volumes = {part: masks.volume(part) for part in body.parts}
    found = solid_summary.of_parts(body, name, volumes)
    found[name] |= quality(body)
    load = asked["load"]
    if not load:
        _write_meshes(body, asked, folder / name)
        return found
    said = {name: asked["material"]}
    said |= {part: own["material"] for part, own in asked["parts"].items()}
    image = _hounsfield(isotropic) if any("law" in said[part] for part in body.parts) else None
    materials = {part: of_part(said[part], body, part, image) for part in body.parts}
    to_solve = pressed(body, materials, load)
    solution = _solved(to_solve, asked, folder / name)
    found[name] |= solid_summary.of_answer(to_solve, solution, load)
    return found


def _solved(to_solve: Problem, asked: Asked, result: Path) -> Solution:
    """Solve, and write what is asked for. result: without a suffix."""
    check_memory(to_solve, asked["memory_mb"])
    _write_meshes(to_solve.body, asked, result)
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in PROBLEMS:
            write_problem(Path(f"{result}{suffix}"), to_solve)
    solution = solve(to_solve)
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in SOLUTIONS:
            write_solution(Path(f"{result}{suffix}"), to_solve, solution)
    return solution


def _write_meshes(body: Body, asked: Asked, result: Path) -> None:
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in BODIES:
            write_body(Path(f"{result}{suffix}"), body)


def _hounsfield(isotropic: Path) -> Volume:
    """The scan in HU, or a refusal where it cannot be in HU."""
    image = read_volume(isotropic)
    if reason := doubt(image.array, image.grid):
        raise Refusal("not-hounsfield", reason)
    return image


if __name__ == "__main__":
    run_job(snakemake, simulate)
