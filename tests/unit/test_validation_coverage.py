"""Coverage of voxels by closed surfaces, against bodies of exact measures in any pose."""

import numpy as np
import pytest
from bodies import DIRECTIONS, POSE, grid_over
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.phantom.body import Box
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy
from scanmill.surface import Surface
from scanmill.surface_measures import volume
from scanmill.validation.coverage import coverages

CORNERS = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) / 2
FACES = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
TRIANGLES = np.array([[f[0], f[n], f[n + 1]] for f in FACES for n in (1, 2)])
SPACINGS = [(1.0, 1.0, 1.0), (0.7, 0.9, 4.0), (3.0, 1.0, 1.5)]


def block(size, centre=(0.0, 0.0, 0.0), rotation=(1, 0, 0, 0, 1, 0, 0, 0, 1)) -> Surface:
    points = (CORNERS * size) @ np.reshape(rotation, (3, 3)).T + centre
    return Surface(points, TRIANGLES)


def full(covered, grid, part="whole"):
    array = np.zeros(grid.shape)
    array[covered.box] = getattr(covered, part)
    return array


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_each_voxel_has_the_part_that_an_oblique_box_fills(direction, spacing):
    body = Box(size=(22, 28, 34), **POSE)
    grid = grid_over(body, spacing, direction)
    surface = block(body.size, **POSE)
    assert volume(surface) == pytest.approx(body.volume)
    (covered,) = coverages([surface], grid)
    # The reference samples each voxel at 251 points.
    expected = occupancy(body, grid) / SAMPLES
    assert np.abs(full(covered, grid) - expected).max() < 0.1
    assert np.abs(full(covered, grid) - expected).mean() < 0.002
    assert covered.volume(grid) == pytest.approx(body.volume, rel=1e-3)


def test_along_the_rows_and_on_whole_rows_it_is_exact():
    grid = Grid((7, 6, 5), (2.0, 1.0, 3.0), (-5.0, 40.0, 7.0))
    low, high = grid.to_physical(np.array([[0.8, 0.5, 0.5], [4.15, 3.5, 2.5]]))
    (covered,) = coverages([block(high - low, (low + high) / 2)], grid)
    expected = np.zeros(grid.shape)
    expected[1:3, 1:4, 1:5] = np.array([0.7, 1, 1, 0.65])
    np.testing.assert_allclose(full(covered, grid), expected, atol=1e-6)


def test_a_sphere_of_triangles_has_the_volume_of_its_polyhedron():
    from scanmill.surface import boundaries, surface_of

    grid = Grid((40, 38, 42), (1.0, 1.0, 1.0), (-31.0, 12.0, 99.0))
    z, y, x = np.indices(grid.shape)
    ball = ((x - 19.3) ** 2 + (y - 18.6) ** 2 + (z - 20.1) ** 2 < 14**2).astype(np.uint8)
    surface = surface_of(boundaries(ball, grid)[0], 1, grid)
    (covered,) = coverages([surface], grid)
    assert covered.volume(grid) == pytest.approx(volume(surface), rel=3e-4)
    inner = (x - 19.3) ** 2 + (y - 18.6) ** 2 + (z - 20.1) ** 2 < 12**2
    np.testing.assert_allclose(full(covered, grid)[inner], 1, atol=1e-5)


def test_later_structures_cover_earlier_ones_and_neighbours_leave_no_gap():
    grid = Grid((12, 12, 12), (1.0, 1.0, 1.0), (0.25, 0.13, -0.31))
    rotation = POSE["rotation"]
    turn = np.reshape(rotation, (3, 3))
    organ = block((6, 6, 6), (5.5, 5.5, 5.5), rotation)
    tumour = block((2, 2, 2), (5.5, 5.5, 5.5), rotation)
    beside = block((1.5, 6, 6), np.array((5.5, 5.5, 5.5)) + turn @ (3.75, 0, 0), rotation)
    found = coverages([organ, tumour, beside], grid)
    visible = [full(c, grid, "visible") for c in found]
    whole = [full(c, grid) for c in found]
    np.testing.assert_allclose(visible[0] + visible[1], whole[0], atol=1e-5)
    np.testing.assert_allclose(visible[1], whole[1], atol=1e-6)
    (both,) = coverages(
        [block((7.5, 6, 6), np.array((5.5, 5.5, 5.5)) + turn @ (0.75, 0, 0), rotation)], grid
    )
    np.testing.assert_allclose(sum(visible), full(both, grid), atol=1e-5)


@settings(max_examples=40)
@given(st.tuples(*[st.floats(-12, 12)] * 3), st.tuples(*[st.floats(0.5, 15)] * 3))
def test_what_the_grid_cuts_off_does_not_count(centre, size):
    grid = Grid((9, 8, 10), (1.5, 1.0, 2.0), (-6.0, -3.5, -9.0))
    low, high = grid.to_physical(np.array([[-0.5] * 3, np.array(grid.size) - 0.5]))
    (covered,) = coverages([block(size, centre)], grid, rows=8)
    half = np.divide(size, 2)
    within = np.minimum(high, centre + half) - np.maximum(low, np.subtract(centre, half))
    # Faces along the grid are the worst case: rows are in or out together.
    error = np.prod(np.maximum(within + 0.2, 0)) - np.prod(np.maximum(within, 0))
    assert abs(covered.volume(grid) - np.prod(np.maximum(within, 0))) < error + 1e-6


def test_a_surface_beyond_the_grid_fills_nothing():
    grid = Grid((5, 5, 5), (1.0, 1.0, 1.0))
    (covered,) = coverages([block((2, 2, 2), (50, 0, 0))], grid)
    assert covered.volume(grid) == 0 and covered.whole.size == 0
