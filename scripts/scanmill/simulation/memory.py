"""The memory that solving takes."""

from scanmill.refusal import Refusal
from scanmill.simulation.body import Problem

# Of walls of up to 100 000 cells, which are thin: solids take more.
MB_PER_POINT = 0.1


def check_memory(problem: Problem, limit_mb: int) -> None:
    """Raise Refusal where solving is expected to take more memory than a limit, MB."""
    expected = MB_PER_POINT * len(problem.body.points)
    if expected > limit_mb:
        raise Refusal(
            "solver-memory",
            f"solving for {len(problem.body.cells)} tetrahedra is expected to take {expected:.0f} MB, "
            f"and 'memory_mb' allows {limit_mb}; longer edges or more memory would be right",
        )
