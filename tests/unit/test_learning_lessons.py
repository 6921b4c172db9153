"""What networks are to learn from, in physical space, and what a design makes of it."""

import numpy as np
import pytest
from bodies import CENTRE, points_of
from learning_samples import DESIGN
from scanmill.grid import TOWARDS
from scanmill.learning.design import AXES, STEP, VOXELS, Survey, design
from scanmill.learning.folder import model_of
from scanmill.learning.lessons import Labelled, arrays, held_by, labels_on, survey
from scanmill.segmentation.reorientation import patient_grid
from scanmill.volume_file import Volume
from test_registration import GRIDS, grid_of

RADIUS = 7.0
# Towards the head, the back and the left of the patient from the middle of the scan.
OFFSET = np.array([3.0, 4.0, 5.0])


def known_on(kind: str) -> Labelled:
    """A ball off the middle of a scan, labelled 1, and half of it, the upper one, 2."""
    grid = grid_of(kind)
    about = points_of(grid) - CENTRE - OFFSET
    ball = np.linalg.norm(about, axis=-1) < RADIUS
    labels = ball.astype(np.uint8) + (ball & (about[..., 2] > 0))
    return Labelled(Volume((100.0 * ball).astype(np.float32), grid), Volume(labels, grid))


@pytest.mark.parametrize("kind", GRIDS)
def test_lessons_lie_along_the_patients_axes_whatever_the_grid(kind, tmp_path):
    known = known_on(kind)
    model = model_of(tmp_path, DESIGN, "MR", ["lower", "upper"])
    image, labels = arrays(known, model)
    seen = patient_grid(known.scan.grid, AXES, DESIGN.spacing)
    assert image.shape == labels.shape == seen.shape
    assert image.mean() == pytest.approx(0, abs=1e-4) and image.std() == pytest.approx(1, abs=1e-3)
    index = np.argwhere(labels > 0).mean(axis=0)
    middle = (np.array(labels.shape) - 1) / 2
    # The network's axes are those of an array: index 0 rises towards the first letter's side.
    towards = np.array([TOWARDS[letter] for letter in AXES])
    np.testing.assert_allclose(index - middle, towards @ OFFSET, atol=0.3)
    assert (labels > 0).sum() == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.08)
    upper = np.argwhere(labels == 2).mean(axis=0) - np.argwhere(labels == 1).mean(axis=0)
    # Centroids of halves of a ball lie 3/8 of the radius from its middle.
    np.testing.assert_allclose(upper, towards @ [0, 0, 0.75 * RADIUS], atol=0.5)


def test_labels_on_their_own_grid_stay_as_they_are():
    labels = known_on("oblique").labels
    np.testing.assert_array_equal(labels_on(labels.grid, labels, 3), labels.array)


def test_a_survey_tells_millimetres_and_intensities():
    told = survey(known_on("thick slices"))
    assert told.spacing == 0.9 and told.labels == {0, 1, 2}
    # The ball's box, on a grid of 0.9 x 0.9 x 2.2 mm.
    np.testing.assert_allclose(told.box, 2 * RADIUS, atol=2.3)
    assert set(told.intensities) == {100.0}


def test_every_labelled_scan_is_held_back_once():
    held = [held_by(fold, 3, 8) for fold in range(3)]
    assert sorted(n for numbers in held for n in numbers) == list(range(8))
    assert {len(numbers) for numbers in held} == {2, 3}


def surveyed(extent, box, spacing=1.0, intensities=(0.0, 1.0)):
    return Survey(spacing, extent, box, np.array(intensities), frozenset({0, 1}))


def test_a_window_is_a_small_scan_and_no_more():
    made = design([surveyed((36, 50, 35), (20, 30, 15))] * 3, "MR")
    assert made.spacing == (1.0, 1.0, 1.0) and made.size == (40, 56, 40)
    assert made.normalise == {"zscore": "scan"}


def test_a_window_of_a_large_scan_is_nearly_a_cube_of_few_voxels():
    made = design([surveyed((300, 250, 250), (40, 50, 30))], "MR")
    assert made.spacing == (1.0, 1.0, 1.0)
    assert VOXELS / 1.5 < np.prod(made.size) <= VOXELS
    assert max(made.size) - min(made.size) <= STEP and not any(n % STEP for n in made.size)


def test_what_is_large_is_seen_in_larger_voxels():
    """A window shows a quarter of a box of 200 mm then."""
    made = design([surveyed((300, 300, 300), (200, 200, 200), spacing=0.5)], "MR")
    assert (200 / made.spacing[0]) ** 3 == pytest.approx(4 * VOXELS, rel=0.01)


def test_flat_scans_have_flat_windows_that_can_be_halved():
    made = design([surveyed((10, 200, 200), (5, 50, 50))], "MR")
    assert made.size[0] == 2 * STEP


def test_ct_is_clipped_by_what_is_labelled():
    values = np.linspace(-100, 300, 1001)
    made = design([surveyed((50, 50, 50), (20, 20, 20), intensities=values)], "CT")
    clip = made.normalise["zscore"]["clip"]
    np.testing.assert_allclose(clip, [-98, 298], atol=0.5)
    within = np.clip(values, *clip)
    assert made.normalise["zscore"]["mean"] == pytest.approx(within.mean(), abs=0.01)
    assert made.normalise["zscore"]["sd"] == pytest.approx(within.std(), abs=0.01)
