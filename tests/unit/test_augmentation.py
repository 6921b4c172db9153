"""Windows of labelled scans as networks are shown them: analytic where nothing is random."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanmill.learning.augmentation import SHIFT, TURN, drawn, lattice, linear, plain, window

SIZE = (16, 24, 20)
SHAPE = (20, 30, 26)
SLOPE = np.array([0.03, -0.02, 0.05])


def ramp(places):
    """An intensity at places [3, ...] that linear interpolation keeps."""
    return np.tensordot(SLOPE, places, 1)


IMAGE = ramp(np.indices(SHAPE)).astype(np.float32)
LABELS = (np.indices(SHAPE)[2] >= 13).astype(np.uint8)
CENTRE = np.array([9.5, 14.5, 12.5])


def seen(view, seed=0):
    return window(IMAGE, LABELS, SIZE, view, np.random.default_rng(seed))


def about_middle(size):
    return np.indices(size) - ((np.array(size) - 1) / 2).reshape(3, 1, 1, 1)


def test_the_plain_view_is_the_scan_itself():
    image, labels = seen(plain(CENTRE, SIZE))
    inner = tuple(slice(2 + k, 2 + k + n) for k, n in zip((0, 1, 1), SIZE, strict=True))
    np.testing.assert_allclose(image, IMAGE[inner], atol=1e-5)
    np.testing.assert_array_equal(labels, LABELS[inner])


def test_a_turned_and_scaled_view_shows_the_turned_and_scaled_place():
    turn = np.radians(10)
    matrix = np.array(
        [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
    )
    view = dataclasses.replace(plain(CENTRE, SIZE), matrix=0.7 * matrix)
    image, labels = seen(view)
    places = np.einsum("ij,j...->i...", view.matrix, about_middle(SIZE))
    places += CENTRE.reshape(3, 1, 1, 1)
    np.testing.assert_allclose(image, ramp(places), atol=1e-4)
    np.testing.assert_array_equal(labels, np.rint(places[2].astype(np.float32)) >= 13)


def test_equal_knots_move_every_voxel_by_as_much():
    view = plain(CENTRE, SIZE)
    move = np.array([0.5, -1.0, 0.25])
    view.knots[:3] = move.reshape(3, 1, 1, 1)
    image, _ = seen(view)
    unmoved, _ = seen(plain(CENTRE, SIZE))
    np.testing.assert_allclose(image - unmoved, SLOPE @ move, atol=1e-4)


def test_knots_on_a_line_bend_linearly():
    """Cubic B-splines reproduce a line, here one along the last axis from -1 to 1 over the window."""
    view = plain(CENTRE, SIZE)
    count = lattice(SIZE)[2]
    ends = (count - 3) / 2
    view.knots[1] = (np.arange(count) - 1 - ends) / ends
    image, _ = seen(view)
    unmoved, _ = seen(plain(CENTRE, SIZE))
    expected = SLOPE[1] * np.linspace(-1, 1, SIZE[2])
    np.testing.assert_allclose(image - unmoved, np.broadcast_to(expected, SIZE), atol=1e-4)


def test_beyond_the_scan_all_is_zero():
    view = dataclasses.replace(
        plain(CENTRE + np.array([12, 0, 0]), SIZE), brightness=0.5, noise=0.1, blur=1.0
    )
    image, labels = seen(view)
    # The window's first layer is 14 of the scan's 20: six layers lie in it.
    assert not image[6:].any() and not labels[6:].any()
    assert (image[:6] != 0).mean() > 0.99 and labels[:6].any()


def test_intensities_change_as_the_view_says():
    base, _ = seen(plain(CENTRE, SIZE))
    changed, _ = seen(dataclasses.replace(plain(CENTRE, SIZE), contrast=1.2, brightness=0.3))
    np.testing.assert_allclose(changed, 1.2 * base + 0.3, atol=1e-5)
    bent, _ = seen(dataclasses.replace(plain(CENTRE, SIZE), gamma=1.5))
    np.testing.assert_allclose([bent.min(), bent.max()], [base.min(), base.max()], atol=1e-5)
    assert (bent[1:-1] < base[1:-1] + 1e-5).all()
    noisy, _ = seen(dataclasses.replace(plain(CENTRE, SIZE), noise=0.2))
    assert np.std(noisy - base) == pytest.approx(0.2, rel=0.03)


def test_a_blur_is_of_the_sd_that_the_view_says():
    image = np.zeros(SHAPE, np.float32)
    image[10, 15, 13] = 1
    view = dataclasses.replace(plain(np.array([9.5, 14.5, 12.5]), SIZE), blur=1.0)
    spread, _ = window(image, LABELS, SIZE, view, np.random.default_rng(0))
    assert spread.sum() == pytest.approx(1, abs=1e-3)
    for axis in range(3):
        profile = spread.sum(axis=tuple(a for a in range(3) if a != axis))
        places = np.arange(SIZE[axis])
        middle = (profile * places).sum()
        assert (profile * (places - middle) ** 2).sum() == pytest.approx(1, rel=0.02)


@given(st.integers(0, 2**32 - 1))
def test_no_left_is_made_right_and_a_seed_tells_all(seed):
    one, other = (drawn(np.random.default_rng(seed), CENTRE, SIZE) for _ in range(2))
    np.testing.assert_array_equal(one.knots, other.knots)
    np.testing.assert_array_equal(one.matrix, other.matrix)
    scales = np.linalg.norm(one.matrix, axis=0)
    assert scales.min() > 0.3 and scales.max() < 3
    rotation = one.matrix / scales
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) > 0
    # Three turns of at most TURN each, one after the other.
    assert np.degrees(np.arccos((np.trace(rotation) - 1) / 2)) < 3 * TURN
    assert np.abs(one.centre - CENTRE).max() <= SHIFT


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_linear_interpolation_keeps_a_ramp(parts):
    places = (np.array(parts) * (np.array(SHAPE) - 1)).reshape(3, 1)
    found, inside = linear(IMAGE, places)
    assert inside.all()
    np.testing.assert_allclose(found, ramp(places), atol=1e-4)
