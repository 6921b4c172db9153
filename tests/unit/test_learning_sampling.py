"""Which windows networks are shown."""

import numpy as np
from scanmill.learning.sampling import batch, fixed_windows, lesson

SIZE = (8, 16, 16)


def known(value: float, shape=(24, 40, 32)):
    """A lesson with one small structure, label 1, and a single voxel of another, label 2."""
    labels = np.zeros(shape, np.uint8)
    labels[4:8, 30:34, 5:9] = 1
    labels[20, 5, 25] = 2
    return lesson(np.full(shape, value, np.float32), labels, 3)


LESSONS = [known(1.0), known(2.0)]


def test_an_iteration_is_the_same_whatever_came_before_it():
    images, labels = batch(LESSONS, SIZE, 3, 7, 11)
    batch(LESSONS, SIZE, 3, 8, 11)
    again, labels_again = batch(LESSONS, SIZE, 3, 7, 11)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, labels_again)
    assert images.shape == labels.shape == (3, *SIZE) and images.dtype == np.float32
    for iteration, seed in ((6, 11), (7, 12)):
        assert not np.array_equal(images, batch(LESSONS, SIZE, 3, iteration, seed)[0])


def test_every_structure_is_seen_often_however_small():
    shown = [batch(LESSONS, SIZE, 1, n, 0)[1] for n in range(200)]
    assert np.mean([(labels == 1).any() for labels in shown]) > 0.25
    # A single voxel may be lost where voxels are seen larger than they are.
    assert np.mean([(labels == 2).any() for labels in shown]) > 0.15


def test_a_scan_without_labels_is_shown_as_well():
    empty = lesson(np.ones((24, 40, 32), np.float32), np.zeros((24, 40, 32), np.uint8), 3)
    images, labels = batch([empty], SIZE, 2, 0, 0)
    assert images.any() and not labels.any()


def test_a_scan_smaller_than_the_window_lies_in_its_middle():
    small = known(1.0, (24, 40, 32))
    ((image, labels),) = fixed_windows([small], (32, 48, 40))
    np.testing.assert_array_equal(image[4:28, 4:44, 4:36], small.image)
    np.testing.assert_array_equal(labels[4:28, 4:44, 4:36], small.labels)
    assert image.sum() == small.image.sum()


def test_windows_held_back_are_unchanged_and_about_what_is_labelled():
    ((image, labels),) = fixed_windows([LESSONS[1]], SIZE)
    assert (image == 2.0).all() and (labels == 1).sum() == 64
