"""The table below a patient becomes air, however the array lies; what may be the patient stays."""

import numpy as np
import pytest
from scanmill.corrections.artefacts import MARKS, examine_ct
from scanmill.corrections.field_of_view import disc_steps, opened
from scanmill.grid import Grid
from scanmill.phantom.artefacts import with_body
from scanmill.phantom.body import Box, Cylinder
from scanmill.phantom.noise import kernel_noise
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy
from scanmill.volume_file import Volume
from scipy.ndimage import binary_opening, gaussian_filter

GRID = Grid((150, 140, 30), (2.4, 2.4, 3.0), (40.0, -70.0, 15.0))
MIDDLE = GRID.to_physical((np.asarray(GRID.size) - 1) / 2)


def at(x, y, z=0.0):
    return tuple(float(v) for v in np.add(MIDDLE, (x, y, z)))


BODY = Cylinder(radii=(110.0, 75.0), length=400, centre=at(0, -30))
SHELLS = [
    Box(size=(300.0, 5.0, 400.0), centre=at(5, 62)),
    Box(size=(320.0, 5.0, 400.0), centre=at(5, 90)),
]
ARM = Cylinder(radii=(30.0, 35.0), length=400, centre=at(-148, -20))
CUT_ARM = Cylinder(radii=(40.0, 60.0), length=400, centre=at(217, -40))
HAND = Box(size=(90.0, 20.0, 70.0), centre=at(0, -135, 5))


def scan_of(*parts, values, seed=0):
    random = np.random.default_rng(seed)
    image = np.full(GRID.shape, -1000.0)
    for part, value in zip(parts, values, strict=True):
        image = with_body(image, GRID, part, value)
    image += 10 * kernel_noise(GRID.shape, GRID.spacing, 0.4, random)
    return np.clip(np.rint(image), -1024, 3071).astype(np.int16)


@pytest.fixture(scope="module")
def scan():
    return scan_of(BODY, *SHELLS, ARM, CUT_ARM, HAND, values=(30, 150, 100, 40, 20, 40))


def test_a_table_becomes_air_and_arms_and_a_hand_stay(scan):
    found = examine_ct(Volume(scan.copy(), GRID), "mark")
    table = found.marks == MARKS["table"]
    shells = sum(occupancy(shell, GRID) for shell in SHELLS) / SAMPLES
    patient = sum(occupancy(part, GRID) for part in (BODY, ARM, CUT_ARM, HAND)) / SAMPLES
    assert table[shells > 0.3].mean() > 0.99
    assert not table[patient > 0].any()
    assert (found.image[table] == -1000).all()
    np.testing.assert_array_equal(found.image[~table], scan[~table])
    assert found.said["table_percent"] == pytest.approx(100 * table.mean(), abs=1e-3)


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_it_is_found_however_the_array_is_laid_out(scan, axes):
    expected = np.flip(np.transpose(examine_ct(Volume(scan.copy(), GRID), "mark").marks, axes), 1)
    direction = np.eye(3)[:, [2 - axes[2 - k] for k in range(3)]]
    direction[:, 1] *= -1
    spacing = tuple(GRID.spacing[2 - axes[2 - k]] for k in range(3))
    laid_out = np.ascontiguousarray(np.flip(np.transpose(scan, axes), 1))
    turned = Grid(laid_out.shape[::-1], spacing, (-3.0, 8.0, 90.0), tuple(direction.ravel()))
    marks = examine_ct(Volume(laid_out, turned), "mark").marks
    np.testing.assert_array_equal(marks == MARKS["table"], expected == MARKS["table"])


def test_without_a_table_arms_and_a_hand_are_none():
    scan = scan_of(BODY, ARM, CUT_ARM, HAND, values=(30, 40, 20, 40))
    assert examine_ct(Volume(scan, GRID), "mark").marks is None


def test_what_does_not_keep_its_place_is_no_table():
    """A sheet of cloth that rises along the patient."""
    scan = scan_of(BODY, values=(30,))
    for k in range(len(scan)):
        scan[k, 110 - k : 112 - k, 20:130] = -100
    assert examine_ct(Volume(scan, GRID), "mark").marks is None


def test_a_wall_between_lungs_is_no_table():
    """Thin walls beside lungs, in a scan of a part of the chest, with a heart in its middle."""
    image = scan_of(Cylinder(radii=(60.0, 50.0), length=400, centre=at(0, 0)), values=(40,))
    lung = image < -500
    image[lung] += 230
    image[:, 15:18, :] = 30
    assert examine_ct(Volume(image, GRID), "mark").marks is None


@pytest.mark.parametrize("radius", [0.4, 1.0, 2.9, 5.0])
@pytest.mark.parametrize("pixel", [(1.0, 1.0), (0.7, 1.3)])
def test_discs_that_fit_are_those_of_a_binary_opening(radius, pixel):
    mask = gaussian_filter(np.random.default_rng(3).standard_normal((40, 50)), 3) > -0.02
    steps = disc_steps(radius, pixel)
    disc = np.zeros(2 * steps.max(axis=0) + 1, bool)
    disc[tuple((steps + steps.max(axis=0)).T)] = True
    expected = binary_opening(mask, disc)
    assert 0 < expected.sum() <= mask.sum()
    np.testing.assert_array_equal(opened(mask, steps), expected)
