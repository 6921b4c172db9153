"""The memory that solving takes."""

import numpy as np

from scanmill.refusal import Refusal
from scanmill.simulation.body import Body, Problem

# MB for each point, of walls of up to 100 000 cells and of all that is thin.
THIN = 0.1
# Of compact bodies the matrix fills as the points in a slice across them become more: MB for each
# point, and for the square of those in a slice. The larger of both estimates was 2.1, 1.7, 1.3 and 1.1
# times what balls of 3300, 7600, 12 400 and 26 600 points took, and 1.7 times what a vertebra of
# 44 500 did.
POINT, SLICE = 0.04, 4.2e-4
# Of the fullest slices, the mean of so many.
FULLEST = 3


def expected_mb(body: Body) -> float:
    """What solving for a body is expected to take, MB."""
    number = len(body.points)
    return max(THIN * number, POINT * number + SLICE * _in_slice(body) ** 2)


def _in_slice(body: Body) -> float:
    """How many points the fullest slices across the body's long axis have, thick as edges are long."""
    off = body.points - body.points.mean(axis=0)
    along = off @ np.linalg.eigh(off.T @ off)[1][:, -1]
    first, second = body.points[body.cells[:, :2]].swapaxes(0, 1)
    edge = np.linalg.norm(first - second, axis=1).mean()
    counts = np.bincount(((along - along.min()) / edge).astype(int))
    return float(np.sort(counts)[-FULLEST:].mean())


def check_memory(problem: Problem, limit_mb: int) -> None:
    """Raise Refusal where solving is expected to take more memory than a limit, MB."""
    expected = expected_mb(problem.body)
    if expected > limit_mb:
        raise Refusal(
            "solver-memory",
            f"solving for {len(problem.body.cells)} tetrahedra is expected to take {expected:.0f} MB, "
            f"and 'memory_mb' allows {limit_mb}; longer edges or more memory would be right",
        )
