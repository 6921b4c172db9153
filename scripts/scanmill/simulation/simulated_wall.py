"""From the mask of a vessel to the stress of its wall."""

from pathlib import Path
from typing import Any

from scanmill.simulation.masks import Masks
from scanmill.simulation.solving import solved
from scanmill.simulation.stress_map import write_stress_map
from scanmill.simulation.summary import (
    Measures,
    of_mesh,
    of_stress,
    require_away,
    require_thickness,
)
from scanmill.simulation.vessel import ends_of, problem, vessel


def within_wall(masks: Masks, name: str, asked: dict[str, Any]) -> list[str]:
    """What a wall is around: the vessel, and its thrombus where there is any."""
    thrombus = asked["thrombus"] and asked["thrombus"]["structure"]
    return [name, thrombus] if thrombus in masks else [name]


def simulated_wall(
    masks: Masks, asked: dict[str, Any], name: str, course: Path, pressure: float, folder: Path
) -> dict[str, Measures]:
    """Mesh, solve and write a vessel's wall; its columns.

    asked: of the recipe, as `recipe_simulation.filled`. course: of its centreline. pressure: mmHg.
    folder: for the files. Raises Refusal.
    """
    inner = within_wall(masks, name, asked)
    blood = masks.surface(name) if len(inner) > 1 else None
    thickness, outer = asked["thickness"], None
    if isinstance(thickness, str):
        outer = masks.surface(*inner, thickness)
    found = vessel(masks.surface(*inner), ends_of(course), asked, blood, outer)
    require_away(found)
    if outer is None:
        require_thickness(found, thickness)
    solution, solver = solved(problem(found, asked, pressure), asked, folder / name)
    write_stress_map(folder / f"{name}-stress.vtp", found, solution)
    told = {"simulation_solver": solver, "simulation_pressure_mmhg": pressure} | of_mesh(found)
    return {name: told | of_stress(found, solution, asked["strength"])}
