"""Random walks against what is known of them in closed form."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scanmill.segmentation.random_walk import (
    ELSEWHERE,
    FREE,
    SEED,
    WALL,
    Walk,
    local_noise,
)
from scipy.ndimage import gaussian_filter

FLAT = (1.0, 1.0, 1.0)


def walked(image, places, noise=FLAT, spacing=(1.0, 1.0, 1.0), prior=None) -> np.ndarray:
    """The probability of each voxel, by edges alone without a prior; 1 in seeds, 0 elsewhere."""
    walk = Walk.over(image, places, noise, spacing)
    found = (places == SEED).astype(float)
    found[walk.free] = walk.probabilities(
        None if prior is None else prior[walk.free], np.zeros(np.count_nonzero(walk.free))
    )
    return found


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_between_two_ends_chances_fall_evenly(axis):
    shape = [1, 1, 1]
    shape[axis] = 12
    places = np.full(shape, FREE, np.uint8)
    places.reshape(-1)[0], places.reshape(-1)[-1] = SEED, ELSEWHERE
    found = walked(np.zeros(shape), places, spacing=(0.7, 1.3, 2.9)).ravel()
    np.testing.assert_allclose(found, np.linspace(1, 0, 12), atol=2e-3)


def test_an_edge_takes_of_the_way_what_its_conductance_says():
    image = np.array([[[0, 0, 0, 1.5, 1.5, 1.5]]])
    places = np.array([[[SEED, FREE, FREE, FREE, FREE, ELSEWHERE]]], np.uint8)
    # Four steps of resistance 1, and one of exp(1.5^2).
    edge = np.exp(2.25)
    expected = 1 - np.array([0, 1, 2, 2 + edge, 3 + edge, 4 + edge]) / (4 + edge)
    np.testing.assert_allclose(walked(image, places).ravel(), expected, atol=2e-3)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 2.5), (3.0, 1.2, 0.8)])
def test_walks_spread_as_far_in_mm_along_thick_voxels(spacing):
    """Between two balls, a / r and c / r solve Laplace's equation, whatever the voxels."""
    inner, outer = 4.0, 16.0
    half = np.ceil(18 / np.array(spacing)).astype(int)
    z, y, x = (np.arange(-n, n + 1) * s for n, s in zip(half[::-1], spacing[::-1], strict=True))
    r = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    places = np.where(r <= inner, SEED, np.where(r >= outer, ELSEWHERE, FREE)).astype(np.uint8)
    found = walked(np.zeros(r.shape), places, spacing=spacing)
    truth = (1 / r.clip(inner, outer) - 1 / outer) / (1 / inner - 1 / outer)
    far = (r > inner + 2) & (r < outer - 2)
    # Steps in the balls' surfaces move the chances by part of a voxel, the same along every axis.
    assert np.abs(found - truth)[far].max() < 0.09
    along = [
        np.interp(9.0, t[t >= 0], found[where][t >= 0])
        for t, where in zip(
            (z, y, x),
            np.s_[
                (slice(None), half[1], half[0]),
                (half[2], slice(None), half[0]),
                (half[2], half[1], slice(None)),
            ],
            strict=True,
        )
    ]
    assert np.ptp(along) < 0.05


def test_the_background_and_a_rival_share_what_the_structure_leaves():
    random = np.random.default_rng(3)
    image = random.normal(0, 1, (7, 8, 9))
    places = np.full(image.shape, FREE, np.uint8)
    ends = random.choice(image.size, 12, replace=False)
    total = np.zeros(image.shape)
    for own in np.split(ends, 3):
        places.reshape(-1)[ends] = ELSEWHERE
        places.reshape(-1)[own] = SEED
        total += walked(image, places)
    np.testing.assert_allclose(total, 1, atol=5e-3)


def test_no_walk_goes_through_a_wall():
    places = np.full((5, 6, 9), FREE, np.uint8)
    places[:, :, 4] = WALL
    places[2, 2, 0], places[2, 2, 3], places[0, 0, 8] = SEED, ELSEWHERE, ELSEWHERE
    found = walked(np.zeros(places.shape), places)
    assert (found[:, :, 5:] == 0).all() and found[2, 2, 1] > 0.5


def test_a_prior_alone_decides_where_no_walk_ends():
    places = np.full((6, 6, 6), FREE, np.uint8)
    walk = Walk.over(np.zeros(places.shape), places, FLAT, FLAT)
    prior = np.full(places.size, 0.3)
    np.testing.assert_allclose(walk.probabilities(prior, np.zeros(places.size)), 0.3, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
@example(seed=2056, order=[0, 1, 2], flips=(False, False, True))
def test_turned_and_mirrored_scans_get_the_same_chances(seed, order, flips):
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(2, 7, 3))
    spacing = np.array(random.uniform(0.5, 3, 3))
    image = random.normal(0, 2, shape)
    places = random.choice([FREE, FREE, FREE, WALL, ELSEWHERE, SEED], shape).astype(np.uint8)
    noise = np.array(random.uniform(0.5, 3, 3))
    prior = random.uniform(0, 1, shape)
    mirrored = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    moved = np.ascontiguousarray(image[mirrored].transpose(order))
    moved_places = np.ascontiguousarray(places[mirrored].transpose(order))
    expected = walked(image, places, tuple(noise), tuple(spacing), prior)
    found = walked(
        moved,
        moved_places,
        tuple(noise[::-1][list(order)][::-1]),
        tuple(spacing[::-1][list(order)][::-1]),
        prior[mirrored].transpose(order),
    )
    np.testing.assert_allclose(found, expected[mirrored].transpose(order), atol=1e-3)


def test_local_noise_are_those_of_noise_whatever_the_edges():
    random = np.random.default_rng(5)
    image = random.normal(0, 7, (40, 40, 40))
    image[12:30, 10:33, 8:35] += 300
    found = local_noise(image, np.ones(image.shape, bool))
    np.testing.assert_allclose(found, 7, rtol=0.05)
    # Slices between by interpolation differ less along their axis, edges as well as noise.
    thick = np.repeat(image, 2, axis=0)
    thick[1:-1:2] = (thick[0:-2:2] + thick[2::2]) / 2
    x, y, z = local_noise(thick, np.ones(thick.shape, bool))
    assert z < 0.7 * min(x, y)


def test_smooth_noise_is_more_than_neighbours_differ_by_and_texture_adds_little():
    random = np.random.default_rng(6)
    everywhere = np.ones((40, 40, 40), bool)
    white = random.normal(0, 7, everywhere.shape)
    smooth = gaussian_filter(white, 1.5)
    of_neighbours = 1.4826 / 2**0.5 * np.median(np.abs(np.diff(smooth, axis=0)))
    found = local_noise(smooth, everywhere)
    assert 1.5 < min(found) / of_neighbours < 2.1
    assert max(found) < 1.3 * smooth.std()
    # As fine again as the noise, and over a few voxels.
    texture = 7 * smooth / smooth.std()
    np.testing.assert_allclose(local_noise(white[::-1] + texture, everywhere), 7, rtol=0.3)
    # Slopes along one axis alone, as between interpolated slices, are no smooth noise.
    thick = np.repeat(white, 2, axis=0)
    thick[1:-1:2] = (thick[0:-2:2] + thick[2::2]) / 2
    x, y, _ = local_noise(thick, np.ones(thick.shape, bool))
    np.testing.assert_allclose((x, y), 7 * 0.85, rtol=0.15)


def test_a_scan_without_noise_or_contrast_has_differences_too():
    step = np.zeros((4, 5, 6))
    assert local_noise(step, np.ones(step.shape, bool)) == (1, 1, 1)
    step[:, :, 3:] = 500
    assert local_noise(step, np.ones(step.shape, bool)) == pytest.approx((0.5, 0.5, 0.5))


def test_walks_settle_where_noise_cuts_off_nearly_every_voxel():
    random = np.random.default_rng(11)
    image = np.cumsum(random.normal(0, 4, (30, 40, 50)), axis=1)
    places = np.full(image.shape, FREE, np.uint8)
    places[0], places[-1] = SEED, ELSEWHERE
    found = walked(image, places)
    assert ((found >= 0) & (found <= 1)).all() and found[1].mean() > found[-2].mean() + 0.5
