"""What a solid's mesh and its answer to being pressed are in a few numbers, by columns of the table."""

import numpy as np

from scanmill.refusal import Refusal
from scanmill.simulation.body import Body, Elastic, Problem
from scanmill.simulation.elements import volumes
from scanmill.simulation.quantile import quantile
from scanmill.simulation.solid import SIDES, area_across
from scanmill.simulation.solution import Solution, principal, von_mises
from scanmill.simulation.summary import Measures
from scanmill.simulation.supports import bed

# By how much the volume of an organ's mesh may differ from its mask's, %.
UNFILLED = 10.0


def of_parts(body: Body, whole: str, masks: dict[str, float]) -> dict[str, Measures]:
    """Columns of an organ and of the parts in it, by name.

    whole: the part that is what the others leave of the organ, and told of as all of it. masks: the
    volumes of voxels, mm3.
    """
    size = volumes(body.points, body.cells)
    found = {name: float(size[cells].sum()) for name, cells in body.parts.items()}
    found[whole] = float(size.sum())
    return {
        name: {"mesh_volume_mm3": own, "mesh_vs_mask_percent": 100 * (own / masks[name] - 1)}
        for name, own in found.items()
    }


def require_filled(found: Measures) -> None:
    """Raise Refusal where an organ's mesh lacks much of its mask. found: of the organ, `of_parts`."""
    apart = found["mesh_vs_mask_percent"]
    if abs(apart) > UNFILLED:
        text = f"the volume of the tetrahedra differs by {apart:+.0f} % from the mask's"
        raise Refusal(
            "part-lost", f"{text}: it is too thin for the edges; shorter ones would be right"
        )


def of_answer(problem: Problem, solution: Solution, load: dict[str, str | float]) -> Measures:
    """Columns of stiffness, stress and strain. load: as for `solid.pressed`.

    Cells at the two sides are left out of stress and strain: these are of what holds them.
    """
    body = problem.body
    size = volumes(body.points, body.cells)
    under = bed(body, body.faces["pressed"])
    moved = solution.displacements[under.nodes] @ SIDES[load["pressed"]]
    away = is_away(body)
    stress = von_mises(solution.stresses)
    shortening = principal(solution.strains)[:, 0]
    peak = int(np.argmax(np.where(away, stress, -np.inf)))
    where = body.points[body.cells[peak, :4]].mean(axis=0)
    return {
        "pressed_area_mm2": area_across(body, "pressed", load["pressed"]),
        "stiffness_n_per_mm": -load["force"] / float(np.average(moved, weights=under.areas)),
        "young_mean_mpa": _mean_young(problem, size),
        "von_mises_mean_mpa": float(np.average(stress[away], weights=size[away])),
        "von_mises_p99_mpa": quantile(stress[away], size[away], 0.99),
        "von_mises_peak_mpa": float(stress[peak]),
        **{f"von_mises_peak_{axis}_mm": float(x) for axis, x in zip("xyz", where, strict=True)},
        "strain_third_p1": quantile(shortening[away], size[away], 0.01),
        "displacement_max_mm": float(np.linalg.norm(solution.displacements, axis=1).max()),
    }


def require_away(problem: Problem) -> None:
    """Raise Refusal where no cell of an organ is away from the sides that are held and pressed."""
    if not is_away(problem.body).any():
        text = (
            "every tetrahedron is at the held or the pressed side, where stress is of what holds it"
        )
        raise Refusal("solid-short", f"{text}; shorter edges would be right")


def is_away(body: Body) -> np.ndarray:
    """Which cells [m] of a body have no point on its held or pressed side."""
    sides = np.concatenate([body.faces[name].ravel() for name in ("held", "pressed")])
    return ~np.isin(body.cells, sides).any(axis=1)


def _mean_young(problem: Problem, size: np.ndarray) -> float:
    young = np.empty(len(size))
    for name, cells in problem.body.parts.items():
        material = problem.materials[name]
        assert isinstance(material, Elastic)
        young[cells] = material.young
    return float(np.average(young, weights=size))
