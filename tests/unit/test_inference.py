"""Inference: windows, flips, normalisation, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_samples import by_side, not_finite, write_model
from scanmill import model_folder
from scanmill.refusal import Refusal
from scanmill.segmentation.inference import Network, _windows, normalised, probabilities

RNG = np.random.default_rng(7)


def read(folder, **said):
    return model_folder.read(write_model(folder, **said))


@given(
    st.tuples(*[st.integers(1, 25)] * 3),
    st.tuples(*[st.integers(4, 30)] * 3),
)
def test_windows_cover_everything_and_overlap_by_half(shape, size):
    size = tuple(min(pair) for pair in zip(shape, size, strict=True))
    seen = np.zeros(shape, int)
    for box in _windows(shape, size):
        assert seen[box].shape == size
        seen[box] += 1
    assert seen.min() >= 1
    for axis, (n, width) in enumerate(zip(shape, size, strict=True)):
        starts = sorted({box[axis].start for box in _windows(shape, size)})
        assert np.diff(starts).max(initial=0) <= max(1, np.ceil(width / 2))
        assert starts[-1] + width == n


@pytest.mark.parametrize("size", [(24, 24, 24), (8, 11, 30), (40, 40, 40)])
def test_what_a_voxel_alone_decides_is_the_same_in_every_window(tmp_path, size):
    image = RNG.uniform(-1000, 300, (27, 24, 31)).astype(np.float32)
    model = read(tmp_path, size=list(size))
    found = probabilities(image, model, ["organ", "ball"])
    unit = (image + 1000) / 1300
    expected = np.select([unit > 0.9, unit > 1 / 3], [2, 1], 0)
    near = np.minimum(np.abs(unit - 0.9), np.abs(unit - 1 / 3)) < 1e-4
    np.testing.assert_array_equal(found.argmax(axis=0)[~near], expected[~near])
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_the_likeliest_of_the_others_comes_first(tmp_path):
    image = np.full((24, 24, 24), -1000, np.float32)
    image[:12] = 300
    found = probabilities(image, read(tmp_path), ["organ"])
    assert found.shape == (2, 24, 24, 24)
    np.testing.assert_allclose(found[0], 1, atol=1e-4)


def test_flips_average_what_is_seen_in_the_mirror(tmp_path):
    image = RNG.uniform(0, 1, (24, 24, 24)).astype(np.float32)
    said = {"layer": by_side(), "normalise": {"window": [0, 1]}}
    plain = read(tmp_path / "plain", **said)
    turned = read(tmp_path / "turned", flips=[1, 3], **said)
    wanted = ["organ", "ball"]
    once = probabilities(image, plain, wanted)
    mirrored = probabilities(image[::-1], plain, wanted)[:, ::-1]
    both = probabilities(image, turned, wanted)
    assert np.abs(once - mirrored).max() > 0.5
    np.testing.assert_allclose(both, (once + mirrored) / 2, atol=1e-5)


def test_the_middle_of_a_window_counts_most(tmp_path):
    """The network answers by the place in its window: weights are what is left of the average."""
    image = np.ones((36, 24, 24), np.float32)
    model = read(tmp_path, layer=by_side(), normalise={"window": [0, 1]})
    found = probabilities(image, model, ["organ", "ball"])
    # The end of the first window lies in the middle of the second, where both sides are alike.
    alike = np.exp(1.5) / (np.exp(1.5) + 2)
    assert found[0][23, 12, 12] == pytest.approx(alike, abs=1e-3)


@pytest.mark.parametrize(
    "how, expected",
    [
        ({"window": [0, 200]}, [0, 0, 0.5, 1]),
        ({"percentiles": [0, 100]}, [0, 0.25, 0.5, 1]),
        ({"zscore": {"clip": [0, 100], "mean": 50, "sd": 25}}, [-2, -2, 2, 2]),
        ({"zscore": "scan"}, np.array([-175, -75, 25, 225]) / np.sqrt(21875)),
    ],
)
def test_normalisation(tmp_path, how, expected):
    image = np.array([-100, 0, 100, 300], np.int16).reshape(4, 1, 1)
    found = normalised(image, read(tmp_path, normalise=how))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-6)


def test_a_constant_image_is_normalised_to_numbers(tmp_path):
    image = np.full((4, 4, 4), 7, np.int16)
    for how in ({"percentiles": [2, 98]}, {"zscore": "scan"}):
        assert np.isfinite(normalised(image, read(tmp_path, normalise=how))).all()


def test_threads_change_no_byte(tmp_path, monkeypatch):
    image = RNG.uniform(0, 1, (48, 40, 36)).astype(np.float32)
    folder = write_model(tmp_path, layer=by_side())
    outputs = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        outputs.append(Network(folder / "model.onnx").outputs(image).tobytes())
    assert outputs[0] == outputs[1]


def test_a_network_that_finds_nan_is_refused(tmp_path):
    model = read(tmp_path, nodes=not_finite())
    with pytest.raises(Refusal) as caught:
        probabilities(np.full((24, 24, 24), -1000, np.int16), model, ["organ"])
    assert caught.value.code == "network-not-finite"


def test_a_scan_that_fills_less_than_a_third_of_a_window_is_refused(tmp_path):
    model = read(tmp_path, spacing=[2, 1, 1])
    assert probabilities(np.zeros((24, 8, 24)), model, ["organ"]).shape == (2, 24, 8, 24)
    with pytest.raises(Refusal) as caught:
        probabilities(np.zeros((24, 24, 7)), replace(model, spacing=(1, 1, 2)), ["organ"])
    assert caught.value.code == "scan-too-small"
    assert "14 mm of the 48 mm" in caught.value.reason and "third axis" in caught.value.reason


def test_a_network_that_takes_smaller_windows_sees_a_small_scan_alone(tmp_path):
    image = np.full((24, 20, 22), 300, np.int16)
    # The network itself takes the scan's size and no other.
    model = read(tmp_path, sizes=(24, 20, 22), size=[24, 40, 40], smaller=True)
    found = probabilities(image, model, ["ball"])
    assert found.shape == (2, 24, 20, 22) and (found[1] > 0.99).all()
