"""A structure among its neighbours, at the voxel centres of a scan of another grid."""

import numpy as np
import pytest
from bodies import DIRECTIONS, OBLIQUE, grid_over, mask_of
from scanmill.label_map import Region
from scanmill.phantom.body import sphere
from scanmill.surroundings import OWN, UNLABELLED, Neighbours, neighbours_of, scene_of

CENTRE = (31.37, -112.71, 402.93)
ORGAN, LESION = sphere(12, CENTRE), sphere(5, tuple(np.add(CENTRE, (3.0, -2.0, 1.0))))
BESIDE = sphere(9, tuple(np.add(CENTRE, (-18.0, 0.0, 0.0))))


@pytest.mark.parametrize("direction", ["xyz+++", "yxz-++", *OBLIQUE])
def test_each_centre_of_the_scan_is_of_what_lies_uppermost_there(direction):
    scan = grid_over(ORGAN, (1.3, 1.3, 2.6), DIRECTIONS[direction], margin=12)
    grid = scan.isotropic(1.0)
    organ, lesion, beside = (Region.of(mask_of(b, grid)) for b in (ORGAN, LESION, BESIDE))
    scene = scene_of(organ, grid, Neighbours([beside], [lesion]), scan, 4)
    expected = np.full(scan.shape, UNLABELLED)
    for number, body in ((2, BESIDE), (OWN, ORGAN), (3, LESION)):
        expected[mask_of(body, scan)] = number
    # A centre's voxel of the mask is the nearest one, half a voxel of it off at most.
    assert np.mean(scene.top == expected[scene.box]) > 0.97
    assert scene.number == 4
    assert np.array_equal(scene.inside, (scene.top == OWN) | (scene.top == 3))
    assert scene.inside.sum() * scan.voxel_volume == pytest.approx(ORGAN.volume, rel=0.02)


def test_a_structure_outside_the_scan_has_no_scene():
    scan = grid_over(ORGAN, margin=3)
    region = Region.of(mask_of(ORGAN, scan))
    apart = scan.crop((0, 0, 0), (3, 3, 3))
    assert scene_of(region, scan, Neighbours(), apart, 4) is None


def test_what_is_painted_later_lies_above_what_it_covers_alone():
    grid = grid_over(ORGAN, margin=30)
    regions = {
        label: Region.of(mask_of(body, grid))
        for label, body in ((5, ORGAN), (2, LESION), (9, BESIDE))
    }
    organ, lesion, beside = regions.values()
    assert neighbours_of(5, regions, {5}) == Neighbours([], [lesion, beside])
    assert neighbours_of(2, regions, {5}) == Neighbours([organ, beside])


@pytest.mark.parametrize("direction", ["xyz+++", "yxz-++", *OBLIQUE])
def test_the_filled_parts_of_voxels_are_the_masks_volume(direction):
    scan = grid_over(ORGAN, (1.3, 1.3, 2.6), DIRECTIONS[direction], margin=12)
    for grid in (scan.isotropic(1.3), scan.isotropic(1.0), scan.isotropic(3.1)):
        organ = Region.of(mask_of(ORGAN, grid))
        scene = scene_of(organ, grid, Neighbours(), scan, 4)
        filled = scene.filled(np.arange(scene.inside.size))
        held = organ.count() * grid.voxel_volume
        assert filled.sum() * scan.voxel_volume == pytest.approx(held, rel=1e-9)
        assert filled.min() >= 0 and filled.max() < 1 + 1e-9
