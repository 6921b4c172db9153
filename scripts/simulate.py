"""Simulate: the stress that pressure puts the walls of vessels under, and organs as solid bodies.

In: labels.nii.gz with overlaps/, the isotropic scan, and centrelines/ where walls are asked for. Out:
simulation/<structure>.vtu (and other formats on request), the wall or the organ as quadratic
tetrahedra with displacements, stress and strain, and simulation/<structure>-stress.vtp, stress averaged
through the wall on the surface in its middle, or on the organ's skin; LPS, mm, N/mm2. What the table
tells is in the sidecar. What cannot be meshed or solved as asked is tried in other ways (`fallbacks`),
which is warned of where one works; else it is refused alone, and simulation/<structure>-failed.ply is
its surface.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing_folder
from scanmill.hounsfield import doubt
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_surface
from scanmill.refusal import Refusal
from scanmill.sidecar import read_sidecar
from scanmill.simulation import solid_summary
from scanmill.simulation.body import Body, Problem
from scanmill.simulation.fallbacks import Way, first_that_works
from scanmill.simulation.masks import Masks
from scanmill.simulation.materials import of_part
from scanmill.simulation.memory import check_memory
from scanmill.simulation.model_files import (
    BODIES,
    PROBLEMS,
    SOLUTIONS,
    write_body,
    write_problem,
    write_solution,
)
from scanmill.simulation.quality import flatness, quality, require_sound
from scanmill.simulation.solid import pressed, solid
from scanmill.simulation.solution import Solution
from scanmill.simulation.solvers import solved_by
from scanmill.simulation.stress_map import write_skin_map, write_stress_map
from scanmill.simulation.summary import (
    Measures,
    of_mesh,
    of_stress,
    require_away,
    require_thickness,
)
from scanmill.simulation.vessel import ends_of, problem, vessel
from scanmill.stage import Record, run_job
from scanmill.volume_file import Volume, read_volume

Asked = dict[str, Any]
Found = dict[str, Measures]

# Of a pressed organ's voxels, what may lie apart from it and be left out.
SPECKS = 0.05


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
    masks = Masks.of(read_label_map(labels, overlaps, names), names)
    # Vessels are round; what is sharp, as bone may be, would be flattened.
    round_ones = replace(masks, slices=max(read_sidecar(isotropic)["native_spacing_mm"]))
    record.grid = masks.grid
    record.details["structures"] = said = {}
    with replacing_folder(simulation) as folder:
        for name, asked in ((s["name"], s["simulate"]) for s in structures if s["simulate"]):
            if name not in masks:
                continue
            if "solid" in asked:
                own = asked["solid"]
                whole = _pressed_piece(record, masks, name) if own["load"] else masks
                make = partial(_solid, name=name, isotropic=isotropic, folder=folder)
            else:
                own = asked["wall"]
                course = centrelines[0] / f"{name}.csv"
                if not course.exists():
                    continue
                whole = _vessel_piece(record, round_ones, name, own)
                pressure = pressures.get(own["pressure"], own["pressure"])
                make = partial(_wall, name=name, course=course, pressure=pressure, folder=folder)
            for part, told in _tried(record, whole, name, own, make, folder).items():
                said[part] = said.get(part, {}) | told


def _tried(
    record: Record,
    masks: Masks,
    name: str,
    asked: Asked,
    make: Callable[[Masks, Asked], Found],
    folder: Path,
) -> Found:
    """What is told of a structure that is simulated as asked, in another way, or refused."""

    def made(way: Way) -> Found:
        return make(masks.blurred(way.blur), asked | {"edge": way.edge * asked["edge"]})

    try:
        found, way, failed = first_that_works(made, asked["edge"])
    except Refusal as refusal:
        surface = f"{name}-failed.ply"
        write_surface(folder / surface, masks.surface(name))
        record.warn(refusal.code, f"{refusal.reason}. simulation/{surface} is its surface", name)
        return {name: {"simulation_code": refusal.code}}
    if failed:
        told = f"simulated with {way.told(asked['edge'])}, since as asked: {failed.reason}"
        record.warn("simulation-fallback", told, name)
    if flat := flatness(found[name]):
        record.warn("mesh-flat", flat, name)
    blur = {"simulation_blur_voxels": way.blur} if way.blur else {}
    found[name] |= {"simulation_edge_mm": way.edge * asked["edge"]} | blur
    return found


def _vessel_piece(record: Record, masks: Masks, name: str, asked: Asked) -> Masks:
    """The piece of a vessel with its thrombus that has its course, which is the largest."""
    piece, apart = masks.in_one_piece(*_within_wall(masks, name, asked))
    return _largest(record, piece, apart, name) if name in piece else masks


def _pressed_piece(record: Record, masks: Masks, name: str) -> Masks:
    """An organ without specks that nothing would hold."""
    piece, apart = masks.in_one_piece(name)
    return _largest(record, piece, apart, name) if apart < SPECKS else masks


def _largest(record: Record, piece: Masks, apart: float, name: str) -> Masks:
    if apart:
        told = (
            f"{100 * apart:.2g} % of the voxels lie apart from the largest piece, and were left out"
        )
        record.warn("simulation-pieces", told, name)
    return piece


def _within_wall(masks: Masks, name: str, asked: Asked) -> list[str]:
    """What a wall is around: the vessel, and its thrombus where there is any."""
    thrombus = asked["thrombus"] and asked["thrombus"]["structure"]
    return [name, thrombus] if thrombus in masks else [name]


def _wall(
    masks: Masks, asked: Asked, name: str, course: Path, pressure: float, folder: Path
) -> Found:
    """Mesh, solve and write a vessel's wall; its columns."""
    inner = _within_wall(masks, name, asked)
    blood = masks.surface(name) if len(inner) > 1 else None
    thickness, outer = asked["thickness"], None
    if isinstance(thickness, str):
        outer = masks.surface(*inner, thickness)
    found = vessel(masks.surface(*inner), ends_of(course), asked, blood, outer)
    require_away(found)
    if outer is None:
        require_thickness(found, thickness)
    solution, solver = _solved(problem(found, asked, pressure), asked, folder / name)
    write_stress_map(folder / f"{name}-stress.vtp", found, solution)
    told = {"simulation_solver": solver, "simulation_pressure_mmhg": pressure} | of_mesh(found)
    return {name: told | of_stress(found, solution, asked["strength"])}


def _solid(masks: Masks, asked: Asked, name: str, isotropic: Path, folder: Path) -> Found:
    """Mesh and write an organ, and solve it where it is loaded; columns of it and of its parts."""
    parts = masks.smallest_first(asked["parts"])
    inner = {part: masks.surface(part) for part in parts}
    body = solid(masks.surface(name), inner, name, asked["edge"])
    require_sound(body)
    volumes = {part: masks.volume(part, parts[:n]) for n, part in enumerate(parts)}
    found = solid_summary.of_parts(body, name, volumes | {name: masks.volume(name, [])})
    solid_summary.require_filled(found[name])
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
    solid_summary.require_away(to_solve)
    solution, solver = _solved(to_solve, asked, folder / name)
    write_skin_map(folder / f"{name}-stress.vtp", to_solve.body, solution)
    found[name] |= {"simulation_solver": solver}
    found[name] |= solid_summary.of_answer(to_solve, solution, load)
    return found


def _solved(to_solve: Problem, asked: Asked, result: Path) -> tuple[Solution, str]:
    """Solve, and write what is asked for; and what solved it. result: without a suffix."""
    require_sound(to_solve.body)
    check_memory(to_solve, asked["memory_mb"])
    _write_meshes(to_solve.body, asked, result)
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in PROBLEMS:
            write_problem(Path(f"{result}{suffix}"), to_solve)
    solution, solver = solved_by(asked["solver"], to_solve)
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in SOLUTIONS:
            write_solution(Path(f"{result}{suffix}"), to_solve, solution)
    return solution, solver


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
