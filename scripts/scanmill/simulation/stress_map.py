"""Stress as a map: of a wall on the surface half-way through it, of an organ on its skin."""

from pathlib import Path
from typing import Any

import numpy as np

from scanmill.simulation import solid_summary
from scanmill.simulation.body import Body
from scanmill.simulation.elements import volumes
from scanmill.simulation.fields import TOLD
from scanmill.simulation.skin import owners, skin
from scanmill.simulation.solution import Solution, first_principal, von_mises
from scanmill.simulation.summary import in_wall, is_away, thicknesses, through_wall
from scanmill.simulation.vessel import Vessel


def write_stress_map(path: Path, vessel: Vessel, solution: Solution) -> None:
    """Write the surface as .vtp, LPS mm: what is averaged through the wall, for each triangle.

    First principal stress (N/mm2) and strain, thickness (mm), `away` (0 near what holds the ends, which
    the table leaves out), and how far points move (mm).
    """
    # Not above: it costs half a second.
    import pyvista

    wall = vessel.wall
    size = volumes(wall.body.points, wall.body.cells)
    surface = pyvista.PolyData.from_regular_faces(wall.halfway, vessel.surface.triangles)
    for name, tensors in zip(("stress_N_mm2", "strain"), in_wall(vessel, solution), strict=True):
        surface.cell_data[name] = first_principal(through_wall(tensors, size, wall.columns))
    surface.cell_data["thickness_mm"] = thicknesses(vessel)[0]
    surface.cell_data["away"] = is_away(vessel).astype(np.uint8)
    surface.point_data["displacement_mm"] = _halfway(vessel, solution)
    _save(surface, path)


def write_skin_map(path: Path, body: Body, solution: Solution) -> None:
    """Write the skin of an organ as .vtp, LPS mm: what is in the cell behind each triangle.

    Equivalent stress of von Mises (N/mm2), `away` (0 at the held and the pressed side, which the table
    leaves out), and how far points move (mm).
    """
    import pyvista

    faces = skin(body.cells)
    cells, _ = owners(body.cells, faces)
    used, triangles = np.unique(faces[:, :3], return_inverse=True)
    surface = pyvista.PolyData.from_regular_faces(body.points[used], triangles.reshape(-1, 3))
    surface.cell_data["von_mises_stress_N_mm2"] = von_mises(solution.stresses[cells])
    surface.cell_data["away"] = solid_summary.is_away(body)[cells].astype(np.uint8)
    surface.point_data["displacement_mm"] = solution.displacements[used]
    _save(surface, path)


def _save(surface: Any, path: Path) -> None:
    for name, value in TOLD.items():
        surface.field_data[name] = [value]
    surface.save(path)


def _halfway(vessel: Vessel, solution: Solution) -> np.ndarray:
    """How the points half-way through the wall move, [n, 3]: the mean of its two sides there, mm."""
    number = len(vessel.wall.halfway)
    corners = vessel.wall.body.cells[:, :4].max() + 1
    moved = solution.displacements
    return (moved[:number] + moved[corners - number : corners]) / 2
