"""Each step on bodies of known truth; grids are flipped, oblique, anisotropic and shifted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, steps
from scanmill.stage import Record


def rotation(angle: float) -> np.ndarray:
    """A turn about LPS z, then half as much about x."""
    c, s = np.cos(angle), np.sin(angle)
    k, m = np.cos(angle / 2), np.sin(angle / 2)
    return np.array([[1, 0, 0], [0, k, -m], [0, m, k]]) @ [[c, -s, 0], [s, c, 0], [0, 0, 1]]


def grid_of(spacing, direction=None, extent=40.0, centre=(31.0, -17.0, 402.0)) -> Grid:
    """A grid about `centre`, `extent` mm long on each axis."""
    direction = np.eye(3) if direction is None else np.asarray(direction, float)
    size = tuple(int(np.ceil(extent / s)) for s in spacing)
    origin = np.asarray(centre) - direction @ ((np.array(size) - 1) / 2 * spacing)
    return Grid(size, tuple(spacing), tuple(origin), tuple(direction.ravel()))


GRIDS = {
    "plain": grid_of((1.0, 1.0, 1.0)),
    "anisotropic": grid_of((0.8, 0.8, 2.5)),
    "flipped": grid_of((0.8, 0.8, 2.5), np.diag([-1, -1, 1])),
    "left-handed": grid_of((0.9, 0.7, 2.0), np.diag([1, 1, -1])),
    "oblique": grid_of((0.8, 1.1, 2.5), rotation(0.4)),
    "coronal": grid_of((0.8, 0.8, 2.5), [[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
EVERY_GRID = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
CENTRE = np.array([31.0, -17.0, 402.0])


def points(grid: Grid) -> np.ndarray:
    """LPS mm of every voxel centre, [z, y, x, 3]."""
    z, y, x = np.indices(grid.shape)
    return grid.to_physical(np.stack([x, y, z], axis=-1))


def ball(grid: Grid, radius: float, offset=(0.0, 0.0, 0.0)) -> np.ndarray:
    return ((points(grid) - CENTRE - offset) ** 2).sum(-1) <= radius**2


def scene_of(grid, image=None, modality="any", **structures) -> Scene:
    """A scene with some structures painted already."""
    labels = {name: number for number, name in enumerate(structures, 1)}
    scene = Scene(grid, modality, lambda: image, LabelMap.empty(grid, 9), labels, Record(grid))
    for name, mask in structures.items():
        if mask.any():
            scene.label_map.paint(labels[name], Region.of(mask))
    return scene


def run(mask, some_steps, scene) -> np.ndarray:
    return steps.apply(some_steps, Region.of(mask), scene).full(scene.grid.shape)


def radius_of(mask: np.ndarray, grid: Grid) -> float:
    """The radius of the ball of the same volume, mm."""
    return float((mask.sum() * grid.voxel_volume * 3 / 4 / np.pi) ** (1 / 3))


@EVERY_GRID
@pytest.mark.parametrize(("step", "before", "after"), [("dilate", 10, 13), ("erode", 13, 10)])
def test_millimetres_are_millimetres_on_every_grid(grid, step, before, after):
    moved = run(ball(grid, before), [{step: 3}], scene_of(grid))
    assert radius_of(moved, grid) == pytest.approx(after, abs=grid.voxel_volume ** (1 / 3) / 2)
    index = np.argwhere(moved).mean(0)[::-1]
    assert grid.to_physical(index) == pytest.approx(CENTRE, abs=max(grid.spacing) / 4)


@EVERY_GRID
def test_dilate_reaches_half_a_voxel_beyond_its_length_along_each_axis(grid):
    start = np.zeros(grid.shape, bool)
    start[tuple(n // 2 for n in grid.shape)] = True
    apart = (points(grid) - points(grid)[start][0]) @ np.reshape(grid.direction, (3, 3))
    semi = 5.05 + np.array(grid.spacing) / 2
    expected = ((apart / semi) ** 2).sum(-1) <= 1
    assert np.array_equal(run(start, [{"dilate": 5.05}], scene_of(grid)), expected)


@EVERY_GRID
@pytest.mark.parametrize("mm", [2.0, 3.0, 4.0, 5.0])
def test_faces_move_by_the_nearest_whole_number_of_voxels(grid, mm):
    block = np.zeros(grid.shape, bool)
    block[tuple(slice(n // 2 - 2, n // 2 + 2) for n in grid.shape)] = True
    grown = run(block, [{"dilate": mm}], scene_of(grid))
    for axis, spacing in enumerate(grid.spacing[::-1]):
        length = np.flatnonzero(grown.any(axis=tuple({0, 1, 2} - {axis}))).size
        assert abs((length - 4) / 2 * spacing - mm) <= spacing / 2 + 1e-9


@given(
    spacing=st.tuples(*[st.floats(0.6, 3.0)] * 3),
    mm=st.floats(0.5, 4.0),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=30, deadline=None)
def test_morphology_obeys_its_algebra(spacing, mm, seed):
    grid = Grid((12, 11, 10), spacing, (5.0, -3.0, 70.0))
    mask = np.random.default_rng(seed).random(grid.shape) < 0.6
    scene = scene_of(grid)
    eroded, dilated = run(mask, [{"erode": mm}], scene), run(mask, [{"dilate": mm}], scene)
    once, filled = run(mask, [{"open": mm}], scene), run(mask, [{"close": mm}], scene)
    assert not (eroded & ~once).any() and not (once & ~mask).any()
    assert not (mask & ~filled).any() and not (filled & ~dilated).any()
    assert np.array_equal(run(once, [{"open": mm}], scene), once)
    assert np.array_equal(run(filled, [{"close": mm}], scene), filled)
    assert np.array_equal(eroded, ~run(~mask, [{"dilate": mm}], scene))


def test_the_scan_border_erodes_nothing():
    grid = GRIDS["anisotropic"]
    everything = np.ones(grid.shape, bool)
    assert run(everything, [{"erode": 5}], scene_of(grid)).all()


def test_a_step_below_half_a_voxel_changes_nothing_and_says_so():
    grid = GRIDS["plain"]
    scene = scene_of(grid)
    mask = ball(grid, 8)
    assert np.array_equal(run(mask, [{"dilate": 0.4}], scene), mask)
    assert [w["code"] for w in scene.record.warnings] == ["step-too-fine"]


@EVERY_GRID
def test_open_drops_the_thin_and_close_fills_it(grid):
    offset = points(grid) - CENTRE
    plate = (np.abs(offset[..., 0]) <= 1.6) & (np.abs(offset) <= 15).all(-1)
    body = ball(grid, 10)
    opened = run(body | plate, [{"open": 4}], scene_of(grid))
    assert radius_of(opened, grid) == pytest.approx(10, abs=max(grid.spacing) / 2)
    closed = run(body & ~plate, [{"close": 4}], scene_of(grid))
    assert radius_of(closed, grid) == pytest.approx(10, abs=max(grid.spacing) / 2)
    assert closed.sum() > (body & ~plate).sum() * 1.15


def test_window_includes_both_limits_and_null_is_none():
    grid = Grid((5, 1, 1), (1.0, 1.0, 1.0), (9.0, 9.0, 9.0))
    scene = scene_of(grid, np.array([[[-10.0, 0.0, 1.0, 2.0, 3.0]]]))

    def kept(limits):
        return steps.apply([{"window": limits}], None, scene).full(grid.shape).ravel().tolist()

    assert kept([0, 2]) == [False, True, True, True, False]
    assert kept([None, 0]) == [True, True, False, False, False]
    assert kept([2, None]) == [False, False, False, True, True]


@EVERY_GRID
def test_inside_and_outside_cut_along_another_structure(grid):
    organ, tumour = ball(grid, 12), ball(grid, 5)
    scene = scene_of(grid, organ=organ, tumour=tumour)  # the tumour covers part of the organ
    assert np.array_equal(run(ball(grid, 16), [{"inside": "organ"}], scene), organ)
    assert np.array_equal(run(organ, [{"outside": "tumour"}], scene), organ & ~tumour)
    assert not run(organ, [{"outside": ["tumour", "organ"]}], scene).any()


def test_touching_keeps_what_shares_a_face():
    grid = Grid((9, 5, 5), (0.8, 0.8, 2.5), (1.0, 2.0, 3.0))
    organ, parts = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    organ[2, 2, 2:4] = True
    parts[2, 2, 4:6] = True  # shares a face
    parts[3, 3, 1] = True  # only a corner
    parts[2, 2, 8] = True  # apart
    kept = run(parts, [{"touching": "organ"}], scene_of(grid, organ=organ))
    assert np.argwhere(kept).tolist() == [[2, 2, 4], [2, 2, 5]]


@EVERY_GRID
def test_fill_holes_is_3d_and_slices_follow_the_patient(grid):
    solid, hole = ball(grid, 14), ball(grid, 6)
    height = (points(grid) - CENTRE) @ superior_axis(grid)
    tunnel = (
        np.linalg.norm(points(grid) - CENTRE - height[..., None] * superior_axis(grid), axis=-1)
    ) <= 4
    scene = scene_of(grid)
    assert np.array_equal(run(solid & ~hole, [{"fill": "holes"}], scene), solid)
    pierced = solid & ~tunnel
    assert np.array_equal(run(pierced, [{"fill": "holes"}], scene), pierced)
    # The tunnel ends in the ball's caps: every slice that encloses it is filled.
    middle = np.abs(height) <= 10
    filled = run(pierced, [{"fill": "slices"}], scene)
    assert np.array_equal(filled & middle, solid & middle)


def superior_axis(grid: Grid) -> np.ndarray:
    """The direction of the grid axis nearest LPS z."""
    direction = np.reshape(grid.direction, (3, 3))
    return direction[:, int(np.argmax(np.abs(direction[2])))]


@EVERY_GRID
def test_components_by_size_seed_and_border(grid):
    big, small = ball(grid, 7, (-8, 0, 0)), ball(grid, 4, (9, 0, 0))
    both, scene = big | small, scene_of(grid)
    litres = small.sum() * grid.voxel_volume / 1000
    assert np.array_equal(run(both, [{"largest": 1}], scene), big)
    assert np.array_equal(run(both, [{"largest": 2}], scene), both)
    assert np.array_equal(run(both, [{"minimum_ml": litres}], scene), both)
    assert np.array_equal(run(both, [{"minimum_ml": litres * 1.01}], scene), big)
    assert np.array_equal(run(both, [{"seeds": [[40.0, -17.0, 402.0]]}], scene), small)
    assert np.array_equal(run(both, [{"drop": "border"}], scene), both)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_drop_border_drops_what_touches_any_face(axis, end):
    grid = Grid((9, 8, 7), (1.0, 1.0, 1.0), (9.0, 9.0, 9.0))
    inner, outer = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    inner[3, 3, 3] = True
    np.moveaxis(outer, axis, 0)[end, 5, 5] = True
    assert np.array_equal(run(inner | outer, [{"drop": "border"}], scene_of(grid)), inner)


def test_bodies_that_share_an_edge_are_two_and_ties_go_to_the_first():
    grid = Grid((4, 4, 4), (1.0, 1.0, 1.0), (9.0, 9.0, 9.0))
    mask = np.zeros(grid.shape, bool)
    mask[1, 1, 1] = mask[1, 2, 2] = mask[2, 3, 3] = True
    kept = run(mask, [{"largest": 1}], scene_of(grid))
    assert np.argwhere(kept).tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("offset", [[0, 0, 0], [15, 0, 0], [500, 0, 0]])
def test_a_seed_that_misses_is_refused(offset):
    grid = GRIDS["oblique"]
    shell = ball(grid, 12) & ~ball(grid, 6)
    with pytest.raises(Refusal) as refusal:
        run(
            shell,
            [{"seeds": [[31.0, -8.0, 402.0], (CENTRE + offset).tolist()]}],
            scene_of(grid),
        )
    assert refusal.value.code == "seed-misses" and "seed 2 of 2" in refusal.value.reason


@pytest.mark.parametrize("step", ["inside", "touching"])
def test_what_an_empty_structure_is_needed_for_is_skipped(step):
    grid = GRIDS["plain"]
    scene = scene_of(grid, organ=np.zeros(grid.shape, bool))
    with pytest.raises(Refusal) as refusal:
        run(ball(grid, 5), [{step: "organ"}], scene)
    assert refusal.value.code == "structure-skipped" and "organ" in refusal.value.reason
    assert np.array_equal(run(ball(grid, 5), [{"outside": "organ"}], scene), ball(grid, 5))


@pytest.mark.parametrize("step", ["erode", "open"])
def test_nothing_left_is_empty_and_later_steps_leave_it_so(step):
    grid = GRIDS["anisotropic"]
    rest = [{"close": 3}, {"fill": "slices"}, {"largest": 1}, {"drop": "border"}]
    assert not run(ball(grid, 3), [{step: 6}, *rest], scene_of(grid)).any()


def test_the_same_steps_give_the_same_voxels_from_any_box():
    grid = GRIDS["oblique"]
    mask = ball(grid, 9) | ball(grid, 3, (14, 0, 0))
    some = [{"open": 2}, {"dilate": 3}, {"close": 4}, {"fill": "slices"}, {"largest": 1}]
    tight = run(mask, some, scene_of(grid))
    whole = Region(tuple(slice(0, n) for n in grid.shape), mask)
    assert np.array_equal(steps.apply(some, whole, scene_of(grid)).full(grid.shape), tight)
    assert np.array_equal(run(mask, some, scene_of(grid)), tight)


LITRE = Grid((50, 50, 50), (2.0, 2.0, 2.0), (9.0, 9.0, 9.0))
CROP = Grid((20, 20, 20), (2.0, 2.0, 2.0), (9.0, 9.0, 9.0))


def intensities(grid: Grid, low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, int(np.prod(grid.size))).reshape(grid.shape)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (0, 2500), (0, 1), (-1, 1), (-4, 9)])
def test_intensities_that_cannot_be_hounsfield_are_refused_for_ct_alone(low, high):
    image = intensities(LITRE, low, high)
    with pytest.raises(Refusal) as refusal:
        steps.apply([{"window": [0, None]}], None, scene_of(LITRE, image, "CT"))
    assert refusal.value.code == "not-hounsfield"
    assert steps.apply([{"window": [0, None]}], None, scene_of(LITRE, image, "MR")).count()


@pytest.mark.parametrize(
    ("grid", "low", "high"), [(LITRE, -1024, 3071), (LITRE, -120, 90), (CROP, 20, 200)]
)
def test_whole_and_cropped_ct_pass(grid, low, high):
    image = intensities(grid, low, high)
    assert steps.apply([{"window": [50, None]}], None, scene_of(grid, image, "CT")).count()
