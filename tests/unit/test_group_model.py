"""Differences of groups against published and exact values."""

import numpy as np
import pytest
from scanmill.group_comparison.model import FEWEST, Categories, UnfitError, compare, freedom_of
from scanmill.group_comparison.table import correct
from scipy import stats

# Hand et al. 1993, as `anorexia` in R's MASS: weights (lb) before and after, by treatment.
ANOREXIA = {
    "CBT": """80.5 82.2 84.9 85.6 81.5 81.4 82.6 81.9 79.9 76.4 88.7 103.6 94.9 98.4 76.3 93.4 81.0 73.4
        80.5 82.1 85.0 96.7 89.2 95.3 81.3 82.4 76.5 72.5 70.0 90.9 80.4 71.3 83.3 85.4 83.0 81.6 87.7
        89.1 84.2 83.9 86.4 82.7 76.5 75.7 80.2 82.6 87.8 100.4 83.3 85.2 79.7 83.6 84.5 84.6 80.8 96.2
        87.4 86.7""",
    "Cont": """80.7 80.2 89.4 80.1 91.8 86.4 74.0 86.3 78.1 76.1 88.3 78.1 87.3 75.1 75.1 86.7 80.6 73.5
        78.4 84.6 77.6 77.4 88.7 79.5 81.3 89.6 78.1 81.4 70.5 81.8 77.3 77.3 85.2 84.2 86.0 75.4 84.1
        79.5 79.7 73.0 85.5 88.3 84.4 84.7 79.6 81.4 77.5 81.2 72.3 88.2 89.0 78.8""",
    "FT": """83.8 95.2 83.3 94.3 86.0 91.5 82.5 91.9 86.7 100.3 79.6 76.7 76.9 76.8 94.2 101.6 73.4 94.9
        80.5 75.2 81.6 77.8 82.1 95.5 77.6 90.7 83.5 92.5 89.9 93.8 86.0 91.7 87.3 98.0""",
}


def anorexia():
    """Weights after, treatments and weights before."""
    rows = [
        (group, *pair)
        for group, text in ANOREXIA.items()
        for pair in np.array(text.split(), float).reshape(-1, 2)
    ]
    groups, before, after = zip(*rows, strict=True)
    return np.array(after), list(groups), np.array(before)


def moments(mean: float, sd: float, n: int) -> np.ndarray:
    """Values that have exactly this mean and standard deviation."""
    values = np.arange(n, dtype=float)
    return mean + sd * (values - values.mean()) / values.std(ddof=1)


def two(a: np.ndarray, b: np.ndarray, **covariates) -> dict[str, float]:
    groups = ["a"] * len(a) + ["b"] * len(b)
    return compare(np.concatenate([a, b]), groups, "a", covariates)["b"]


def test_adjusted_differences_are_those_that_mass_documents():
    # Of glm(Postwt ~ Prewt + Treat + offset(Prewt)), example(anorexia) has TreatCont -4.0971 and
    # TreatFT 4.5631.
    after, groups, before = anorexia()
    found = compare(after, groups, "CBT", {"before": before})
    assert {k: (round(v["difference"], 4), v["n_group"]) for k, v in found.items()} == {
        "Cont": (-4.0971, 26),
        "FT": (4.5631, 17),
    }
    for row in found.values():
        assert row["difference"] == pytest.approx(
            row["adjusted_mean_group"] - row["adjusted_mean_reference"]
        )


def test_errors_and_freedom_are_those_of_their_definitions():
    after, groups, before = anorexia()
    is_cont, is_ft = (np.array(groups) == level for level in ("Cont", "FT"))
    design = np.column_stack([np.ones(len(after)), is_cont, is_ft, before])
    bread = np.linalg.inv(design.T @ design)
    hat = design @ bread @ design.T
    left = after - hat @ after
    meat = design.T @ np.diag(left**2 / (1 - np.diag(hat))) @ design
    row = compare(after, groups, "CBT", {"before": before})["FT"]
    assert row["standard_error"] == pytest.approx(np.sqrt((bread @ meat @ bread)[2, 2]))
    residual = np.eye(len(after)) - hat
    scale = np.diag((bread @ design.T)[2] ** 2 / (1 - np.diag(hat)))
    product = residual @ scale @ residual
    freedom = np.trace(product) ** 2 / np.trace(product @ product)
    assert row["freedom"] == pytest.approx(freedom)
    low, high = stats.t.interval(0.95, freedom, row["difference"], row["standard_error"])
    assert (row["difference_ci_low"], row["difference_ci_high"]) == pytest.approx((low, high))


def test_of_two_groups_alone_it_is_welchs_error_and_the_known_freedom():
    rng = np.random.default_rng(1)
    a, b = rng.normal(10, 1, 12), rng.normal(11, 3, 7)
    row = two(a, b)
    welch = stats.ttest_ind(b, a, equal_var=False)
    assert row["t"] == pytest.approx(welch.statistic)
    # Of two groups, by Imbens and Kolesár 2016.
    freedom = 19**2 * 11 * 6 / (7**2 * 6 + 12**2 * 11)
    design = np.column_stack([np.ones(19), np.arange(19) >= 12])
    assert row["freedom"] == pytest.approx(freedom_of(design, 1)) == pytest.approx(freedom)
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(welch.statistic), freedom))


def test_of_groups_of_one_size_it_is_students_test():
    rng = np.random.default_rng(2)
    a, b = rng.normal(10, 1, 9), rng.normal(11, 1, 9)
    assert two(a, b)["p"] == pytest.approx(stats.ttest_ind(b, a).pvalue)


def test_hedges_g_is_that_of_the_published_example():
    # Borenstein et al. 2009, chapter 4: means 103 and 100, deviations 5.5 and 4.5, 50 each.
    row = two(moments(100, 4.5, 50), moments(103, 5.5, 50))
    assert row["hedges_g"] == pytest.approx(0.5924, abs=1e-4)
    half = (row["hedges_g_ci_high"] - row["hedges_g_ci_low"]) / 2
    assert half / stats.t.ppf(0.975, 98) == pytest.approx(0.2028, abs=3e-4)


def test_categories_are_set_against_their_reference():
    rng = np.random.default_rng(3)
    sex = ["f", "m"] * 10
    groups = ["a"] * 10 + ["b"] * 10
    values = rng.normal(size=20) + 5 * (np.array(sex) == "m")
    row = compare(values, groups, "a", {"sex": Categories(sex, "f")})["b"]
    numbers = compare(values, groups, "a", {"sex": (np.array(sex) == "m").astype(float)})["b"]
    assert row == pytest.approx(numbers)
    assert row["difference"] == pytest.approx(values[10:].mean() - values[:10].mean())


def test_units_of_covariates_do_not_matter():
    after, groups, before = anorexia()
    one = compare(after, groups, "CBT", {"before": before})["FT"]
    assert compare(after, groups, "CBT", {"before": 1e6 * before + 1e9})["FT"] == pytest.approx(
        one, rel=1e-6
    )


@pytest.mark.parametrize(
    ("covariates", "code"),
    [
        ({"age": np.full(20, 60.0)}, "covariate-constant"),
        ({"sex": Categories(["f"] * 20, "f")}, "covariate-constant"),
        ({"sex": Categories(["m", "x"] * 10, "f")}, "covariate-reference"),
        ({"age": np.arange(20.0), "twice": 2 * np.arange(20.0) + 1}, "covariates-collinear"),
        ({"site": Categories(["one"] * 10 + ["two"] * 10, "one")}, "covariates-collinear"),
        ({"sex": Categories(["f"] * 19 + ["m"], "f")}, "case-alone"),
        ({str(n): np.random.default_rng(n).normal(size=20) for n in range(14)}, "cases-too-few"),
    ],
)
def test_what_no_model_can_tell_is_refused(covariates, code):
    values = np.random.default_rng(4).normal(size=20)
    with pytest.raises(UnfitError) as refused:
        compare(values, ["a"] * 10 + ["b"] * 10, "a", covariates)
    assert refused.value.code == code


def test_groups_that_do_not_vary_or_are_too_few_are_refused():
    with pytest.raises(UnfitError, match="the same value"):
        two(np.full(9, 7.1), np.full(9, 8.3))
    with pytest.raises(UnfitError, match="reference 'a'"):
        two(np.arange(FEWEST - 1.0), np.arange(9.0))
    with pytest.raises(UnfitError, match="no other group"):
        compare(np.arange(9.0), ["a"] * 9, "a", {})


def test_corrections_find_what_their_authors_found():
    # Benjamini and Hochberg 1995, section 3.1: four of fifteen, and by Bonferroni's three.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    for correction, found in (("benjamini-hochberg", 4), ("holm", 3)):
        rows = [{"status": "ok", "p": value} for value in p]
        correct([*rows, {"status": "refused"}], correction)
        assert sum(row["p_corrected"] <= 0.05 for row in rows) == found
        assert {row["tests"] for row in rows} == {15}
