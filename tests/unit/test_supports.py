import numpy as np
import pytest
from cylinder_samples import cylinder_wall, moved
from scanmill.refusal import Refusal
from scanmill.simulation.body import Body, Elastic, Fixed, Problem, Springs
from scanmill.simulation.supports import bed, frames, require_held
from wall_cases import ROTATION, SHIFT, lame_cylinder, lame_sphere

AROUND = 24
WALL = cylinder_wall(4.0, 6.0, 5.0, around=AROUND, layers=2, along=3)


def test_nodes_of_a_bed_share_all_of_the_area():
    side = 2 * 6.0 * np.sin(np.pi / AROUND)
    outer = bed(WALL, WALL.faces["outer"])
    assert outer.areas.sum() == pytest.approx(AROUND * side * 5.0)
    assert not np.isin(outer.nodes, WALL.faces["outer"][:, :3]).any()


def test_frames_of_a_bed_are_orthonormal_and_begin_with_the_outward_normal():
    for name, sign in (("outer", 1.0), ("inner", -1.0)):
        found = bed(WALL, WALL.faces[name])
        assert np.allclose(found.frames @ found.frames.transpose(0, 2, 1), np.eye(3))
        places = WALL.points[found.nodes] * [1, 1, 0]
        outwards = sign * places / np.linalg.norm(places, axis=1, keepdims=True)
        along = (found.frames[:, 0] * outwards).sum(axis=1)
        assert along.min() > np.cos(np.pi / AROUND) - 1e-12


def test_springs_of_a_bed_push_back_as_the_surface_would():
    """Of a plane that is turned a little, their moment is that of its area's second moment."""
    top = bed(WALL, WALL.faces["top"])
    assert (top.areas * WALL.points[top.nodes, 0] ** 2).sum() == pytest.approx(second_moment())


def second_moment() -> float:
    """Of the area between two regular polygons, about an axis across it."""
    turn = 2 * np.pi / AROUND
    return (6.0**4 - 4.0**4) * AROUND * np.sin(turn) * (2 + np.cos(turn)) / 24.0


TILTED = moved(WALL, ROTATION, SHIFT)


def problem_of(supports, body=TILTED):
    return Problem(body, {"wall": Elastic(1.0, 0.3)}, {}, supports)


@pytest.mark.parametrize(
    "supports",
    [
        {"bottom": Fixed()},
        {"bottom": Springs(0.1, 0.1, 0.1)},
        {"bottom": Springs(0.1, 0.0, 0.0), "outer": Springs(0.0, 1e-6, 1e-6)},
    ],
)
def test_what_is_held_in_each_way_passes(supports):
    require_held(problem_of(supports))


def test_the_walls_of_known_stress_are_held():
    require_held(lame_cylinder(0.3).problem)
    require_held(lame_sphere(0.3).problem)


@pytest.mark.parametrize(
    "supports",
    [
        {},
        {"bottom": Springs(0.0, 0.0, 0.0)},
        {"bottom": Springs(0.0, 0.1, 0.1)},
        {"bottom": Springs(1e4, 0.0, 0.0), "top": Springs(1e4, 0.0, 0.0)},
    ],
)
def test_what_can_slide_or_turn_is_refused(supports):
    with pytest.raises(Refusal, match="support-loose: 1 of 1 connected pieces"):
        require_held(problem_of(supports))


def test_each_piece_must_be_held():
    count = len(TILTED.points)
    points = np.vstack([TILTED.points, TILTED.points + 100.0])
    cells = np.vstack([TILTED.cells, TILTED.cells + count])
    faces = TILTED.faces | {"second": TILTED.faces["bottom"] + count}
    apart = Body(points, cells, {"wall": np.arange(len(cells))}, faces)
    with pytest.raises(Refusal, match="support-loose: 1 of 2 connected pieces"):
        require_held(problem_of({"bottom": Fixed()}, apart))
    require_held(problem_of({"bottom": Fixed(), "second": Fixed()}, apart))


def test_springs_act_along_the_faces_away_from_their_middle_and_around_it():
    top = bed(TILTED, TILTED.faces["top"])
    axis = ROTATION[:, 2]
    arms = TILTED.points[top.nodes] - SHIFT
    away = arms - (arms @ axis)[:, None] * axis
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    assert np.allclose(top.frames[:, 0], axis)
    assert np.allclose(top.frames[:, 1], away, atol=1e-6)
    assert np.allclose(top.frames[:, 2], np.cross(axis, away), atol=1e-6)


def test_where_an_arm_tells_no_way_any_will_do():
    found = frames(np.array([[0.0, 0, 2], [3, 0, 0]]), np.array([[0.0, 0, 0], [-5, 0, 0]]))
    assert np.allclose(found @ found.transpose(0, 2, 1), np.eye(3))
    assert np.allclose(found[:, 0], [[0, 0, 1], [1, 0, 0]])
