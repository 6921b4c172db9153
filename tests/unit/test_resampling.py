"""Images on isotropic grids: exact where they are linear, held to the scan's values, averaged where
the grid is coarse."""

import numpy as np
import pytest
from bodies import OBLIQUE, points_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.resampling import resample_image
from scanmill.volume_file import Volume
from scipy import ndimage
from test_grid import directions

SLOPE = np.array([3.0, -2.0, 0.5])
spacings = st.tuples(*[st.floats(0.4, 4)] * 3)


def grid_of(size, spacing, direction=None) -> Grid:
    direction = np.eye(3) if direction is None else direction
    return Grid(size, spacing, (-31.5, 120.25, 700.0), tuple(np.ravel(direction).tolist()))


def ramp(grid) -> np.ndarray:
    return points_of(grid) @ SLOPE


@settings(max_examples=25)
@given(spacings, st.floats(0.4, 4), directions())
def test_a_linear_ramp_is_kept_in_physical_space(spacing, target_spacing, direction):
    grid = grid_of((14, 12, 13), spacing, direction)
    target = grid.isotropic(target_spacing)
    image = resample_image(Volume(ramp(grid), grid), target)
    assert image.grid == target
    # Near the border the outermost values continue, and averages reach over it.
    reach = target_spacing + max(spacing)
    index = grid.to_index(points_of(target))
    margin = reach / np.asarray(spacing)
    inner = ((index >= margin) & (index <= np.asarray(grid.size) - 1 - margin)).all(axis=-1)
    assert image.array[inner] == pytest.approx(ramp(target)[inner], abs=1e-6)


@settings(max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["u1", "i2", "u2", "i4", "f4"]),
    spacings,
    st.floats(0.4, 4),
)
def test_values_stay_within_the_range_of_the_scan(seed, dtype, spacing, target_spacing):
    grid = grid_of((9, 8, 7), spacing)
    kind = np.dtype(dtype)
    ends = np.finfo("f2") if kind.kind == "f" else np.iinfo(kind)
    random = np.random.default_rng(seed)
    array = np.where(random.random(grid.shape) < 0.5, ends.min, ends.max).astype(kind)
    result = resample_image(Volume(array, grid), grid.isotropic(target_spacing)).array
    assert result.dtype == kind
    assert result.min() >= array.min()
    assert result.max() <= array.max()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), spacings, st.floats(0.4, 4))
def test_values_lie_within_those_scanned_around_them(seed, spacing, target_spacing):
    grid = grid_of((7, 6, 5), spacing, OBLIQUE["oblique"])
    array = np.random.default_rng(seed).normal(0, 100, grid.shape)
    target = grid.isotropic(min(target_spacing, *spacing))
    image = resample_image(Volume(array, grid), target).array
    index = np.clip(grid.to_index(points_of(target)), 0, np.asarray(grid.size) - 1)
    low = np.clip(np.floor(index + 1e-9).astype(int), 0, np.asarray(grid.size) - 2)
    x, y, z = np.moveaxis(low, -1, 0)
    cell = [array[z + k, y + j, x + i] for k in (0, 1) for j in (0, 1) for i in (0, 1)]
    assert (image >= np.min(cell, axis=0) - 1e-4).all()
    assert (image <= np.max(cell, axis=0) + 1e-4).all()


@pytest.mark.parametrize("direction", OBLIQUE.values(), ids=OBLIQUE)
def test_where_voxels_coincide_the_scans_own_values_stay(direction):
    # An odd number of the finer voxels to each of the coarser: every third, fifth or first coincides.
    grid = grid_of((7, 8, 5), (0.75, 1.25, 0.25), direction)
    array = np.random.default_rng(3).normal(0, 100, grid.shape)
    image = resample_image(Volume(array, grid), grid.isotropic(0.25)).array
    assert np.array_equal(image[:, 2::5, 1::3], array)


@pytest.mark.parametrize("value", [-32768, -1000, -1, 1, 32767])
def test_a_constant_stays_constant(value):
    grid = grid_of((9, 8, 7), (0.9, 0.9, 3.3))
    for array in (np.full(grid.shape, value, np.int16), np.full(grid.shape, value / 7, np.float32)):
        for spacing in (0.7, 1.4, 5.0):
            result = resample_image(Volume(array, grid), grid.isotropic(spacing)).array
            assert (result == array[0, 0, 0]).all()


def test_large_integers_keep_every_digit():
    grid = grid_of((5, 6, 7), (0.9, 0.9, 3.3))
    for value in (2**31 - 1, -(2**31), 123456789):
        image = Volume(np.full(grid.shape, value, np.int32), grid)
        assert (resample_image(image, grid.isotropic(0.7)).array == value).all()


def test_integers_are_rounded_to_nearest_on_both_sides_of_zero():
    grid = grid_of((40, 40, 41), (1.0, 1.0, 1.0), OBLIQUE["oblique"])
    target = grid.isotropic(0.7)
    exact = np.random.default_rng(1).integers(-20, 20, grid.shape)
    as_float = resample_image(Volume(exact.astype(float), grid), target).array
    as_int = resample_image(Volume(exact.astype(np.int16), grid), target).array
    away = as_int - as_float
    assert np.abs(away).max() <= 0.5 + 1e-9
    for side in (as_float < -1, as_float > 1):
        assert abs(away[side].mean()) < 0.005


def test_detail_finer_than_the_target_is_averaged_and_not_aliased():
    grid = grid_of((60, 60, 60), (0.5, 0.5, 0.5), OBLIQUE["oblique left-handed"])
    z, y, x = np.indices(grid.shape)
    checkerboard = np.where((x + y + z) % 2, 1000.0, -1000.0)
    coarse = resample_image(Volume(checkerboard, grid), grid.isotropic(2.0)).array
    assert np.abs(coarse[1:-1, 1:-1, 1:-1]).max() < 20
    stripes = np.where(x % 2, 1000.0, -1000.0)
    coarse = resample_image(Volume(stripes, grid), grid.isotropic(1.5)).array
    # Whole voxels of three stripes each would leave a third.
    assert np.abs(coarse[:, :, 1:-1]).max() < 1000 / 3


def test_noise_is_reduced_as_by_voxels_of_that_size():
    grid = grid_of((80, 80, 80), (0.5, 0.5, 0.5))
    noise = np.random.default_rng(2).normal(0, 1, grid.shape)
    coarse = resample_image(Volume(noise, grid), grid.isotropic(2.0)).array
    assert coarse.std() == pytest.approx(1 / np.sqrt(4**3), rel=0.15)


@pytest.mark.parametrize("spacing", [0.6, 0.9, 1.5, 3.7])
@pytest.mark.parametrize("direction", OBLIQUE.values(), ids=OBLIQUE)
def test_the_mean_intensity_of_a_body_is_kept(spacing, direction):
    grid = grid_of((60, 64, 24), (0.8, 0.8, 2.5), direction)
    lps = points_of(grid) - grid.to_physical((np.asarray(grid.size) - 1) / 2)
    body = 1000 * np.exp(-((lps / 9) ** 2).sum(axis=-1))
    image = resample_image(Volume(body, grid), grid.isotropic(spacing))
    total = image.array.sum() * image.grid.voxel_volume
    # Its peak lies between slices, and is held to what was scanned.
    assert total == pytest.approx(body.sum() * grid.voxel_volume, rel=3e-3)
    middle = np.average(points_of(image.grid).reshape(-1, 3), axis=0, weights=image.array.ravel())
    assert middle == pytest.approx(grid.to_physical((np.asarray(grid.size) - 1) / 2), abs=0.01)


def test_the_same_grid_gives_the_same_values():
    grid = grid_of((4, 5, 6), (0.8, 0.8, 0.8))
    array = np.arange(120, dtype=np.int16).reshape(grid.shape)
    assert np.array_equal(resample_image(Volume(array, grid), grid.isotropic(0.8)).array, array)


def test_a_scan_of_one_slice_is_continued_over_its_thickness():
    grid = grid_of((6, 6, 1), (1.0, 1.0, 5.0))
    array = np.arange(36, dtype=np.int16).reshape(grid.shape)
    result = resample_image(Volume(array, grid), grid.isotropic(1.0)).array
    assert result.shape == (5, 6, 6)
    assert (result == array).all()


@pytest.mark.parametrize(("spacing", "least"), [((1.0, 1.0, 5.0), -4.5), ((2.0, 2.0, 5.0), -8.5)])
@pytest.mark.parametrize("turned", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_small_ball_in_thick_slices_keeps_its_volume(spacing, least, turned):
    """turned: which axis of the ball's grid lies along z, y and x."""
    size = tuple(int(40 / s) for s in spacing)
    cells = Grid(tuple(n * 5 for n in size), tuple(s / 5 for s in spacing), (-20.3, -19.8, -20.4))
    ball = np.linalg.norm(points_of(cells), axis=-1) <= 8
    filled = ball.reshape(size[2], 5, size[1], 5, size[0], 5).mean(axis=(1, 3, 5))
    filled = filled.transpose(turned)
    grid = grid_of(filled.shape[::-1], tuple(spacing[::-1][a] for a in turned)[::-1])
    image = resample_image(Volume(filled, grid), grid.isotropic(1.0)).array
    linear = ndimage.zoom(filled, grid.spacing[::-1], order=1, grid_mode=True, mode="nearest")
    assert linear.shape == image.shape
    errors = [100 * ((a > 0.5).sum() / (4 / 3 * np.pi * 8**3) - 1) for a in (image, linear)]
    assert least <= errors[0] <= 1
    assert abs(errors[0]) < 0.75 * abs(errors[1]), errors


def test_a_flipped_scan_gives_the_flipped_image():
    grid = grid_of((9, 8, 7), (0.9, 1.1, 3.3))
    array = np.random.default_rng(4).normal(0, 100, grid.shape)
    image, flipped = (
        resample_image(Volume(a, grid), grid.isotropic(0.7)).array
        for a in (array, array[::-1, :, ::-1])
    )
    assert flipped[::-1, :, ::-1] == pytest.approx(image, abs=1e-9)
