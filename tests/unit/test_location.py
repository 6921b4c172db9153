"""Centroid and bounding box in the patient, whatever the grid."""

from itertools import product

import numpy as np
import pytest
from bodies import BODIES, DIRECTIONS, grid_over, mask_of, points_of, turned_array
from hypothesis import given
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.location import location
from test_grid import directions

CORNERS = np.array(list(product((-0.5, 0.5), repeat=3)))
GRIDS = st.builds(
    Grid,
    st.tuples(*[st.integers(1, 6)] * 3),
    st.tuples(*[st.floats(0.2, 6)] * 3),
    st.tuples(*[st.floats(-500, 500)] * 3),
    directions(),
)


def vector(found, quantity) -> np.ndarray:
    return np.array([found[f"{quantity}_{axis}_mm"] for axis in "xyz"])


@given(GRIDS, st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_the_box_holds_the_corners_of_all_voxels_exactly(grid, seed, filled):
    random = np.random.default_rng(seed)
    mask = random.random(grid.shape) < filled
    mask.ravel()[random.integers(mask.size)] = True
    found = location(Region.of(mask), grid)
    index = np.argwhere(mask)[:, ::-1]
    corners = grid.to_physical((index[:, None] + CORNERS).reshape(-1, 3))
    assert vector(found, "bbox_min") == pytest.approx(corners.min(axis=0), abs=1e-6)
    assert vector(found, "bbox_max") == pytest.approx(corners.max(axis=0), abs=1e-6)
    assert vector(found, "centroid") == pytest.approx(points_of(grid)[mask].mean(axis=0), abs=1e-6)
    edge = (index == 0).any() or (index == np.array(grid.size) - 1).any()
    assert found["touches_border"] == edge


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_found_where_it_is_on_every_grid(name):
    body = BODIES[name]
    truth = None
    for direction in DIRECTIONS.values():
        grid = grid_over(body, direction=direction)
        found = location(Region.of(mask_of(body, grid)), grid)
        assert np.linalg.norm(vector(found, "centroid") - body.centroid) < 0.1
        low, high = body.bounds()
        assert (vector(found, "bbox_min") > low - 2).all()
        assert (vector(found, "bbox_max") < high + 2).all()
        assert found["touches_border"] is False
        truth = truth or found
    assert set(found) == set(truth)


@given(st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_the_order_in_which_voxels_are_stored_does_not_matter(order, flips):
    body = BODIES["ellipsoid"]
    grid = grid_over(body, (1.5, 2.0, 3.0), DIRECTIONS["oblique"])
    first = location(Region.of(mask_of(body, grid)), grid)
    mask, stored = turned_array(mask_of(body, grid), grid, order, flips)
    assert location(Region.of(mask), stored) == pytest.approx(first, abs=1e-6)
