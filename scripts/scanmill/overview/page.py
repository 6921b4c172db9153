"""The page of a cohort as HTML: one file that asks for no other, and leads to its cases' pages."""

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scanmill.overview import sections
from scanmill.overview.cohort import Cohort, Measure
from scanmill.overview.sections import Cell, Listed, Outlier
from scanmill.overview.shapes import Shape
from scanmill.report.tables import number

HERE = Path(__file__).parent
# Of values that the browser draws and takes quartiles of: more than are shown of them.
DIGITS = 7
OK, REFUSED, WARNED, OUTLYING = "measured", "refused", "warned", "outlying"


@dataclass
class Case:
    """A line of the table of cases. picture: a data URL. kinds, codes: by which it is found."""

    name: str
    picture: str
    status: str
    reason: str
    stale: str
    codes: list[str]
    kinds: list[str]
    outliers: list[Outlier]
    groups: list[Cell]
    measured: list[Cell]


@dataclass
class CohortPage:
    """What the page says. provenance: as collect wrote it. tables: of other rules, by file."""

    cohort: Cohort
    specification: dict[str, Any]
    thumbnails: dict[str, bytes]
    tables: dict[str, Listed]
    shapes: list[Shape]
    methods: str
    provenance: dict[str, Any]

    @cached_property
    def measures(self) -> list[Measure]:
        """Each quantity of each structure over the cohort."""
        return self.cohort.measures(self.specification)

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """The columns of the sheet that group cases, with each case's value."""
        return self.cohort.groups(self.specification["groups"])

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The sections that are asked for; tables and shapes only where they were written."""
        lacking = {
            "table": lambda s: s["file"] not in self.tables,
            "shapes": lambda s: not self.shapes,
        }
        asked = self.specification["sections"]
        return [s for s in asked if s["show"] not in lacking or not lacking[s["show"]](s)]

    @property
    def numeric_groups(self) -> list[str]:
        """The columns of the sheet that hold numbers alone."""
        return [
            column
            for column, cells in self.groups.items()
            if all(sections.as_written(cell).value is not None for cell in cells if cell)
        ]

    def kinds(self, lines: list[Case]) -> dict[str, int]:
        """Kinds of cases that the reader may ask for, and how many there are of each."""
        known = [OK, REFUSED, WARNED, OUTLYING, *(t.mark for t in self.tables.values() if t.mark)]
        return {kind: sum(kind in line.kinds for line in lines) for kind in known}

    @cached_property
    def outliers(self) -> list[Outlier]:
        """All outliers, the farthest first."""
        cutoff = self.specification["outliers"]["cutoff"]
        return sections.outliers(self.measures, self.cohort.names, cutoff)

    @cached_property
    def main_measures(self) -> list[Measure]:
        """The first quantity of the main structures."""
        first = self.specification["quantities"][0]
        names = self.cohort.main_structures(self.specification["structures"])
        return [m for m in self.measures if m.structure in names and m.quantity == first]

    def cases(self) -> list[Case]:
        """The lines of the table of cases."""
        far: dict[str, list[Outlier]] = {}
        for outlier in self.outliers:
            far.setdefault(outlier.case, []).append(outlier)
        marks = {mark: set(table.marked) for table in self.tables.values() if (mark := table.mark)}
        lacking: dict[str, dict[str, None]] = {}
        for row in self.cohort.rows:
            if row["status"] == "refused":
                lacking.setdefault(row["case"], {})[row["code"]] = None
        lines = []
        for n, row in enumerate(self.cohort.cases):
            name, warnings = row["case"], row["warnings"].split()
            kinds = [OK if row["status"] == "ok" else REFUSED]
            kinds += [WARNED] * bool(warnings) + [OUTLYING] * (name in far)
            kinds += [mark for mark, cases in marks.items() if name in cases]
            lines.append(
                Case(
                    name,
                    _data_url(self.thumbnails.get(name, b"")),
                    kinds[0],
                    row["reason"],
                    row["stale"],
                    list(dict.fromkeys([*lacking.get(name, {}), *warnings])),
                    kinds,
                    far.get(name, []),
                    [sections.as_written(cells[n]) for cells in self.groups.values()],
                    [_cell(measure.values[n]) for measure in self.main_measures],
                )
            )
        return lines

    @staticmethod
    def codes(lines: list[Case]) -> list[str]:
        """All codes of these lines, and of structures that were not measured, in order."""
        return sorted({code for line in lines for code in line.codes})

    def data(self) -> str:
        """What the browser draws distributions of, as JSON."""
        structures = list(dict.fromkeys(measure.structure for measure in self.measures))
        quantities = self.specification["quantities"]
        return json.dumps(
            {
                "cases": self.cohort.names,
                "groups": self.groups,
                "structures": structures,
                "quantities": [{k: q[k] for k in ("title", "unit")} for q in quantities],
                "measures": [
                    {
                        "structure": structures.index(measure.structure),
                        "quantity": quantities.index(measure.quantity),
                        "values": [_rounded(value) for value in measure.values.tolist()],
                        "ends": measure.usual and [measure.usual.low, measure.usual.high],
                        "outliers": measure.outliers,
                    }
                    for measure in self.measures
                ],
            },
            separators=(",", ":"),
            # It stands in a script, which ends at a tag.
        ).replace("<", "\\u003c")


def cohort_page(page: CohortPage) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader([HERE, HERE.parent / "report"]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["shown"] = lambda value: number(float(value), False)
    return environment.get_template("cohort.html").render(page=page, told=sections)


def _cell(value: float) -> Cell:
    return Cell("") if np.isnan(value) else Cell(number(value, False), float(value))


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")


def _data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode() if png else ""
