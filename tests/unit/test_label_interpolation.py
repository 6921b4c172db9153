"""Label maps on other grids: volumes kept, shapes nearer to the truth, and in physical space."""

import numpy as np
import pytest
from bodies import (
    AXIS_ALIGNED,
    BODIES,
    CENTRE,
    OBLIQUE,
    grid_over,
    mask_of,
    points_of,
    turned_array,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill import label_interpolation
from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.phantom.body import sphere
from scanmill.volume_file import Volume
from scipy.ndimage import map_coordinates
from source_samples import grids

SPACINGS = [(1.0, 1.0, 1.0), (1.0, 1.0, 5.0), (5.0, 1.0, 1.0), (0.7, 0.9, 2.5)]


def nearest(labels: Volume, target: Grid) -> np.ndarray:
    index = labels.grid.to_index(points_of(target))[..., ::-1]
    return map_coordinates(labels.array, np.moveaxis(index, -1, 0), order=0, cval=0)


def dice(one, other) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def balls(grid, radius, labels=(1, 2, 3)) -> np.ndarray:
    """A ball cut into touching slabs, one for each label."""
    z = (points_of(grid) - CENTRE)[..., 2]
    cuts = np.linspace(-radius, radius, len(labels) + 1)[1:-1]
    part = np.asarray(labels)[np.searchsorted(cuts, z)]
    return np.where(mask_of(sphere(radius, CENTRE), grid), part, 0).astype(np.uint8)


def assert_volumes_kept(labels: Volume, target: Grid, result) -> None:
    for label in set(np.unique(labels.array)) - {0}:
        before = np.count_nonzero(labels.array == label) * labels.grid.voxel_volume
        after = np.count_nonzero(result == label) * target.voxel_volume
        assert after == pytest.approx(before, rel=0.005)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_the_volume_of_a_ball_is_kept(spacing, factor):
    radius = 5 * max(spacing)
    grid = grid_over(sphere(radius, CENTRE), spacing, OBLIQUE["oblique"])
    labels = Volume(mask_of(sphere(radius, CENTRE), grid).astype(np.uint8), grid)
    target = grid.isotropic(factor * min(spacing))
    assert_volumes_kept(labels, target, resample_labels(labels, target))


@pytest.mark.parametrize("direction", OBLIQUE.values(), ids=OBLIQUE)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 5.0), (0.9, 0.9, 3.0)])
def test_the_volumes_of_touching_labels_are_kept(spacing, direction):
    grid = grid_over(sphere(24, CENTRE), spacing, direction)
    labels = Volume(balls(grid, 24, (1, 4, 2)), grid)
    target = grid.isotropic(1.0)
    result = resample_labels(labels, target)
    assert set(np.unique(result)) == {0, 1, 2, 4}
    assert_volumes_kept(labels, target, result)


@pytest.mark.parametrize("radius", [5, 7.5, 10])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 5.0), (0.8, 0.8, 3.0), (1.0, 1.2, 2.0)])
def test_the_volumes_of_a_ball_and_of_the_one_around_it_are_kept(spacing, radius):
    outer = sphere(2 * radius, CENTRE)
    for direction in (np.eye(3), OBLIQUE["oblique coronal"]):
        grid = grid_over(outer, spacing, direction, margin=6.0)
        array = mask_of(outer, grid).astype(np.uint8)
        array[mask_of(sphere(radius, CENTRE), grid)] = 2
        labels, target = Volume(array, grid), grid.isotropic(1.0)
        assert_volumes_kept(labels, target, resample_labels(labels, target))


@pytest.mark.parametrize("name", ["sphere", "ellipsoid", "torus", "tube"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 5.0), (4.0, 0.8, 0.8)])
def test_shapes_are_nearer_to_the_truth_than_by_nearest_neighbour(name, spacing):
    body = BODIES[name]
    grid = grid_over(body, spacing, OBLIQUE["oblique coronal"], margin=6.0)
    labels = Volume(mask_of(body, grid).astype(np.uint8), grid)
    target = grid.isotropic(1.0)
    truth = mask_of(body, target)
    ours = dice(resample_labels(labels, target) > 0, truth)
    stepped = dice(nearest(labels, target) > 0, truth)
    assert 1 - ours < 0.7 * (1 - stepped)
    assert ours > 0.94


def test_touching_labels_are_nearer_to_the_truth_too():
    grid = grid_over(sphere(20, CENTRE), (1.0, 1.0, 4.0), OBLIQUE["oblique"], margin=5.0)
    labels = Volume(balls(grid, 20), grid)
    target = grid.isotropic(1.0)
    truth = balls(target, 20)
    ours, stepped = resample_labels(labels, target), nearest(labels, target)
    for label in (1, 2, 3):
        assert dice(ours == label, truth == label) > dice(stepped == label, truth == label)
    assert dice(ours > 0, truth > 0) > 0.97


@pytest.mark.parametrize("direction", [*AXIS_ALIGNED.values(), *OBLIQUE.values()])
def test_labels_line_up_in_physical_space_whatever_their_grid(direction):
    body = BODIES["ellipsoid"]
    target = grid_over(body, (1.0, 1.0, 1.0), OBLIQUE["oblique"])
    grid = grid_over(body, (0.9, 1.1, 2.0), direction, margin=7.0)
    shift = np.asarray(direction) @ (0.3, -0.4, 0.5)
    origin = tuple((np.asarray(grid.origin) + shift).tolist())
    grid = Grid(grid.size, grid.spacing, origin, grid.direction)
    labels = Volume(mask_of(body, grid).astype(np.uint8), grid)
    result = resample_labels(labels, target)
    assert dice(result > 0, mask_of(body, target)) > 0.97
    middle = points_of(target)[result > 0].mean(axis=0)
    supplied = points_of(grid)[labels.array > 0].mean(axis=0)
    assert np.linalg.norm(middle - supplied) < 0.06
    assert_volumes_kept(labels, target, result)


@settings(max_examples=15)
@given(st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_the_order_in_which_voxels_are_stored_hardly_matters(order, flips):
    grid = grid_over(sphere(9, CENTRE), (1.0, 1.0, 2.0), OBLIQUE["oblique"])
    array = balls(grid, 9, (1, 2))
    target = grid.isotropic(1.0)
    stored = Volume(*turned_array(array, grid, order, flips))
    first = resample_labels(Volume(array, grid), target)
    second = resample_labels(stored, target)
    # Only ties may fall to the other side, by the rounding of coordinates.
    assert np.count_nonzero(first != second) <= 0.005 * np.count_nonzero(first)


def test_what_lies_beyond_the_labels_is_background():
    grid = Grid((6, 6, 6), (1.0, 1.0, 2.0), (5.0, -3.0, 9.0), tuple(np.ravel(OBLIQUE["oblique"])))
    labels = Volume(np.ones(grid.shape, np.uint8), grid)
    start = grid.to_physical(np.array([2.0, -3.0, 1.0]))
    target = Grid((9, 9, 9), (1.0, 1.0, 1.0), tuple(start.tolist()), grid.direction)
    result = resample_labels(labels, target)
    index = grid.to_index(points_of(target))
    within = ((index > -0.5) & (index < np.asarray(grid.size) - 0.5)).all(axis=-1)
    assert np.array_equal(result > 0, within)


@pytest.mark.parametrize("direction", ["oblique", "oblique left-handed"])
@pytest.mark.parametrize("thickness", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("cut", [-3.0, -2.0, 0.5, 2.5])
def test_a_structure_cut_by_the_edge_of_the_target_keeps_the_volume_within(
    thickness, cut, direction
):
    body = sphere(12, CENTRE)
    grid = grid_over(body, (1.0, 1.0, thickness), OBLIQUE[direction])
    labels = Volume(mask_of(body, grid).astype(np.uint8), grid)
    middle = np.asarray(CENTRE) + grid.axes[:, 2] / thickness * (cut - 10)
    axes = np.reshape(grid.direction, (3, 3))
    origin = middle - axes @ (19.5, 19.5, 9.5)
    target = Grid((40, 40, 20), (1.0, 1.0, 1.0), tuple(origin.tolist()), grid.direction)
    truth = mask_of(body, target)
    result = resample_labels(labels, target) > 0
    assert np.count_nonzero(result) == pytest.approx(np.count_nonzero(truth), rel=0.03)
    assert dice(result, truth) > 0.93


def test_labels_that_lie_elsewhere_leave_nothing():
    grid = Grid((6, 6, 6), (1.0, 1.0, 1.0))
    labels = Volume(np.ones(grid.shape, np.uint8), grid)
    target = Grid((6, 6, 6), (1.0, 1.0, 1.0), (100.0, 0.0, 0.0))
    assert not resample_labels(labels, target).any()


def test_an_empty_map_stays_empty():
    grid = Grid((6, 6, 6), (1.0, 1.0, 2.0))
    assert not resample_labels(
        Volume(np.zeros(grid.shape, np.uint8), grid), grid.isotropic(1)
    ).any()


def test_the_same_grid_gives_the_same_labels():
    labels = Volume(balls(grid_over(sphere(9, CENTRE)), 9), grid_over(sphere(9, CENTRE)))
    assert np.array_equal(resample_labels(labels, labels.grid), labels.array)


def test_values_beyond_a_byte_are_kept_and_cost_no_more():
    grid = grid_over(sphere(10, CENTRE), (1.0, 1.0, 2.0), OBLIQUE["oblique"])
    small = balls(grid, 10)
    values = np.array([0, 3, 12345, 65535], np.uint16)
    target = grid.isotropic(1.0)
    result = resample_labels(Volume(values[small], grid), target)
    assert result.dtype == np.uint16
    assert np.array_equal(result, values[resample_labels(Volume(small, grid), target)])


def test_coarser_grids_take_what_fills_most_of_a_voxel():
    body = BODIES["tube"]
    grid = grid_over(body, (0.8, 0.8, 0.8), OBLIQUE["oblique coronal"], margin=6)
    labels = Volume(mask_of(body, grid).astype(np.uint8), grid)
    target = grid.isotropic(3.0)
    result = resample_labels(labels, target)
    assert_volumes_kept(labels, target, result)
    assert dice(result > 0, mask_of(body, target)) > 0.95


def test_equal_labels_give_equal_results():
    grid = grid_over(sphere(10, CENTRE), (1.0, 1.0, 3.0), OBLIQUE["oblique"])
    labels, target = Volume(balls(grid, 10), grid), grid.isotropic(1.0)
    assert np.array_equal(resample_labels(labels, target), resample_labels(labels, target))


@settings(max_examples=25, deadline=None)
@given(source=grids(size=(31, 25, 22)), target=grids(size=(24, 20, 27)), fine=st.booleans())
def test_passing_over_blocks_of_one_label_changes_nothing(source, target, fine):
    labels = np.zeros(source.shape, np.uint8)
    labels[3:19, 2:21, 4:28] = 1
    labels[8:17, 6:19, 12:30] = 2
    # About one middle, so that the two grids meet whatever their directions.
    spacing = ((0.6 if fine else 2.3) * min(source.spacing),) * 3
    target = Grid(target.size, spacing, direction=target.direction)
    apart = source.to_physical((np.array(source.size) - 1) / 2)
    apart = apart - target.to_physical((np.array(target.size) - 1) / 2)
    target = Grid(target.size, spacing, tuple(apart), target.direction)
    found = resample_labels(Volume(labels, source), target)
    with pytest.MonkeyPatch.context() as patch:
        seen = []
        blocks = label_interpolation._uniform_blocks
        patch.setattr(
            label_interpolation,
            "_uniform_blocks",
            lambda *given: np.full_like(seen.append(blocks(*given)) or seen[0], -1),
        )
        expected = resample_labels(Volume(labels, source), target)
    assert (seen[0] >= 0).any()
    assert np.array_equal(found, expected) and found.any()
