"""The ONNX network that is written of trained weights: against its definition, in numpy."""

import numpy as np
import onnxruntime
import pytest
from scanmill.learning.graph import joined
from scipy.ndimage import correlate

CLASSES, WIDTHS = 3, (2, 4)


def random_weights(seed: int) -> dict[str, np.ndarray]:
    """Weights of a U-Net of two levels, as `unet.UNet` names them."""
    random = np.random.default_rng(seed)

    def block(name, inside, outside):
        return {
            f"{name}.convolution.weight": random.normal(size=(outside, inside, 3, 3, 3)),
            f"{name}.scale": random.uniform(0.5, 1.5, outside),
            f"{name}.shift": random.normal(size=outside),
        }

    one, two = WIDTHS
    weights = block("encoder.0.0", 1, one) | block("encoder.0.1", one, one)
    weights |= block("encoder.1.0", one, two) | block("encoder.1.1", two, two)
    weights |= {"up.0.weight": random.normal(size=(two, one, 2, 2, 2))}
    weights |= {"up.0.bias": random.normal(size=one)} | block("decoder.0", one, one)
    weights |= {"heads.0.weight": random.normal(size=(CLASSES, one, 1, 1, 1))}
    weights |= {"heads.0.bias": random.normal(size=CLASSES)}
    return {name: array.astype(np.float32) for name, array in weights.items()}


def convolved(image, weight, stride=1):
    """[outside, ...] of [inside, ...], zeros around."""
    found = [
        sum(correlate(i, w, mode="constant") for i, w in zip(image, row, strict=True))
        for row in weight
    ]
    return np.array(found)[:, ::stride, ::stride, ::stride]


def block(image, weights, name, stride=1):
    found = convolved(image, weights[f"{name}.convolution.weight"].astype(float), stride)
    mean = found.mean(axis=(1, 2, 3), keepdims=True)
    sd = np.sqrt(found.var(axis=(1, 2, 3), keepdims=True) + 1e-5)
    scale, shift = (weights[f"{name}.{key}"].reshape(-1, 1, 1, 1) for key in ("scale", "shift"))
    found = (found - mean) / sd * scale + shift
    return np.where(found > 0, found, 0.01 * found)


def expected(image, weights):
    """Probabilities [class, ...] by the definition of the network."""
    high = block(block(image[None], weights, "encoder.0.0"), weights, "encoder.0.1")
    low = block(block(high, weights, "encoder.1.0", 2), weights, "encoder.1.1")
    up = np.zeros_like(high)
    for inside, outside in np.ndindex(weights["up.0.weight"].shape[:2]):
        up[outside] += np.kron(low[inside], weights["up.0.weight"][inside, outside])
    up += weights["up.0.bias"].reshape(-1, 1, 1, 1)
    found = block(up + high, weights, "decoder.0")
    scores = np.tensordot(weights["heads.0.weight"][:, :, 0, 0, 0], found, 1)
    scores += weights["heads.0.bias"].reshape(-1, 1, 1, 1)
    chances = np.exp(scores - scores.max(axis=0))
    return chances / chances.sum(axis=0)


def run(network: bytes, image):
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image[None, None].astype(np.float32)})[0][0]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_network_is_what_it_is_defined_as(seed):
    image = np.random.default_rng(seed + 10).normal(size=(4, 6, 8))
    weights = random_weights(seed)
    np.testing.assert_allclose(run(joined([weights]), image), expected(image, weights), atol=1e-5)


def test_several_networks_are_their_mean():
    image = np.random.default_rng(3).normal(size=(4, 4, 4))
    both = [random_weights(0), random_weights(1)]
    mean = (expected(image, both[0]) + expected(image, both[1])) / 2
    np.testing.assert_allclose(run(joined(both), image), mean, atol=1e-5)


def test_equal_weights_give_equal_bytes_and_no_head_of_training():
    weights = random_weights(0)
    training = {f"heads.1.{k}": np.ones((3, 4, 1, 1, 1), np.float32) for k in ("weight", "bias")}
    assert joined([weights]) == joined([weights | training])
    assert joined([weights]) != joined([random_weights(1)])
