"""The trained networks as one ONNX network: the mean of what they find, as probabilities.

Written node by node: torch's own exporter needs more packages, and its bytes change with each version.
Operators: https://onnx.ai/onnx/operators/
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 20, 9
SLOPE, EPSILON = 0.01, 1e-5
Weights = dict[str, np.ndarray]


def joined(networks: Sequence[Weights]) -> bytes:
    """The file of an ONNX network, from `image` [1, 1, a, b, c] to `chances` [1, classes, a, b, c].

    networks: the weights of each, as `unet.UNet` names them. a, b, c: multiples of its smallest step.
    """
    classes = len(networks[0]["heads.0.bias"])
    writer = _Writer()
    chances = [writer.unet(f"{n}.", weights) for n, weights in enumerate(networks)]
    writer.node("Mean", chances, "chances")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "a", "b", "c"])
        for name, channels in (("image", 1), ("chances", classes))
    ]
    graph = helper.make_graph(writer.nodes, "learned", ends[:1], ends[1:], writer.constants)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


class _Writer:
    """Collects the nodes and the weights of a graph."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def unet(self, prefix: str, weights: Weights) -> str:
        """One network; returns the name of its probabilities."""
        for name, array in weights.items():
            if name.startswith("heads.") and not name.startswith("heads.0."):
                continue  # these are for training alone
            constant = np.ascontiguousarray(array, np.float32)
            self.constants.append(numpy_helper.from_array(constant, prefix + name))
        levels = 1 + sum(name.startswith("up.") and name.endswith(".weight") for name in weights)
        image, seen = "image", []
        for n in range(levels):
            image = self._block(image, f"{prefix}encoder.{n}.0", stride=2 if n else 1)
            image = self._block(image, f"{prefix}encoder.{n}.1", stride=1)
            seen.append(image)
        for n in reversed(range(levels - 1)):
            up = f"{prefix}up.{n}"
            wide = [image, f"{up}.weight", f"{up}.bias"]
            wide = self.node("ConvTranspose", wide, f"{up}.out", strides=[2] * 3)
            both = self.node("Add", [wide, seen[n]], f"{up}.sum")
            image = self._block(both, f"{prefix}decoder.{n}", stride=1)
        head = f"{prefix}heads.0"
        scores = self.node("Conv", [image, f"{head}.weight", f"{head}.bias"], f"{head}.out")
        return self.node("Softmax", [scores], f"{prefix}chances", axis=1)

    def _block(self, image: str, name: str, stride: int) -> str:
        """Convolution, instance norm, leaky ReLU."""
        inputs = [image, f"{name}.convolution.weight"]
        found = self.node("Conv", inputs, f"{name}.conv", pads=[1] * 6, strides=[stride] * 3)
        inputs = [found, f"{name}.scale", f"{name}.shift"]
        found = self.node("InstanceNormalization", inputs, f"{name}.norm", epsilon=EPSILON)
        return self.node("LeakyRelu", [found], f"{name}.out", alpha=SLOPE)
