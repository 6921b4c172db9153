"""Networks in physical space: the same structures at the same place, whatever the scan's grid."""

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, grid_over, mask_of, points_of
from hypothesis import given
from hypothesis import strategies as st
from network_samples import by_side, write_model
from scanmill import model_folder
from scanmill.grid import TOWARDS, Grid
from scanmill.phantom.body import sphere
from scanmill.phantom.description import turned
from scanmill.segmentation.network import Answer
from scanmill.segmentation.reorientation import onto, patient_grid
from scanmill.volume_file import Volume

BALL = sphere(8, CENTRE)
AXES = ["LIA", "RAS", "SPL", "AIR"]


def seen(grid: Grid) -> np.ndarray:
    """The ball, with an edge as wide as a voxel."""
    away = np.linalg.norm(points_of(grid) - CENTRE, axis=-1)
    return np.clip(8.5 - away, 0, 1).astype(np.float32)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize(
    "direction", ["xyz+++", "zxy-+-", "yxz--+", *(d for d in DIRECTIONS if "ob" in d)]
)
def test_sides_are_the_patients_whatever_the_grid(tmp_path, axes, direction):
    grid = grid_over(BALL, (1.0, 1.0, 1.0), DIRECTIONS[direction], margin=8)
    said = {"layer": by_side(), "normalise": {"window": [0, 1]}, "axes": axes, "size": [33] * 3}
    model = model_folder.read(write_model(tmp_path, **said))
    found = Answer.of(seen(grid), grid, model, ["ball", "organ"]).labels
    towards = np.array(TOWARDS[axes[0]])
    counts, middles = [], []
    for number in (1, 2):
        points = points_of(grid)[found == number]
        counts.append(len(points))
        middles.append(points.mean(axis=0) - CENTRE)
    # Of `ball` more lies behind than ahead, as the first axis goes.
    assert middles[0] @ towards > 4 and middles[1] @ towards < -4
    across = np.eye(3) - np.outer(towards, towards)
    np.testing.assert_allclose(across @ middles[0], 0, atol=0.3)
    np.testing.assert_allclose(middles[0], -middles[1], atol=0.3)
    assert counts[0] == pytest.approx(counts[1], rel=0.02)


@pytest.mark.parametrize("spacing", [(0.7, 0.7, 0.7), (1.0, 1.0, 1.0), (1.6, 0.8, 1.1)])
@pytest.mark.parametrize("direction", ["xyz+++", "zyx-+-", "oblique left-handed"])
def test_volumes_are_kept_between_spacings(tmp_path, spacing, direction):
    grid = grid_over(BALL, spacing, DIRECTIONS[direction], margin=6)
    # The network parts air from organ at a third of its window: halfway up the ball's edge.
    image = 2 / 3 * 1300 * seen(grid) - 1000
    said = {"spacing": [1.2, 1.0, 1.5], "size": [16, 16, 16]}
    model = model_folder.read(write_model(tmp_path, **said))
    answer = Answer.of(image, grid, model, ["organ", "ball"])
    points = points_of(grid)[answer.labels > 0]
    np.testing.assert_allclose(points.mean(axis=0), CENTRE, atol=0.1)
    # What is resampled is blurred, and half the height of a blurred ball lies within it.
    assert len(points) * grid.voxel_volume == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.05)
    # What two classes share is of either: how likely it is adds up, on the scan's own grid.
    either = answer.chance(["organ", "ball"])
    assert (either[answer.labels > 0] > 0.3).all()
    assert np.count_nonzero(either > 0.5) == pytest.approx(len(points), rel=0.1)
    np.testing.assert_allclose(
        either, answer.chance(["organ"]) + answer.chance(["ball"]), atol=1e-5
    )


@given(
    st.sampled_from(sorted(DIRECTIONS)),
    st.sampled_from(AXES),
    st.tuples(*[st.floats(0.5, 3)] * 3),
    st.tuples(*[st.integers(3, 12)] * 3),
)
def test_the_patient_grid_covers_the_scan_about_its_centre(direction, axes, spacing, size):
    grid = Grid(size, (0.9, 1.3, 2.1), CENTRE, tuple(np.ravel(DIRECTIONS[direction])))
    found = patient_grid(grid, axes, spacing)
    for k, letter in enumerate(axes):
        np.testing.assert_allclose(found.axes[:, 2 - k], np.multiply(TOWARDS[letter], spacing[k]))
    middles = [g.to_physical((np.asarray(g.size) - 1) / 2) for g in (grid, found)]
    np.testing.assert_allclose(*middles, atol=1e-9)
    ends = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in size])).reshape(3, -1).T
    index = found.to_index(grid.to_physical(ends))
    assert (index > -0.5 - 2e-3).all() and (index < np.asarray(found.size) - 0.5 + 2e-3).all()
    assert (np.ptp(index, axis=0) > np.asarray(found.size) - 1).all()


@pytest.mark.parametrize("direction", sorted(DIRECTIONS))
def test_an_image_lies_at_the_same_place_on_another_grid(direction):
    grid = grid_over(BALL, (1.0, 1.5, 0.8), DIRECTIONS[direction], margin=5)

    # Along no axis of either grid.
    def ramp(g):
        return points_of(g) @ turned((10, 70, 30))[0]

    target = patient_grid(grid, "ARS", (1.0, 1.2, 0.9))
    found = onto(Volume(ramp(grid).astype(np.float32), grid), target).array
    inside = mask_of(BALL, target)
    np.testing.assert_allclose(found[inside], ramp(target)[inside], atol=0.02)


def test_the_way_there_and_back_on_parallel_grids_of_one_spacing_loses_nothing():
    grid = Grid((9, 7, 8), (1.0, 1.0, 1.0), CENTRE, tuple(np.ravel(DIRECTIONS["yzx-+-"])))
    image = np.random.default_rng(3).integers(0, 999, grid.shape).astype(np.int16)
    target = patient_grid(grid, "LIA", (1.0, 1.0, 1.0))
    there = onto(Volume(image, grid), target)
    np.testing.assert_array_equal(onto(there, grid).array, image)
