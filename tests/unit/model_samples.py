"""A small wall of two parts, what is done to it, and an answer of random numbers, to write and read."""

from dataclasses import replace

import numpy as np
from cylinder_samples import cylinder_wall, moved
from scanmill.simulation.body import Elastic, Fixed, Problem, Springs
from scanmill.simulation.solution import Solution
from wall_cases import ROTATION, SHIFT

WALL = moved(cylinder_wall(10.0, 15.0, 4.0, around=16, layers=2, along=2), ROTATION, SHIFT)
HALF = len(WALL.cells) // 2
BODY = replace(WALL, parts={"thrombus": np.arange(HALF), "wall": np.arange(HALF, len(WALL.cells))})
PROBLEM = Problem(
    BODY,
    {"thrombus": Elastic(0.1, 0.45), "wall": Elastic(2.0, 0.45)},
    {"inner": 0.016},
    {"bottom": Fixed(), "top": Springs(0.5, 0.1, 0.1)},
)
RANDOM = np.random.default_rng(6)
SOLUTION = Solution(
    RANDOM.normal(size=BODY.points.shape),
    RANDOM.normal(size=(len(BODY.cells), 6)),
    RANDOM.normal(size=(len(BODY.cells), 6)),
)
# To what ten digits tell of coordinates.
DIGITS = {"rtol": 1e-9, "atol": 1e-7}


def matrices(tensors: np.ndarray) -> np.ndarray:
    """Symmetric matrices of xx yy zz xy yz zx."""
    return tensors[:, [[0, 3, 5], [3, 1, 4], [5, 4, 2]]]
