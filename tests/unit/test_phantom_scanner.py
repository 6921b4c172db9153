"""What a scanner adds: each part against its own analytic law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.phantom.artefacts import cut_to_circle, with_body, with_motion, with_ring
from scanmill.phantom.body import Box, sphere
from scanmill.phantom.description import grid_of, samples_of
from scanmill.phantom.fields import bias_field, correlated_field
from scanmill.phantom.noise import add_kernel_noise, kernel_noise, rician
from scanmill.phantom.point_spread import LATTICE, SAMPLES, SD_OF_FWHM, Profile
from scanmill.phantom.rendering import occupancy
from scipy.special import ndtr
from scipy.stats import rice

OBLIQUE = {"centre": [20.0, -35.0, 70.0], "axes": "PIL", "turn": [12, -20, 8]}


def described(size, spacing):
    return OBLIQUE | {"size": size, "spacing": spacing}


# Point spread.

profiles = st.builds(Profile, st.floats(0.1, 8), st.just(0.0) | st.floats(0.05, 6))


@settings(max_examples=50, deadline=None)
@given(profile=profiles, uniform=st.floats(-0.49, 0.49))
def test_places_spread_like_the_profile(profile, uniform):
    numbers = np.append(np.arange(-2000, 2001) / 4001, uniform)
    places = profile.spread(numbers)
    assert profile.edge(places[-1]) == pytest.approx(uniform + 0.5, abs=2e-3)
    assert places.std() == pytest.approx(profile.sd, rel=1e-9)
    assert profile.edge(-50.0) == pytest.approx(0) and profile.edge(50.0) == pytest.approx(1)


def test_the_edge_response_is_the_integral_of_a_blurred_box():
    x = np.linspace(-9, 9, 18_001)
    box = np.where(np.abs(x) < 2, 1 / 4, 0.0)
    sd = 3 * SD_OF_FWHM
    blur = np.exp(-((x / sd) ** 2) / 2)
    blurred = np.convolve(box, blur / blur.sum(), "same")
    expected = np.cumsum(blurred) * (x[1] - x[0])
    assert Profile(4, 3).edge(x) == pytest.approx(expected, abs=1e-3)
    assert Profile(0, 3).edge(x) == pytest.approx(ndtr(x / sd))
    assert Profile(4, 0).edge([-2, -1, 0, 3]) == pytest.approx([0, 0.25, 0.5, 1])
    assert Profile(4, 1e-9).edge([-1.0]) == pytest.approx([0.25])


def test_a_profile_of_no_width_is_refused():
    for box, fwhm in ((0, 0), (-1, 1), (1, -1)):
        with pytest.raises(ValueError):
            Profile(box, fwhm)


@pytest.mark.parametrize("shape", ["box", "gaussian"])
@pytest.mark.parametrize("thickness", [2.0, 4.0, 7.0])
def test_a_face_across_thick_slices_is_seen_as_the_slice_profile_says(shape, thickness):
    # Slices 4 mm apart: with gaps, touching, and overlapping; the grid oblique, its axes permuted.
    scan = {
        "grid": described([6, 6, 16], [1.2, 1.5, 4.0]),
        "scanner": {"fwhm": 1.0, "thickness": thickness, "profile": shape},
    }
    grid = grid_of(scan["grid"])
    middle = grid.to_physical(np.array([2.5, 2.5, 7.7]))
    block = Box(size=(400, 400, 400), centre=tuple(middle), rotation=grid.direction)
    face = middle - np.reshape(grid.direction, (3, 3))[:, 2] * 200
    beyond = Box(size=(400, 400, 400), centre=tuple(face), rotation=grid.direction)
    assert (occupancy(block, grid) == SAMPLES).all()
    seen = occupancy(beyond, grid, samples_of(scan))[:, 3, 3] / SAMPLES
    profile = Profile(thickness) if shape == "box" else Profile(0, thickness)
    expected = profile.edge((7.7 - np.arange(16)) * 4.0)
    assert seen == pytest.approx(expected, abs=1 / SAMPLES)


def test_a_face_across_the_plane_is_blurred_by_box_and_gaussian():
    scan = {
        "grid": described([16, 5, 4], [0.8, 1.0, 3.0]),
        "scanner": {"fwhm": 1.7, "thickness": 3.0, "profile": "box"},
    }
    grid = grid_of(scan["grid"])
    face = grid.to_physical(np.array([7.3, 2, 1.5])) - np.reshape(grid.direction, (3, 3))[:, 0] * 99
    half = Box(size=(198, 198, 198), centre=tuple(face), rotation=grid.direction)
    seen = occupancy(half, grid, samples_of(scan))[2, 2] / SAMPLES
    expected = Profile(0.8, 1.7).edge((7.3 - np.arange(16)) * 0.8)
    assert seen == pytest.approx(expected, abs=1.5 / SAMPLES)


def test_without_a_scanner_a_voxel_averages_over_its_own_box():
    plain = {"grid": described([9, 9, 9], [1.0, 1.0, 2.0])}
    own = plain | {"scanner": {"fwhm": 0.0, "thickness": 2.0, "profile": "box"}}
    assert samples_of(plain) is LATTICE
    assert samples_of(own) == pytest.approx(LATTICE, abs=1e-4)


def test_blurring_keeps_the_volume_where_slices_neither_gap_nor_overlap():
    scan = {
        "grid": described([40, 40, 24], [1.0, 1.1, 2.0]),
        "scanner": {"fwhm": 2.5, "thickness": 2.0, "profile": "box"},
    }
    grid, body = grid_of(scan["grid"]), sphere(9, (21.0, -34.0, 69.0))
    seen = occupancy(body, grid, samples_of(scan)).sum(dtype=float) / SAMPLES * grid.voxel_volume
    assert seen == pytest.approx(body.volume, rel=1e-3)


# Fields.


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.3, 4.0)])
def test_a_texture_has_its_variance_and_its_correlation_along_every_axis(spacing):
    size, length = (128, 96, 64), 3.0
    field = np.mean(
        [np.stack(correlations(size, spacing, length, seed)) for seed in range(6)], axis=0
    )
    assert field[0, 0] == pytest.approx(1, rel=0.05)
    for axis in range(3):
        steps = np.arange(4) * spacing[axis]
        assert field[axis] / field[axis, 0] == pytest.approx(
            np.exp(-((steps / length) ** 2)), abs=0.05
        )


def correlations(size, spacing, length, seed):
    """Mean products of a field with itself 0 to 3 voxels on, along x, y and z."""
    field = correlated_field(Grid(size, spacing, (50.0, -20.0, 7.0)), length, seed)
    return [
        [np.mean(field * np.roll(field, k, axis=2 - axis)) for k in range(4)] for axis in range(3)
    ]


def test_a_texture_finer_than_the_voxels_is_white():
    field = correlated_field(Grid((60, 60, 60), (2.0, 2.0, 2.0)), 1e-3, 4)
    assert field.std() == pytest.approx(1, rel=0.01)
    assert np.mean(field[1:] * field[:-1]) == pytest.approx(0, abs=0.01)


@settings(max_examples=20, deadline=None)
@given(amplitude=st.floats(0.01, 0.9), seed=st.integers(0, 999))
def test_a_bias_field_has_its_amplitude_and_is_smooth(amplitude, seed):
    grid = grid_of(described([20, 24, 16], [3.0, 2.5, 4.0]))
    field = bias_field(grid, amplitude, seed)
    assert field.max() == pytest.approx(1 + amplitude)
    assert field.min() == pytest.approx(1 - amplitude)
    steepest = max(
        np.abs(np.diff(field, axis=2 - axis)).max() / grid.spacing[axis] for axis in range(3)
    )
    diagonal = np.linalg.norm(np.multiply(grid.size, grid.spacing))
    assert steepest < 20 * amplitude / diagonal


def test_a_bias_field_lies_in_physical_space():
    fine = grid_of(described([41, 33, 21], [1.5, 1.5, 2.0]))
    first = bias_field(fine, 0.4, 6)
    # The same block of space, read in another order.
    flipped = Grid(
        fine.size,
        fine.spacing,
        tuple(fine.to_physical(np.array([40, 32, 0]))),
        tuple((np.reshape(fine.direction, (3, 3)) * (-1, -1, 1)).ravel()),
    )
    assert bias_field(flipped, 0.4, 6) == pytest.approx(first[:, ::-1, ::-1])
    with pytest.raises(ValueError):
        bias_field(fine, 1.0, 6)


# Noise.


@pytest.mark.parametrize("amplitude", [0.0, 20.0, 60.0, 400.0])
def test_rician_noise_has_the_moments_of_rices_distribution(amplitude):
    sigma = 20.0
    noisy = rician(np.full((50, 60, 70), amplitude), sigma, np.random.default_rng(5))
    mean, variance = rice.stats(amplitude / sigma, scale=sigma)
    assert noisy.mean() == pytest.approx(mean, abs=5 * sigma / np.sqrt(noisy.size))
    assert noisy.std() == pytest.approx(np.sqrt(variance), rel=0.01)


def test_noise_of_a_kernel_has_unit_variance_and_the_kernels_spectrum():
    spacing, peak = (0.7, 0.9, 3.0), 0.25
    noise = kernel_noise((60, 128, 144), spacing, peak, np.random.default_rng(2))
    assert noise.std() == pytest.approx(1, rel=0.01)
    assert noise.mean(axis=(1, 2)) == pytest.approx(np.zeros(60), abs=1e-12)
    assert np.mean(noise[1:] * noise[:-1]) == pytest.approx(0, abs=0.01)
    power = np.mean(np.abs(np.fft.fft2(noise)) ** 2, axis=0)
    frequency = np.hypot(np.fft.fftfreq(128, 0.9)[:, None], np.fft.fftfreq(144, 0.7))
    edges = np.linspace(0.02, 0.5, 13)
    band = np.digitize(frequency, edges)
    found = np.array([power[band == b].mean() for b in range(1, len(edges))])
    law = frequency * np.exp(-frequency / peak)
    expected = np.array([law[band == b].mean() for b in range(1, len(edges))])
    assert found / found.sum() == pytest.approx(expected / expected.sum(), rel=0.05)


def test_kernel_noise_is_stored_in_whole_hu_with_its_sigma():
    noisy = add_kernel_noise(np.full((20, 64, 64), 55.0), (1.0, 1.0, 2.0), 14, 0.3, seed=3)
    assert noisy.dtype == np.int16
    assert noisy.std() == pytest.approx(np.sqrt(196 + 1 / 12), rel=0.02)
    assert noisy.mean() == pytest.approx(55, abs=0.05)


# Artefacts.


def test_a_ring_lies_about_the_middle_of_the_slices_whatever_the_pixels():
    grid = Grid((60, 40, 3), (0.8, 1.5, 2.0), (-11.0, 33.0, 8.0))
    added = with_ring(np.zeros(grid.shape), grid, radius=15, width=3, amplitude=25)
    hit = np.argwhere(added[1] > 0)[:, ::-1]
    apart = (hit - (np.array(grid.size[:2]) - 1) / 2) * grid.spacing[:2]
    radii = np.linalg.norm(apart, axis=1)
    assert radii.min() >= 13.5 and radii.max() <= 16.5
    assert np.count_nonzero(added[1]) * 1.2 == pytest.approx(2 * np.pi * 15 * 3, rel=0.03)
    assert set(np.unique(added)) == {0, 25}


def test_a_round_field_of_view_has_its_area():
    grid = Grid((90, 70, 2), (0.7, 1.0, 2.0), (5.0, 6.0, 7.0))
    cut = cut_to_circle(np.full(grid.shape, 40.0), grid, diameter=50, padding=-2000)
    assert np.count_nonzero(cut[0] == 40) * 0.7 == pytest.approx(np.pi * 25**2, rel=0.01)
    assert (cut[:, 0, 0] == -2000).all()


def test_a_table_replaces_the_air_that_it_fills():
    grid = grid_of(described([30, 30, 20], [1.0, 1.2, 2.0]))
    table = Box(size=(12.4, 3.3, 9), centre=tuple(OBLIQUE["centre"]), rotation=grid.direction)
    image = with_body(np.full(grid.shape, -1000.0), grid, table, 150.0)
    assert image.max() == pytest.approx(150)
    assert (image + 1000).sum() * grid.voxel_volume == pytest.approx(1150 * table.volume, rel=0.01)


@pytest.mark.parametrize("axis", [0, 1])
def test_ghosts_of_a_small_motion_lie_one_motion_period_apart(axis):
    grid = Grid((64, 48, 2), (1.5, 2.0, 3.0))
    image = np.zeros(grid.shape)
    image[:, 20:26, 30:36] = 100
    ghosts = with_motion(image, grid, axis, displacement=1.0, cycles=12) - image
    strength = np.abs(ghosts[0]).sum(axis=axis)
    at = 30 if axis == 0 else 20
    ghost = np.flatnonzero(strength > 0.1 * strength.max()) - at
    # Copies 12 voxels to both sides, and the moving edges themselves.
    assert {-12, 12} <= set(ghost.tolist())
    assert strength[at + 8] < 0.1 * strength[at + 12]
    still = with_motion(image, grid, axis, displacement=0.0, cycles=12)
    assert still == pytest.approx(image, abs=1e-9)
