"""Remeshing in a process of its own: what is found, and what a failing mesher does."""

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, grid_over, mask_of
from scanmill.phantom.body import sphere
from scanmill.refusal import Refusal
from scanmill.simulation import mesher
from scanmill.surface import surface_of_mask
from scanmill.surface_measures import volume

RADIUS = 12


@pytest.fixture(scope="module")
def ball():
    body = sphere(RADIUS, CENTRE)
    grid = grid_over(body, (1.0, 1.0, 1.0), DIRECTIONS["oblique"])
    return surface_of_mask(mask_of(body, grid), grid)


def test_triangles_are_of_about_one_size_and_on_the_surface(ball):
    found = mesher.remeshed(ball, 3.0)
    corners = found.points[found.triangles]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    assert np.median(sides) == pytest.approx(3.0, rel=0.15)
    assert np.quantile(sides, 0.01) > 1.5 and sides.max() < 6
    radii = np.linalg.norm(found.points - CENTRE, axis=1)
    assert np.abs(radii - RADIUS).max() < 0.6
    assert volume(found) == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.04)
    again = mesher.remeshed(ball, 3.0)
    assert np.array_equal(found.points, again.points)
    assert np.array_equal(found.triangles, again.triangles)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "failed, with the code -11"),
        ("raise SystemExit(3)", "failed, with the code 3"),
        ("while True: pass", "did not end"),
        ("import time; time.sleep(60)", "did not end"),
    ],
)
def test_a_mesher_that_fails_is_a_refusal(ball, tmp_path, monkeypatch, program, said):
    put_in_its_place(tmp_path, monkeypatch, program)
    with pytest.raises(Refusal, match=f"mesher-failed: MMG {said}"):
        mesher.remeshed(ball, 3.0)


def test_a_mesher_that_is_killed_may_have_had_too_little_memory(ball, tmp_path, monkeypatch):
    put_in_its_place(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(MemoryError):
        mesher.remeshed(ball, 3.0)


def put_in_its_place(tmp_path, monkeypatch, program):
    """Have the process import another library under MMG's name, with a second for all of it."""
    (tmp_path / "mmgpy.py").write_text(
        "import resource\n"
        "class MmgMeshS:\n"
        "    def __init__(self, points, triangles):\n"
        "        resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\n"
        f"        {program}\n"
    )
    started = mesher._run

    def run(task, given, found):
        (tmp_path / "scanmill").symlink_to(mesher.__file__.rpartition("/simulation")[0])
        monkeypatch.setattr(mesher, "__file__", str(tmp_path / "scanmill" / "simulation" / "x.py"))
        return started(task, given, found)

    monkeypatch.setattr(mesher, "_run", run)
    monkeypatch.setattr(mesher, "SECONDS", 1)
    monkeypatch.setattr(mesher, "PATIENCE", 5)
