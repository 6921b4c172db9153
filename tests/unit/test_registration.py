"""Registration: known maps are found in physical space, on any grids, and can be inverted."""

import numpy as np
import pytest
from bodies import AXIS_ALIGNED, CENTRE, OBLIQUE, points_of, turned_array
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.phantom.description import turned
from scanmill.phantom.warp import random_warp
from scanmill.refusal import Refusal
from scanmill.registration.convolution import averaged, gaussian_taps, summed
from scanmill.registration.diffeomorphic import STEPS, deform, register
from scanmill.registration.similarity import local_correlation
from scanmill.registration.transform import Transform, flow
from scanmill.volume_file import Volume
from scipy.linalg import expm
from scipy.ndimage import gaussian_filter

GRIDS = {
    "oblique": ((1.0, 1.0, 1.0), OBLIQUE["oblique"]),
    "thick slices": ((0.9, 0.9, 2.2), OBLIQUE["oblique coronal"]),
    "left-handed": ((1.3, 0.8, 1.1), OBLIQUE["oblique left-handed"]),
    "flipped": ((1.0, 1.2, 0.9), AXIS_ALIGNED["zxy-+-"]),
}


def grid_of(kind, extent=44.0, centre=CENTRE) -> Grid:
    spacing, direction = GRIDS[kind]
    size = tuple(int(n) for n in np.round(extent / np.asarray(spacing)))
    at_zero = Grid(size, spacing, (0.0, 0.0, 0.0), tuple(np.ravel(direction).tolist()))
    origin = np.asarray(centre) - at_zero.to_physical((np.asarray(size) - 1) / 2)
    return Grid(size, spacing, tuple(origin.tolist()), at_zero.direction)


def anatomy(points, seed=5) -> np.ndarray:
    """Blobs of tissue around CENTRE, at LPS points (..., 3)."""
    random = np.random.default_rng(seed)
    values = np.zeros(points.shape[:-1])
    for _ in range(70):
        place = np.asarray(CENTRE) + random.uniform(-27, 27, 3)
        apart = ((points - place) ** 2).sum(axis=-1)
        values += random.uniform(-1, 1) * np.exp(-apart / (2 * random.uniform(2.5, 6) ** 2))
    return values


def scan_of(grid, back=lambda points: points, seed=5) -> Volume:
    """The anatomy in a scan, where `back` tells where each LPS point (n, 3) lay before."""
    points = back(points_of(grid).reshape(-1, 3)).reshape(*grid.shape, 3)
    return Volume((700 + 300 * anatomy(points, seed)).astype(np.float32), grid)


def inner_points(count=400, reach=14.0) -> np.ndarray:
    return np.random.default_rng(0).uniform(-reach, reach, (count, 3)) + CENTRE


def distances(one, other) -> np.ndarray:
    return np.linalg.norm(one - other, axis=-1)


def known_affine() -> tuple[np.ndarray, np.ndarray]:
    linear = turned((5, -7, 9)) @ np.diag([1.08, 0.93, 1.05])
    linear[0, 2] += 0.06
    return linear, np.array([4.0, -3.0, 2.5])


@pytest.mark.parametrize(
    ("one", "other"), [("oblique", "thick slices"), ("flipped", "left-handed")]
)
def test_a_known_affine_map_is_found_between_different_grids(one, other):
    linear, shift = known_affine()

    def truth(points):
        return (points - CENTRE) @ linear.T + CENTRE + shift

    def back(points):
        return (points - CENTRE - shift) @ np.linalg.inv(linear).T + CENTRE

    found = register(scan_of(grid_of(one)), scan_of(grid_of(other), back))
    points = inner_points()
    assert distances(points, truth(points)).mean() > 4
    apart = distances(found.points(points), truth(points))
    assert apart.mean() < 0.3
    assert np.quantile(apart, 0.95) < 0.8


@pytest.mark.parametrize(
    ("one", "other"), [("oblique", "flipped"), ("left-handed", "thick slices")]
)
def test_a_known_smooth_warp_is_found_and_inverted(one, other):
    warp = random_warp(amplitude=1.0, wavelength=44.0, seed=3)
    fixed, moving = scan_of(grid_of(one)), scan_of(grid_of(other), warp.inverse)
    found, reverse = register(fixed, moving), register(moving, fixed)
    points = inner_points()
    truth = warp.forward(points)
    assert distances(points, truth).mean() > 1.5
    assert distances(found.points(points), truth).mean() < 0.35
    # One map and its inverse.
    assert distances(found.inverse_points(found.points(points)), points).max() < 0.1
    # Which scan is called fixed hardly matters.
    assert distances(reverse.points(found.points(points)), points).mean() < 0.35
    assert found.jacobian().min() > 0


def test_the_same_scan_stored_in_another_order_is_registered_alike():
    warp = random_warp(amplitude=1.0, wavelength=44.0, seed=8)
    fixed, moving = scan_of(grid_of("left-handed")), scan_of(grid_of("oblique"), warp.inverse)
    plain = register(fixed, moving)
    stored = Volume(*turned_array(fixed.array, fixed.grid, (2, 0, 1), (True, False, True)))
    other = Volume(*turned_array(moving.array, moving.grid, (1, 0, 2), (False, True, True)))
    points = inner_points()
    assert distances(register(stored, other).points(points), plain.points(points)).max() < 0.05


def test_scans_far_apart_are_found_by_their_content():
    away = np.array([310.0, -95.0, 40.0])
    moving = scan_of(grid_of("flipped", centre=CENTRE + away), lambda points: points - away)
    found = register(scan_of(grid_of("oblique")), moving)
    points = inner_points()
    assert distances(found.points(points), points + away).mean() < 0.2


def test_air_around_what_is_shown_is_no_lack_of_agreement():
    shift = np.array([6.0, -5.0, 4.0])

    def in_air(kind, back=lambda points: points):
        """A ball of the anatomy, a twentieth of the scan, and nothing around it."""
        grid = grid_of(kind, extent=80.0)
        inside = distances(back(points_of(grid)), CENTRE) < 18
        return Volume(np.where(inside, scan_of(grid, back).array, np.float32(700)), grid)

    found = register(in_air("oblique"), in_air("flipped", lambda points: points - shift))
    points = inner_points(reach=8.0)
    assert distances(found.points(points), points + shift).mean() < 0.3


def test_registration_is_the_same_every_time():
    fixed, moving = scan_of(grid_of("oblique", 30)), scan_of(grid_of("flipped", 30))
    one, other = register(fixed, moving), register(fixed, moving)
    assert one.affine.tobytes() == other.affine.tobytes()
    assert one.velocity.tobytes() == other.velocity.tobytes()


def test_images_come_back_onto_the_fixed_grid():
    warp = random_warp(amplitude=1.0, wavelength=44.0, seed=4)
    fixed, moving = scan_of(grid_of("oblique")), scan_of(grid_of("left-handed"), warp.inverse)
    found = register(fixed, moving)
    target = grid_of("thick slices", 24)
    values, inside = found.image(moving, target)
    assert inside.all()
    assert np.abs(values - scan_of(target).array).mean() < 0.03 * np.ptp(fixed.array)


def identity(grid) -> Transform:
    return Transform(np.eye(4), grid, np.zeros((*grid.shape, 3), np.float32))


def test_labels_are_brought_to_where_they_lie_in_space():
    grid = grid_of("left-handed")
    shift = np.eye(4)
    shift[:3, 3] = (3.0, -2.0, 5.0)
    centre = np.add(CENTRE, (4.0, -5.0, 3.0))
    ball = distances(points_of(grid), centre) < 9
    labels = Volume(np.where(ball, np.uint8(7), np.uint8(0)), grid)
    target = grid_of("flipped")
    found, inside = Transform(shift, grid, identity(grid).velocity).labels(labels, target)
    truth = distances(points_of(target), centre - shift[:3, 3]) < 9
    assert set(np.unique(found)) == {0, 7}
    assert 2 * ((found == 7) & truth).sum() / ((found == 7).sum() + truth.sum()) > 0.95
    # Where the map of labels does not reach, nothing is claimed.
    assert not inside.all()
    index = grid.to_index(points_of(target) + shift[:3, 3])
    within = ((index >= -0.5) & (index <= np.asarray(grid.size) - 0.5)).all(axis=-1)
    assert (inside == within).mean() > 0.999


@settings(max_examples=20)
@given(st.lists(st.floats(-0.02, 0.02), min_size=9, max_size=9))
def test_the_flow_of_a_linear_velocity_is_a_matrix_exponential(entries):
    matrix = np.reshape(entries, (3, 3))
    grid = Grid((33, 31, 35), (1.0, 1.0, 1.0))
    middle = (np.asarray(grid.size) - 1) / 2
    index = points_of(grid) - middle
    moved = flow((index @ matrix.T).astype(np.float32))
    truth = index @ (expm(matrix) - np.eye(3)).T
    core = (slice(10, -10),) * 3
    assert moved[core] == pytest.approx(truth[core], abs=0.02)


def test_volumes_grow_as_the_jacobian_says():
    grid = grid_of("left-handed", 30)
    middle = (np.asarray(grid.size) - 1) / 2
    z, y, x = np.indices(grid.shape)
    velocity = (np.stack([x, y, z], axis=-1) - middle) * np.array([0.1, 0.05, -0.03])
    affine = np.diag([1.2, 0.9, 1.0, 1.0])
    found = Transform(affine, grid, velocity.astype(np.float32)).jacobian()
    core = (slice(8, -8),) * 3
    assert found[core] == pytest.approx(1.2 * 0.9 * np.exp(0.12), rel=0.01)


def test_slopes_of_the_correlation_are_its_derivatives():
    random = np.random.default_rng(2)
    one, other = (
        gaussian_filter(random.standard_normal((9, 10, 11)), 1).astype(np.float32) for _ in range(2)
    )
    inside = np.ones(one.shape, bool)
    inside[:2] = False
    _, slopes, _ = local_correlation(one, other, inside)
    for place in ((5, 5, 5), (2, 0, 3), (8, 9, 10)):
        ends = []
        for step in (0.01, -0.01):
            changed = one.copy()
            changed[place] += step
            ends.append(local_correlation(changed, other, inside)[0] * one.size)
        assert slopes[place] == pytest.approx((ends[0] - ends[1]) / 0.02, rel=0.03, abs=0.02)
    assert (slopes[:2] == 0).all()


def test_averages_keep_a_constant_up_to_the_border_and_sums_count_what_is_there():
    ones = np.ones((6, 7, 8, 2), np.float32)
    assert averaged(ones, gaussian_taps(2.0)) == pytest.approx(1, abs=1e-5)
    counted = summed(ones, np.ones(3, np.float32))
    assert counted[0, 0, 0, 0] == 8
    assert counted[3, 3, 3, 1] == 27


def test_a_scan_without_contrast_is_refused():
    scan = scan_of(grid_of("oblique", 30))
    empty = Volume(np.full(scan.grid.shape, 3, np.int16), scan.grid)
    for pair in ((scan, empty), (empty, scan)):
        with pytest.raises(Refusal, match="registration-failed"):
            register(*pair)


def test_scans_that_show_nothing_in_common_are_refused():
    grid = grid_of("oblique", 30)
    random = np.random.default_rng(0)
    one, other = (Volume(random.standard_normal(grid.shape), grid) for _ in range(2))
    with pytest.raises(Refusal, match="nothing in common"):
        register(one, other)


@pytest.mark.parametrize("seed", [6, 8])
def test_scans_of_different_anatomy_are_refused(seed):
    other = scan_of(grid_of("flipped"), seed=seed)
    with pytest.raises(Refusal, match="nothing in common"):
        register(scan_of(grid_of("oblique")), other)


LOST = np.array([150.0, -90.0, 60.0])


@pytest.mark.parametrize("layers", [slice(0, 17), slice(26, 44)])
def test_a_slab_is_found_in_a_larger_scan_wherever_its_origin_says_it_lies(layers):
    scan = scan_of(grid_of("oblique"))
    part = scan.grid.crop((0, 0, layers.start), (44, 44, layers.stop - layers.start))
    stored, grid = turned_array(scan.array[layers], part, (1, 2, 0), (True, False, True))
    origin = tuple((LOST + grid.origin).tolist())
    slab = Volume(stored, Grid(grid.size, grid.spacing, origin, grid.direction))
    index = np.random.default_rng(0).uniform(4, np.subtract(part.size, 4), (99, 3))
    points = part.to_physical(index)
    assert distances(register(scan, slab).points(points), points + LOST).mean() < 0.5
    assert distances(register(slab, scan).points(points + LOST), points).mean() < 0.5


def test_where_next_to_nothing_is_to_be_gained_nothing_moves():
    grid = Grid((24, 22, 20), (2.0, 2.0, 2.0), (-23.0, -21.0, -19.0))
    z, y, x = np.indices(grid.shape)
    points = grid.to_physical(np.stack([x, y, z], axis=-1))
    # So faint that squares of what would raise the agreement vanish in 32 bits.
    faint = 1e-6 * np.exp(-((points - [1, 2, 3]) ** 2).sum(axis=-1) / 60)
    one, other = (
        [Volume(array.astype(np.float32), grid)] * len(STEPS)
        for array in (faint, faint + 1e-3 * np.roll(faint, 1, axis=0))
    )
    place = np.array([[4.0, -3.0, 2.0]])
    assert deform(one, other, np.eye(4)).points(place) == pytest.approx(place, abs=2)
