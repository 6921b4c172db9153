"""Model folders of networks that are small enough to know what they must find."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

MANIFEST = {
    "description": "by intensity",
    "licence": "BSD-3-Clause",
    "source": "made by the test",
    "modality": "CT",
    "spacing": [1.0, 1.0, 1.0],
    "axes": "LIA",
    "size": [24, 24, 24],
    "normalise": {"window": [-1000, 300]},
    "output": "logits",
    "classes": ["air", "organ", "ball"],
}
HALF = 9


def by_intensity() -> tuple[np.ndarray, np.ndarray]:
    """Convolution of one voxel: below 1/3 air, above 0.9 ball, organ between; logits, steep."""
    slope, first, second = 200.0, 1 / 3, 0.9
    weight = slope * np.array([0, 1, 2], np.float32)
    bias = -slope * np.array([0, first, first + second], np.float32)
    return weight.reshape(3, 1, 1, 1, 1), bias


def by_side() -> tuple[np.ndarray, np.ndarray]:
    """Convolution along the first axis: class 1 where more lies ahead of a voxel, 2 where behind."""
    ahead = np.sign(np.arange(-HALF, HALF + 1)).astype(np.float32)
    weight = np.stack([0 * ahead, ahead, -ahead]).reshape(3, 1, -1, 1, 1)
    return weight, np.array([1.5, 0, 0], np.float32)


def write_model(folder: Path, layer=None, nodes=None, sizes=("a", "b", "c"), **said) -> Path:
    """A model of one convolution, or of other nodes from `image` to `scores`. said: of the manifest."""
    weight, bias = layer or by_intensity()
    weights = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")]
    pads = [n // 2 for n in weight.shape[2:]] * 2
    convolution = helper.make_node("Conv", ["image", "weight", "bias"], ["scores"], pads=pads)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, *sizes])
        for name, channels in (("image", 1), ("scores", len(weight)))
    ]
    graph = helper.make_graph(nodes or [convolution], "net", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    manifest = MANIFEST | {"sha256": hashlib.sha256(content).hexdigest()} | said
    text = yaml.safe_dump({k: v for k, v in manifest.items() if v is not None}, sort_keys=False)
    (folder / "model.yaml").write_text(text, "utf-8")
    return folder


def not_finite() -> list[onnx.NodeProto]:
    """Nodes whose output is NaN where the image is below a third."""
    return [
        helper.make_node("Conv", ["image", "weight", "bias"], ["linear"]),
        helper.make_node("Log", ["linear"], ["scores"]),
    ]
