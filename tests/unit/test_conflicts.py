"""What later structures of a recipe take from earlier ones is counted, and said where it is much."""

import numpy as np
import pytest
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.segmentation import Scene, conflicts
from scanmill.stage import Record

GRID = Grid((40, 10, 5), (0.5, 1.0, 2.0), (7.0, -30.0, 12.0))
BARS = {"organ": (0, 20), "lesion": (16, 26), "rim": (24, 30)}


def scene_of(**bars) -> Scene:
    """Bars across the x axis, painted in order."""
    labels = {name: number for number, name in enumerate(bars, 1)}
    scene = Scene(GRID, "any", lambda: None, LabelMap.empty(GRID, 9), labels, Record())
    for name, (start, stop) in bars.items():
        mask = np.zeros(GRID.shape, bool)
        mask[..., start:stop] = True
        scene.label_map.paint(labels[name], Region.of(mask))
    return scene


def noted(bars, **of) -> Record:
    """of: how structures are found, but for those that are by no step."""
    plain = {"method": "rules", "steps": []}
    scene = scene_of(**bars)
    conflicts.note([{"name": n, "segment": plain | of.get(n, {})} for n in bars], scene)
    return scene.record


def test_what_is_taken_is_counted_in_voxels_ml_and_share():
    record = noted(BARS)
    unsaid = {"share": 0.2, "in_recipe": False}
    assert record.details["conflicts"] == [
        {"structure": "organ", "taken_by": "lesion", "voxels": 200, "ml": 0.2} | unsaid,
        {"structure": "lesion", "taken_by": "rim", "voxels": 100, "ml": 0.1} | unsaid,
    ]
    assert [(w["code"], w["structure"]) for w in record.warnings] == [
        ("structures-overlap", "organ"),
        ("structures-overlap", "lesion"),
    ]
    assert "20.0 %" in record.warnings[0]["message"] and "'lesion'" in record.warnings[0]["message"]


@pytest.mark.parametrize(
    "said",
    [
        {"lesion": {"steps": [{"inside": "organ"}]}, "rim": {"steps": [{"inside": "lesion"}]}},
        {"lesion": {"inside": "organ"}, "rim": {"seeds": "lesion"}},
        {"lesion": {"steps": [{"margin": 2}]}},
    ],
)
def test_what_the_recipe_says_is_no_conflict(said):
    record = noted(BARS, **said)
    assert record.warnings == [] and len(record.details["conflicts"]) == 2


def test_what_lies_in_a_part_lies_in_the_whole():
    bars = {"body": (0, 30), "organ": (5, 20), "lesion": (10, 20)}
    organ, lesion = {"steps": [{"inside": "body"}]}, {"steps": [{"inside": "organ"}]}
    record = noted(bars, organ=organ, lesion=lesion)
    assert record.warnings == [] and all(c["in_recipe"] for c in record.details["conflicts"])
    assert [c["taken_by"] for c in record.details["conflicts"]] == ["organ", "lesion", "lesion"]


def test_boundaries_that_overlap_a_little_are_counted_only():
    record = noted({"organ": (0, 40), "lesion": (39, 40)})
    assert record.warnings == [] and record.details["conflicts"][0]["share"] == 0.025
    assert noted({"organ": (0, 20), "lesion": (20, 30)}).details["conflicts"] == []
