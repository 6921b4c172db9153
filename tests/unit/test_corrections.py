"""Bias fields and noise that were planted in phantoms: what is left of them, and what they cost."""

import numpy as np
import pytest
from bodies import turned_array
from scanmill.corrections.bias import find_bias, without_bias
from scanmill.corrections.intensities import correct
from scanmill.corrections.noise import without_floor, without_noise
from scanmill.grid import Grid
from scanmill.phantom.body import Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.phantom.fields import bias_field
from scanmill.phantom.noise import add_noise
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy
from scanmill.volume_file import Volume

CENTRE = (61.3, -112.7, 402.9)
TURN = turned((12, -8, 25)) @ np.diag([1, -1, 1])


def grid_around(spacing, size) -> Grid:
    grid = Grid(size, spacing, (0.0, 0.0, 0.0), tuple(TURN.ravel().tolist()))
    origin = np.asarray(CENTRE) - grid.axes @ ((np.asarray(size) - 1) / 2)
    return Grid(size, spacing, tuple(origin.tolist()), grid.direction)


def part(body, grid) -> np.ndarray:
    return occupancy(body, grid) / SAMPLES


@pytest.fixture(scope="module")
def head():
    """Grid, signal and body: three tissues around each other, 170 mm across."""
    grid = grid_around((2.0, 2.0, 3.0), (96, 100, 62))
    bodies = [
        part(Ellipsoid(radii=r, centre=c), grid)
        for r, c in (
            ((82, 86, 78), CENTRE),
            ((70, 72, 66), CENTRE),
            ((30, 40, 30), (CENTRE[0] + 12, CENTRE[1], CENTRE[2] - 9)),
        )
    ]
    signal = 250 * bodies[0] + 250 * bodies[1] - 170 * bodies[2]
    return grid, signal, bodies[0] > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_a_field_of_40_percent_is_found(head, seed):
    grid, signal, body = head
    gain = bias_field(grid, 0.4, seed)
    scan = add_noise(signal * gain, "MR", 8, seed)
    bias = find_bias(scan, grid.spacing)
    left = np.log(without_bias(scan, bias)[body] * gain[body] / scan[body])
    assert np.log(gain)[body].std() > 0.08
    assert left.std() < 0.025
    assert bias.accepted
    # The level stays: that part of the field which is the same everywhere is nobody's error.
    assert abs(left.mean() - np.log(gain)[body].mean()) < 0.02


def test_a_scan_without_a_field_is_left_alone(head):
    grid, signal, _ = head
    scan = Volume(add_noise(signal, "MR", 8, 4), grid)
    found = correct(scan, "MR", "n4", "off")
    assert found.shown is scan and found.measured is scan
    assert found.said["bias"]["applied"] is False
    assert [code for code, _ in found.warnings] == ["bias-kept"]


def test_a_body_that_is_too_small_has_no_field():
    grid = Grid((20, 18, 16), (1.0, 1.0, 1.0))
    scan = Volume(add_noise(np.full(grid.shape, 300.0), "MR", 8, 4), grid)
    found = correct(scan, "MR", "n4", "off")
    assert found.shown is scan and found.said["bias"]["applied"] is False


@pytest.fixture(scope="module")
def tumour():
    """Grid, signal, truth, and the deep inside and nearby outside of a tumour in an organ."""
    grid = grid_around((1.0, 1.0, 1.0), (56, 54, 52))
    inside, near = part(sphere(9.5, CENTRE), grid), part(sphere(17, CENTRE), grid) == 1
    signal = 50 + 30 * inside
    deep = part(sphere(6, CENTRE), grid) == 1
    around = near & (part(sphere(13, CENTRE), grid) == 0)
    return grid, signal, inside >= 0.5, near, deep, around


def test_a_tumour_at_a_contrast_of_one_noise(tumour):
    grid, signal, truth, near, deep, around = tumour
    dice, means, radii = [], [], []
    for seed in range(8):
        scan = signal + 30 * np.random.default_rng(seed).standard_normal(grid.shape)
        smooth = without_noise(scan, grid.spacing, 30)
        mask = (smooth > 65) & near
        dice.append(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
        means.append([(smooth - scan)[where].mean() / 30 for where in (deep, around)])
        radii.append(9.5 * (mask.sum() / truth.sum()) ** (1 / 3))
    assert np.mean(dice) >= 0.92
    assert np.abs(np.mean(means, axis=0)).max() < 0.01
    assert abs(np.mean(radii) - 9.5) < 0.25


def test_edges_above_the_noise_stay_sharp(tumour):
    grid, signal, *_ = tumour
    scan = signal * 10 + 30 * np.random.default_rng(1).standard_normal(grid.shape)
    smooth = without_noise(scan, grid.spacing, 30)
    steep = np.abs(np.diff(signal, axis=2)) > 20
    kept = (
        np.abs(np.diff(smooth, axis=2))[steep].mean()
        / np.abs(np.diff(signal * 10, axis=2))[steep].mean()
    )
    assert kept > 0.97


def test_smoothing_knows_no_order_of_axes_and_no_sides():
    grid = grid_around((0.8, 1.1, 2.7), (21, 18, 12))
    scan = np.random.default_rng(3).standard_normal(grid.shape).astype(np.float32)
    smooth = without_noise(scan, grid.spacing, 1.0)
    for order, flips in (((2, 0, 1), (1, 0, 1)), ((1, 2, 0), (0, 1, 0))):
        other, other_grid = turned_array(scan, grid, order, flips)
        again = without_noise(other, other_grid.spacing, 1.0)
        np.testing.assert_allclose(again, turned_array(smooth, grid, order, flips)[0], atol=1e-5)


def test_smoothing_keeps_the_sum_and_adds_no_extremes():
    scan = np.random.default_rng(5).standard_normal((14, 17, 19)) * 40 + 7
    smooth = without_noise(scan, (0.7, 0.7, 1.9), 40)
    assert smooth.mean() == pytest.approx(scan.mean(), abs=1e-3)
    assert scan.min() <= smooth.min() and smooth.max() <= scan.max()
    assert smooth.std() < 0.35 * scan.std()


@pytest.mark.parametrize("signal", [0.0, 10.0, 20.0, 60.0, 400.0])
def test_the_floor_of_mr_noise_is_taken_off(signal):
    scan = add_noise(np.full((40, 60, 60), signal), "MR", 20, 6)
    mean = np.full((1, 1, 1), scan.mean())
    assert without_floor(mean, 20)[0, 0, 0] == pytest.approx(
        signal, abs=2.5 if signal == 0 else 0.4
    )


def test_structures_are_found_in_the_smoothed_scan_and_measured_in_the_other():
    grid = grid_around((0.8, 0.8, 2.0), (60, 54, 40))
    stored = add_noise(np.full(grid.shape, 50.0), "CT", 12, 7)
    found = correct(Volume(stored, grid), "CT", "off", "diffusion")
    assert found.measured.array is stored
    assert found.shown.array.dtype == np.int16
    assert found.said["noise"]["sd_before"] == pytest.approx(12, rel=0.05)
    assert found.said["noise"]["sd_after"] < 4
    assert found.said["noise"]["distribution"] == "gaussian"
    assert found.warnings == []


def test_whole_numbers_that_no_longer_fit_are_stored_wider(head):
    grid, signal, body = head
    gain = bias_field(grid, 0.4, 1)
    scan = np.clip(add_noise(signal * gain, "MR", 8, 1) * 60.0, 0, 65535).astype(np.uint16)
    found = correct(Volume(scan, grid), "MR", "n4", "off")
    assert found.said["bias"]["applied"]
    np.testing.assert_allclose(found.shown.array[body].mean(), scan[body].mean(), rtol=0.1)
