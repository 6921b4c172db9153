"""A vessel's wall as a problem to be solved: from its mask, its course and what the recipe says."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.simulation.body import Elastic, Fixed, Material, Problem, RaghavanVorp, Springs
from scanmill.simulation.elements import volumes
from scanmill.simulation.open_surface import End, enclosed, evened, open_loops, opened
from scanmill.simulation.remesh import remeshed
from scanmill.simulation.wall import PART, Wall, thickened
from scanmill.surface import Surface, boundaries, surface_of

# N/mm2 of a mmHg.
MMHG = 133.322387415e-6
# Of the windowed sinc: of those tried, the one that keeps volumes and takes the steps of voxels away.
PASS_BAND = 0.01
# Layers of prisms through a wall: what is averaged through it hardly changes with more.
LAYERS = 2
# Of an end that slides, in Young's moduli per mm: along the vessel; and across it, as something has to
# carry what pressure leaves of force where ends are not quite parallel.
SLIDING = (1e3, 1e-2)


@dataclass(frozen=True)
class Vessel:
    """A vessel that is open at its ends, and its wall.

    surface: LPS mm, of triangles of about one size. ends: by name. wall: that stands on the surface.
    remeshed_percent: what remeshing adds to the volume between the ends.
    """

    surface: Surface
    ends: dict[str, End]
    wall: Wall
    remeshed_percent: float


def surface_of_mask(mask: np.ndarray, grid: Grid) -> Surface:
    """The smooth, closed surface of a mask [z, y, x], LPS mm."""
    mesh, _ = boundaries(mask.astype(np.uint8), grid, PASS_BAND)
    return surface_of(mesh, 1, grid)


def ends_of(course: Path) -> dict[str, End]:
    """The ends of a vessel by the file of its courses: `inlet`, its root, and `outlet-1` and so on."""
    with open(course, newline="") as stream:
        rows = list(csv.DictReader(stream))
    branches: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        branches.setdefault(row["branch"], []).append(row)
    points, along = (
        {
            key: [[float(row[f"{before}{axis}{after}"]) for axis in "xyz"] for row in branch]
            for key, branch in branches.items()
        }
        for before, after in (("", "_mm"), ("along_", ""))
    )
    main = next(iter(branches))
    ends = {"inlet": End(np.array(points[main][0]), -np.array(along[main][0]))}
    for n, key in enumerate(branches, start=1):
        ends[f"outlet-{n}"] = End(np.array(points[key][-1]), np.array(along[key][-1]))
    return ends


def vessel(surface: Surface, ends: dict[str, End], asked: dict[str, Any]) -> Vessel:
    """The vessel of a closed surface. asked: as the recipe says, filled.

    Raises Refusal where its ends cannot be cut, the mesher fails, or its wall folds.
    """
    cut = opened(surface, list(ends.values()))
    even = evened(remeshed(cut, asked["edge"]))
    if len(open_loops(even)) != len(ends):
        raise Refusal(
            "ends-unclear",
            f"{len(ends)} ends were to be cut across the vessel's course, and {len(open_loops(even))} "
            "openings were found",
        )
    thickness = np.full(len(even.points), asked["thickness"])
    wall = thickened(even, thickness, asked["surface"] == "inner", LAYERS, ends)
    folded = int((volumes(wall.body.points, wall.body.cells) <= 0).sum())
    if bare := [name for name in ends if not len(wall.body.faces[name])]:
        raise Refusal("ends-unclear", f"no opening of the vessel is at {' and '.join(bare)}")
    if folded:
        raise Refusal(
            "wall-folded",
            f"{folded} cells of the wall are folded: it is bent more than it is thick; a thinner wall "
            "or longer edges may help",
        )
    before, after = (enclosed(s, list(ends.values())) for s in (cut, even))
    return Vessel(even, ends, wall, 100 * (after / before - 1))


def problem(found: Vessel, asked: dict[str, Any], pressure: float) -> Problem:
    """The vessel's wall under a pressure, mmHg. asked: as the recipe says, filled."""
    material = material_of(asked["material"])
    supports = dict.fromkeys(found.ends, _support(asked["ends"], material))
    return Problem(found.wall.body, {PART: material}, {"inner": pressure * MMHG}, supports)


def material_of(said: dict[str, float]) -> Material:
    """A material by its constants, as the recipe gives them."""
    return RaghavanVorp(**said) if "alpha" in said else Elastic(**said)


def _support(said: str, material: Material) -> Fixed | Springs:
    if said == "fixed":
        return Fixed()
    # Incompressible tissue has, unloaded, three times the shear modulus, which is twice alpha.
    young = material.young if isinstance(material, Elastic) else 6 * material.alpha
    return Springs(*(part * young for part in SLIDING))
