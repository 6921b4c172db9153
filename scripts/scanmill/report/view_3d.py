"""The 3D view of a case as its page has it: surfaces, and the scan with its masks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.label_map import LabelMap
from scanmill.mesh_file import find_surface
from scanmill.report import scene
from scanmill.report.view import views
from scanmill.report.window import Window

Structures = list[dict[str, Any]]


@dataclass
class Body:
    """A surface. around: others lie in it, so it is seen through, and does not tint the scan."""

    name: str
    colour: str
    around: bool


@dataclass
class ViewedScan:
    """The scan. names: of the views across x, y and z. sizes: how many slices each has.

    labels: of each voxel the place of its structure among the bodies, from 1; packed. step: of how
    many voxels along an axis one is shown.
    """

    names: list[str]
    sizes: list[int]
    labels: str
    step: int


@dataclass
class View3D:
    """The 3D view. viewer, scene: packed. bodies: in the order that the scene has them in.

    fewer: whether any surface is shown with fewer triangles than it has.
    """

    viewer: str
    licence: str
    scene: str
    bodies: list[Body]
    fewer: bool
    scan: ViewedScan


def view_3d(
    image: np.ndarray, label_map: LabelMap, closed: Structures, surfaces: Path, window: Window
) -> View3D:
    """The 3D view of the structures that have a closed surface. image: on the label map's grid."""
    made, fewer = scene.Scene(), False
    bodies = [Body(s["name"], s["colour"], s["label"] in label_map.covered) for s in closed]
    for body in bodies:
        surface = find_surface(surfaces, body.name)
        shown = scene.shown_surface(surface, len(bodies))
        fewer |= len(shown.triangles) < len(surface.triangles)
        made.add_surface(body.colour, shown, body.around)
    step = scene.every(label_map.grid)
    some = (slice(None, None, step),) * 3
    grid = scene.coarser(label_map.grid, step)
    made.add_slices(window.grey(image[some]), grid)
    across = sorted(views(grid), key=lambda view: view.across)
    labels = scene.packed(_places(label_map.array[some], closed).tobytes())
    scan = ViewedScan([view.name for view in across], list(grid.size), labels, step)
    viewer = scene.packed(scene.viewer().encode())
    return View3D(viewer, scene.licence(), made.packed(), bodies, fewer, scan)


def _places(labels: np.ndarray, closed: Structures) -> np.ndarray:
    """Of each voxel the place of its structure among these, from 1, uint16; 0 for others."""
    known = [s["label"] for s in closed]
    places = np.zeros(1 + max([int(labels.max()), *known]), "<u2")
    places[known] = np.arange(1, 1 + len(known))
    return places[labels]
