"""Centrelines of tubes whose course and width are known: bent, branching, bulging, on any grid."""

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, grid_over, mask_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.centreline.course import courses_of
from scanmill.centreline.sections import calipers, section
from scanmill.centreline.summary import summary
from scanmill.centreline.tree import Way, ways_of
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import Region
from scanmill.phantom.body import Body, Cylinder
from scanmill.phantom.description import turned
from scanmill.phantom.tubes import Tubes
from scanmill.surface import Surface, surface_of_mask
from scanmill.volume_file import Volume

TURN = turned((20, -35, 50))
POSE = {"centre": CENTRE, "rotation": tuple(TURN.ravel())}


def tube(points: np.ndarray, radius: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """A branch of `Tubes`: points [n, 3] and radius along its course."""
    return tuple(tuple(row) for row in np.column_stack([points, radius]))


def arc() -> Tubes:
    """A tube of radius 8 that bends by 2.2 radians, 35 mm around its middle."""
    t = np.linspace(0, 2.2, 40)
    points = 35 * np.stack([np.cos(t), np.sin(t), 0 * t], axis=1)
    return Tubes(branches=(tube(points, np.full(40, 8.0)),), **POSE)


def aneurysm() -> Tubes:
    """A trunk of radius 9 that bulges to 20, and parts into two of 6."""
    z = np.linspace(-55, 55, 60)
    bulge = np.exp(-((z / 16) ** 2))
    points = np.stack([6 * bulge, 0 * z, z], axis=1)
    t = np.linspace(0, 1, 15)[:, None]
    legs = [points[0] + t * [side, 4, -40] for side in (24, -24)]
    branches = (tube(points, 9 + 11 * bulge), *(tube(leg, 8 - 2 * t[:, 0]) for leg in legs))
    return Tubes(branches=branches, **POSE)


def courses_through(body: Body, spacing=(1.0, 1.0, 1.0), direction="oblique", cubic=None):
    """Its courses. cubic: mm of the voxels that its mask is brought to."""
    grid = grid_over(body, spacing, DIRECTIONS[direction])
    mask = mask_of(body, grid)
    if cubic:
        scan, grid = Volume(mask.astype(np.uint8), grid), grid.isotropic(cubic)
        mask = resample_labels(scan, grid) == 1
    surface = surface_of_mask(mask, grid, max(spacing))
    return courses_of(ways_of(Region.of(mask), grid), surface, min(grid.spacing))


@pytest.mark.parametrize("direction", ["xyz+++", "zxy-+-", "oblique left-handed"])
def test_a_bent_tube_has_the_length_and_width_that_it_has(direction):
    (course,) = courses = courses_through(arc(), direction=direction)
    told = summary(courses)
    assert told["centreline_length_mm"] == pytest.approx(35 * 2.2 + 16, abs=1.0)
    assert told["section_max_diameter_mm"] == pytest.approx(16, abs=0.5)
    assert told["section_max_area_mm2"] == pytest.approx(64 * np.pi, rel=0.03)
    own = (course.points - CENTRE) @ TURN
    assert abs(np.hypot(own[:, 0], own[:, 1]) - 35).max() < 0.4
    assert abs(own[:, 2]).max() < 0.4
    angle = np.ptp(np.arctan2(own[:, 1], own[:, 0]))
    bend = angle / 2 / np.sin(angle / 2) - 1
    assert told["centreline_tortuosity"] == pytest.approx(bend, abs=0.01)


@pytest.mark.parametrize(
    ("spacing", "direction", "cubic", "within"),
    [
        ((1.0, 1.0, 1.0), "oblique", None, 0.5),
        ((0.8, 0.8, 0.8), "yxz--+", None, 0.5),
        # A mask of thick slices has steps that stay in its surface, where they run along the vessel.
        ((0.7, 0.7, 3.0), "oblique left-handed", 1.0, 1.3),
    ],
)
def test_an_aneurysm_is_as_wide_as_across_its_course(spacing, direction, cubic, within):
    courses = courses_through(aneurysm(), spacing, direction, cubic)
    told = summary(courses)
    assert told["centreline_branches"] == 2
    assert told["section_max_diameter_mm"] == pytest.approx(40, abs=within)
    assert told["section_max_diameter_across_mm"] == pytest.approx(40, abs=0.8)
    assert told["neck_diameter_mm"] == pytest.approx(18, abs=0.4)
    place = [told[f"section_max_diameter_{axis}_mm"] for axis in "xyz"]
    own = (np.array(place) - CENTRE) @ TURN
    np.testing.assert_allclose(own, [6, 0, 0], atol=1.5)
    # From the trunk, which is wider, to the end of either leg; the other from where it parts.
    leg = np.sqrt(24**2 + 4**2 + 40**2)
    assert told["centreline_length_mm"] == pytest.approx(9 + 113 + leg + 6, abs=4)
    for course in courses:
        middle = (course.points[-1] - CENTRE) @ TURN
        assert abs(middle[0]) == pytest.approx(24, abs=6) and middle[2] < -75
    trunk = (courses[0].points[0] - CENTRE) @ TURN
    assert trunk[2] > 40
    # Also at its end, where a way turns to a corner, the course runs along the vessel.
    assert abs(courses[0].along[0] @ TURN[:, 2]) > np.cos(np.radians(8))


def test_nothing_lies_across_where_a_vessel_parts():
    for course in courses_through(aneurysm()):
        for point, found in zip(course.points, course.sections, strict=True):
            own = (point - CENTRE) @ TURN
            if found and own[2] < -40:
                # One leg alone: its ball of at most 8, cut a little aslant where it parts.
                assert found.widest < 19.5


@pytest.mark.parametrize("parting", [-25.0, -40.0])
def test_both_legs_cut_together_are_not_the_largest_diameter(parting):
    """Ways part in the trunk, as those of noisy masks do; the crotch is wider than the bulge."""
    z, t = np.linspace(-60, 60, 80), np.linspace(0, 1, 20)
    trunk = np.stack([0 * z, 0 * z, z], axis=1)
    legs = [trunk[0] + t[:, None] * [side, 0, -40] for side in (24, -24)]
    radius = 10.7 + 7.5 * np.exp(-((z / 18) ** 2))
    branches = (tube(trunk, radius), *(tube(leg, 10.7 - 4.3 * t) for leg in legs))
    body = Tubes(branches=branches, **POSE)
    grid = grid_over(body, (1.0, 1.0, 1.0), DIRECTIONS["oblique"])
    shared, ways = 0, []
    for leg, side in zip(legs, (1, -1), strict=True):
        line = np.array(
            [[0, 0, 55], [0, 0, parting], [side, 0, -62], [side * 2.5, 0, -68], *leg[12:]]
        )
        at = np.append(0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1)))
        own = [np.interp(np.arange(0, at[-1]), at, line[:, k]) for k in range(3)]
        points = np.stack(own, axis=1) @ TURN.T + CENTRE
        ways.append(Way(points, -body.distance(points), shared))
        shared = int(55 - parting)
    told = summary(courses_of(ways, surface_of_mask(mask_of(body, grid), grid), 1.0))
    assert told["section_max_diameter_mm"] == pytest.approx(36.4, abs=0.3)


def test_a_spike_at_an_end_does_not_bend_the_course():
    """As labels of coarse voxels have them, where a scan cuts a vessel aslant."""
    straight = Tubes(
        branches=(((0, 0, -30, 9), (0, 0, 30, 9)), ((0, 7, 34, 2), (0, 12, 36, 1))), **POSE
    )
    (course,) = courses_through(straight)
    own = (course.points - CENTRE) @ TURN
    assert np.hypot(own[:, 0], own[:, 1]).max() < 0.5
    assert course.length == pytest.approx(78, abs=1)


@pytest.mark.parametrize("length", [3, 4, 5, 6, 8, 12, 20])
def test_vessels_of_a_few_voxels_are_no_crash(length):
    """They have a course or none; one that is clearly longer than wide has one."""
    thin = Tubes(branches=(((0, 0, 0, 1.3), (0, 0, length, 1.3)),), **POSE)
    courses = courses_through(thin)
    assert len(courses) <= 1 and (courses or length < 12)
    for course in courses:
        # Smoothing rounds the ends of so thin a surface, by which the length is told.
        assert length - 1 < course.length < length + 2 * 1.3 + 1


def test_what_is_as_wide_as_long_has_no_course():
    assert courses_through(Cylinder(radii=(12, 12), length=20, **POSE)) == []


def box(sides: tuple[float, float, float], turn: np.ndarray) -> Surface:
    """A box around CENTRE, its sides along the columns of a rotation."""
    signs = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)])
    quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    triangles = np.array([[(a, b, c), (a, c, d)] for a, b, c, d in quads]).reshape(-1, 3)
    return Surface(signs * np.array(sides) / 2 @ turn.T + CENTRE, triangles)


@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    sides=st.tuples(*[st.floats(2, 40)] * 3),
    shift=st.floats(-0.45, 0.45),
)
@settings(max_examples=60, deadline=None)
def test_the_section_of_a_box_is_its_face(angles, sides, shift):
    turn = turned(angles)
    point = np.array(CENTRE) + shift * sides[2] * turn[:, 2] + 0.3 * sides[0] * turn[:, 0]
    found = section(box(sides, turn), point, turn[:, 2])
    assert found.area == pytest.approx(sides[0] * sides[1], rel=1e-9)
    assert found.widest == pytest.approx(np.hypot(*sides[:2]), rel=1e-9)
    assert found.narrowest == pytest.approx(min(sides[:2]), rel=1e-9)
    middle = np.array(CENTRE) + shift * sides[2] * turn[:, 2]
    np.testing.assert_allclose(found.centre, middle, atol=1e-8)


def test_a_point_outside_has_no_section():
    surface = box((10, 10, 10), TURN)
    beside = np.array(CENTRE) + 6 * TURN[:, 0]
    assert section(surface, beside, TURN[:, 2]) is None
    assert section(surface, np.array(CENTRE) + 6 * TURN[:, 2], TURN[:, 2]) is None


def test_of_two_pieces_the_one_around_the_point_is_cut():
    near, far = box((10, 10, 10), TURN), box((20, 20, 10), TURN)
    moved = far.points + 40 * TURN[:, 0]
    both = Surface(
        np.concatenate([near.points, moved]), np.concatenate([near.triangles, far.triangles + 8])
    )
    found = section(both, np.array(CENTRE), TURN[:, 2])
    assert found.area == pytest.approx(100)


def test_calipers_of_a_rectangle():
    corners = np.array([[0, 0], [6, 0], [6, 2], [0, 2], [3, 1]]) @ turned((0, 0, 30))[:2, :2]
    assert calipers(corners) == pytest.approx((np.hypot(6, 2), 2))
