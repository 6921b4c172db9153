"""A wall's stress as a map on the surface half-way through it."""

from pathlib import Path

import numpy as np

from scanmill.simulation.elements import volumes
from scanmill.simulation.fields import TOLD
from scanmill.simulation.solution import Solution, first_principal
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
    for name, value in TOLD.items():
        surface.field_data[name] = [value]
    surface.save(path)


def _halfway(vessel: Vessel, solution: Solution) -> np.ndarray:
    """How the points half-way through the wall move, [n, 3]: the mean of its two sides there, mm."""
    number = len(vessel.wall.halfway)
    corners = vessel.wall.body.cells[:, :4].max() + 1
    moved = solution.displacements
    return (moved[:number] + moved[corners - number : corners]) / 2
