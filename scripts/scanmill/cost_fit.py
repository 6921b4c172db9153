"""What units of work take, fitted to what jobs have used: from above, so that no job lacks anything."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linprog

# What moves a cost from what was known, for each part that it moves, beside the parts of the jobs' use
# that it would be wrong by: what the jobs do not tell stays as it was.
INERTIA = 0.05
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
    that for one that used no more, costs may be too low as well as too high. Costs are not negative,
    and rounded upwards.

    The sum of what they are wrong by over all jobs, as parts of what each used, is the least: a linear
    programme.
    """
    if not works:
        return dict(known)
    taken = np.asarray(used, float)
    before = np.array(list(known.values()), float)
    amounts = np.array([[work.get(name, 0) for name in known] for work in works], float)
    parts = amounts / taken[:, None]
    largest = parts.max(axis=0)
    told = (before * largest >= LEAST_PART) | ((before == 0) & (largest > 0))
    rest = 1 - parts[:, ~told] @ before[~told]
    solved = before.copy()
    solved[told] = _least_wrong(parts[:, told], rest, taken > least, before[told])
    rounded = [_rounded_up(cost) if new else cost for cost, new in zip(solved, told, strict=True)]
    return dict(zip(known, map(float, rounded), strict=True))


def _least_wrong(
    parts: np.ndarray, rest: np.ndarray, bound: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """The costs, each 0 or more, whose sums over rows are nearest to `rest`, and not less where bound.

    parts: (jobs, names), of amounts in what the job used. rest: of each job's use, what these costs are
    to make up. before: costs that are kept where it matters little.
    """
    jobs, count = parts.shape
    # The variables: costs; how far each moves from before; how far each job's sum is from 1.
    costs, moved, wrong = np.eye(count), np.eye(count), np.eye(jobs)
    none, apart = np.zeros((count, jobs)), np.zeros((jobs, count))
    solved = linprog(
        np.concatenate([np.zeros(count), INERTIA * parts.sum(axis=0), np.ones(jobs)]),
        A_ub=np.block(
            [
                [costs, -moved, none],
                [-costs, -moved, none],
                [parts, apart, -wrong],
                [-parts, apart, -wrong * ~bound],
            ]
        ),
        b_ub=np.concatenate([before, -before, rest, -rest]),
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
