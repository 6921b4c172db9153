"""Measured cases: which of them get twins, and what each has to offer."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.mesh_file import find_surface
from scanmill.recipe import Recipe
from scanmill.settings import Settings
from scanmill.sidecar import read_sidecar
from scanmill.surface import Surface
from scanmill.volume_file import Volume, read_grid, read_volume


@dataclass(frozen=True)
class Case:
    """A case that was measured.

    reference: to its recipe, as a sheet has it. separate: its supplied labels are a mask a structure.
    folder: of its results.
    """

    name: str
    recipe: Recipe
    reference: str
    separate: bool
    folder: Path

    def scan(self) -> Volume:
        """The scan as acquired."""
        return read_volume(self.folder / "volume.nii.gz")

    def surfaces(self) -> dict[str, Surface]:
        """The closed surfaces, LPS mm, in the recipe's order."""
        said = read_sidecar(self.folder / "surfaces")["structures"]
        return {
            structure["name"]: find_surface(self.folder / "surfaces", structure["name"])
            for structure in self.recipe.structures
            if said.get(structure["name"], {}).get("status") == "ok"
        }

    def absent(self) -> list[str]:
        """The structures that were looked for and not found."""
        said = read_sidecar(self.folder / "surfaces")["structures"]
        return [s["name"] for s in self.recipe.structures if s["name"] not in said]

    def has_tissue(self, name: str) -> bool:
        """Does a structure show in scans, and not only follow from others, as margins do?"""
        segment = next(s["segment"] for s in self.recipe.structures if s["name"] == name)
        return segment["method"] != "rules" or any("window" in step for step in segment["steps"])


def measured(settings: Settings, results: Path, sheet_folder: Path) -> list[Case]:
    """The cases of a run that have a surface, in the sheet's order.

    results: its folder `results`. sheet_folder: where a new sheet will be that names their recipes.
    """
    found = []
    for name, row in settings.scans.items():
        folder = results / "cases" / name
        if row.role != "scan" or not _has_surface(folder):
            continue
        reference = row.recipe
        if Path(reference).is_absolute():
            reference = Path(os.path.relpath(reference, sheet_folder)).as_posix()
        separate = any(structure is not None for structure, _ in row.labels)
        found.append(Case(name, settings.recipes[row.recipe], reference, separate, folder))
    return found


def _has_surface(folder: Path) -> bool:
    if not (folder / "surfaces.json").exists():
        return False
    said: dict[str, Any] = read_sidecar(folder / "surfaces")
    return any(s["status"] == "ok" for s in said.get("structures", {}).values())


def chosen(cases: Sequence[Case], number: int) -> list[Case]:
    """So many of the cases, spread evenly over recipes, and within each over the scans' voxel sizes."""
    grids = {case.name: read_grid(case.folder / "volume.nii.gz") for case in cases}
    order = sorted(cases, key=lambda c: (c.reference, grids[c.name].voxel_volume, c.name))
    places = (
        (np.arange(min(number, len(order))) + 0.5) * len(order) / max(1, min(number, len(order)))
    )
    return [order[int(place)] for place in places]
