"""A case's page as HTML: one file that asks for no other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scanmill.report.figures import Shown
from scanmill.report.picture import Picture
from scanmill.report.simulations import Simulated
from scanmill.report.tables import Row, Table
from scanmill.report.view_3d import View3D

TEMPLATES = Path(__file__).parent
Warnings = list[dict[str, str]]


@dataclass
class CasePage:
    """What a page says. structures: of the recipe, name, label, colour and code of each.

    treated: what was done to the scan, by what it was done about. stages: of the scan, by name,
    slices at the same places.
    """

    case: str
    structures: list[dict[str, Any]]
    rows: list[Row]
    warnings: Warnings
    overview: list[Picture]
    shown: list[Shown]
    tables: dict[str, Table]
    treated: list[tuple[str, str]]
    stages: list[tuple[str, list[Picture]]]
    viewed: View3D
    simulated: list[Simulated]

    @property
    def not_simulated(self) -> dict[str, str]:
        """Why structures were not simulated though the recipe asks for it: codes by name."""
        rows = (row for row in self.rows if row["simulation_code"])
        return {row["structure"]: row["simulation_code"] for row in rows}

    @property
    def by_name(self) -> dict[str, Row]:
        """The rows by structure."""
        return {row["structure"]: row for row in self.rows}

    @property
    def found(self) -> dict[str, list[Picture]]:
        """The pictures of each structure that has a voxel."""
        return {shown.name: shown.pictures for shown in self.shown}

    @property
    def lacking(self) -> dict[tuple[str, str], list[str]]:
        """The structures without a voxel, by code and reason."""
        found: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            if row["structure"] not in self.found:
                found.setdefault((row["code"], row["reason"]), []).append(row["structure"])
        return found

    @property
    def measured(self) -> int:
        """How many structures were measured."""
        return sum(row["status"] == "ok" for row in self.rows)


def case_page(page: CasePage) -> str:
    """The page of a case that was measured."""
    return _render("case.html", page=page)


def refused_page(
    case: str, stage: str, code: str, reason: str, structures: list[dict[str, Any]]
) -> str:
    """The page of a case that a stage refused; structures: of the recipe."""
    return _render(
        "refused.html", case=case, stage=stage, code=code, reason=reason, structures=structures
    )


def _render(name: str, **said: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(name).render(**said)
