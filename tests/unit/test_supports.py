import numpy as np
import pytest
from cylinder_samples import cylinder_wall
from scanmill.simulation.supports import bed

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
