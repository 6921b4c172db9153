"""Render a simulated vessel for the README: its stress with the largest diameter, and how it deforms.

    python docs/render_stress.py results/cases/CASE STRUCTURE picture.png

Left: first principal stress, averaged through the wall, and the section that is widest. Right: where
the wall goes under pressure (displacements five times as large), and in grey where it was.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import pyvista as pv

LARGER = 5.0
COLOURS = {"cmap": "turbo", "scalars": "stress_N_mm2"}


def render(case: Path, name: str, picture: Path) -> None:
    """Write a PNG of both."""
    wall = pv.read(case / "simulation" / f"{name}-stress.vtp")
    with open(case / "measurements.csv", newline="") as stream:
        (row,) = (row for row in csv.DictReader(stream) if row["structure"] == name)
    along = length_of(wall)
    aside = np.cross(along, widest_side(wall, along))
    away = wall.cell_data["stress_N_mm2"][wall.cell_data["away"] == 1]
    limits = [0.0, float(np.quantile(away, 0.999))]
    scene = pv.Plotter(shape=(1, 2), off_screen=True, window_size=(1200, 800), border=False)
    scene.set_background("white", all_renderers=True)
    bar = {"title": "first principal stress, MPa", "color": "black", "n_labels": 4}
    bar |= {"position_x": 0.05, "position_y": 0.01, "width": 0.9, "height": 0.06}
    scene.subplot(0, 0)
    scene.add_mesh(wall, clim=limits, scalar_bar_args=bar, **COLOURS)
    scene.add_mesh(widest(case, name, row, wall), color="black", line_width=5)
    told = f"{float(row['section_max_diameter_mm']):.1f} mm"
    place = [float(row[f"section_max_diameter_{axis}_mm"]) for axis in "xyz"]
    scene.add_point_labels([place], [told], shape_opacity=0.8, font_size=22, always_visible=True)
    scene.subplot(0, 1)
    scene.add_mesh(wall, color="lightgrey", opacity=0.35)
    moved = wall.copy()
    moved.points = wall.points + LARGER * wall.point_data["displacement_mm"]
    scene.add_mesh(moved, clim=limits, show_scalar_bar=False, **COLOURS)
    for column in range(2):
        scene.subplot(0, column)
        scene.view_vector(aside, viewup=along)
        scene.camera.zoom(1.15)
    scene.screenshot(picture)


def length_of(wall: pv.PolyData) -> np.ndarray:
    """The way along which a vessel is longest, towards the head."""
    along = np.linalg.svd(wall.points - wall.points.mean(axis=0), full_matrices=False)[2][0]
    return along if along[2] > 0 else -along


def widest_side(wall: pv.PolyData, along: np.ndarray) -> np.ndarray:
    """The way across the vessel along which it is widest."""
    off = wall.points - wall.points.mean(axis=0)
    return np.linalg.svd(off - np.outer(off @ along, along), full_matrices=False)[2][0]


def widest(case: Path, name: str, row: dict[str, str], wall: pv.PolyData) -> pv.PolyData:
    """What the plane across the course cuts out of the wall where it is widest."""
    place = np.array([float(row[f"section_max_diameter_{axis}_mm"]) for axis in "xyz"])
    with open(case / "centrelines" / f"{name}.csv", newline="") as stream:
        course = list(csv.DictReader(stream))
    points = np.array([[float(at[f"{axis}_mm"]) for axis in "xyz"] for at in course])
    at = course[int(np.linalg.norm(points - place, axis=1).argmin())]
    cut = wall.slice(normal=[float(at[f"along_{axis}"]) for axis in "xyz"], origin=place)
    return cut.connectivity("closest", closest_point=place)


if __name__ == "__main__":
    render(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
