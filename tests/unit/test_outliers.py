"""Values far from the others: by the published rule, and none where nothing can be said."""

import numpy as np
import pytest
from scanmill.overview.outliers import outside, score, usual


def test_the_score_is_the_distance_from_the_median_by_the_median_distance():
    values = np.array([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3])
    within = usual(values, 3.5, 8)
    spread = np.median(np.abs(values - 2.45))
    assert within.median == pytest.approx(2.45)
    for value in values:
        assert score(value, within, 3.5) == pytest.approx(0.6745 * (value - 2.45) / spread)
    assert outside(values, within) == [9, 8]


def test_normal_values_are_outliers_as_seldom_as_the_normal_distribution_says():
    values = np.random.default_rng(2).normal(5, 3, 200_000)
    within = usual(values, 3.5, 8)
    assert within.median == pytest.approx(5, abs=0.05)
    assert within.high - within.median == pytest.approx(3.5 * 3, rel=0.02)
    # Two-sided probability of 3.5 standard deviations: 4.65e-4.
    assert len(outside(values, within)) / len(values) == pytest.approx(4.65e-4, rel=0.3)


def test_missing_values_count_for_nothing():
    values = np.array([np.nan, 10.0, 11, 12, 13, 14, 15, 16, 99, np.nan])
    assert usual(values, 3.5, 9) is None
    within = usual(values, 3.5, 8)
    assert within.median == 13.5 and outside(values, within) == [8]


def test_none_is_named_where_half_of_the_values_are_one():
    assert usual(np.array([4.0] * 6 + [5, 6, 7, 80]), 3.5, 8) is None
