"""What was simulated of a case as its page shows it: stress on surfaces, and where they are moved."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

from scanmill.report.picture import Outline, outline
from scanmill.report.shape import CLASSES, Canvas, Shape, ShapePicture, broadest, scale
from scanmill.report.tables import Row
from scanmill.simulation.quantile import quantile
from scanmill.surface import Surface
from scanmill.surface_measures import areas_of

# By the array of a map: what its colours show.
KINDS = {
    "stress_N_mm2": "First principal stress, averaged through the wall",
    "von_mises_stress_N_mm2": "Equivalent stress of von Mises at the surface",
}
# The part of the surface whose stress has colours of its own: what is above has the last.
SHOWN = 0.99
# How far the farthest point goes in the picture, of the longest side, at most; and rounds of factors.
FAR, ROUND = 0.08, (1, 2, 5)
WHITE = "#ffffff"
# N/mm2, for a scale.
LEAST = 1e-9
# Scales end where quarters of them are short numbers.
SCALES = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10)


@dataclass
class Simulated:
    """A structure's. shown: what colours show. most: that of the last colour, N/mm2.

    colours: #rrggbb, from 0 to it. larger: by what displacements are multiplied in the last picture.
    solver: what solved it.
    """

    name: str
    shown: str
    most: float
    colours: list[str]
    larger: float
    solver: str
    pictures: list[ShapePicture]


@dataclass
class _Map:
    """Of a file: stress and `away` of triangles, displacements of points."""

    points: np.ndarray
    triangles: np.ndarray
    shown: str
    stress: np.ndarray
    away: np.ndarray
    moved: np.ndarray


def simulated(
    rows: list[Row], simulations: list[Path], centrelines: list[Path]
) -> Iterator[Simulated]:
    """Those that were solved, in the order of the rows. simulations, centrelines: folders, if any."""
    for row in rows:
        for folder in simulations:
            path = folder / f"{row['structure']}-stress.vtp"
            if path.exists():
                yield _simulated(row, _read(path), centrelines)


def _simulated(row: Row, found: _Map, centrelines: list[Path]) -> Simulated:
    areas = areas_of(Surface(found.points, found.triangles))
    most = _rounded(quantile(found.stress[found.away], areas[found.away], SHOWN))
    classes = np.minimum(found.stress / most * CLASSES, CLASSES - 1).astype(int)
    classes = np.where(found.away, np.maximum(classes, 0), -1)
    larger = _larger(found)
    after = found.points + larger * found.moved
    whole = np.concatenate((found.points, after))
    pictures = []
    sides = broadest(found.points)
    for side in sides:
        canvas = Canvas.around(found.points, side)
        picture = canvas.picture(
            side.name.capitalize(), Shape(found.points, found.triangles, classes)
        )
        _add_widest(picture, canvas, row, found, centrelines)
        pictures.append(picture)
    canvas = Canvas.around(whole, sides[0])
    moved = canvas.picture(
        f"Moved, {larger:g} times as far as it is, {sides[0].name}; outlined: as scanned",
        Shape(after, found.triangles, classes),
    )
    before = canvas.drawn(Shape(found.points, found.triangles, classes)) > 0
    moved.outlines.append(outline("as scanned", WHITE, before, (canvas.pixel, canvas.pixel)))
    colours = ["#" + bytes(np.rint(colour).astype(np.uint8)).hex() for colour in scale()]
    solver = row["simulation_solver"]
    return Simulated(
        row["structure"], found.shown, most, colours, larger, solver, [*pictures, moved]
    )


def _read(path: Path) -> _Map:
    reader = vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    surface = reader.GetOutput()
    cells, points = surface.GetCellData(), surface.GetPointData()
    (kind,) = (name for name in KINDS if cells.HasArray(name))
    return _Map(
        vtk_to_numpy(surface.GetPoints().GetData()).astype(float),
        vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3),
        KINDS[kind],
        vtk_to_numpy(cells.GetArray(kind)),
        vtk_to_numpy(cells.GetArray("away")) == 1,
        vtk_to_numpy(points.GetArray("displacement_mm")),
    )


def _add_widest(
    picture: ShapePicture, canvas: Canvas, row: Row, found: _Map, centrelines: list[Path]
) -> None:
    """Draw the section of the largest diameter, where the vessel's course is known, and say it."""
    if not row["section_max_diameter_mm"]:
        return
    widest = float(row["section_max_diameter_mm"])
    place = np.array([float(row[f"section_max_diameter_{axis}_mm"]) for axis in "xyz"])
    ends = _section(found, place, _along(centrelines[0] / f"{row['structure']}.csv", place))
    ends = ends[np.linalg.norm(ends - place, axis=2).max(axis=1) < widest]
    if not len(ends):
        return
    places = canvas.places(ends.reshape(-1, 3))[:, :2]
    path = "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for a, b, c, d in places.reshape(-1, 4))
    picture.outlines.append(Outline("largest diameter", WHITE, path))
    x, y = places[places[:, 0].argmax()]
    picture.labels.append((float(x), float(y), f"{widest:.1f} mm"))


def _section(found: _Map, place: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Where a plane crosses the surface: lines [k, 2, 3]."""
    corners = found.points[found.triangles]
    height = (corners - place) @ along
    crossed = np.flatnonzero((height.min(axis=1) < 0) & (height.max(axis=1) >= 0))
    lines = np.empty((len(crossed), 2, 3))
    for line, corner, above in zip(lines, corners[crossed], height[crossed], strict=True):
        pairs = [(n, (n + 1) % 3) for n in range(3) if (above[n] < 0) != (above[(n + 1) % 3] < 0)]
        for end, (one, other) in zip(line, pairs, strict=True):
            part = above[one] / (above[one] - above[other])
            end[:] = corner[one] + part * (corner[other] - corner[one])
    return lines


def _along(course: Path, place: np.ndarray) -> np.ndarray:
    """The way that a vessel goes at a place of its course."""
    with open(course, newline="") as stream:
        rows = list(csv.DictReader(stream))
    points = np.array([[float(row[f"{axis}_mm"]) for axis in "xyz"] for row in rows])
    nearest = rows[int(np.linalg.norm(points - place, axis=1).argmin())]
    return np.array([float(nearest[f"along_{axis}"]) for axis in "xyz"])


def _larger(found: _Map) -> float:
    """What displacements are multiplied by to be seen: 1, 2, 5, 10 and so on."""
    farthest = np.linalg.norm(found.moved, axis=1).max()
    wanted = FAR * np.ptp(found.points, axis=0).max() / max(farthest, 1e-12)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(1.0, power * max(each for each in ROUND if each * power <= wanted)))


def _rounded(value: float) -> float:
    """To one of SCALES times a power of ten, upwards; of what has no stress, too."""
    power = 10.0 ** np.floor(np.log10(max(value, LEAST)))
    return float(power * min(each for each in SCALES if each * power >= value))
