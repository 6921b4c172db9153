"""Voxels and where they lie, on grids turned in every way."""

import numpy as np
import pytest
import SimpleITK as sitk
from bodies import AXIS_ALIGNED, DIRECTIONS, turned_array
from hypothesis import given
from hypothesis import strategies as st
from scanmill.grid import Grid, bounding_box
from scipy.spatial.transform import Rotation

spacings = st.tuples(*[st.floats(0.1, 10)] * 3)
origins = st.tuples(*[st.floats(-1000, 1000)] * 3)
sizes = st.tuples(*[st.integers(1, 40)] * 3)


@st.composite
def directions(draw):
    matrix = draw(st.sampled_from(list(AXIS_ALIGNED.values())))
    turn = Rotation.from_euler("xyz", draw(st.tuples(*[st.floats(-45, 45)] * 3)), degrees=True)
    return tuple((turn.as_matrix() @ matrix).ravel().tolist())


grids = st.builds(Grid, sizes, spacings, origins, directions())


def as_itk(grid: Grid) -> sitk.Image:
    image = sitk.Image(*map(int, grid.size), sitk.sitkUInt8)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return image


@given(grids, st.tuples(*[st.floats(-50, 50)] * 3))
def test_points_are_those_of_itk_and_back(grid, index):
    point = grid.to_physical(np.array(index))
    expected = as_itk(grid).TransformContinuousIndexToPhysicalPoint(index)
    assert point == pytest.approx(np.array(expected), abs=1e-6)
    assert grid.to_index(point) == pytest.approx(np.array(index), abs=1e-6)


@given(grids)
def test_a_voxel_fills_the_volume_between_its_neighbours(grid):
    assert grid.voxel_volume == pytest.approx(abs(np.linalg.det(grid.axes)))
    assert grid.shape == grid.size[::-1]


@given(grids, st.data())
def test_a_crop_holds_the_same_voxels_at_the_same_points(grid, data):
    start = tuple(data.draw(st.integers(0, n - 1)) for n in grid.size)
    size = tuple(data.draw(st.integers(1, n - s)) for s, n in zip(start, grid.size, strict=True))
    crop = grid.crop(start, size)
    last = np.array(size) - 1
    assert crop.size == size
    assert crop.to_physical(np.zeros(3)) == pytest.approx(grid.to_physical(np.array(start)))
    assert crop.to_physical(last) == pytest.approx(grid.to_physical(np.array(start) + last))


@given(grids, st.floats(0.3, 5))
def test_the_isotropic_grid_covers_the_block_and_no_more_than_a_voxel_beyond(grid, spacing):
    fine = grid.isotropic(spacing)
    assert fine.spacing == (spacing,) * 3
    assert fine.direction == grid.direction
    middles = [g.to_physical((np.array(g.size) - 1) / 2) for g in (grid, fine)]
    assert middles[0] == pytest.approx(middles[1], abs=1e-6)
    beyond = np.multiply(fine.size, spacing) - np.multiply(grid.size, grid.spacing)
    assert (beyond > -1e-5 * spacing).all()
    assert (beyond < spacing * (1 + 1e-5)).all()


def test_a_block_that_divides_evenly_grows_by_nothing():
    grid = Grid((10, 20, 7), (0.7, 0.7, 2.1), (3.0, 4.0, 5.0))
    assert grid.isotropic(0.7).size == (10, 20, 21)
    assert grid.isotropic(0.7).origin == pytest.approx((3.0, 4.0, 4.3))


@given(grids)
def test_a_grid_is_the_same_as_itself_but_not_as_a_shifted_a_turned_or_a_longer_one(grid):
    assert grid.same_as(grid)
    x, y, z = grid.origin
    near, far = 1e-4 * min(grid.spacing), 1e-2 * max(grid.spacing)
    assert grid.same_as(Grid(grid.size, grid.spacing, (x + near, y, z), grid.direction))
    assert not grid.same_as(Grid(grid.size, grid.spacing, (x, y, z + far), grid.direction))
    longer = (grid.size[0], grid.size[1] + 1, grid.size[2])
    assert not grid.same_as(Grid(longer, grid.spacing, grid.origin, grid.direction))
    flipped = tuple(-d for d in grid.direction)
    assert not grid.same_as(Grid(grid.size, grid.spacing, grid.origin, flipped))


def test_a_drift_over_many_voxels_is_seen():
    grid = Grid((512, 512, 300), (0.7, 0.7, 1.0))
    assert not grid.same_as(Grid(grid.size, (0.7005, 0.7, 1.0)))


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_the_axial_axis_is_that_nearest_to_the_head(direction):
    grid = Grid((4, 5, 6), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.ravel(direction).tolist()))
    steps = [abs(grid.to_physical(np.eye(3)[k])[2]) for k in range(3)]
    assert grid.axial_axis == np.argmax(steps)


@given(st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_voxels_stored_in_another_order_stay_where_they_were(order, flips):
    grid = Grid((3, 4, 5), (0.7, 1.1, 2.5), (9.0, -4.0, 70.0))
    array = np.arange(60).reshape(grid.shape)
    stored, other = turned_array(array, grid, order, flips)
    assert stored.shape == other.shape
    for value in (0, 17, 59):
        points = [
            g.to_physical(np.argwhere(a == value)[0][::-1])
            for a, g in ((array, grid), (stored, other))
        ]
        assert points[0] == pytest.approx(points[1])


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 6)), min_size=1))
def test_the_bounding_box_is_the_smallest_that_holds_every_voxel(voxels):
    mask = np.zeros((5, 6, 7), bool)
    mask[tuple(np.array(list(voxels)).T)] = True
    box = bounding_box(mask)
    index = np.argwhere(mask)
    assert [s.start for s in box] == index.min(axis=0).tolist()
    assert [s.stop for s in box] == (index.max(axis=0) + 1).tolist()
    wider = bounding_box(mask, margin=2)
    assert [s.start for s in wider] == np.maximum(index.min(axis=0) - 2, 0).tolist()


def test_an_empty_mask_has_an_empty_box():
    assert not np.ones((3, 4, 5))[bounding_box(np.zeros((3, 4, 5), bool))].size
