"""Steps that know sides, cavities and distances, on flipped, oblique, anisotropic and shifted grids."""

import numpy as np
import pytest
from bodies import DIRECTIONS, points_of
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.midline import Midline
from scanmill.phantom.description import turned
from scanmill.segmentation import Scene, steps
from scanmill.stage import Record

CENTRE = np.array([31.0, -17.0, 402.0])
NAMES = ("xyz+++", "xyz--+", "zxy+-+", "oblique", "oblique left-handed")


@pytest.fixture(params=NAMES)
def grid(request):
    spacing = (0.9, 1.2, 2.0)
    direction = tuple(DIRECTIONS[request.param].ravel().tolist())
    return Grid((1, 1, 1), spacing, tuple(CENTRE.tolist()), direction).concentric(
        (56, 44, 30), spacing
    )


def ball(grid: Grid, radius: float, offset=(0.0, 0.0, 0.0)) -> np.ndarray:
    return ((points_of(grid) - CENTRE - offset) ** 2).sum(-1) <= radius**2


def scene_of(grid: Grid, midline: Midline | None = None, **structures) -> Scene:
    labels = {name: number for number, name in enumerate(structures, 1)}
    scene = Scene(grid, "any", lambda: None, LabelMap.empty(grid, 9), labels, Record(grid))
    for name, mask in structures.items():
        scene.label_map.paint(labels[name], Region.of(mask))
    if midline:
        scene.__dict__["midline"] = midline
    return scene


def run(mask, some_steps, scene) -> np.ndarray:
    return steps.apply(some_steps, Region.of(mask), scene).full(scene.grid.shape)


def plane(degrees: float, beside: float) -> Midline:
    """The midline of a patient who is turned about LPS z and lies so many mm left of CENTRE."""
    normal = turned((0, 0, degrees)) @ [1.0, 0, 0]
    return Midline(tuple(normal.tolist()), float(normal @ CENTRE) + beside, 0.9, 1.0)


def test_sides_are_the_patients_and_part_every_voxel(grid):
    midline, mask = plane(14, 3), ball(grid, 15)
    scene = scene_of(grid, midline)
    left, right = (run(mask, [{"side": which}], scene) for which in ("left", "right"))
    mm = points_of(grid) @ midline.normal - midline.offset
    assert np.array_equal(left, mask & (mm > 0)) and np.array_equal(right, mask & (mm <= 0))
    assert left.sum() < 0.45 * mask.sum()


def test_the_largest_of_each_side_are_kept(grid):
    parts = {
        "left big": ball(grid, 6, (12, 0, 0)),
        "left small": ball(grid, 4, (12, 14, 0)),
        "right big": ball(grid, 5.5, (-10, 0, 0)),
        "right small": ball(grid, 3.5, (-10, -13, 0)),
    }
    scene = scene_of(grid, plane(5, 0))
    everything = np.logical_or.reduce(list(parts.values()))
    kept = run(everything, [{"largest": {"per_side": 1}}], scene)
    assert np.array_equal(kept, parts["left big"] | parts["right big"])
    assert np.array_equal(run(everything, [{"largest": {"per_side": 2}}], scene), everything)
    # The two of the left are the larger ones once the midline lies right of all but one.
    moved = scene_of(grid, plane(0, -30))
    kept = run(everything, [{"largest": {"per_side": 2}}], moved)
    assert np.array_equal(kept, parts["left big"] | parts["right big"])


def test_the_largest_cavities_stay_and_too_few_are_warned_of(grid):
    outer, big, small = ball(grid, 16), ball(grid, 6, (-5, 0, 0)), ball(grid, 3.5, (8, 0, 0))
    shell = outer & ~big & ~small
    scene = scene_of(grid)
    assert np.array_equal(run(shell, [{"cavities": 2}], scene), shell)
    assert np.array_equal(run(shell, [{"cavities": 1}], scene), outer & ~big)
    assert scene.record.warnings == []
    assert np.array_equal(run(shell, [{"cavities": 3}], scene), shell)
    (warning,) = scene.record.warnings
    assert warning["code"] == "cavities-missing" and "2 of 3" in warning["message"]


def test_what_is_open_to_the_outside_is_no_cavity(grid):
    height = (points_of(grid) - CENTRE)[..., 2]
    beside = np.linalg.norm((points_of(grid) - CENTRE)[..., :2], axis=-1)
    pierced = ball(grid, 15) & ~(beside <= 4) & (np.abs(height) < 12)
    scene = scene_of(grid)
    assert np.array_equal(run(pierced, [{"cavities": 1}], scene), pierced)
    assert [w["code"] for w in scene.record.warnings] == ["cavities-missing"]


@pytest.mark.parametrize("mm", [0.5, 2.0, 3.7])
def test_structures_are_apart_by_what_their_voxels_are(grid, mm):
    vessel, tumour = ball(grid, 7, (-9, 2, 0)), ball(grid, 8, (5, 0, 1))
    kept = run(tumour, [{"apart": {"from": "vessel", "mm": mm}}], scene_of(grid, vessel=vessel))
    spacing = np.array(grid.spacing[::-1])
    places, others = np.argwhere(tumour), np.argwhere(vessel)
    steps_apart = np.abs(places[:, None] - others[None])
    gaps = np.linalg.norm(np.maximum(steps_apart - 1, 0) * spacing, axis=-1).min(axis=1)
    # Of voxels that share a face or overlap, the gap is none.
    assert np.array_equal(kept[tumour], gaps >= mm - 1e-9)
    assert 0 < kept.sum() < tumour.sum()


def test_an_empty_or_distant_structure_takes_nothing(grid):
    tumour = ball(grid, 5, (14, 0, 0))
    far, none = ball(grid, 3, (-14, 0, 0)), np.zeros(grid.shape, bool)
    scene = scene_of(grid, far=far)
    scene.labels["none"] = 7
    for name in ("far", "none"):
        assert np.array_equal(run(tumour, [{"apart": {"from": name, "mm": 5}}], scene), tumour)
    assert not none.any()
