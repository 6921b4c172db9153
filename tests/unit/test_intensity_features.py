"""Intensity statistics against numpy and scipy, and as IBSI publishes them."""

import csv

import numpy as np
import pytest
from bodies import DATA
from hypothesis import assume, given
from hypothesis import strategies as st
from scanmill.intensity_features import histogram, intensity_features
from scanmill.source import read_source
from scipy.stats import kurtosis, skew

SEEDS = st.integers(0, 2**32 - 1)
RANGES = {"u1": (0, 255), "i2": (-1024, 3071), "u2": (0, 65535), "i4": (-(2**31), 2**31 - 1)}


def features_of(values: np.ndarray) -> dict[str, float]:
    """By the definitions, from the values themselves."""
    x = values.astype(float)
    p10, p25, p75, p90 = np.percentile(x, (10, 25, 75, 90))
    inner = x[(x >= p10) & (x <= p90)]
    return {
        "stat_mean": x.mean(),
        "stat_var": x.var(),
        "stat_skew": skew(x) if np.ptp(x) else 0.0,
        "stat_kurt": kurtosis(x) if np.ptp(x) else 0.0,
        "stat_median": np.median(x),
        "stat_min": x.min(),
        "stat_p10": p10,
        "stat_p90": p90,
        "stat_max": x.max(),
        "stat_iqr": p75 - p25,
        "stat_range": np.ptp(x),
        "stat_mad": np.abs(x - x.mean()).mean(),
        "stat_rmad": np.abs(inner - inner.mean()).mean() if inner.size else None,
        "stat_medad": np.abs(x - np.median(x)).mean(),
        "stat_energy": (x**2).sum(),
        "stat_rms": np.sqrt((x**2).mean()),
        "stat_cov": x.std() / x.mean() if x.mean() > 0 else None,
        "stat_qcod": (p75 - p25) / (p75 + p25) if p75 + p25 > 0 else None,
    }


def assert_as_defined(image, mask) -> None:
    found = intensity_features(*histogram(image, mask))
    expected = features_of(image[mask])
    scale = np.abs(image[mask].astype(float)).max() * 1e-9
    for name, value in expected.items():
        if value is None:
            assert name not in found
        else:
            assert found[name] == pytest.approx(value, rel=1e-6, abs=max(scale, 1e-9)), name


def random_mask(random, shape, filled) -> np.ndarray:
    mask = random.random(shape) < filled
    mask.ravel()[random.integers(mask.size)] = True
    return mask


@given(SEEDS, st.sampled_from(sorted(RANGES)), st.floats(0.001, 1), st.integers(1, 300))
def test_integers(seed, dtype, filled, step):
    random = np.random.default_rng(seed)
    image = random.integers(*RANGES[dtype], (5, 6, 7), np.int64) // step * step
    image = np.clip(image, *RANGES[dtype]).astype(dtype)
    assert_as_defined(image, random_mask(random, image.shape, filled))


@given(SEEDS, st.floats(-2000, 2000), st.floats(0.01, 1000), st.floats(0.001, 1))
def test_floats(seed, mean, deviation, filled):
    random = np.random.default_rng(seed)
    image = random.normal(mean, deviation, (5, 6, 7)).astype(np.float32)
    mask = random_mask(random, image.shape, filled)
    # Ratios to a mean that is almost zero are ill-conditioned in any arithmetic.
    assume(abs(image[mask].astype(float).mean()) > 1e-3)
    assert_as_defined(image, mask)


@pytest.mark.parametrize("value", [-1000, 0, 7])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_constant_has_no_spread(value, dtype):
    image = np.full((3, 4, 5), value * 1.1).astype(dtype)
    found = intensity_features(*histogram(image, np.ones(image.shape, bool)))
    for name in ("var", "skew", "kurt", "iqr", "range", "mad", "rmad", "medad"):
        assert found[f"stat_{name}"] == 0
    assert found["stat_mean"] == found["stat_p10"] == found["stat_max"] == image[0, 0, 0]


def test_values_outside_the_mask_do_not_matter():
    image = np.array([[[-30000, 5, 6, 30000]]], np.int16)
    values, counts = histogram(image, np.array([[[False, True, True, False]]]))
    assert values.tolist() == [5, 6]
    assert counts.tolist() == [1, 1]


def test_integers_far_apart_are_counted_too():
    image = np.array([[[-(2**31), 2**31 - 1, 2**31 - 1]]], np.int32)
    values, counts = histogram(image, np.ones(image.shape, bool))
    assert values.tolist() == [-(2**31), 2**31 - 1]
    assert counts.tolist() == [1, 2]


def test_two_values_have_none_between_their_percentiles():
    image = np.array([[[3, 5]]], np.int16)
    assert "stat_rmad" not in intensity_features(*histogram(image, np.ones(image.shape, bool)))


def test_no_voxel_has_no_statistics():
    image = np.zeros((2, 2, 2), np.int16)
    with pytest.raises(ValueError, match="no voxel"):
        intensity_features(*histogram(image, np.zeros(image.shape, bool)))


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "ibsi").is_dir(), reason="no real scans here")
def test_the_values_of_the_ibsi_digital_phantom():
    with open(DATA / "ibsi" / "reference_values" / "ibsi_1_dig_phantom.csv") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    folder = DATA / "ibsi" / "ibsi_1_digital_phantom" / "nifti"
    image, _ = read_source(folder / "image" / "phantom.nii.gz")
    mask, _ = read_source(folder / "mask" / "mask.nii.gz")
    assert image.grid.same_as(mask.grid)
    found = intensity_features(*histogram(image.array, mask.array > 0))
    expected = {r["tag"]: r["reference value"] for r in rows if r["tag"].startswith("stat_")}
    assert set(expected) == set(found)
    # The published tolerance is zero at the three digits that are published.
    for tag, value in expected.items():
        assert float(f"{found[tag]:.3g}") == float(value), tag


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "pyradiomics").is_dir(), reason="no real scans here")
@pytest.mark.parametrize("case", ["brain1", "breast1"])
def test_the_values_that_pyradiomics_publishes(case):
    with open(DATA / "pyradiomics" / "baseline" / "baseline_firstorder.csv", newline="") as stream:
        rows = {row["featureName"]: row[case] for row in csv.DictReader(stream)}
    image, _ = read_source(DATA / "pyradiomics" / f"{case}_image.nrrd")
    labels, _ = read_source(DATA / "pyradiomics" / f"{case}_label.nrrd")
    found = intensity_features(*histogram(image.array, labels.array == 1))
    # Its energy and root mean square are of intensities shifted by 2000.
    for theirs, ours in {
        "Mean": "stat_mean",
        "Median": "stat_median",
        "Minimum": "stat_min",
        "Maximum": "stat_max",
        "10Percentile": "stat_p10",
        "90Percentile": "stat_p90",
        "InterquartileRange": "stat_iqr",
        "MeanAbsoluteDeviation": "stat_mad",
        "RobustMeanAbsoluteDeviation": "stat_rmad",
        "Skewness": "stat_skew",
        "Variance": "stat_var",
    }.items():
        expected = float(rows[f"original_firstorder_{theirs}"])
        assert found[ours] == pytest.approx(expected, rel=1e-6), ours
    # PyRadiomics gives the kurtosis itself, IBSI its excess over the normal one.
    expected = float(rows["original_firstorder_Kurtosis"]) - 3
    assert found["stat_kurt"] == pytest.approx(expected, rel=1e-6)
