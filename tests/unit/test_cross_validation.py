"""What is told of networks on scans that they were not shown."""

import numpy as np
import pytest
from scanmill.learning.cross_validation import Reliability, dice, summary


def test_dice_is_the_share_of_what_both_have():
    one, other = np.zeros((2, 4, 4, 4), bool)
    one[:2], other[1:3] = True, True
    assert dice(one, other) == 0.5 and dice(one, one) == 1.0
    assert dice(one, ~one) == 0.0 and dice(one & False, one & False) is None


def told(chance: float, right: float, number: int = 1000):
    """Voxels of two classes, all found to be the second with that chance; of them so many are."""
    chances = np.stack([np.full(number, 1 - chance), np.full(number, chance)])
    truth = (np.arange(number) < right * number).astype(int)
    return chances, truth


def test_who_is_right_as_often_as_said_has_no_error():
    reliability = Reliability()
    for chance in (0.65, 0.75, 0.95):
        reliability.add(*told(chance, chance))
    assert reliability.error() == pytest.approx(0, abs=1e-3)
    assert reliability.table() == [
        {"voxels": 1000, "said": c, "right": c} for c in (0.65, 0.75, 0.95)
    ]


def test_the_error_is_how_far_said_and_right_are_apart():
    reliability = Reliability()
    reliability.add(*told(0.95, 0.75))
    reliability.add(*told(0.65, 0.75))
    assert reliability.error() == pytest.approx(0.15, abs=1e-6)


def test_voxels_that_all_know_to_be_background_do_not_count():
    reliability = Reliability()
    chances = np.array([[0.999, 0.999, 0.5], [0.001, 0.001, 0.5]])
    reliability.add(chances, np.array([0, 1, 1]))
    # The second is labelled and was missed; of two equal chances the first class is the answer.
    assert reliability.number.sum() == 2 and reliability.right.sum() == 0
    assert Reliability().error() == 0 and Reliability().table() == []


def test_a_summary_tells_means_and_leaves_out_what_is_in_no_scan():
    def case(score, labelled, found):
        return {"dice": score, "labelled_mm3": labelled, "found_mm3": found}

    cases = [
        [case(0.9, 100.0, 110.0), case(None, 0.0, 0.0)],
        [case(0.7, 200.0, 180.0), case(0.5, 50.0, 100.0)],
    ]
    both = summary(["one", "two"], cases)
    assert both["one"] == {
        "scans": 2,
        "dice_mean": 0.8,
        "dice_sd": pytest.approx(0.1414, abs=1e-4),
        "volume_error_percent_mean": 0.0,
        "volume_error_percent_sd": pytest.approx(14.1421, abs=1e-4),
        "dice": [0.9, 0.7],
    }
    assert both["two"]["scans"] == 1 and both["two"]["dice_sd"] is None
    assert both["two"]["volume_error_percent_mean"] == 100.0
