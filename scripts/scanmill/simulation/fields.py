"""What is written of a solution, by name with its unit; vectors have 3 columns, tensors 6."""

import numpy as np

from scanmill.simulation.body import Elastic, Problem
from scanmill.simulation.solution import Solution, first_principal, von_mises

# What every file says of itself.
TOLD = {"SPACE": "LPS", "UNITS": "mm, N, N/mm2"}


def point_fields(solution: Solution) -> dict[str, np.ndarray]:
    """Fields at points."""
    return {"displacement_mm": solution.displacements}


def cell_fields(problem: Problem, solution: Solution) -> dict[str, np.ndarray]:
    """Fields of cells; `part` counts in the body's parts from 0, and is -1 in a cell of none.

    Young's modulus is told where it is of cells.
    """
    body = problem.body
    part = np.full(len(body.cells), -1, np.int32)
    young = np.full(len(body.cells), np.nan)
    for number, (name, cells) in enumerate(body.parts.items()):
        part[cells] = number
        material = problem.materials[name]
        if isinstance(material, Elastic) and isinstance(material.young, np.ndarray):
            young[cells] = material.young
    return {
        "part": part,
        **({"young_N_mm2": young} if np.isfinite(young).any() else {}),
        "stress_N_mm2": solution.stresses,
        "first_principal_stress_N_mm2": first_principal(solution.stresses),
        "von_mises_stress_N_mm2": von_mises(solution.stresses),
        "strain": solution.strains,
    }
