"""What solving is expected to take, against what it takes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scanmill.simulation import filling
from scanmill.simulation.body import Body
from scanmill.simulation.memory import expected_mb
from scanmill.simulation.tetrahedra import quadratic
from scanmill.surface import Surface

ROOT = Path(__file__).parents[2]
# In a process of its own, whose most is known: MB before and while a ball is solved, and as expected.
SOLVED = """
from bodies import CENTRE
from scanmill.phantom.body import sphere
from scanmill.simulation.body import Elastic
from scanmill.simulation.equilibrium import solve
from scanmill.simulation.memory import expected_mb
from scanmill.simulation.solid import pressed, solid
from test_solid import LOAD, surface_through

def most():
    # Not what the kernel's accounts say, which knows the memory of the parent, and of the mesher.
    lines = open("/proc/self/status").read().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) * 1024e-6

ball = solid(surface_through(sphere(20, CENTRE)), {}, "ball", 4.2)
problem = pressed(ball, {"ball": Elastic(10.0, 0.3)}, LOAD | {"depth": 5.0})
before = most()
solve(problem)
print(before, most(), expected_mb(ball))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
def test_solving_a_ball_takes_about_what_is_expected_and_no_more():
    paths = f"{ROOT / 'scripts'}:{ROOT / 'tests' / 'unit'}"
    environment = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SOLVED],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    before, most, expected = map(float, done.stdout.split()[-3:])
    assert 0.5 * expected < most - before < expected


def box(*size: float) -> Body:
    """A box of cubes of 1 mm, each of six tetrahedra."""
    corners = np.array([[0.0, 0, 0], size])
    lattice = filling._lattice(Surface(corners, np.empty((0, 3), int)), 1.0)
    points, cells = quadratic(lattice.points, lattice.corners)
    return Body(points, cells, {"box": np.arange(len(cells))}, {})


def test_what_is_compact_is_expected_to_take_more_than_what_is_thin():
    compact, thin = box(18, 19, 20), box(1, 1, 300)
    of_each = [expected_mb(body) / len(body.points) for body in (thin, compact)]
    assert of_each[0] == pytest.approx(0.1)
    assert of_each[1] > 0.12
