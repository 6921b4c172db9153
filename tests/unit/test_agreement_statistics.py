"""Statistics of agreement: published examples, and what cannot be told."""

import numpy as np
import pytest
from scanmill.agreement.bland_altman import limits_of_agreement
from scanmill.agreement.cohort import agreement_rows
from scanmill.agreement.columns import AGREEMENT
from scanmill.agreement.intraclass import intraclass

# Shrout and Fleiss 1979, table 2: six subjects by four judges.
JUDGED = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
# Bland and Altman 1986, table 1: peak expiratory flow, l/min, first reading by each meter.
WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)


def test_the_intraclass_correlation_is_the_published_one():
    found = intraclass(JUDGED)
    assert found.value == pytest.approx(0.29, abs=0.005)
    # As R's psych and irr print it for these data.
    assert found.interval == pytest.approx((0.019, 0.761), abs=0.001)


def test_a_constant_offset_lowers_absolute_agreement():
    exact = np.array([[1.0, 1.0], [2, 2], [4, 4], [7, 7]])
    assert intraclass(exact).value == 1 and intraclass(exact).interval is None
    low, high = (found := intraclass(np.add(exact, [0, 2]))).interval
    # Mean squares: of rows 2 x 7, of columns 8, of error 0.
    assert found.value == pytest.approx(14 / (14 + 2 * 8 / 4))
    assert low < found.value < high


@pytest.mark.parametrize("ratings", [[[1, 1], [1, 1]], [[1, 2], [1, 2]], [[1, 2], [2, 1]]])
def test_subjects_that_do_not_differ_have_no_correlation(ratings):
    assert intraclass(np.array(ratings, float)) is None


def test_the_limits_of_agreement_are_the_published_ones():
    found = limits_of_agreement(np.subtract(WRIGHT, MINI).astype(float))
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.06)
    # There two and not 1.96 sd, and their interval by the round sqrt(3 s2 / n) for 2.92.
    assert (found.lower, found.upper) == pytest.approx((-79.7, 75.5), abs=0.05 * 38.8)
    assert found.lower_interval == pytest.approx((-114.3, -45.1), abs=2)
    assert found.upper_interval == pytest.approx((40.9, 110.1), abs=2)


def test_limits_hold_as_many_differences_as_they_say():
    random = np.random.default_rng(8)
    held = {"bias": 0, "upper": 0}
    for _ in range(2000):
        found = limits_of_agreement(random.normal(5, 2, 20))
        held["bias"] += found.bias_interval[0] < 5 < found.bias_interval[1]
        held["upper"] += found.upper_interval[0] < 5 + 1.96 * 2 < found.upper_interval[1]
    assert held["bias"] / 2000 == pytest.approx(0.95, abs=0.015)
    assert held["upper"] / 2000 == pytest.approx(0.95, abs=0.02)


def row(case, volume, reference, status="ok", dice=""):
    volumes = dict.fromkeys(("volume_mm3", "mask_volume_mm3", "surface_volume_mm3"), volume)
    said = {"case": case, "structure": "liver", "reference_status": status, "dice": dice}
    ends = {"volume_low_mm3": "0", "volume_high_mm3": "500"}
    return said | volumes | ends | {"reference_volume_mm3": reference}


def test_a_cohort_has_a_row_for_each_structure_and_quantity():
    rows = [
        row(f"c{n}", str(a), str(b), dice=str(d))
        for n, (a, b, d) in enumerate(zip(WRIGHT, MINI, np.linspace(0.8, 0.96, 17), strict=True))
    ]
    rows += [row("m", "", "300", "missed"), row("r", "200", "", "reference-empty")]
    rows += [row("b", "", "", "both-empty"), row("u", "100", "", "labels-unreadable")]
    rows += [row("none", "100", "", "")]
    found = list(agreement_rows(rows, {r["case"]: "torso" for r in rows}))
    assert [r["quantity"] for r in found] == ["volume_mm3", "mask_volume_mm3", "surface_volume_mm3"]
    first = found[0]
    assert (first["recipe"], first["structure"], first["n"]) == ("torso", "liver", 17)
    counts = ("compared", "missed", "reference_empty", "not_compared")
    assert [first[count] for count in counts] == [17, 1, 1, 1]
    assert first["bias_mm3"] == pytest.approx(-2.1, abs=0.05)
    assert first["limit_low_ci_low_mm3"] < first["limit_low_mm3"] < first["limit_low_ci_high_mm3"]
    assert (first["dice_median"], first["dice_min"], first["dice_max"]) == (
        pytest.approx((0.88, 0.8, 0.96))
    )
    assert first["icc_ci_low"] < first["icc"] < first["icc_ci_high"]
    # Of the 17 readings by the mini meter, 12 are not above 500.
    assert first["interval_holds_percent"] == pytest.approx(100 * 12 / 17)
    assert "interval_holds_percent" not in found[1]
    assert set(first) == set(AGREEMENT)


def test_two_cases_have_counts_and_no_statistics():
    rows = [row("a", "10", "11", dice="0.9"), row("b", "20", "19", dice="0.7")]
    first = next(agreement_rows(rows, {"a": "r", "b": "r"}))
    assert first["n"] == 2 and first["dice_median"] == pytest.approx(0.8)
    assert "bias_mm3" not in first and "icc" not in first


def test_what_neither_case_nor_reference_has_is_no_row():
    assert list(agreement_rows([row("a", "", "", "both-empty")], {"a": "r"})) == []


def test_recipes_are_not_mixed():
    rows = [row(f"c{n}", str(10 * n), str(10 * n + 1), dice="0.9") for n in range(1, 7)]
    found = list(agreement_rows(rows, {f"c{n}": "ab"[n % 2] for n in range(7)}))
    assert [(r["recipe"], r["n"]) for r in found] == [("b", 3)] * 3 + [("a", 3)] * 3
