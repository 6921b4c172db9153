"""What units of work take, fitted to what jobs have used: from above, so that no job lacks anything."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linprog

# What moves a cost from what was known, for each part that it moves, beside the parts of the jobs' use
# that it would be too much by: what the jobs do not tell stays as it was.
INERTIA = 0.3
# Of what a job used: what was known to take less of all jobs is not told by them.
LEAST_PART = 0.1
DIGITS = 3

Amounts = Mapping[str, float]


def fit(
    works: Sequence[Amounts], used: Sequence[float], known: Amounts, least: float
) -> dict[str, float]:
    """Cost of each unit of work: never less, for any job, than it used, and else as little as can be.

    works: of each job, by name. used: by each, MB or seconds. known: the costs before, which name what
    is fitted; what no job had any of, or much of, keeps its own. least: what jobs are given anyway, so
    that those which used no more tell nothing: much of their use is no matter of how much work they
    had. Costs are not negative, and rounded upwards.

    The sum of what they are too much by, over all jobs, as parts of what each used, is the least: a
    linear programme.
    """
    jobs = [(work, taken) for work, taken in zip(works, used, strict=True) if taken > least]
    if not jobs:
        return dict(known)
    before = np.array(list(known.values()), float)
    parts = np.array([[work.get(name, 0) / taken for name in known] for work, taken in jobs])
    largest = parts.max(axis=0)
    told = (before * largest >= LEAST_PART) | ((before == 0) & (largest > 0))
    rest = 1 - parts[:, ~told] @ before[~told]
    solved = before.copy()
    solved[told] = [_rounded_up(cost) for cost in _least(parts[:, told], rest, before[told])]
    return dict(zip(known, map(float, solved), strict=True))


def _least(parts: np.ndarray, rest: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The least costs, each 0 or more, whose sums over rows are `rest` or more.

    parts: (jobs, names), of amounts in what the job used. rest: of each job's use, what these costs are
    to make up. before: costs that are kept where it matters little.
    """
    jobs, count = parts.shape
    total, each, none = parts.sum(axis=0), np.eye(count), np.zeros((jobs, count))
    # What was known to take most moves most readily.
    inertia = INERTIA * (2 - np.minimum(1, before * parts.max(axis=0)))
    # The variables: costs; how far each moves from before.
    solved = linprog(
        np.concatenate([total, inertia * total]),
        A_ub=np.block([[each, -each], [-each, -each], [-parts, none]]),
        b_ub=np.concatenate([before, -before, -rest]),
        bounds=(0, None),
    )
    if not solved.success:
        raise ValueError(f"no costs fit: {solved.message}")
    return solved.x[:count]


def _rounded_up(value: float) -> float:
    """To a few digits; what is next to nothing is nothing."""
    if value < 1e-9:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return float(f"{math.ceil(value / unit * (1 - 1e-12)) * unit:.12g}")
