"""Margins around bodies whose grown shape is known, in any pose of the grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.segmentation import Scene, steps
from scanmill.segmentation.margins import DIRECTIONS, half_voxel
from scanmill.stage import Record
from scipy.spatial.transform import Rotation

CENTRE = np.array([-52.0, 117.0, 908.0])
SIX = {"left": 9, "right": 3, "anterior": 6, "posterior": 0, "superior": 12, "inferior": 5}


def grid_of(spacing, turn=(0, 0, 0), flip=(1, 1, 1), shift=(0.0, 0.0, 0.0), extent=74.0) -> Grid:
    """A grid about CENTRE, moved by `shift` mm, turned by degrees about x, y, z, axes flipped."""
    direction = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * flip
    size = tuple(int(np.ceil(extent / s)) for s in spacing)
    origin = CENTRE + shift - direction @ ((np.array(size) - 1) / 2 * spacing)
    return Grid(size, tuple(spacing), tuple(origin), tuple(direction.ravel()))


GRIDS = {
    "cubes": grid_of((1.0, 1.0, 1.0)),
    "anisotropic": grid_of((0.8, 0.8, 2.5), shift=(0.3, 0.1, -0.9)),
    "flipped": grid_of((0.8, 0.8, 2.5), flip=(-1, -1, 1), shift=(0.2, 0.4, 0.6)),
    "left-handed": grid_of((1.1, 0.9, 2.0), flip=(1, 1, -1)),
    "sagittal": grid_of((0.9, 1.2, 2.5), turn=(90, 0, 90)),
    "oblique": grid_of((0.8, 1.0, 2.5), turn=(25, -40, 15), shift=(0.5, 0.2, 0.1)),
}
EVERY_GRID = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())


def offsets(grid: Grid) -> np.ndarray:
    """LPS mm from CENTRE to every voxel's centre, [z, y, x, 3]."""
    z, y, x = np.indices(grid.shape)
    return grid.to_physical(np.stack([x, y, z], axis=-1)) - CENTRE


def grown(mask: np.ndarray, margin, grid: Grid) -> np.ndarray:
    scene = Scene(grid, "any", lambda: None, LabelMap.empty(grid, 1), {}, Record(grid))
    return steps.apply([{"margin": margin}], Region.of(mask), scene).full(grid.shape)


def box(grid: Grid, half, margin) -> np.ndarray:
    """A box about CENTRE with its margin: `half` and the pairs of `margin` are mm along LPS axes."""
    away = offsets(grid)
    beyond = away - np.clip(away, -np.asarray(half), half)
    semi = np.where(beyond > 0, *np.maximum(np.array(margin, float).T[::-1], 1e-9))
    return ((beyond / semi) ** 2).sum(-1) <= 1


@EVERY_GRID
@pytest.mark.parametrize(("radius", "margin"), [(10, 5), (15, 10), (12, 3)])
def test_a_ball_grows_to_the_ball_that_is_larger_by_the_margin(grid, radius, margin):
    apart = np.linalg.norm(offsets(grid), axis=-1)
    found = grown(apart <= radius, margin, grid)
    truth = 4 / 3 * np.pi * (radius + margin) ** 3
    assert found.sum() * grid.voxel_volume == pytest.approx(truth, rel=0.025)
    half = max(grid.spacing) / 2
    assert apart[found].max() <= radius + margin + half
    assert apart[~found].min() >= radius + margin - half


@EVERY_GRID
def test_each_side_of_a_box_moves_by_its_own_margin(grid):
    half = np.array([11.0, 8.0, 13.0])
    none, pairs = np.zeros((3, 2)), [[SIX[name] for name in pair] for pair in DIRECTIONS]
    found = grown(box(grid, half, none), SIX, grid)
    least, most = (box(grid, half + sign * half_voxel(grid), pairs) for sign in (-1, 1))
    assert not (found & ~most).any()
    beside_a_face = (np.abs(offsets(grid)) > half - 2 * half_voxel(grid)).sum(-1) <= 1
    assert not (least & ~found & beside_a_face).any()
    # What an edge of a mask stands for is less certain: rounded, or sharp.
    assert not (box(grid, half - 1.5 * half_voxel(grid), pairs) & ~found).any()


@EVERY_GRID
def test_one_length_is_the_same_length_in_all_directions(grid):
    body = box(grid, (9, 6, 12), np.zeros((3, 2)))
    assert np.array_equal(grown(body, 7, grid), grown(body, dict.fromkeys(SIX, 7), grid))


@pytest.mark.parametrize("name", SIX)
def test_a_direction_of_no_margin_stays_and_the_others_keep_theirs(name):
    grid = GRIDS["flipped"]
    body = np.linalg.norm(offsets(grid), axis=-1) <= 9
    found = grown(body, dict.fromkeys(SIX, 0) | {name: 8}, grid)
    (axis,) = (n for n, pair in enumerate(DIRECTIONS) if name in pair)
    sign = 1 if name in ("left", "posterior", "superior") else -1
    along, before = (sign * offsets(grid)[mask][:, axis] for mask in (found, body))
    assert along.min() == before.min()
    assert along.max() - before.max() == pytest.approx(8, abs=0.75 * grid.spacing[axis])
    across = np.delete(offsets(grid), axis, axis=-1)
    assert np.abs(across[found]).max(axis=0) == pytest.approx(np.abs(across[body]).max(axis=0))


def test_a_single_voxel_grows_to_a_ball():
    grid = grid_of((0.8, 0.8, 2.5), extent=20)
    body = np.zeros(grid.shape, bool)
    body[4, 12, 12] = True
    volume = grown(body, 6, grid).sum() * grid.voxel_volume
    assert 4 / 3 * np.pi * 6**3 <= volume <= 4 / 3 * np.pi * 6.4 * 6.4 * 7.25


def test_the_scan_ends_the_margin():
    grid = grid_of((1.0, 1.0, 2.0), extent=12)
    body = np.zeros(grid.shape, bool)
    body[0, :, :3] = True
    found = grown(body, 4, grid)
    assert np.argwhere(found).max(axis=0).tolist() == [2, 11, 6]
    assert found[0, :, :7].all()


def test_a_margin_that_is_lost_between_voxels_is_told():
    grid = grid_of((0.8, 0.8, 2.5), extent=30)
    body = np.linalg.norm(offsets(grid), axis=-1) <= 6
    record = Record(grid)
    scene = Scene(grid, "any", lambda: None, LabelMap.empty(grid, 1), {}, record)
    margin = dict.fromkeys(SIX, 2) | {"superior": 1, "left": 0}
    steps.apply([{"margin": margin}], Region.of(body), scene)
    assert [warning["code"] for warning in record.warnings] == ["step-too-fine"]
    assert "1 mm" in record.warnings[0]["message"] and "2.5 mm" in record.warnings[0]["message"]


@given(
    spacing=st.tuples(*[st.floats(0.7, 3.0)] * 3),
    turn=st.tuples(*[st.floats(-90, 90)] * 3),
    reach=st.tuples(*[st.floats(0, 6)] * 6),
    order=st.permutations([0, 1, 2]),
    flips=st.tuples(*[st.booleans()] * 3),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_margins_hold_the_body_and_follow_the_patient_not_the_array(
    spacing, turn, reach, order, flips, seed
):
    grid = grid_of(spacing, turn, extent=16)
    mask = np.random.default_rng(seed).random(grid.shape) < 0.02
    mask[tuple(n // 2 for n in grid.shape)] = True
    margin = dict(zip(SIX, reach, strict=True))
    found = grown(mask, margin, grid)
    assert not (mask & ~found).any()
    other = stored_otherwise(grid, order, flips)
    again = grown(turned(mask, order, flips), margin, other)
    # Ties apart: a centre that lies on the margin's very end may fall on either side.
    assert (again != turned(found, order, flips)).mean() < 1e-3


def turned(mask: np.ndarray, order, flips) -> np.ndarray:
    """The array with axes in another order, some of them backwards."""
    axes = [n for n, flipped in enumerate(flips) if flipped]
    return np.ascontiguousarray(np.flip(np.transpose(mask, order), axes))


def stored_otherwise(grid: Grid, order, flips) -> Grid:
    """The grid of an array that `turned` gives of one on this grid."""
    kept = [2 - n for n in order][::-1]
    back = np.array(flips[::-1])
    size = tuple(grid.size[n] for n in kept)
    direction = np.reshape(grid.direction, (3, 3))[:, kept]
    steps_mm = direction * np.take(grid.spacing, kept)
    origin = grid.origin + steps_mm @ np.where(back, np.array(size) - 1, 0)
    direction = direction * np.where(back, -1, 1)
    spacing = tuple(grid.spacing[n] for n in kept)
    return Grid(size, spacing, tuple(origin), tuple(direction.ravel()))
