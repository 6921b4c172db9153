"""The change of a volume with its interval."""

from math import sqrt

import numpy as np
import pytest
from scanmill.change import CHANGES, Volume, change


def of(value, below, above):
    sd = (below + above) / 2 / 1.959964
    return Volume(value, value - below, value + above, 1.959964 * sqrt(2) * sd)


def test_symmetric_intervals_add_as_their_squares():
    found = change(of(1000, 30, 30), of(1100, 40, 40))
    assert found["change_mm3"] == 100 and found["change_percent"] == pytest.approx(10)
    assert found["change_low_mm3"] == pytest.approx(50)
    assert found["change_high_mm3"] == pytest.approx(150)
    # 1.96 sqrt(sd1^2 + sd2^2): the half of that interval.
    assert found["smallest_detectable_change_mm3"] == pytest.approx(50)
    assert found["exceeds"] == "true"
    assert change(of(1100, 40, 40), of(1051, 30, 30))["exceeds"] == "false"
    assert change(of(1100, 40, 40), of(1049, 30, 30))["exceeds"] == "true"
    assert set(found) < set(CHANGES)


def test_each_end_is_made_of_the_ends_that_it_depends_on():
    found = change(of(1000, 10, 100), of(1000, 20, 200))
    assert found["change_low_mm3"] == pytest.approx(-sqrt(20**2 + 100**2))
    assert found["change_high_mm3"] == pytest.approx(sqrt(200**2 + 10**2))


def test_the_change_in_percent_does_not_go_below_everything():
    found = change(of(1000, 100, 100), of(100, 100, 90))
    assert found["change_low_percent"] == -100
    assert -90 < found["change_high_percent"] < -70
    unknown = change(of(100, 100, 90), of(1000, 100, 100))
    assert unknown["change_low_percent"] > 0 and "change_high_percent" not in unknown


def test_intervals_hold_the_change_in_95_percent():
    random = np.random.default_rng(5)
    held = np.zeros(2)
    for _ in range(2000):
        before, after = random.normal(5000, 100), random.normal(5500, 200)
        found = change(of(before, 195.9964, 195.9964), of(after, 391.9928, 391.9928))
        held += (
            found["change_low_mm3"] < 500 < found["change_high_mm3"],
            found["change_low_percent"] < 10 < found["change_high_percent"],
        )
    assert held / 2000 == pytest.approx([0.95, 0.95], abs=0.015)


def test_a_row_without_a_volume_has_none():
    row = {"volume_mm3": "", "volume_low_mm3": "1", "volume_high_mm3": "9"}
    assert Volume.of(row | {"smallest_detectable_change_mm3": "3"}) is None
