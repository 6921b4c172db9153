"""Vessels and warps: their measures against closed forms, their maps against their promises."""

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.phantom.body import Capsule, Ellipsoid, sphere
from scanmill.phantom.composition import nested, subtract
from scanmill.phantom.description import body_of, grid_of, turned
from scanmill.phantom.patient import Patient, Structure
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy
from scanmill.phantom.tubes import GENERIC, Tubes, smooth
from scanmill.phantom.warp import Warped, random_warp

CENTRE = (31.0, -12.5, 103.0)
VESSEL = Tubes(
    branches=(
        ((0, 0, -14, 4), (1, 2, 0, 7), (0, 0, 9, 3.5)),
        ((0, 0, 9, 3.5), (6, 3, 16, 2)),
        ((0, 0, 9, 3.5), (-7, 1, 15, 2.5)),
    ),
    centre=CENTRE,
    rotation=tuple(turned((20, -35, 50)).ravel()),
)


def grid_around(centre, axes, turn, spacing, shift=0.0, reach=26):
    size = [int(np.ceil(2 * reach / s)) for s in spacing]
    middle = [x + shift for x in centre]
    return grid_of({"size": size, "spacing": spacing, "centre": middle, "axes": axes, "turn": turn})


def rendered(body, grid):
    """Volume and centroid of the occupancy of a body."""
    filled = occupancy(body, grid) / SAMPLES
    points = grid.to_physical(np.argwhere(filled)[:, ::-1])
    centroid = np.average(points, axis=0, weights=filled[filled > 0])
    return filled.sum() * grid.voxel_volume, centroid


# Tubes.


@settings(max_examples=8, deadline=None)
@given(
    turn=st.tuples(*[st.floats(-180, 180)] * 3),
    radius=st.floats(0.5, 12),
    straight=st.floats(1, 60),
    part=st.floats(0.2, 0.8),
)
def test_a_straight_tube_in_two_pieces_is_a_capsule(turn, radius, straight, part):
    rotation = tuple(turned(turn).ravel())
    balls = [(0, 0, straight * (at - 0.5), radius) for at in (0, part, 1)]
    tube = Tubes(branches=(tuple(balls),), centre=CENTRE, rotation=rotation)
    capsule = Capsule(radius=radius, length=straight + 2 * radius, centre=CENTRE, rotation=rotation)
    assert tube.volume == pytest.approx(capsule.volume, rel=1e-4)
    assert tube.centroid == pytest.approx(capsule.centroid, abs=1e-3)
    half = np.abs(np.reshape(rotation, (3, 3))[:, 2]) * straight / 2 + radius
    assert np.array(tube.bounds()) == pytest.approx(np.array((CENTRE - half, CENTRE + half)))
    points = CENTRE + np.random.default_rng(3).uniform(-40, 40, (500, 3))
    assert (np.sign(tube.distance(points)) == np.sign(capsule.distance(points))).all()
    outside = capsule.distance(points) > 0
    assert tube.distance(points[outside]) == pytest.approx(capsule.distance(points[outside]))


def test_a_tube_along_the_lines_of_integration_is_the_hardest_and_still_right():
    along = GENERIC[:, 0] * 20
    tube = Tubes(branches=(((*-along, 3), (*along, 3)),))
    assert tube.volume == pytest.approx(Capsule(radius=3, length=46).volume, rel=1e-4)


def test_volume_of_a_tapered_tube_is_two_caps_and_a_frustum():
    first, last, length = 3.0, 5.0, 12.0
    slope = (last - first) / length
    rims = [r * sqrt(1 - slope**2) for r in (first, last)]
    height = length - last * slope + first * slope
    frustum = pi / 3 * height * (rims[0] ** 2 + rims[0] * rims[1] + rims[1] ** 2)
    caps = [
        pi / 3 * h * h * (3 * r - h)
        for r, h in ((first, first * (1 - slope)), (last, last * (1 + slope)))
    ]
    end = (*(np.array((1.0, -2.0, 2.0)) / 3 * length), last)
    tube = Tubes(branches=(((0, 0, 0, first), end),), centre=CENTRE)
    assert tube.volume == pytest.approx(frustum + sum(caps), rel=1e-5)


def test_volume_of_a_branching_vessel_is_that_of_its_rendering_at_any_angle():
    for axes, turn in (("LPS", (0, 0, 0)), ("PIL", (12, -7, 30))):
        volume, centroid = rendered(VESSEL, grid_around(CENTRE, axes, turn, (0.5, 0.4, 0.6), 0.13))
        assert VESSEL.volume == pytest.approx(volume, rel=2e-4)
        assert VESSEL.centroid == pytest.approx(centroid, abs=2e-3)


def test_distance_to_a_vessel_never_promises_more_room_than_there_is():
    random = np.random.default_rng(7)
    points = CENTRE + random.uniform(-20, 20, (300, 3))
    promised = VESSEL.distance(points)
    directions = random.normal(size=(200, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    within = points[:, None] + directions * (np.abs(promised) * 0.999)[:, None, None]
    signs = np.sign(VESSEL.distance(within.reshape(-1, 3))).reshape(300, 200)
    assert (promised < 0).any()
    assert (signs == np.sign(promised)[:, None]).all()


def test_a_lumen_lies_in_a_wall_and_their_difference_is_exact():
    balls = smooth([(0, 0, -20, 4), (3, 1, 0, 8), (0, 0, 20, 4)], 6)
    lumen = Tubes(branches=(tuple(balls),))
    outer = Tubes(branches=(tuple((x, y, z, r + 1.5) for x, y, z, r in balls),))
    wall = subtract(outer, [lumen])
    assert wall.volume == pytest.approx(outer.volume - lumen.volume)
    assert not nested(outer, lumen)


def test_a_smooth_curve_goes_through_its_balls():
    balls = [(0.0, 0.0, 0.0, 2.0), (4.0, 1.0, 3.0, 5.0), (9.0, 0.0, 4.0, 1.0)]
    curve = np.array(smooth(balls, 4))
    assert len(curve) == 9
    assert curve[::4] == pytest.approx(np.array(balls))


@pytest.mark.parametrize(
    "branch",
    [
        ((0, 0, 0, 2),),
        ((0, 0, 0, 2), (0, 0, 1, 3)),
        ((0, 0, 0, 2), (0, 0, 0, 2)),
        ((0, 0, 0, -2), (0, 0, 9, 2)),
    ],
)
def test_a_branch_that_makes_no_tube_is_refused(branch):
    with pytest.raises(ValueError):
        Tubes(branches=(branch,))


def test_a_vessel_is_described_as_plain_data_from_its_position():
    content = {"branches": [[[0, 0, -5, 2], [0, 0, 5, 2]]], "turn": [90, 0, 0], "centre": [1, 2, 3]}
    low, high = body_of({"tubes": content}, (10, 20, 30)).bounds()
    assert low == pytest.approx([9, 15, 31])
    assert high == pytest.approx([13, 29, 35])


# Warps.

warps = st.builds(random_warp, st.floats(0, 1), st.floats(30, 200), st.integers(0, 10_000))
places = st.tuples(*[st.floats(-300, 300)] * 3)


@settings(max_examples=100, deadline=None)
@given(warp=warps, place=places)
def test_a_warp_keeps_volume_everywhere(warp, place):
    # Complex steps: no difference of nearly equal numbers. The map written out a second time.
    jacobian = np.empty((3, 3))
    for axis in range(3):
        point = np.array(place, complex)
        point[axis] += 1e-30j
        for k, others in enumerate(((1, 2), (0, 2), (0, 1))):
            size, across, along, phase = warp.waves[k].T
            u, v = point[list(others)]
            point[k] += (size * np.sin(across * u + along * v + phase)).sum()
        jacobian[:, axis] = point.imag / 1e-30
        moved = point.real
    assert warp.forward(np.array([place]))[0] == pytest.approx(moved, abs=1e-5)
    assert np.linalg.det(jacobian) == pytest.approx(1, abs=1e-9)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    assert max(singular.max(), 1 / singular.min()) <= warp.stretch * (1 + 1e-12)


@settings(max_examples=100, deadline=None)
@given(warp=warps, place=places)
def test_the_inverse_of_a_warp_is_exact_and_its_reach_is_kept(warp, place):
    point = np.array([place])
    moved = warp.forward(point)
    assert warp.inverse(moved) == pytest.approx(point, abs=1e-11)
    assert warp.forward(warp.inverse(point)) == pytest.approx(point, abs=1e-11)
    assert (np.abs(moved - point) <= warp.reach + 1e-9).all()


def test_no_amplitude_moves_nothing_and_more_moves_farther():
    points = np.random.default_rng(1).uniform(-90, 90, (1000, 3))
    moved = [np.abs(random_warp(a, 100, 5).forward(points) - points).max() for a in (0, 0.5, 1)]
    assert moved[0] == 0
    assert moved[2] == pytest.approx(2 * moved[1], rel=0.1)
    assert 3 < moved[2] < 20
    for amplitude, wavelength in ((-0.1, 100), (1.1, 100), (0.5, 0)):
        with pytest.raises(ValueError):
            random_warp(amplitude, wavelength, 5)


@pytest.mark.parametrize("body", [sphere(11, CENTRE), VESSEL, Ellipsoid(radii=(12, 7, 9))])
def test_a_warped_body_has_its_volume_and_its_centroid_on_any_grid(body):
    # Waves hardly longer than the body: an ellipsoid is no longer one.
    warped = Warped(body, random_warp(1, 35, 8))
    grid = grid_around(body.centroid, "AIR", (5, 25, -10), (0.9, 0.8, 1.1), 0.21)
    volume, centroid = rendered(warped, grid)
    assert volume == pytest.approx(body.volume, rel=3e-4)
    assert centroid == pytest.approx(warped.centroid, abs=3e-3)
    assert np.linalg.norm(warped.centroid - body.centroid) > 0.1
    assert warped.volume == body.volume


def test_a_warped_patient_keeps_the_volume_of_all_that_is_visible():
    patient = Patient(
        [
            Structure("organ", 1, 100, sphere(14, CENTRE)),
            Structure("tumour", 2, 130, sphere(5, (36, -12, 105))),
            Structure("core", 3, 0, sphere(2, (36, -12, 106))),
        ],
        background=0,
    )
    warped = patient.warped(random_warp(1, 60, 3))
    before, after = patient.truth(), warped.truth()
    assert [s["volume_mm3"] for s in after] == [s["volume_mm3"] for s in before]
    assert [s["area_mm2"] for s in after] == [None] * 3
    assert warped.children(0) == [1]
    grid = grid_around(CENTRE, "RAS", (0, 10, 0), (1.0, 1.0, 1.5), 0.3)
    filled = [occupancy(s.body, grid) for s in warped.structures]
    # Nested before, nested after, point by point: no voxel holds more of the inner body.
    assert (filled[0] >= filled[1]).all() and (filled[1] >= filled[2]).all()
    visible = (filled[1] - filled[2]).sum(dtype=float) / SAMPLES * grid.voxel_volume
    assert visible == pytest.approx(after[1]["volume_mm3"], rel=2e-3)
