"""What a trained network finds in an image, window by window.

Windows overlap by half, as nnU-Net's do (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z), and the
middle of each counts most; where the scan is smaller than a window, zeros surround it, unless
the network takes smaller ones.
"""

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from scanmill.label_map import Box
from scanmill.model_folder import Model
from scanmill.refusal import Refusal

OVERLAP = 0.5
# The sd of a window's weights, of its size.
FOCUS = 1 / 8
# Of a window, that a scan must fill along each axis: beyond, a network sees mostly what is no scan.
LEAST_PART = 1 / 3
AXES = "first", "second", "third"


class Network:
    """A network that is loaded: on a GPU where the installed onnxruntime has one, else on the CPU."""

    def __init__(self, path: Path) -> None:
        # Not above: it costs a fifth of a second, and few jobs use a network.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # As every library here: what one core does is the same bytes every time.
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        # Single precision throughout, so that labels are those of the CPU.
        gpu = ("CUDAExecutionProvider", {"use_tf32": "0"})
        known = onnxruntime.get_available_providers()
        providers = [gpu] * (gpu[0] in known) + ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(path, options, providers=providers)
        self._input = self._session.get_inputs()[0].name

    def outputs(self, window: np.ndarray) -> np.ndarray:
        """[class, a, b, c] of a window [a, b, c], float32."""
        image = np.ascontiguousarray(window, np.float32)[None, None]
        return self._session.run(None, {self._input: image})[0][0]


def probabilities(image: np.ndarray, model: Model, wanted: list[str]) -> np.ndarray:
    """How likely each voxel is of each wanted class, and of the likeliest other one.

    image: [a, b, c] along the network's axes, in its spacing. Returns [1 + wanted, a, b, c], float32,
    the others first. Raises Refusal `scan-too-small` where the scan does not fill a third of a window,
    and `network-not-finite` where the network finds NaN or infinity.
    """
    _check_size(image, model)
    channels = [model.classes.index(name) for name in wanted]
    others = [n for n in range(len(model.classes)) if n not in channels]
    size = np.minimum(model.size, image.shape) if model.smaller else model.size
    size = tuple(int(n) for n in size)
    padded, inner = _padded(normalised(image, model), size)
    weights = _weights(size)
    sums = np.zeros((1 + len(wanted), *padded.shape), np.float32)
    total = np.zeros(padded.shape, np.float32)
    network = Network(model.network)
    for box in _windows(padded.shape, size):
        found = _of_window(network, padded[box], model)
        sums[0][box] += weights * np.max(found[others], axis=0, initial=0)
        for n, channel in enumerate(channels, 1):
            sums[n][box] += weights * found[channel]
        total[box] += weights
    sums /= total
    return sums[:, *inner]


def normalised(image: np.ndarray, model: Model) -> np.ndarray:
    """The image as the network wants it, float32; 0 is what surrounds a scan."""
    ((kind, value),) = model.normalise.items()
    image = image.astype(np.float32)
    if kind == "zscore":
        if value == "scan":
            mean, sd = float(image.mean(dtype=float)), float(image.std(dtype=float))
        else:
            image = np.clip(image, *value["clip"])
            mean, sd = value["mean"], value["sd"]
        return (image - np.float32(mean)) / np.float32(sd or 1.0)
    low, high = np.percentile(image, value) if kind == "percentiles" else value
    return np.clip((image - np.float32(low)) / np.float32(high - low or 1.0), 0, 1)


def _of_window(network: Network, window: np.ndarray, model: Model) -> np.ndarray:
    """Probabilities [class, a, b, c]: the mean over all flips that training had."""
    turns = list(product(*[(False, True)] * len(model.flips)))
    found = 0
    for turn in turns:
        axes = [axis for axis, is_turned in zip(model.flips, turn, strict=True) if is_turned]
        out = network.outputs(np.flip(window, axes))
        if not np.isfinite(out).all():
            raise Refusal(
                "network-not-finite",
                "the network finds NaN or infinity in this scan; intensities such as those that it "
                "was trained with would be right",
            )
        if model.logits:
            _softmax(out)
        found += np.flip(out, [1 + axis for axis in axes])
    return found / len(turns)


def _softmax(scores: np.ndarray) -> None:
    """Scores [class, a, b, c] to probabilities, in place."""
    for plane in np.moveaxis(scores, 1, 0):
        plane -= plane.max(axis=0)
        np.exp(plane, out=plane)
        plane /= plane.sum(axis=0)


def _check_size(image: np.ndarray, model: Model) -> None:
    for axis, (n, size) in enumerate(zip(image.shape, model.size, strict=True)):
        if n < LEAST_PART * size:
            step = model.spacing[axis]
            raise Refusal(
                "scan-too-small",
                f"the scan fills {n * step:g} mm of the {size * step:g} mm that the network looks at "
                f"along its {AXES[axis]} axis; at least a third would be right",
            )


def _padded(image: np.ndarray, size: tuple[int, int, int]) -> tuple[np.ndarray, Box]:
    """The image amid zeros, no smaller than a window, and where in it the image lies."""
    missing = np.maximum(np.subtract(size, image.shape), 0)
    before = missing // 2
    inner = tuple(slice(int(b), int(b) + n) for b, n in zip(before, image.shape, strict=True))
    return np.pad(image, list(zip(before, missing - before, strict=True))), inner


def _windows(shape: tuple[int, ...], size: tuple[int, int, int]) -> Iterator[Box]:
    """Boxes of a size that cover a shape, evenly spread, and overlap by at least half."""
    starts = []
    for n, width in zip(shape, size, strict=True):
        count = 1 + int(np.ceil((n - width) / (width * (1 - OVERLAP))))
        starts.append([int(x) for x in np.rint(np.linspace(0, n - width, count))])
    for corner in product(*starts):
        yield tuple(slice(x, x + width) for x, width in zip(corner, size, strict=True))


def _weights(size: tuple[int, int, int]) -> np.ndarray:
    """A Gaussian over a window, 1 in its middle."""
    a, b, c = (
        np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / (FOCUS * n)) ** 2).astype(np.float32)
        for n in size
    )
    return a[:, None, None] * b[:, None] * c
