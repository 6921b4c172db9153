"""Repaired label maps against a brute-force definition of well-composedness."""

from itertools import product

import cc3d
import numpy as np
import pytest
from bodies import BODIES, grid_over, mask_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.composition import make_well_composed
from scipy.ndimage import gaussian_filter


def is_well_composed(labels) -> bool:
    """In every 2x2x2 block: each label and its complement are one 6-connected piece, or none."""
    for z, y, x in product(*(range(n - 1) for n in labels.shape)):
        block = labels[z : z + 2, y : y + 2, x : x + 2]
        for label in set(block.ravel()) - {0}:
            for part in (block == label, block != label):
                if part.any() and cc3d.connected_components(part, connectivity=6).max() > 1:
                    return False
    return True


def bordered(labels) -> np.ndarray:
    return np.pad(labels, 1)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.floats(0, 1))
def test_noise_becomes_well_composed_and_keeps_its_border(seed, number, filled):
    random = np.random.default_rng(seed)
    labels = random.integers(1, number + 1, (6, 7, 8)) * (random.random((6, 7, 8)) < filled)
    repaired = bordered(labels.astype(np.uint8))
    before = repaired.copy()
    changed, left = make_well_composed(repaired)
    assert left == 0
    assert is_well_composed(repaired)
    assert (changed == 0) == np.array_equal(before, repaired)
    assert set(np.unique(repaired)) <= set(np.unique(before))
    inner = repaired[1:-1, 1:-1, 1:-1]
    assert np.count_nonzero(inner) == np.count_nonzero(repaired)


@pytest.mark.parametrize("seed", range(4))
def test_large_noise_is_repaired_too(seed):
    random = np.random.default_rng(seed)
    repaired = bordered(random.integers(0, 5, (40, 40, 40)).astype(np.uint16))
    assert make_well_composed(repaired)[1] == 0


@pytest.mark.parametrize("name", ["sphere", "torus"])
def test_a_well_composed_map_is_left_as_it_is(name):
    grid = grid_over(BODIES[name])
    labels = mask_of(BODIES[name], grid).astype(np.uint8)
    make_well_composed(labels)
    again = labels.copy()
    assert make_well_composed(again) == (0, 0)
    assert np.array_equal(again, labels)


def test_few_voxels_of_a_smooth_map_change():
    random = np.random.default_rng(3)
    fields = [gaussian_filter(random.standard_normal((48, 48, 48)), 3.0) for _ in range(4)]
    before = bordered(np.argmax(fields, axis=0).astype(np.uint8))
    after = before.copy()
    _, left = make_well_composed(after)
    assert left == 0
    assert 0 < np.count_nonzero(after != before) < 0.005 * before.size


def test_equal_maps_are_repaired_equally():
    labels = bordered(np.random.default_rng(9).integers(0, 4, (12, 12, 12)).astype(np.uint8))
    other = labels.copy()
    assert make_well_composed(labels) == make_well_composed(other)
    assert np.array_equal(labels, other)


@pytest.mark.parametrize("offset", [(1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)])
def test_two_voxels_that_touch_by_an_edge_or_a_corner_are_joined_or_parted(offset):
    labels = np.zeros((5, 5, 5), np.uint8)
    labels[1, 1, 1] = labels[tuple(np.add(1, offset))] = 1
    changed, left = make_well_composed(labels)
    assert changed >= 1
    assert left == 0
    assert is_well_composed(labels)
