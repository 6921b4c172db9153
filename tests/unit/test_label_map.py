"""Structures painted over each other: nothing that overlaps is lost, on disk or off it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region, count_voxels, regions_of
from scanmill.label_map_files import read_label_map, write_label_map

GRID = Grid((9, 8, 7), (0.8, 0.8, 1.5), (5.0, -60.0, 12.0), (0, -1, 0, 1, 0, 0, 0, 0, -1))
NAMES = {"organ": 1, "tumour": 3, "vessel": 300}
SEEDS = st.integers(0, 2**32 - 1)


def random_mask(random) -> np.ndarray:
    low = random.integers(0, 4, 3)
    mask = np.zeros(GRID.shape, bool)
    mask[tuple(slice(s, s + 4) for s in low)] = random.random((4, 4, 4)) < 0.6
    return mask


def painted(seed):
    random = np.random.default_rng(seed)
    labels = LabelMap.empty(GRID, 300)
    masks = {label: random_mask(random) for label in NAMES.values()}
    for label, mask in masks.items():
        if mask.any():
            labels.paint(label, Region.of(mask))
    return labels, masks


@given(SEEDS)
def test_later_structures_lie_on_earlier_ones_and_each_stays_whole(seed):
    labels, masks = painted(seed)
    expected = np.zeros(GRID.shape, int)
    for label, mask in masks.items():
        expected[mask] = label
    assert labels.array.dtype == np.uint16
    assert np.array_equal(labels.array, expected)
    regions = labels.regions()
    assert set(regions) == {label for label, mask in masks.items() if mask.any()}
    for label, region in regions.items():
        assert np.array_equal(region.full(GRID.shape), masks[label])
        assert np.array_equal(labels.region(label).full(GRID.shape), masks[label])
        assert region.count() == masks[label].sum()
        assert all(region.array.any(axis=tuple({0, 1, 2} - {a}))[[0, -1]].all() for a in range(3))


@settings(max_examples=20)
@given(SEEDS)
def test_a_label_map_comes_back_from_its_files(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("case")
    labels, masks = painted(seed)
    paths = folder / "labels.nii.gz", folder / "overlaps"
    write_label_map(*paths, labels, NAMES)
    covered = {name for name, label in NAMES.items() if label in labels.covered}
    assert {p.name for p in paths[1].iterdir()} == {f"{name}.nii.gz" for name in covered}
    back = read_label_map(*paths, NAMES)
    assert np.array_equal(back.array, labels.array)
    assert back.grid.same_as(GRID)
    for label, region in back.regions().items():
        assert np.array_equal(region.full(GRID.shape), masks[label])


def test_a_structure_that_is_covered_whole_is_still_known():
    labels = LabelMap.empty(GRID, 3)
    inner = np.zeros(GRID.shape, bool)
    inner[2:4, 2:4, 2:4] = True
    labels.paint(1, Region.of(inner))
    labels.paint(3, Region.of(np.ones(GRID.shape, bool)))
    assert np.array_equal(labels.regions()[1].full(GRID.shape), inner)


@pytest.mark.parametrize(
    ("largest", "dtype"), [(1, np.uint8), (255, np.uint8), (256, np.uint16), (65535, np.uint16)]
)
def test_a_map_is_of_the_smallest_type_that_holds_its_labels(largest, dtype):
    labels = LabelMap.empty(GRID, largest)
    assert labels.array.dtype == dtype
    labels.paint(largest, Region.of(np.ones(GRID.shape, bool)))
    assert (labels.array == largest).all()


def test_an_absent_label_has_an_empty_region():
    region = LabelMap.empty(GRID, 3).region(2)
    assert region.count() == 0
    assert not region.full(GRID.shape).any()


@given(SEEDS, st.sampled_from([np.uint8, np.uint16]))
def test_regions_and_counts_of_any_map(seed, dtype):
    random = np.random.default_rng(seed)
    labels = (random.integers(0, 200, (5, 6, 7)) * (random.random((5, 6, 7)) < 0.1)).astype(dtype)
    regions = regions_of(labels)
    assert set(regions) == set(np.unique(labels)) - {0}
    for label, region in regions.items():
        assert np.array_equal(region.full(labels.shape), labels == label)
    assert np.array_equal(count_voxels(labels, 200), np.bincount(labels.ravel(), minlength=200))
