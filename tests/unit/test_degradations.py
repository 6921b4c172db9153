"""Scans made worse on purpose: in their place, fairly labelled, and measured as the workflow does."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bodies import AXIS_ALIGNED, DATA, OBLIQUE
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.recipe import load
from scanmill.volume_file import Volume

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs"))
import degraded  # noqa: E402
from degradations import AMPLITUDE, Degradation, Labelled, thicker, whole_blocks  # noqa: E402
from stages import measured  # noqa: E402

DIRECTIONS = {name: AXIS_ALIGNED[name] for name in ("xyz+++", "yzx-+-", "zxy--+")} | OBLIQUE
SPACING = (0.9, 1.1, 1.3)
RADII = (11.0, 8.5, 9.5)
SLOPE = np.array([3.0, -2.0, 5.0])


def grid(direction: str) -> Grid:
    size = (30, 27, 29)
    return Grid(size, SPACING, (-71.0, 203.5, 12.25), tuple(np.ravel(DIRECTIONS[direction])))


def points(where: Grid) -> np.ndarray:
    """LPS mm of every voxel, [z, y, x, 3]."""
    z, y, x = np.indices(where.shape)
    return where.to_physical(np.stack([x, y, z], axis=-1))


def labelled(where: Grid, offset: np.ndarray) -> Labelled:
    """An image that rises along a line, and an ellipsoid cut in two labels."""
    place = points(where)
    centre = where.to_physical((np.asarray(where.size) - 1) / 2) + offset
    inside = (((place - centre) / RADII) ** 2).sum(axis=-1) < 1
    labels = inside * np.where((place - centre)[..., 0] > 0, 1, 2)
    scan = Volume(place @ SLOPE, where)
    return Labelled(scan, Volume(labels.astype(np.uint8), where), "MR", 10.0)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("thickness", [2, 3, 5])
def test_thick_slices_are_means_and_stay_where_they_were(direction, thickness):
    case = labelled(grid(direction), np.zeros(3))
    thick = thicker(case, thickness)
    where = thick.scan.grid
    # The mean of what rises along a line is its value in the middle.
    np.testing.assert_allclose(thick.scan.array, points(where) @ SLOPE, rtol=1e-5, atol=1e-3)
    assert where.spacing[where.axial_axis] == SPACING[where.axial_axis] * thickness
    assert where.same_as(thick.labels.grid)
    kept = whole_blocks(case, thickness).scan.grid
    assert where.size[where.axial_axis] * thickness == kept.size[where.axial_axis]


@settings(max_examples=20)
@given(
    direction=st.sampled_from(list(DIRECTIONS)),
    offset=st.tuples(*[st.floats(-1, 1)] * 3),
    thickness=st.sampled_from([2, 3]),
)
def test_labels_of_thick_slices_keep_volume_and_place(direction, offset, thickness):
    case = labelled(grid(direction), np.asarray(offset))
    thick = thicker(case, thickness)
    before, after = whole_blocks(case, thickness).labels, thick.labels
    for label in (1, 2):
        masks = [v.array == label for v in (before, after)]
        counted = [
            m.sum() * v.grid.voxel_volume for m, v in zip(masks, (before, after), strict=True)
        ]
        assert counted[1] == pytest.approx(counted[0], rel=0.05)
        middles = [
            points(v.grid)[m].mean(axis=0) for m, v in zip(masks, (before, after), strict=True)
        ]
        assert np.abs(middles[1] - middles[0]).max() < 0.4


def test_a_thick_voxel_has_the_label_that_fills_most_of_it():
    where = grid("xyz+++")
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, where.shape).astype(np.uint8)
    thick = thicker(Labelled(Volume(labels * 1.0, where), Volume(labels, where), "MR", 1.0), 5)
    blocks = labels[2:27].reshape(5, 5, *labels.shape[1:])
    filled = np.stack([(blocks == label).sum(axis=1) for label in range(4)])
    own = np.take_along_axis(filled, thick.labels.array[None].astype(int), 0)[0]
    assert (own == filled.max(axis=0)).all()


def test_of_half_filled_voxels_each_label_gets_half():
    where = Grid((40, 40, 2), SPACING)
    labels = np.zeros(where.shape, np.uint8)
    labels[0, 5:35, 8:30] = 3
    labels[1, 12:28, 12:25] = 3
    thick = thicker(Labelled(Volume(labels * 1.0, where), Volume(labels, where), "MR", 1.0), 2)
    drawn, before = 2 * (thick.labels.array == 3).sum(), (labels == 3).sum()
    # Some of them are alike: the body has a plane of symmetry.
    assert drawn == pytest.approx(before, rel=0.02)


def test_noise_is_the_scanners_and_the_same_again():
    where = grid("oblique")
    flat = Volume(np.full(where.shape, 40, np.int16), where)
    case = Labelled(flat, Volume(np.zeros(where.shape, np.uint8), where), "CT", 100.0)
    noise = Degradation("noise", ratio=4)
    image = noise.of(case, 7).scan.array
    assert image.dtype == np.int16
    assert image.std() == pytest.approx(25, rel=0.02) and image.mean() == pytest.approx(40, abs=0.6)
    np.testing.assert_array_equal(image, noise.of(case, 7).scan.array)
    assert (image != noise.of(case, 8).scan.array).mean() > 0.9
    # The mean of squares of a magnitude: signal and both channels.
    image = noise.of(replace(case, modality="MR"), 7).scan.array.astype(float)
    assert (image**2).mean() == pytest.approx(40**2 + 2 * 25**2, rel=0.02) and image.min() >= 0


def test_a_coil_shades_the_scan_and_no_label():
    case = labelled(grid("oblique"), np.zeros(3))
    case = replace(case, scan=Volume(np.full(case.scan.grid.shape, 100.0), case.scan.grid))
    shaded = Degradation("bias", shaded=True).of(case, 1)
    gain = shaded.scan.array / 100
    assert gain.min() == pytest.approx(1 - AMPLITUDE) and gain.max() == pytest.approx(1 + AMPLITUDE)
    np.testing.assert_array_equal(shaded.labels.array, case.labels.array)


@pytest.fixture
def hippocampus():
    return load(ROOT / "tests" / "real" / "recipes" / "hippocampus.yaml")


def test_volumes_of_supplied_labels_do_not_depend_on_the_corrections(hippocampus):
    case = labelled(grid("oblique"), np.zeros(3))
    bright = 100.0 + 50 * (case.labels.array > 0)
    case = replace(case, scan=Volume(bright, case.scan.grid), contrast=50.0)
    worse = Degradation("all", thickness=2, ratio=5, shaded=True).of(case, 2)
    found = [
        measured(worse, replace(hippocampus, correct=correct))
        for correct in (degraded.OFF, degraded.ON)
    ]
    assert found[0] == found[1]
    size = worse.labels.grid.voxel_volume
    drawn = [float((worse.labels.array == label).sum() * size) for label in (1, 2)]
    assert [o.supplied for o in found[0]] == pytest.approx(drawn)
    assert all(o.low < o.told < o.high for o in found[0])


@pytest.mark.real
@pytest.mark.skipif(not DATA.is_dir(), reason="the shared real scans are not here")
def test_thick_slices_of_real_crops_keep_the_labels_volumes(hippocampus):
    crops = list(degraded.hippocampi(DATA, 3))
    thick = (Degradation("slices x 3", thickness=3),)
    every = degraded.pairs(crops, hippocampus, thick, degraded.FOR_LABELS)
    (nothing, _, before), (name, corrected, found) = every
    assert (nothing, name, corrected) == ("nothing", "slices x 3", "off")
    assert len(before) == len(found) == 6
    for pair in found:
        assert pair.after.mask == pytest.approx(pair.after.supplied, rel=0.002)
        assert pair.after.supplied == pytest.approx(pair.before.supplied, rel=0.08)
        assert pair.after.holds(pair.before.mask)
