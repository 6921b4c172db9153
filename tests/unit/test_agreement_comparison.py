"""A structure beside its reference, on whatever grid that was drawn."""

import numpy as np
import pytest
from bodies import BODIES, CENTRE, DATA, DIRECTIONS, grid_over, mask_of
from scanmill.agreement import comparison
from scanmill.agreement.comparison import part_outside, side_by_side
from scanmill.agreement.masks import measures_of
from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import Region
from scanmill.phantom.body import sphere
from scanmill.source import read_source
from scanmill.source.segments.segment import Mask
from scanmill.volume_file import Volume

BALL = sphere(12, CENTRE)
ISOTROPIC = grid_over(BALL, (1.0, 1.0, 1.0), DIRECTIONS["oblique left-handed"], margin=6)


def drawn(body, grid: Grid) -> Mask:
    return comparison.mask_of(Region.of(mask_of(body, grid)), grid)


@pytest.mark.parametrize("direction", ["xyz+++", "yzx-+-", "oblique"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.9, 3.0)])
def test_a_mask_on_the_reference_s_own_grid_stays_as_it_is(direction, spacing):
    body = BODIES["oblique box"]
    grid = grid_over(body, spacing, DIRECTIONS[direction])
    region = Region.of(mask_of(body, grid))
    ours, theirs = side_by_side(region, grid, drawn(body, grid))
    np.testing.assert_array_equal(ours, theirs)
    assert ours.sum() == region.count()


@pytest.mark.parametrize("direction", ["xyz+++", "zxy-+-", "oblique coronal"])
@pytest.mark.parametrize("spacing", [(0.6, 0.6, 0.6), (1.0, 1.0, 1.0), (0.8, 0.9, 3.0)])
def test_one_body_on_two_grids_agrees_to_the_voxel(direction, spacing):
    grid = grid_over(BALL, spacing, DIRECTIONS[direction])
    ours, theirs = side_by_side(Region.of(mask_of(BALL, ISOTROPIC)), ISOTROPIC, drawn(BALL, grid))
    found = measures_of(ours, theirs, spacing, 1.0)
    assert found["dice"] > 0.96
    assert found["average_surface_distance_mm"] < 0.25 * max(spacing)
    # Without bias: it has the volume that it had.
    volume = ours.sum() * grid.voxel_volume
    assert volume == pytest.approx(mask_of(BALL, ISOTROPIC).sum(), rel=2e-3)


def test_a_shift_of_known_length_is_found_in_physical_space():
    moved = sphere(12, (CENTRE[0] + 3, CENTRE[1], CENTRE[2]))
    grid = grid_over(moved, (0.7, 0.9, 1.5), DIRECTIONS["oblique"])
    ours, theirs = side_by_side(Region.of(mask_of(BALL, ISOTROPIC)), ISOTROPIC, drawn(moved, grid))
    found = measures_of(ours, theirs, grid.spacing, 1.0)
    # Of two balls of radius r at distance d: a lens of pi (4 r + d) (2 r - d)^2 / 12.
    lens = np.pi * (4 * 12 + 3) * (2 * 12 - 3) ** 2 / 12
    assert found["dice"] == pytest.approx(lens / BALL.volume, abs=0.01)
    assert found["hausdorff_mm"] == pytest.approx(3, abs=1)


def test_what_lies_beyond_the_reference_s_grid_is_compared_too():
    grid = grid_over(BALL, (1.0, 1.0, 1.0))
    half = Grid((grid.size[0], grid.size[1], grid.size[2] // 2), grid.spacing, grid.origin)
    region = Region.of(mask_of(BALL, grid))
    cut = drawn(BALL, half)
    ours, theirs = side_by_side(region, grid, cut)
    assert ours.sum() == region.count() and theirs.sum() == cut.array.sum()
    assert measures_of(ours, theirs, grid.spacing, 1.0)["dice"] < 0.7
    assert part_outside(drawn(BALL, grid), half) == pytest.approx(
        100 * (1 - cut.array.sum() / region.count())
    )
    assert part_outside(cut, grid) == 0


@pytest.mark.real
@pytest.mark.skipif(not DATA.is_dir(), reason="the shared real scans are not here")
def test_the_way_over_the_isotropic_grid_is_no_disagreement():
    # Two networks' labels of one CT: compared as they are, and by way of voxels of half the size.
    truth, found = (
        read_source(DATA / "totalsegmentator" / f"{name}.nii.gz")[0]
        for name in ("example_seg", "example_seg_fast")
    )
    fine = found.grid.isotropic(1.5)
    labels = resample_labels(Volume(found.array.astype(np.uint8), found.grid), fine)
    for label in (1, 5, 52):
        drawn_as = comparison.mask_of(Region.of(truth.array == label), truth.grid)
        masks = side_by_side(Region.of(labels == label), fine, drawn_as)
        direct = found.array == label, truth.array == label
        through, plain = (measures_of(*pair, truth.grid.spacing, 1.0) for pair in (masks, direct))
        for name, off in (("dice", 1e-3), ("surface_dice", 5e-3)):
            assert through[name] == pytest.approx(plain[name], abs=off), (label, name)
