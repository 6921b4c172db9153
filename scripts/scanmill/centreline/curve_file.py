"""A vessel's courses as a table and as curves."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scanmill.centreline.course import Course
from scanmill.centreline.sections import Section

PLACE = ("branch", "at_mm", "x_mm", "y_mm", "z_mm", "along_x", "along_y", "along_z")
ACROSS = ("area_mm2", "widest_mm", "narrowest_mm")
COLUMNS = (*PLACE, *ACROSS)


def rows_of(courses: list[Course]) -> Iterator[list[str]]:
    """A row for each point, by COLUMNS: LPS mm; empty cells where nothing was measured across."""
    for branch, course in enumerate(courses):
        lines = zip(course.at, course.points, course.along, course.sections, strict=True)
        for at, point, along, section in lines:
            numbers = [at, *point, *along, *(_across(section) if section else ())]
            cells = [str(branch), *(f"{number:.6g}" for number in numbers)]
            yield cells + [""] * (len(COLUMNS) - len(cells))


def write_curves(path: Path, courses: list[Course]) -> None:
    """Write courses as polylines, .vtp, LPS mm; what lies across them as arrays, NaN where nothing."""
    # Not above: it costs half a second.
    import pyvista

    points = np.concatenate([course.points for course in courses])
    across = [_across(s) if s else [np.nan] * len(ACROSS) for c in courses for s in c.sections]
    numbers = np.split(np.arange(len(points)), np.cumsum([len(c.at) for c in courses])[:-1])
    lines = np.concatenate([[len(own), *own] for own in numbers])
    curves = pyvista.PolyData(points, lines=lines)
    for name, values in zip(ACROSS, np.transpose(across), strict=True):
        curves.point_data[name] = values
    curves.field_data["SPACE"] = ["LPS"]
    curves.save(path)


def _across(section: Section) -> tuple[float, ...]:
    return section.area, section.widest, section.narrowest
