"""A trained network on disk: `model.onnx`, and `model.yaml`, its manifest.

The manifest is checked against its schema, and against the network itself, before any job starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanmill import disk, yaml_file
from scanmill.problem import Problem, SettingsError
from scanmill.sidecar import checksum
from scanmill.yaml_file import Document, Fault, Keys

NETWORK, MANIFEST = "model.onnx", "model.yaml"
# Of a job, where a manifest does not say.
MEMORY_MB = 4000


@dataclass(frozen=True)
class Model:
    """What a network wants and finds, as its manifest says it.

    network: the .onnx. modality: CT, MR or any. spacing: mm, axes: letters of the sides of the patient
    that indices rise towards, size: voxels of one window; all three along the network's axes, which
    are those of an array [z, y, x]. smaller: whether the network takes smaller windows as well, so that
    a small scan needs nothing around it. normalise: one of `percentiles` [low, high] and `window`
    [low, high], which become 0 and 1, and `zscore`, `scan` or {clip, mean, sd}. flips: axes, from 0,
    along which training flipped. logits: whether the outputs are to be made probabilities.
    memory_mb: of a job that uses it. classes: names by channel.
    """

    network: Path
    licence: str
    source: str
    modality: str
    spacing: tuple[float, float, float]
    axes: str
    size: tuple[int, int, int]
    smaller: bool
    normalise: dict[str, Any]
    flips: tuple[int, ...]
    logits: bool
    memory_mb: int
    classes: tuple[str, ...]


def read(folder: Path) -> Model:
    """Read the manifest of a model. Raises SettingsError with what is wrong in it."""
    return _read(Path(folder))[0]


def check(folder: Path) -> Model:
    """Read a model and hold its manifest to the network. Raises SettingsError with all problems."""
    model, document = _read(Path(folder))
    faults = _network_faults(model, document.content["sha256"])
    if faults:
        raise SettingsError([document.problem(fault) for fault in faults])
    return model


def _read(folder: Path) -> tuple[Model, Document]:
    path = folder / MANIFEST
    kind = disk.kind(path)
    if kind != disk.FILE:
        text = f"{disk.ending(kind)}; the manifest of a model would be right"
        raise SettingsError([Problem(str(path), 1, 1, text)])
    document = yaml_file.read(path)
    faults = yaml_file.check(document.content, "model") or _range_faults(document.content)
    if faults:
        raise SettingsError([document.problem(fault) for fault in faults])
    content = document.content
    model = Model(
        folder / NETWORK,
        content["licence"],
        content["source"],
        content["modality"],
        tuple(float(step) for step in content["spacing"]),
        content["axes"],
        tuple(content["size"]),
        content.get("smaller", False),
        content["normalise"],
        tuple(axis - 1 for axis in content.get("flips", [])),
        content["output"] == "logits",
        content.get("memory_mb", MEMORY_MB),
        tuple(content["classes"]),
    )
    return model, document


def _range_faults(content: dict[str, Any]) -> list[Fault]:
    """What no schema can see within the manifest."""
    faults = []
    axes = content["axes"]
    if any(sum(letter in pair for letter in axes) != 1 for pair in ("LR", "PA", "SI")):
        text = f"'{axes}' was found; one each of L or R, P or A, and S or I would be right"
        faults.append(Fault(("axes",), text))
    ((kind, value),) = content["normalise"].items()
    limits = value["clip"] if isinstance(value, dict) else value
    if limits != "scan" and limits[0] >= limits[1]:
        text = f"{limits[0]:g} to {limits[1]:g} was found; the lower limit first would be right"
        faults.append(Fault(("normalise", kind), text))
    return faults


def _network_faults(model: Model, expected: str) -> list[Fault]:
    kind = disk.kind(model.network)
    if kind != disk.FILE:
        text = f"'{NETWORK}' beside this file {disk.ending(kind)}; the network would be right"
        return [Fault((), text)]
    found = checksum(model.network)
    if found != expected:
        text = f"'{NETWORK}' has the checksum {found}; the network that is meant would be right"
        return [Fault(("sha256",), text)]
    try:
        inputs, outputs = _ends(model.network)
    except RuntimeError as error:
        return [Fault((), f"'{NETWORK}' {error}; an ONNX network would be right")]
    if len(inputs) != 1 or len(outputs) != 1:
        text = f"the network has {len(inputs)} inputs and {len(outputs)} outputs"
        return [Fault((), f"{text}; one of each would be right")]
    wanted = (1, 1, *model.size), (1, len(model.classes), *model.size)
    return [
        *_shape_faults("input", inputs[0], wanted[0], ("size",)),
        *_shape_faults("output", outputs[0], wanted[1], ("classes",)),
    ]


def _ends(network: Path) -> tuple[list[Any], list[Any]]:
    """The inputs and outputs of a network. Raises RuntimeError where it cannot be loaded."""
    # Not above: it costs a fifth of a second, and only recipes that name a model need it.
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    # Its exceptions have no other base.
    except Exception as error:
        raise RuntimeError(f"cannot be loaded ({type(error).__name__})") from None
    return session.get_inputs(), session.get_outputs()


def _shape_faults(name: str, end: Any, wanted: tuple[int, ...], keys: Keys) -> Iterator[Fault]:
    """Where an input or output of the network is not as the manifest would have it."""
    if end.type != "tensor(float)":
        text = f"the network's {name} is a {end.type}; tensor(float) would be right"
        yield Fault((), text)
    elif len(end.shape) != len(wanted) or any(
        isinstance(n, int) and n != m for n, m in zip(end.shape, wanted, strict=True)
    ):
        found = " x ".join(str(n) if isinstance(n, int) else "any" for n in end.shape)
        right = " x ".join(str(n) for n in wanted)
        yield Fault(keys, f"the network's {name} is {found}; by '{keys[0]}' {right} would be right")
