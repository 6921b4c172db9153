"""The table of the seven challenges: each row on one seed, and what its cells say."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scanmill.label_map import Region
from scanmill.volume_file import Volume

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs"))
import challenges  # noqa: E402
from challenge.bodies import organ  # noqa: E402
from challenge.mill import measured, rules, segmented  # noqa: E402
from challenge.table import Goal, Row, markdown, mean_of  # noqa: E402

SLOW = {"bias", "artefacts", "contrast", "variability"}
MET = {"noise": 1, "partial_volume": 1, "anisotropy": 1, "artefacts": 1}


def distance(goal: Goal, mean: float) -> float:
    """How far a mean lies on the goal's worse side of 0."""
    return {"at least": -mean, "at most": mean, "within": abs(mean)}[goal.kind]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in challenges.CHALLENGES]
)
def test_every_challenge_has_rows_and_a_met_goal_is_better_than_nothing_done(name):
    rows = import_module(f"challenge.{name}").rows(range(1))
    for row in rows:
        assert np.isfinite([*row.before, *row.after, *row.seconds]).all()
        if row.goal.is_met(np.mean(row.after)):
            before, after = np.mean(row.before), np.mean(row.after)
            assert distance(row.goal, after) < distance(row.goal, before)
    assert sum(row.goal.is_met(np.mean(row.after)) for row in rows) >= MET.get(name, 0)


@pytest.mark.parametrize(
    ("goal", "met", "missed"),
    [
        (Goal("at least", 0.9), 0.91, 0.89),
        (Goal("at most", 0.02), 0.019, 0.021),
        (Goal("within", 2.0), -1.9, -2.1),
        (Goal("within", 2.0), 1.9, 2.1),
    ],
)
def test_a_goal_is_met_on_its_side(goal, met, missed):
    assert goal.is_met(met)
    assert not goal.is_met(missed)


def test_the_interval_of_a_mean_is_students():
    # Tabulated: the 0.975 quantile of Student's t with 3 degrees of freedom is 3.182.
    values = [1.0, 2.0, 3.0, 4.0]
    half = 3.182 * np.std(values, ddof=1) / 2
    assert mean_of(values, 2) == f"2.50 ± {half:.2f}"
    assert mean_of([0.5], 1) == "0.5"
    assert mean_of([], 1) == ""


def test_the_page_has_one_table_and_then_a_part_for_each_challenge():
    goal = Goal("at least", 0.92)
    row = Row("noise", "Dice", "none", [0.2, 0.4], [0.9, 1.0], goal, [0.11, 0.12], 2)
    lines = list(challenges.page({"noise": ([row], list(markdown(("a",), [("b",)])))}))
    cells = (
        "noise",
        "Dice",
        "0.30 ± 1.27",
        "0.95 ± 0.64",
        "none",
        "at least 0.92",
        "yes",
        "2",
        "0.1",
    )
    assert f"| {' | '.join(cells)} |" in lines
    assert lines[lines.index("## Noise") :] == ["## Noise", "", "| a |", "| --- |", "| b |", ""]


def test_what_rules_find_is_measured_as_the_stages_do():
    own = organ(3, (1.0, 1.0, 3.0), 8.0)
    image = Volume(np.rint(100 * own.filled).astype(np.int16), own.grid)
    found = segmented(image, {"organ": rules({"window": [50, None]})})
    assert np.array_equal(found.mask("organ"), image.array >= 50)
    told = measured(found, "organ", image, own.body.volume)
    assert told.held
    assert abs(told.off) < 3
    assert told.mask_off == pytest.approx(
        100 * (found.mask("organ").sum() * 3.0 / own.body.volume - 1)
    )


def test_a_structure_without_voxels_has_no_volume_in_the_table():
    own = organ(3, (1.0, 1.0, 3.0), 8.0)
    image = Volume(np.zeros(own.grid.shape, np.int16), own.grid)
    found = segmented(image, {"organ": rules({"window": [50, None]})})
    told = measured(found, "organ", image, own.body.volume)
    assert (told.given, told.estimate, told.mask_off) == (False, None, -100)


def test_what_holds_another_structure_is_measured_whole():
    own = organ(3, (1.0, 1.0, 3.0), 8.0)
    image = Volume(np.rint(100 * own.filled).astype(np.int16), own.grid)
    supplied = {"organ": Region.of(own.filled >= 0.5)}
    core = rules({"inside": "organ"}, {"erode": 3})
    told = measured(
        segmented(image, {"core": core}, supplied=supplied), "organ", image, own.body.volume
    )
    assert told.held
    assert told.counted == pytest.approx(supplied["organ"].count() * 3.0)
