"""A MeshNet of brainchop as a ScanMill model folder.

    python scripts/convert_meshnet.py MESHNET COLORMAP FOLDER

MESHNET: a folder of https://github.com/neuroneural/brainchop-models/tree/main/meshnet with `model.json`
and `model.pth` (which is no pickle but safetensors, so nothing in it is executed). COLORMAP: the
`colormap.json` that names its classes; `subcortical` has none of its own and the classes of
`model30chan18cls`. FOLDER: where `model.onnx` and `model.yaml` are written.

The networks want T1-weighted heads, 256 voxels of 1 mm a side, scaled to 0..1. brainchop scales as
FreeSurfer's conform does, whose upper end is the 99.9th percentile; so does the manifest.
Needs the package `onnx`. MeshNet: Fedorov et al. 2017, doi:10.1109/IJCNN.2017.7966333; safetensors:
https://huggingface.co/docs/safetensors#format.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 256
ACTIVATIONS = {"elu": "Elu", "gelu": "Gelu"}
# The first opset with Gelu.
OPSET = 20
MANIFEST = """\
# Made by scripts/convert_meshnet.py.
description: {header}
licence: MIT (brainchop); look for the terms of the weights that you downloaded
source: brainchop, doi:10.21105/joss.05098; MeshNet, doi:10.1109/IJCNN.2017.7966333
sha256: "{sha256}"
modality: MR
spacing: [1, 1, 1]
axes: LIA
size: [{side}, {side}, {side}]
smaller: true
normalise: {{percentiles: [0, 99.9]}}
output: logits
memory_mb: {memory}
classes: {classes}
"""


def safetensors(path: Path) -> dict[str, np.ndarray]:
    """The float32 tensors of a safetensors file, by name. Raises ValueError on any other file."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    if start > len(raw) or raw[8:9] != b"{":
        raise ValueError("model.pth is not of safetensors, as those of brainchop are")
    tensors = {}
    for name, said in json.loads(raw[8:start]).items():
        if name == "__metadata__":
            continue
        if said["dtype"] != "F32":
            raise ValueError(f"the tensor {name} is of {said['dtype']}; F32 would be right")
        first, last = (start + offset for offset in said["data_offsets"])
        tensors[name] = np.frombuffer(raw[first:last], "<f4").reshape(said["shape"])
    return tensors


def graph(described: dict, tensors: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The network: convolutions with an activation between each two; any size of window.

    described: model.json. tensors: weight and bias of each convolution, in the order of its layers.
    """
    if described["bnorm"]:
        raise ValueError("a network with normalisation between its layers is not converted")
    numbers = sorted({int(name.split(".")[1]) for name in tensors})
    activation = next((a for key, a in ACTIVATIONS.items() if described.get(key)), "Relu")
    nodes, weights, last = [], [], "image"
    for n, (number, layer) in enumerate(zip(numbers, described["layers"], strict=True)):
        names = [f"weight_{n}", f"bias_{n}"]
        for name, part in zip(names, ("weight", "bias"), strict=True):
            weights.append(numpy_helper.from_array(tensors[f"model.{number}.{part}"], name))
        nodes.append(
            helper.make_node(
                "Conv",
                [last, *names],
                [f"features_{n}"],
                kernel_shape=[layer["kernel_size"]] * 3,
                dilations=[layer["dilation"]] * 3,
                pads=[layer["padding"]] * 6,
            )
        )
        last = f"features_{n}"
        if n < len(numbers) - 1:
            nodes.append(helper.make_node(activation, [last], [f"active_{n}"]))
            last = f"active_{n}"
    ends = [("image", 1), (last, described["layers"][-1]["out_channels"])]
    image, scores = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "a", "b", "c"])
        for name, channels in ends
    )
    made = helper.make_graph(nodes, "meshnet", [image], [scores], weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def convert(meshnet: Path, colormap: Path, folder: Path) -> None:
    """Write the model folder."""
    described = json.loads((meshnet / "model.json").read_text(encoding="utf-8"))
    content = graph(described, safetensors(meshnet / "model.pth")).SerializeToString()
    names = json.loads(colormap.read_text(encoding="utf-8"))["labels"]
    widest = max(layer["out_channels"] for layer in described["layers"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    manifest = MANIFEST.format(
        header=json.dumps(described["header"]),
        sha256=hashlib.sha256(content).hexdigest(),
        side=SIDE,
        # Two layers at a time, then the scores.
        memory=1000 + (2 * widest + len(names)) * SIDE**3 * 4 // 10**6,
        classes=json.dumps([name.lower() for name in names]),
    )
    (folder / "model.yaml").write_text(manifest, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("meshnet", "colormap", "folder"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    convert(arguments.meshnet, arguments.colormap, arguments.folder)
