"""The noise of scans whose noise is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.noise_level import noise_level, noise_sd
from scanmill.phantom.fields import correlated_field
from scanmill.phantom.noise import add_noise, kernel_noise

BLOCK = Grid((72, 66, 40), (0.9, 0.9, 2.5))


def three_tissues(levels) -> np.ndarray:
    """Slabs at an angle to the axes, so that blocks with an edge occur in all slices."""
    z, y, x = np.indices(BLOCK.shape)
    place = x + 0.6 * y + 0.8 * z
    return np.choose(np.digitize(place, np.quantile(place, [0.45, 0.7])), levels).astype(float)


@given(
    st.integers(0, 1 << 30),
    st.floats(2, 40),
    st.permutations(range(3)),
    st.tuples(*[st.booleans()] * 3),
)
def test_the_sd_of_white_noise_is_found_in_every_order_of_the_axes(seed, sigma, order, flips):
    image = add_noise(three_tissues((-1000, 0, 60)), "CT", sigma, seed)
    stored = image[tuple(slice(None, None, -1 if f else 1) for f in flips)].transpose(order)
    spacing = tuple(np.array((2.5, 0.9, 0.9))[list(order)][::-1].tolist())
    found = noise_level(stored, spacing)
    assert found.sd == pytest.approx(sigma, rel=0.06)
    assert found.distribution == "gaussian"
    assert found.white


def test_mr_noise_is_that_of_the_channels():
    found = noise_level(add_noise(three_tissues((0, 200, 300)), "MR", 20, 1), BLOCK.spacing)
    assert found.distribution == "rician"
    assert found.sd == pytest.approx(20, rel=0.03)


def test_a_background_that_was_cut_to_zero_is_not_taken_for_noise():
    image = add_noise(three_tissues((0, 400, 600)), "MR", 20, 1)
    image[three_tissues((0, 400, 600)) == 0] = 0
    found = noise_level(image, BLOCK.spacing)
    assert found.distribution == "gaussian"
    assert found.sd == pytest.approx(20, rel=0.05)


@pytest.mark.parametrize("peak", [0.2, 0.4, 0.7])
def test_noise_of_reconstruction_kernels_is_found(peak):
    noise = kernel_noise(BLOCK.shape, BLOCK.spacing, peak, np.random.default_rng(2))
    assert noise_sd(100 + 25 * noise, BLOCK.spacing) == pytest.approx(25, rel=0.06)


@pytest.mark.parametrize("length", [1.0, 1.5, 2.0])
def test_correlated_noise_is_found_and_said(length):
    cube = Grid((72, 66, 40), (1.0, 1.0, 1.0))
    found = noise_level(100 + 25 * correlated_field(cube, length, 3), cube.spacing)
    assert found.sd == pytest.approx(25, rel=0.07)
    truth = np.exp(-(length**-2))
    assert found.in_plane == pytest.approx(truth, abs=0.05)
    assert found.between_slices == pytest.approx(truth, abs=0.05)
    assert not found.white


def test_a_scan_without_noise_has_none():
    assert noise_sd(three_tissues((-1000, 0, 60)).astype(np.int16), BLOCK.spacing) == 0
    assert noise_sd(np.zeros((3, 4, 5), np.int16), (1.0, 1.0, 1.0)) == 0


def test_anatomy_in_most_blocks_is_not_taken_for_noise():
    folds = 300 + 80 * np.sign(correlated_field(BLOCK, 4, 5))
    folds[:, :, :20] = 380
    found = noise_sd(add_noise(folds, "CT", 10, 6), BLOCK.spacing)
    assert found == pytest.approx(10, rel=0.1)
