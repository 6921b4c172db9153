"""An organ as a solid body: its mesh, with what lies in it, pressed between two of its sides."""

import numpy as np

from scanmill.refusal import Refusal
from scanmill.simulation.body import Body, Fixed, Material, Problem
from scanmill.simulation.filling import filled, on_surfaces, within
from scanmill.simulation.mesher import remeshed_cells
from scanmill.simulation.skin import skin
from scanmill.simulation.tetrahedra import quadratic
from scanmill.surface import Surface

# The patient's sides, LPS.
SIDES = {
    "left": (1, 0, 0),
    "right": (-1, 0, 0),
    "posterior": (0, 1, 0),
    "anterior": (0, -1, 0),
    "superior": (0, 0, 1),
    "inferior": (0, 0, -1),
}
# The least cosine between a face of a side and the side's direction.
FACING = 0.5


def solid(whole: Surface, inner: dict[str, Surface], name: str, edge: float) -> Body:
    """Tetrahedra that fill an organ; what lies in it is parts of their own that share its nodes.

    whole: closed, LPS mm. inner: by name; what two of them share is of the first. name: of the part
    that is left. edge: of tetrahedra, mm. All faces are `skin`. Raises Refusal where the mesher fails,
    or a part is too small for its edges.
    """
    mesh = filled(whole, edge)
    for surface in inner.values():
        mesh = within(mesh, whole, surface, edge)
    numbers = {part: number for number, part in enumerate([name, *inner])}
    surfaces = {numbers[part]: surface for part, surface in inner.items()}
    even = on_surfaces(remeshed_cells(mesh, edge), whole, surfaces, edge)
    points, cells = quadratic(even.points, even.corners)
    parts = {part: np.flatnonzero(even.parts == number) for part, number in numbers.items()}
    return Body(points, cells, parts, {"skin": skin(cells)})


def pressed(body: Body, materials: dict[str, Material], load: dict[str, str | float]) -> Problem:
    """The body between two of its sides. materials: by part.

    load: held, the side that does not move; pressed, that which force (N) presses on, spread evenly
    over its area across the side's direction; depth, mm, how far the sides reach into the body.
    Raises Refusal where a side has no face.
    """
    found = {way: _side(body, load[way], load["depth"]) for way in ("held", "pressed")}
    bare = [load[way] for way, is_on in found.items() if not is_on.any()]
    if bare or (found["held"] & found["pressed"]).any():
        what = f"no face looks {bare[0]}" if bare else "the sides share faces"
        raise Refusal("side-bare", f"within {load['depth']:g} mm, {what}; another depth may help")
    skin_of_all = body.faces["skin"]
    rest = ~found["held"] & ~found["pressed"]
    faces = {way: skin_of_all[is_on] for way, is_on in (found | {"free": rest}).items()}
    loaded = Body(body.points, body.cells, body.parts, faces)
    pressure = load["force"] / area_across(loaded, "pressed", load["pressed"])
    return Problem(loaded, materials, {"pressed": pressure}, {"held": Fixed()})


def area_across(body: Body, faces: str, side: str) -> float:
    """The area of faces as seen from a side, mm2."""
    return float((_vectors(body.points, body.faces[faces]) @ SIDES[side]).sum())


def _side(body: Body, side: str, depth: float) -> np.ndarray:
    """Which faces of the skin, [k], are near to the end of the body and look that way."""
    faces = body.faces["skin"]
    vectors = _vectors(body.points, faces)
    cosines = vectors @ SIDES[side] / np.linalg.norm(vectors, axis=1)
    heights = body.points[faces[:, :3]].mean(axis=1) @ SIDES[side]
    return (heights > (body.points @ SIDES[side]).max() - depth) & (cosines > FACING)


def _vectors(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Outward normals [k, 3] of faces, as long as their areas, mm2."""
    a, b, c = points[faces[:, :3]].transpose(1, 0, 2)
    return np.cross(b - a, c - a) / 2
