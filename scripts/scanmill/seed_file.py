"""Seeds that a person put into a scan: a table, or markups of 3D Slicer. Points are LPS mm.

A table has the columns structure, x, y, z and, if wanted, radius_mm. Markups say themselves whether
they are LPS or RAS; the label of each point is the structure's name, with a number behind it or not.
https://slicer.readthedocs.io/en/latest/developer_guide/modules/markups.html
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanmill import tab_table
from scanmill.grid import Triple
from scanmill.problem import Problem, SettingsError, known_names, read_text, shown

# What seeds are called that are of no structure.
BACKGROUND = "background"
COLUMNS = ("structure", "x", "y", "z")
RADIUS = "radius_mm"
LARGEST_RADIUS = 1000.0
# From the millimetres of a markup to LPS; .fcsv files of before 2019 number the frames.
TO_LPS = {"LPS": (1, 1, 1), "1": (1, 1, 1), "RAS": (-1, -1, 1), "0": (-1, -1, 1)}
FCSV_FRAME = re.compile(r"#\s*CoordinateSystem\s*=\s*(\S+)")
FCSV_COLUMNS = re.compile(r"#\s*columns\s*=\s*(\S+)")
NUMBERED = re.compile(r"[-_ ]\d+\Z")


@dataclass(frozen=True)
class Seed:
    """A ball that is wholly of a structure. point: LPS mm. radius: mm; None: not said.

    line: in the file; None where that has no lines that a person wrote.
    """

    structure: str
    point: Triple
    radius: float | None
    line: int | None = None

    def is_of(self, name: str) -> bool:
        """Is that the structure's name, or its name but for the number that Slicer puts behind it?"""
        return name in (self.structure, NUMBERED.sub("", self.structure))


def read_seeds(path: Path) -> list[Seed]:
    """The seeds of a file, in its order. Raises SettingsError with all that is wrong in it."""
    name = str(path).lower()
    if name.endswith(".json"):
        seeds = _checked(path, _from_json(path))
    elif name.endswith(".fcsv"):
        seeds = _checked(path, _from_fcsv(path))
    else:
        seeds = _from_table(path)
    if not seeds:
        text = "the file holds no seed; a point for each structure would be right"
        raise SettingsError([Problem(str(path), 1, 1, text)])
    return seeds


def _from_table(path: Path) -> list[Seed]:
    table = tab_table.read(path)
    header = table.header
    known = (*COLUMNS, RADIUS)
    for i, name in enumerate(header.cells):
        if name not in known:
            text = f"the column {shown(name)} is unknown; {known_names(name, known)} would be right"
            table.problems.append(table.problem(header, i, text))
        elif name in header.cells[:i]:
            text = f"the column '{name}' was found twice; each name once would be right"
            table.problems.append(table.problem(header, i, text))
    for name in COLUMNS:
        if name not in header.cells:
            text = f"the column '{name}' is missing; {', '.join(COLUMNS)} would be right"
            table.problems.append(table.problem(header, 0, text))
    seeds = [] if table.problems else [_seed(table, line) for line in table.lines]
    if table.problems:
        raise SettingsError(table.problems)
    return seeds


def _seed(table: tab_table.Table, line: tab_table.Line) -> Seed:
    cells = dict(zip(table.header.cells, line.cells, strict=False))

    def number(name: str, right: str, low: float, high: float) -> float:
        try:
            value = float(cells[name])
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            text = f"'{name}': {shown(cells[name])} was found; {right} would be right"
            table.problems.append(table.problem(line, table.header.cells.index(name), text))
        return value

    if not cells["structure"]:
        text = "'structure': nothing was found; the name of a structure would be right"
        table.problems.append(table.problem(line, table.header.cells.index("structure"), text))
    point = tuple(number(name, "LPS mm", -1e6, 1e6) for name in COLUMNS[1:])
    right = f"a number of mm from 0 to {LARGEST_RADIUS:g}, or nothing,"
    radius = number(RADIUS, right, 0, LARGEST_RADIUS) if cells.get(RADIUS) else None
    return Seed(cells["structure"], point, radius, line.number)


def _checked(path: Path, seeds: Iterator[Seed]) -> list[Seed]:
    """The seeds of markups; what is wrong in a file that a program wrote has no line to mend."""
    try:
        return list(seeds)
    except _MarkupError as error:
        raise SettingsError([Problem(str(path), 1, 1, str(error))]) from None


class _MarkupError(Exception):
    """Markups cannot be used; the text says what was found and what would be right."""


def _from_json(path: Path) -> Iterator[Seed]:
    try:
        markups = json.loads(read_text(path))["markups"]
        for markup in markups:
            if markup["type"] != "Fiducial":
                right = "'Fiducial', a list of points, would be right"
                raise _MarkupError(f"a markup of type {shown(markup['type'])} was found; {right}")
            units = markup.get("coordinateUnits", "mm")
            if units not in ("mm", ["mm"] * 3):
                raise _MarkupError(f"coordinates in {shown(units)} were found; mm would be right")
            signs = _signs(markup.get("coordinateSystem"))
            for point in markup["controlPoints"]:
                if point.get("positionStatus", "defined") == "defined":
                    yield _markup(point["label"], point["position"], signs)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, RecursionError):
        right = "'markups' with 'type', 'coordinateSystem' and 'controlPoints' would be right"
        raise _MarkupError(f"this is no file of markups; {right}") from None


def _from_fcsv(path: Path) -> Iterator[Seed]:
    text = read_text(path)
    frame, columns = FCSV_FRAME.search(text), FCSV_COLUMNS.search(text)
    if not columns:
        right = "'# columns = id,x,y,z,…,label,…' in its head would be right"
        raise _MarkupError(f"this is no .fcsv of 3D Slicer; {right}")
    signs = _signs(frame[1] if frame else None)
    names = columns[1].split(",")
    for line in text.split("\n"):
        if line.strip() and not line.startswith("#"):
            cells = dict(zip(names, line.split(","), strict=False))
            yield _markup(cells.get("label", ""), [cells.get(axis) for axis in "xyz"], signs)


def _signs(frame: Any) -> tuple[int, int, int]:
    if str(frame) not in TO_LPS:
        found = f"the coordinate system {shown(frame)}" if frame else "no coordinate system"
        raise _MarkupError(f"{found} was found; one of LPS and RAS would be right")
    return TO_LPS[str(frame)]


def _markup(label: Any, position: Any, signs: tuple[int, int, int]) -> Seed:
    if not isinstance(label, str) or not label.strip():
        raise _MarkupError("a point without a label was found; a structure's name would be right")
    try:
        x, y, z = (float(value) * sign for value, sign in zip(position, signs, strict=True))
    except (TypeError, ValueError):
        x = math.nan
    if not math.isfinite(x) or not math.isfinite(y) or not math.isfinite(z):
        raise _MarkupError(f"the point {shown(label)} has no place; three numbers would be right")
    return Seed(label.strip(), (x, y, z), None)
