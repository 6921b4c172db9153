"""What a simulated vessel's stress and mesh are in a few numbers, by the columns of the table.

Stress of a mesh from voxels has a noise of its own: the steps of voxels leave waves in the wall, which
pressure bends. Averaged through the wall, bending cancels: so these averages come first.
"""

import numpy as np

from scanmill.refusal import Refusal
from scanmill.simulation.elements import volumes
from scanmill.simulation.quality import quality
from scanmill.simulation.quantile import quantile
from scanmill.simulation.solution import Solution, first_principal
from scanmill.simulation.thrombus import THROMBUS
from scanmill.simulation.vessel import Vessel

Measures = dict[str, float]

# What holds an end bends the wall around it; that dies away within some sqrt(radius x thickness)
# (Timoshenko and Woinowsky-Krieger 1959, section 15): after 2.5 of them 4 % are left, and in these the
# 99th percentile would lie; after 4, 1 %.
FADED = 4.0
QUANTILES = (5, 50, 95)
# Of the thickness that is asked for, by how much that of half of the wall may be another.
THINNED = 0.1


def of_mesh(vessel: Vessel) -> Measures:
    """Columns of the wall and of all tetrahedra."""
    wall = vessel.wall.body
    thickness, areas = thicknesses(vessel)
    told = {
        "wall_volume_mm3": float(volumes(wall.points, wall.cells).sum()),
        **{
            f"wall_thickness_p{percent}_mm": quantile(thickness, areas, percent / 100)
            for percent in QUANTILES
        },
        "remeshed_vs_surface_percent": vessel.remeshed_percent,
    }
    body = vessel.body
    if THROMBUS in body.parts:
        own = body.cells[body.parts[THROMBUS]]
        told["thrombus_volume_mm3"] = float(volumes(body.points, own).sum())
    return told | quality(body)


def of_stress(vessel: Vessel, solution: Solution, strength: float | None) -> Measures:
    """Columns of stress, strain and displacement. strength: of the wall, N/mm2, where it is known."""
    wall, columns = vessel.wall.body, vessel.wall.columns
    size = volumes(wall.points, wall.cells)
    stresses, strains = in_wall(vessel, solution)
    through = first_principal(through_wall(stresses, size, columns))
    strain = first_principal(through_wall(strains, size, columns))
    weights = np.bincount(columns, size)
    away = is_away(vessel)
    raw, cells = first_principal(stresses), away[columns]
    peak = int(np.argmax(np.where(away, through, -np.inf)))
    found = {
        "stress_mean_mpa": float(np.average(through[away], weights=weights[away])),
        "stress_p99_mpa": quantile(through[away], weights[away], 0.99),
        "stress_peak_mpa": float(through[peak]),
        **{
            f"stress_peak_{axis}_mm": float(x)
            for axis, x in zip("xyz", vessel.wall.middles[peak], strict=True)
        },
        "stress_raw_p99_mpa": quantile(raw[cells], size[cells], 0.99),
        "stress_raw_peak_mpa": float(raw[cells].max()),
        "strain_p99": quantile(strain[away], weights[away], 0.99),
        "displacement_max_mm": float(np.linalg.norm(solution.displacements, axis=1).max()),
    }
    if strength:
        found["rupture_potential"] = found["stress_p99_mpa"] / strength
    return found


def in_wall(vessel: Vessel, solution: Solution) -> tuple[np.ndarray, np.ndarray]:
    """Stresses and strains, [m, 6], of the wall's cells, which are the body's first."""
    number = len(vessel.wall.columns)
    return solution.stresses[:number], solution.strains[:number]


def through_wall(tensors: np.ndarray, size: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The mean of cells' tensors [m, 6] over each column of the wall. size: of cells. [t, 6]."""
    total = [np.bincount(columns, each * size) for each in tensors.T]
    return np.stack(total, axis=1) / np.bincount(columns, size)[:, None]


def require_away(vessel: Vessel) -> None:
    """Raise Refusal where a vessel is so short that what holds its ends is in all of its stress."""
    if not is_away(vessel).any():
        raise Refusal(
            "vessel-short",
            "all of the vessel lies within 4 times the root of radius x thickness of its ends, where "
            "stress is of what holds these; a longer piece of it would be right",
        )


def require_thickness(vessel: Vessel, asked: float) -> None:
    """Raise Refusal where a wall was made thinner than asked, mm, by what keeps it from folding."""
    found = quantile(*thicknesses(vessel), 0.5)
    if abs(found - asked) > THINNED * asked:
        raise Refusal(
            "wall-folded",
            f"half of the wall is thinner than {found:.2g} mm, and {asked:g} mm were asked for: "
            "more folds on so narrow a vessel; a thinner wall would be right",
        )


def thicknesses(vessel: Vessel) -> tuple[np.ndarray, np.ndarray]:
    """Of each column, its volume by the area half-way through it, mm, and that area, mm2."""
    wall = vessel.wall
    size = np.bincount(wall.columns, volumes(wall.body.points, wall.body.cells))
    return size / wall.areas, wall.areas


def is_away(vessel: Vessel) -> np.ndarray:
    """Which columns are so far from the ends that what holds these has faded."""
    middles = vessel.wall.middles
    thickness = float(np.median(thicknesses(vessel)[0]))
    away = np.ones(len(middles), bool)
    for name, end in vessel.ends.items():
        rim = vessel.wall.body.points[vessel.wall.body.faces[name][:, :3]].mean(axis=1)
        radius = float(np.linalg.norm(rim - rim.mean(axis=0), axis=1).mean())
        reach = FADED * np.sqrt(radius * thickness)
        behind = -(middles - end.point) @ end.outwards
        beside = np.linalg.norm(middles - end.point, axis=1)
        # Planes go on for ever: what lies far aside is of another branch.
        away &= (behind > reach) | (beside > 2 * radius + reach)
    return away
