"""A vessel's wall as a problem to be solved: from its mask, its course and what the recipe says."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.refusal import Refusal
from scanmill.simulation.body import Body, Elastic, Fixed, Material, Problem, Springs
from scanmill.simulation.crossings import crossing
from scanmill.simulation.elements import flat_volumes
from scanmill.simulation.filling import signed_distances
from scanmill.simulation.materials import constant
from scanmill.simulation.mesher import remeshed
from scanmill.simulation.open_surface import End, enclosed, evened, open_loops, opened
from scanmill.simulation.skin import skin
from scanmill.simulation.thrombus import THROMBUS, lined, lining
from scanmill.simulation.wall import PART, Wall, thickened
from scanmill.surface import Surface

# N/mm2 of a mmHg.
MMHG = 133.322387415e-6
# Layers of prisms through a wall, at most: what is averaged through it hardly changes with more. And
# how many times as long as a layer is thick an edge may be where there are several: flatter prisms
# have tetrahedra with angles below 8 degrees, however they are divided.
LAYERS, FLATTEST = 2, 4
# Of an end that slides, in Young's moduli per mm: along the vessel; nothing away from its middle, since
# it is free to widen; and around it, as something has to carry what pressure leaves of force where ends
# are not quite parallel.
SLIDING = (1e3, 0.0, 1e-2)
# Of a wall that is seen: thinner ones, mm, are none; and the part of the vessel that may have none.
THINNEST_WALL, BARE = 0.2, 0.02


@dataclass(frozen=True)
class Vessel:
    """A vessel that is open at its ends, and its wall.

    surface: LPS mm, of triangles of about one size, whose points lie on that of the mask. ends: by
    name. wall: that stands on the surface. body: the wall, whose cells are its first, and thrombus
    where there is any. remeshed_percent: what remeshing adds to the volume between the ends.
    """

    surface: Surface
    ends: dict[str, End]
    wall: Wall
    body: Body
    remeshed_percent: float


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


def vessel(
    surface: Surface,
    ends: dict[str, End],
    asked: dict[str, Any],
    blood: Surface | None = None,
    outer: Surface | None = None,
) -> Vessel:
    """The vessel of a closed surface. asked: as the recipe says, filled.

    blood: the surface of the part of it that is no thrombus, where there is some. outer: that of the
    wall, where it is seen in the scan. Raises Refusal where its ends cannot be cut, the mesher fails,
    or its wall folds or runs through itself.
    """
    edge, cut = asked["edge"], opened(surface, list(ends.values()))
    found = lining(surface, blood, ends, edge) if blood else None
    side = found.surface if found else remeshed(cut, edge)
    if len(open_loops(side)) != len(ends):
        raise Refusal(
            "ends-unclear",
            f"{len(ends)} ends were to be cut across the vessel's course, and {len(open_loops(side))} "
            "openings were found",
        )
    thickness = _depths(side, outer) if outer else np.full(len(side.points), asked["thickness"])
    layers = _layers(float(np.median(thickness)), edge)
    wall = thickened(side, thickness, asked["surface"] == "inner", layers, ends)
    if bare := [name for name in ends if not len(wall.body.faces[name])]:
        raise Refusal("ends-unclear", f"no opening of the vessel is at {' and '.join(bare)}")
    if folded := int((flat_volumes(wall.body.points, wall.body.cells) <= 0).sum()):
        raise Refusal(
            "wall-folded",
            f"{folded} cells of the wall are folded: it is bent more than it is thick; a thinner wall "
            "or longer edges may help",
        )
    _require_apart(wall)
    # Of its bent triangles.
    before, after = (enclosed(s, list(ends.values())) for s in (cut, evened(side)))
    body = lined(wall, found) if found and len(found.thrombus.corners) else wall.body
    return Vessel(side, ends, wall, body, 100 * (after / before - 1))


def problem(found: Vessel, asked: dict[str, Any], pressure: float) -> Problem:
    """The vessel under a pressure, mmHg, where blood touches it. asked: as the recipe says, filled."""
    material = constant(asked["material"])
    materials = {PART: material}
    if THROMBUS in found.body.parts:
        materials[THROMBUS] = constant(asked["thrombus"]["material"])
    supports = dict.fromkeys(found.ends, _support(asked["ends"], material))
    return Problem(found.body, materials, {"inner": pressure * MMHG}, supports)


def _require_apart(wall: Wall) -> None:
    """Raise Refusal where the wall of one part of a vessel runs through that of another."""
    points, faces = wall.body.points, skin(wall.body.cells)[:, :3]
    if len(crossed := crossing(points, faces)):
        x, y, z = points[faces[crossed[0]]].mean(axis=0)
        raise Refusal(
            "wall-crossed",
            f"{len(crossed)} triangles of the wall's sides run through each other, around LPS "
            f"({x:.0f}, {y:.0f}, {z:.0f}) mm: parts of the vessel lie closer together there than the "
            "wall is thick; a thinner wall, or a mask without one of the parts, would be right",
        )


def _layers(thickness: float, edge: float) -> int:
    """How many layers of prisms a wall has. edge: of their triangles; mm."""
    return int(np.clip(FLATTEST * thickness / edge, 1, LAYERS))


def _depths(surface: Surface, outer: Surface) -> np.ndarray:
    """How far each point of a surface lies within another, mm."""
    depths = -signed_distances(outer, surface.points)
    bare = np.mean(depths < THINNEST_WALL)
    if bare > BARE:
        raise Refusal(
            "wall-bare",
            f"{100 * bare:.0f} % of the vessel lie less than {THINNEST_WALL:g} mm within the structure "
            "that is its wall; one that is all around it would be right",
        )
    return np.maximum(depths, THINNEST_WALL)


def _support(said: str, material: Material) -> Fixed | Springs:
    if said == "fixed":
        return Fixed()
    # Incompressible tissue has, unloaded, three times the shear modulus, which is twice alpha.
    young = material.young if isinstance(material, Elastic) else 6 * material.alpha
    return Springs(*(part * young for part in SLIDING))
