"""Limits of what is usual: robust, and crossed by chance as rarely as is said."""

import numpy as np
import pytest
from scanmill.checks import FEWEST
from scanmill.checks.limits import limits, spread
from scipy.stats import norm


def test_the_spread_of_normal_values_is_their_standard_deviation():
    n = 4001
    values = 5 + 3 * norm.ppf((np.arange(n) + 0.5) / n)
    assert spread(values) == pytest.approx(3, rel=2e-3)


def test_the_spread_is_the_quartile_of_differences_of_pairs():
    # Of 5 values the third least of 10 differences (h = 3), here 2, scaled.
    assert spread(np.array([0.0, 1.0, 3.0, 30.0, 70.0])) == pytest.approx(2.21914 * 3 * 5 / 6.4)


def test_nearly_half_of_the_cases_may_be_wrong():
    random = np.random.default_rng(0)
    values = random.normal(0, 1, 100)
    sound = limits(values, 0.0, 1)
    values[:40] = 1e6
    spoiled = limits(values, 0.0, 1)
    assert sound.high < spoiled.high < 12 and spoiled.low > -12


def test_few_cases_tell_no_limits():
    assert limits(np.arange(FEWEST - 1.0), 0.0, 1) is None
    assert limits(np.arange(FEWEST + 0.0), 0.0, 1).cases == FEWEST


def test_differences_below_the_floor_are_never_flagged():
    found = limits(np.full(50, 7.0), 0.5, 10)
    assert found.low < 6 and found.high > 8


@pytest.mark.parametrize("cases", [FEWEST, 30, 100])
@pytest.mark.parametrize("tests", [1, 25])
def test_chance_flags_at_most_one_sound_case_in_a_hundred(cases, tests):
    random = np.random.default_rng([cases, tests])
    cohorts = 400_000 // cases // (1 + tests // 5)
    flagged = 0
    for _ in range(cohorts):
        values = random.standard_normal(cases)
        usual = limits(values, 0.0, tests)
        flagged += np.count_nonzero((values < usual.low) | (values > usual.high))
    # Each quantity flags at most its part of one in a hundred; and it does flag.
    part = flagged / (cohorts * cases) * tests
    assert 0.0005 < part < 0.011
