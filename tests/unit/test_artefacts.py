"""What spoils a scan is found, is marked where it is, and is not found where it is not."""

import numpy as np
import pytest
from scanmill.corrections.artefacts import MARKS, examine_ct, examine_mr, onto
from scanmill.corrections.metal import find_metal
from scanmill.grid import Grid
from scanmill.phantom.artefacts import cut_to_circle, with_body, with_motion, with_ring
from scanmill.phantom.body import Box, Cylinder
from scanmill.phantom.metal import with_metal
from scanmill.phantom.noise import kernel_noise, rician
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy
from scanmill.volume_file import Volume

GRID = Grid((160, 160, 3), (2.2, 2.2, 3.0), (40.0, -70.0, 15.0))
MIDDLE = GRID.to_physical((np.asarray(GRID.size) - 1) / 2)


def beside_middle(x, y):
    return tuple(np.add(MIDDLE, (x, y, 0)))


def part(radii, offset):
    """Which part of each voxel a cylinder along z fills."""
    return (
        occupancy(Cylinder(radii=radii, length=400, centre=beside_middle(*offset)), GRID) / SAMPLES
    )


def torso(random, offset=(0.0, 0.0)):
    """HU of a body with fat, bones and a lung, without noise."""
    image = np.full(GRID.shape, -1000.0)
    places = [(-60, 20), (55, 25), (0, -45)]
    parts = [
        ((random.uniform(120, 145), random.uniform(85, 105)), (4, -3), -90),
        ((110, 76), (4, -3), 40),
        *(((random.uniform(12, 20),) * 2, place, random.uniform(600, 1200)) for place in places),
        ((30, 22), (10, 30), -850),
    ]
    for radii, place, value in parts:
        inside = part(radii, np.add(place, offset))
        image += inside * (value - image)
    return image


def noisy(image, random, sigma=12.0):
    noise = sigma * kernel_noise(image.shape, GRID.spacing, 0.4, random)
    return np.clip(np.rint(image + noise), -1024, 3071).astype(np.int16)


def scan_with_metal(seed, material="titanium"):
    random = np.random.default_rng(seed)
    clean = torso(random)
    metal = part((random.uniform(4, 8),) * 2, (-60, 20))
    return clean, *with_metal(clean, metal, GRID, material, 1.5e6, seed)


def test_nine_of_ten_voxels_that_metal_puts_off_are_marked():
    caught = []
    for seed in range(6):
        _, scan, misleading = scan_with_metal(seed, ("titanium", "iron")[seed % 2])
        found = examine_ct(Volume(scan, GRID), "mark")
        caught.append((found.marks > 0)[misleading].mean())
        assert (found.marks > 0).mean() <= 0.2 and misleading.sum() > 100
        assert [code for code, _ in found.warnings] == ["metal"]
        streaks = 100 * (found.marks == MARKS["streak"]).mean()
        assert found.said["streak_percent"] == pytest.approx(streaks, abs=1e-4)
        assert found.image is scan
    assert np.mean(caught) >= 0.9


def test_in_painting_takes_heavy_streaks_away_and_leaves_metal_and_what_it_does_not_help():
    kept, left = [], 0
    for seed, radius in ((10, 5), (11, 5), (12, 13), (13, 13), (14, 13)):
        random = np.random.default_rng(seed)
        clean, implant = torso(random), part((radius, radius), (-60, 20))
        scan, _ = with_metal(clean, implant, GRID, "iron", 1.5e6, seed)
        before = scan.copy()
        found = examine_ct(Volume(scan, GRID), "inpaint")
        np.testing.assert_array_equal(scan, before)
        unmarked = found.marks != MARKS["streak"]
        np.testing.assert_array_equal(found.image[unmarked], scan[unmarked])
        tissue = ~unmarked & (implant == 0)
        error = [np.abs(image - clean)[tissue].mean() for image in (scan, found.image)]
        kept.append(error[1] / error[0])
        left += found.said["inpainted_slices"] == 0
    assert max(kept) < 1.05 and max(kept[2:]) < 0.75 and left >= 1


def test_off_leaves_metal_alone():
    _, scan, _ = scan_with_metal(1)
    assert examine_ct(Volume(scan, GRID), "off").marks is None


def test_metal_is_found_by_physical_size():
    image = np.zeros((6, 9, 9), np.int16)
    image[3, 4, 4] = 3071
    assert find_metal(image, Grid((9, 9, 6), (1.0, 1.0, 1.0))) is None
    mask = find_metal(image, Grid((9, 9, 6), (2.0, 2.0, 3.0)))
    assert np.argwhere(mask).tolist() == [[3, 4, 4]]
    # Bone may be as bright as metal's edge; its core is not.
    image[image > 0] = 2900
    assert find_metal(image, Grid((9, 9, 6), (2.0, 2.0, 3.0))) is None


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2)])
def test_the_marks_follow_the_patient_however_the_array_is_laid_out(axes, flipped):
    _, scan, _ = scan_with_metal(2)
    expected = np.flip(np.transpose(examine_ct(Volume(scan, GRID), "mark").marks, axes), flipped)
    # Column k of the direction is where the array's axis 2 - k points in the patient.
    direction = np.eye(3)[:, [2 - axes[2 - k] for k in range(3)]]
    spacing = tuple(GRID.spacing[2 - axes[2 - k]] for k in range(3))
    for axis in flipped:
        direction[:, 2 - axis] *= -1
    laid_out = np.ascontiguousarray(np.flip(np.transpose(scan, axes), flipped))
    grid = Grid(laid_out.shape[::-1], spacing, (-3.0, 8.0, 90.0), tuple(direction.ravel()))
    marks = examine_ct(Volume(laid_out, grid), "mark").marks
    assert (marks == expected).mean() > 0.995
    np.testing.assert_array_equal(marks == MARKS["metal"], expected == MARKS["metal"])


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_ct_has_no_mark(seed):
    random = np.random.default_rng(seed)
    found = examine_ct(Volume(noisy(torso(random), random), GRID), "mark")
    assert found.marks is None and not found.warnings and not found.said


@pytest.mark.parametrize("amplitude", [-60.0, 45.0])
def test_a_ring_is_marked_where_it_is(amplitude):
    random = np.random.default_rng(5)
    scan = noisy(with_ring(torso(random), GRID, 40.0, 4.0, amplitude), random)
    found = examine_ct(Volume(scan, GRID), "mark")
    assert [code for code, _ in found.warnings] == ["rings"]
    y, x = ((np.arange(160) - 79.5) * 2.2 for _ in range(2))
    distance = np.broadcast_to(np.hypot(y[:, None], x), GRID.shape)
    ring = found.marks == MARKS["ring"]
    assert ring[np.abs(distance - 40) < 1].mean() > 0.6
    assert (np.abs(distance[ring] - 40) < 20).all()


def test_padding_is_marked_and_a_body_within_the_circle_is_not_cut():
    random = np.random.default_rng(6)
    table = Box(size=(300.0, 9.0, 400.0), centre=beside_middle(0, 120))
    image = with_body(torso(random), GRID, table, 100.0)
    scan = cut_to_circle(noisy(image, random), GRID, 350.0, -2000).astype(np.int16)
    padding = scan == -2000
    found = examine_ct(Volume(scan, GRID), "mark")
    np.testing.assert_array_equal(found.marks == MARKS["padding"], padding)
    assert (found.image[padding] == -1000).all()
    assert not found.warnings


def test_a_body_that_the_circle_cuts_is_marked_beside_the_rim():
    random = np.random.default_rng(7)
    scan = noisy(torso(random, offset=(70.0, 0.0)), random)
    scan = cut_to_circle(scan, GRID, 350.0, -3024).astype(np.int16)
    found = examine_ct(Volume(scan, GRID), "mark")
    assert [code for code, _ in found.warnings] == ["truncation"]
    cut = np.argwhere(found.marks == MARKS["truncation"])
    place = GRID.to_physical(cut[:, ::-1]) - MIDDLE
    assert (np.hypot(place[:, 0], place[:, 1]) > 155).all() and (place[:, 0] > 100).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_ghosts_are_flagged_and_a_still_patient_is_not(axis):
    random = np.random.default_rng(8 + axis)
    body = np.clip(torso(random) + 1000, 0, 1100) * 0.3
    still = np.rint(rician(body, 6.0, random)).astype(np.int16)
    moved = with_motion(body, GRID, axis, 5.0, 21)
    moved = np.rint(rician(moved, 6.0, random)).astype(np.int16)
    said = [examine_mr(Volume(image, GRID)) for image in (still, moved)]
    assert said[0].said["ghosting_percent"] < 0.3 and not said[0].warnings
    assert [code for code, _ in said[1].warnings] == ["ghosts"]


def test_without_air_beside_the_body_nothing_is_said_of_ghosts():
    assert examine_mr(Volume(np.full((4, 40, 40), 100, np.int16), GRID)).said == {}


def test_marks_lie_at_the_same_place_on_a_finer_grid():
    source = Grid((20, 16, 6), (1.0, 1.5, 4.0), (5.0, -9.0, 33.0))
    marks = np.random.default_rng(0).integers(0, 6, source.shape).astype(np.uint8)
    target = source.isotropic(0.5)
    index = np.indices(target.shape)[::-1].reshape(3, -1).T
    nearest = np.rint(source.to_index(target.to_physical(index)) - 1e-6).astype(int)
    expected = marks[tuple(np.clip(nearest, 0, np.array(source.size) - 1).T[::-1])]
    assert (onto(marks, source, target).ravel() == expected).mean() > 0.999
    assert not onto(None, source, target).any()
