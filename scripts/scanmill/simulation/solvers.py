"""What solves: ScanMill itself, or CalculiX where a recipe asks for it, never one for the other."""

from scanmill.simulation import calculix, equilibrium
from scanmill.simulation.body import Problem
from scanmill.simulation.solution import Solution

# Of CalculiX's computing.
SECONDS = 3600


def solved_by(solver: str, problem: Problem) -> tuple[Solution, str]:
    """What a solver of the recipe finds; and the solver, with its version where it is CalculiX.

    Raises what the solver does.
    """
    if solver == "calculix":
        return calculix.solve(problem, SECONDS), f"CalculiX {calculix.version()}"
    return equilibrium.solve(problem), "ScanMill"
