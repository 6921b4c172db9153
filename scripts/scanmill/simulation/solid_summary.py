"""What a solid's mesh and its answer to being pressed are in a few numbers, by columns of the table."""

import numpy as np

from scanmill.simulation.body import Body, Elastic, Problem
from scanmill.simulation.elements import volumes
from scanmill.simulation.solid import SIDES, area_across
from scanmill.simulation.solution import Solution, principal, von_mises
from scanmill.simulation.summary import Measures, quantile
from scanmill.simulation.supports import bed


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


def of_answer(problem: Problem, solution: Solution, load: dict[str, str | float]) -> Measures:
    """Columns of stiffness, stress and strain. load: as for `solid.pressed`.

    Cells at the two sides are left out of stress and strain: these are of what holds them.
    """
    body = problem.body
    size = volumes(body.points, body.cells)
    under = bed(body, body.faces["pressed"])
    moved = solution.displacements[under.nodes] @ SIDES[load["pressed"]]
    sides = np.concatenate([body.faces[name].ravel() for name in ("held", "pressed")])
    away = ~np.isin(body.cells, sides).any(axis=1)
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


def _mean_young(problem: Problem, size: np.ndarray) -> float:
    young = np.empty(len(size))
    for name, cells in problem.body.parts.items():
        material = problem.materials[name]
        assert isinstance(material, Elastic)
        young[cells] = material.young
    return float(np.average(young, weights=size))
