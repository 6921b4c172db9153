"""What is written of a solution, by name with its unit; vectors have 3 columns, tensors 6."""

import numpy as np

from scanmill.simulation.body import Body
from scanmill.simulation.solution import Solution, first_principal, von_mises

# What every file says of itself.
TOLD = {"SPACE": "LPS", "UNITS": "mm, N, N/mm2"}


def point_fields(solution: Solution) -> dict[str, np.ndarray]:
    """Fields at points."""
    return {"displacement_mm": solution.displacements}


def cell_fields(body: Body, solution: Solution) -> dict[str, np.ndarray]:
    """Fields of cells; `part` counts in the body's parts from 0, and is -1 in a cell of none."""
    part = np.full(len(body.cells), -1, np.int32)
    for number, cells in enumerate(body.parts.values()):
        part[cells] = number
    return {
        "part": part,
        "stress_N_mm2": solution.stresses,
        "first_principal_stress_N_mm2": first_principal(solution.stresses),
        "von_mises_stress_N_mm2": von_mises(solution.stresses),
        "strain": solution.strains,
    }
