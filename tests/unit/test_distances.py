"""Distances between surfaces, against bodies and triangles whose distance is known."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.distances import distance, overlap
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.surface import Surface, boundaries, surfaces_of
from scipy.optimize import nnls
from scipy.spatial.transform import Rotation

CENTRE = np.array([80.0, -40.0, 950.0])
TURN = Rotation.from_euler("xyz", [30, -50, 20], degrees=True).as_matrix()
POSES = {
    "straight": np.eye(3),
    "flipped": np.diag([-1.0, -1.0, 1.0]),
    "oblique": TURN,
    "left-handed": TURN @ np.diag([1.0, 1.0, -1.0]),
}


def surfaces(direction, spacing, *balls) -> list[Surface]:
    """The surfaces that mesh would write of balls (centre beside CENTRE, radius), in order."""
    size = tuple(int(np.ceil(76 / s)) for s in spacing)
    origin = CENTRE - direction @ ((np.array(size) - 1) / 2 * spacing)
    grid = Grid(size, spacing, tuple(origin), tuple(direction.ravel()))
    z, y, x = np.indices(grid.shape)
    away = grid.to_physical(np.stack([x, y, z], axis=-1)) - CENTRE
    labels = np.zeros(grid.shape, np.uint8)
    for label, (centre, radius) in enumerate(balls, 1):
        labels[np.linalg.norm(away - centre, axis=-1) <= radius] = label
    return [surface for _, surface in surfaces_of(boundaries(labels, grid, 0.1)[0], grid)]


@pytest.mark.parametrize("direction", POSES.values(), ids=POSES.keys())
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 1.6)])
def test_two_balls_are_as_far_apart_as_their_centres_less_their_radii(direction, spacing):
    first, second = np.array([-14.0, 3.0, -9.0]), np.array([10.0, -4.0, 15.0])
    found = distance(*surfaces(direction, spacing, (first, 12), (second, 8)))
    truth = np.linalg.norm(first - second) - 20
    assert found == pytest.approx(truth, abs=max(spacing) / 2)


def test_a_ball_within_a_shell_is_as_far_as_the_gap():
    shell = trimesh.creation.icosphere(4, 20)
    inner = trimesh.creation.icosphere(4, 12)
    one = Surface(shell.vertices + CENTRE, shell.faces)
    other = Surface(inner.vertices + CENTRE + [0, 0, 3], inner.faces)
    assert distance(one, other) == pytest.approx(5, abs=0.06)


def test_bars_that_pass_each_other_are_measured_between_their_edges():
    one, other = trimesh.creation.box((40, 2, 2)), trimesh.creation.box((2, 2, 40))
    turned = Rotation.from_euler("x", 45, degrees=True).apply(one.vertices)
    beside = Rotation.from_euler("z", 45, degrees=True).apply(other.vertices)
    beside = beside + np.array([0, 2 * np.sqrt(2) + 0.7, 0])
    pair = [Surface(p @ TURN.T + CENTRE, one.faces) for p in (turned, beside)]
    assert distance(*pair) == pytest.approx(0.7, abs=1e-9)


def test_surfaces_that_share_a_boundary_or_cross_are_not_apart():
    left, right = np.array([-8.0, 0, 0]), np.array([6.0, 0, 0])
    assert distance(*surfaces(POSES["oblique"], (1.0, 1.0, 1.0), (left, 9), (right, 9))) == 0
    box = trimesh.creation.box((10, 10, 10))
    rod = trimesh.creation.box((0.5, 0.5, 40))
    crossing = [Surface(m.vertices + CENTRE, m.faces) for m in (box, rod)]
    assert distance(*crossing) == 0


coordinates = st.floats(-5, 5).map(lambda x: round(x, 3))
triangles = st.lists(coordinates, min_size=9, max_size=9).map(lambda x: np.reshape(x, (3, 3)))


@given(one=triangles, other=triangles)
@settings(max_examples=150, deadline=None)
def test_any_two_triangles_agree_with_least_squares(one, other):
    # The least of |sum a_i p_i - sum b_j q_j| with weights that are positive and add up to 1.
    heavy = 1e5
    sums = heavy * np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]])
    system = np.vstack([np.hstack([one.T, -other.T]), sums])
    weights, _ = nnls(system, np.array([0, 0, 0, heavy, heavy]))
    truth = np.linalg.norm(weights[:3] @ one - weights[3:] @ other)
    faces = np.array([[0, 1, 2]])
    assert distance(Surface(one, faces), Surface(other, faces)) == pytest.approx(truth, abs=1e-4)


@pytest.mark.parametrize(("shift", "shared"), [(0, True), (2, True), (3, False), (5, False)])
def test_regions_overlap_where_they_share_a_voxel(shift, shared):
    masks = np.zeros((2, 9, 9, 9), bool)
    masks[0, 1:4, 2:5, 3:6] = True
    masks[1, 1:4, 2:5, 3:6] = True
    masks[1] = np.roll(masks[1], shift, axis=1)
    assert overlap(*(Region.of(mask) for mask in masks)) is shared
