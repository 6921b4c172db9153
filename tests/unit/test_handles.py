"""Handles are cut where they are thinnest, or their tunnels filled where they are narrowest."""

import cc3d
import numpy as np
import pytest
from bodies import DIRECTIONS, points_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.segmentation import Scene, steps
from scanmill.stage import Record

CENTRE = (61.0, -25.0, 140.0)


SPACINGS = {"xyz+++": (1.0, 1.0, 1.0), "yxz-+-": (0.8, 1.2, 1.7), "oblique": (1.0, 0.9, 1.3)}


@pytest.fixture(params=SPACINGS)
def grid(request):
    name, spacing = request.param, SPACINGS[request.param]
    size = tuple(int(n) for n in np.ceil(44.0 / np.array(spacing)))
    direction = tuple(DIRECTIONS[name].ravel().tolist())
    return Grid((1, 1, 1), spacing, CENTRE, direction).concentric(size, spacing)


def run(mask: np.ndarray, what: str, grid: Grid) -> np.ndarray:
    scene = Scene(grid, "any", lambda: None, LabelMap.empty(grid, 1), {}, Record(grid))
    return steps.apply([{"handles": what}], Region.of(mask), scene).full(mask.shape)


def euler(mask: np.ndarray) -> int:
    """Components less handles plus cavities, of voxels joined through faces."""
    total = 0
    for axes in ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)):
        part = mask
        for axis in axes:
            n = part.shape[axis]
            part = part.take(range(n - 1), axis) & part.take(range(1, n), axis)
        total += (-1) ** len(axes) * int(part.sum())
    return total


def ring(grid: Grid) -> np.ndarray:
    """A torus whose tube, of 5.8 mm radius, thins to 3.2 mm where x is largest."""
    away = points_of(grid) - CENTRE
    tube = np.hypot(np.hypot(away[..., 0], away[..., 1]) - 13, away[..., 2])
    return tube <= 4.5 - 0.1 * away[..., 0]


def test_a_ring_is_cut_where_it_is_thin_or_its_hole_is_filled(grid):
    mask = ring(grid)
    assert euler(mask) == 0
    cut, filled = run(mask, "cut", grid), run(mask, "fill", grid)
    assert euler(cut) == 1 and euler(filled) == 1
    assert not (cut & ~mask).any() and not (mask & ~filled).any()
    lost = points_of(grid)[mask & ~cut] - CENTRE
    assert lost[:, 0].min() > 7
    # A sheet of a voxel's thickness or two, across a tube of 3 mm radius.
    assert len(lost) * grid.voxel_volume < 2.5 * np.pi * 3**2 * max(grid.spacing)
    gained = points_of(grid)[filled & ~mask] - CENTRE
    assert np.hypot(gained[:, 0], gained[:, 1]).max() < 13
    assert np.ptp(gained[:, 2]) < 8


def test_what_has_no_handle_stays_as_it_is(grid):
    away = points_of(grid) - CENTRE
    block = np.abs(away - (-12, -3, -2)).max(axis=-1) < 5
    two = (np.linalg.norm(away - (9, 0, 0), axis=-1) < 7) | block
    for what in ("cut", "fill"):
        assert np.array_equal(run(two, what, grid), two)


def test_cavities_are_filled_or_opened(grid):
    away = np.linalg.norm(points_of(grid) - CENTRE, axis=-1)
    shell = (away < 15) & (away > 6)
    assert np.array_equal(run(shell, "fill", grid), away < 15)
    opened = run(shell, "cut", grid)
    assert euler(opened) == 1 and (shell & ~opened).sum() < 0.05 * shell.sum()


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.3, 0.8))
@settings(max_examples=15)
def test_any_region_becomes_balls_in_topology(seed, share):
    grid = Grid((11, 9, 8), (1.0, 1.3, 0.8), (5.0, -9.0, 2.0))
    mask = np.random.default_rng(seed).random(grid.shape) < share
    count = cc3d.connected_components(mask, connectivity=6, return_N=True)[1]
    cut = run(mask, "cut", grid)
    assert euler(cut) == count and not (cut & ~mask).any()
    assert cc3d.connected_components(cut, connectivity=6, return_N=True)[1] == count
    largest = cc3d.largest_k(mask, k=1, connectivity=6) > 0
    filled = run(largest, "fill", grid)
    assert euler(filled) == 1 and not (largest & ~filled).any()
