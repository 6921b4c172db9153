"""Write what was simulated for other programs, in the format of the path's suffix.

.vtu, .xdmf: the body and what was found in it. .msh: the body. .inp: the problem, for CalculiX and
Abaqus. .stl: the body's skin. All are in LPS and mm, N, N/mm2, and say so.
"""

from pathlib import Path

import numpy as np

from scanmill.atomic import replacing
from scanmill.mesh_file import write_surface
from scanmill.simulation.body import Body, Problem
from scanmill.simulation.deck import write_deck
from scanmill.simulation.gmsh_file import write_msh
from scanmill.simulation.skin import skin
from scanmill.simulation.solution import Solution
from scanmill.simulation.vtu_file import write_vtu
from scanmill.simulation.xdmf_file import write_xdmf
from scanmill.surface import Surface


def write_body(path: Path, body: Body) -> None:
    """Write a body as .msh, or its skin as .stl."""
    BODIES[path.suffix](path, body)


def write_problem(path: Path, problem: Problem) -> None:
    """Write a problem as .inp."""
    PROBLEMS[path.suffix](path, problem)


def write_solution(path: Path, problem: Problem, solution: Solution) -> None:
    """Write a problem's body with what was found in it as .vtu or .xdmf."""
    SOLUTIONS[path.suffix](path, problem, solution)


def _write_inp(path: Path, problem: Problem) -> None:
    with (
        replacing(path) as temporary,
        open(temporary, "w", encoding="ascii", newline="\n") as stream,
    ):
        write_deck(stream, problem)


def _write_skin(path: Path, body: Body) -> None:
    """Of each face the corners: its sides are straight."""
    used, triangles = np.unique(skin(body.cells)[:, :3], return_inverse=True)
    write_surface(path, Surface(body.points[used], triangles.reshape(-1, 3)))


BODIES = {".msh": write_msh, ".stl": _write_skin}
PROBLEMS = {".inp": _write_inp}
SOLUTIONS = {".vtu": write_vtu, ".xdmf": write_xdmf}
