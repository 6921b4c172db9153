"""How a structure's shape varies, drawn: outlines of its mean and of its first mode's ends."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scanmill.mesh_file import read_surface
from scanmill.overview.cohort import read_table
from scanmill.report.picture import outline
from scanmill.surface import Surface

# Shapes as rule vary draws them: by what they are called here.
DRAWN = {"minus": "mode-1-minus-2sd.ply", "mean": "mean.ply", "plus": "mode-1-plus-2sd.ply"}
# By name of a view: what of LPS lies to the right and below, and its sign; as slices are hung.
VIEWS = {
    "from the front": ((0, 1), (2, -1)),
    "from the left": ((1, 1), (2, -1)),
    "from the feet": ((0, 1), (1, 1)),
}
# Cells of the longest side of a picture, and room around it, of its length.
CELLS, ROOM = 160, 0.1
MODELLED = "ok"
# Outlines have a colour; the page gives these its own.
INK = "#000000"


@dataclass(frozen=True)
class View:
    """The outlines of shapes from one side, as paths of an SVG in mm. size: of the picture, mm."""

    name: str
    size: tuple[float, float]
    paths: dict[str, str]


@dataclass(frozen=True)
class Shape:
    """A structure of a recipe, and how its first mode looks."""

    recipe: str
    structure: str
    views: list[View]


def shapes_of(table: Path) -> list[Shape]:
    """The structures that have a model, of shapes.csv, with the surfaces that lie beside it."""
    found = []
    for row in read_table(table):
        if row["status"] == MODELLED:
            folder = table.parent / "shapes" / row["recipe"] / row["structure"] / "surfaces"
            surfaces = {name: read_surface(folder / file) for name, file in DRAWN.items()}
            views = [view(name, surfaces) for name in VIEWS]
            found.append(Shape(row["recipe"], row["structure"], views))
    return found


def view(name: str, surfaces: dict[str, Surface]) -> View:
    """The outlines of surfaces, LPS mm, from one side, all in one frame."""
    axes, signs = zip(*VIEWS[name], strict=True)
    flat = {key: surface.points[:, axes] * signs for key, surface in surfaces.items()}
    every = np.concatenate(list(flat.values()))
    low, high = every.min(axis=0), every.max(axis=0)
    room = ROOM * (high - low).max()
    size = high - low + 2 * room
    cell = size.max() / CELLS
    paths = {}
    for key, points in flat.items():
        mask = shadow(points - low + room, surfaces[key].triangles, size, cell)
        paths[key] = outline(key, INK, mask, (cell, cell)).path
    return View(name, (float(size[0]), float(size[1])), paths)


def shadow(points: np.ndarray, triangles: np.ndarray, size: np.ndarray, cell: float) -> np.ndarray:
    """Where flat triangles are, bool [row, column]. points: [n, 2], mm from the picture's corner."""
    corners = points[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max()
    steps = int(np.ceil(2 * longest / cell)) + 1
    a, b = np.meshgrid(*2 * [np.linspace(0, 1, steps)], indexing="ij")
    parts = np.stack([a, b, 1 - a - b], axis=-1)[a + b <= 1 + 1e-9]
    columns, rows = (np.ceil(size / cell)).astype(int)
    mask = np.zeros((rows + 1, columns + 1), bool)
    for part in parts:
        column, row = np.floor(np.tensordot(part, corners, (0, 1)).T / cell).astype(int)
        mask[row, column] = True
    return mask
