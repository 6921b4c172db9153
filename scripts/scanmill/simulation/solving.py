"""A problem solved, and written in the formats that are asked for, before and after."""

from pathlib import Path
from typing import Any

from scanmill.simulation.body import Body, Problem
from scanmill.simulation.memory import check_memory
from scanmill.simulation.model_files import (
    BODIES,
    PROBLEMS,
    SOLUTIONS,
    write_body,
    write_problem,
    write_solution,
)
from scanmill.simulation.quality import require_sound
from scanmill.simulation.solution import Solution
from scanmill.simulation.solvers import solved_by


def solved(to_solve: Problem, asked: dict[str, Any], result: Path) -> tuple[Solution, str]:
    """Solve, and write what is asked for; and what solved it.

    asked: of the recipe, as `recipe_simulation.filled`. result: path without a suffix. Raises Refusal.
    """
    require_sound(to_solve.body)
    check_memory(to_solve, asked["memory_mb"])
    write_meshes(to_solve.body, asked, result)
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in PROBLEMS:
            write_problem(Path(f"{result}{suffix}"), to_solve)
    solution, solver = solved_by(asked["solver"], to_solve)
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in SOLUTIONS:
            write_solution(Path(f"{result}{suffix}"), to_solve, solution)
    return solution, solver


def write_meshes(body: Body, asked: dict[str, Any], result: Path) -> None:
    """Write the mesh of a body alone, in the formats that have no loads. result: without a suffix."""
    for suffix in (f".{each}" for each in asked["formats"]):
        if suffix in BODIES:
            write_body(Path(f"{result}{suffix}"), body)
