"""A trained nnU-Net as a ScanMill model folder.

    python scripts/convert_nnunet.py TRAINED FOLDER --axes SAR [--folds 0 1 2 3 4]

TRAINED: a folder of nnU-Net v2 with `plans.json`, `dataset.json` and folds, such as
`Dataset004_Hippocampus/nnUNetTrainer__nnUNetPlans__3d_fullres`, or one of TotalSegmentator's weights.
FOLDER: where `model.onnx` and `model.yaml` are written. --axes: letters of the sides of the patient
that the indices of the training images rise towards, last index first: nnU-Net does not know them.
NIfTI files whose orientation is RAS have SAR; so have TotalSegmentator's. Folds become one network,
whose scores are the mean of theirs; without --folds, all that were trained.

Run with the Python of nnU-Net's own environment (`make nnunet`: .venv-nnunet/bin/python). Checkpoints
of nnU-Net are pickles: only numbers are taken from them, and one that holds more is not opened.
Networks of one channel in three dimensions are converted, not cascades, regions or 2D ones.
nnU-Net: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

MANIFEST = """\
# Made by scripts/convert_nnunet.py.
description: {description}
licence: {licence}
source: {source}
sha256: "{sha256}"
modality: {modality}
spacing: {spacing}
axes: {axes}
size: {size}
normalise: {normalise}
flips: {flips}
output: logits
memory_mb: {memory}
classes: {classes}
"""
# Layers at the scan's own resolution that are held at once: a skip, what comes up, both, results.
LAYERS = 6
# Beside the network's own: the scan, and how likely its voxels are of the classes that are wanted.
MEMORY_MB = 2000
CHECKPOINT = "checkpoint_final.pth"


def described(plans: dict, dataset: dict, said: dict, axes: str) -> dict[str, Any]:
    """What the manifest says of a network, but for its weights.

    plans, dataset: nnU-Net's plans.json and dataset.json; said: what the plans say of the network's
    configuration. axes: of the training images, last index first. Raises ValueError on what is not
    converted.
    """
    if len(said["patch_size"]) != 3:
        raise ValueError("the network looks at slices; one in three dimensions would be right")
    if said.get("previous_stage"):
        raise ValueError(
            "the network starts from what another one found; no cascade would be right"
        )
    built_of = said["architecture"]["network_class_name"]
    if not built_of.startswith("dynamic_network_architectures."):
        raise ValueError(f"the network is a {built_of}; one of nnU-Net's own would be right")
    channels = dataset["channel_names"]
    if len(channels) != 1:
        raise ValueError(f"the network wants {len(channels)} channels; one would be right")
    labels = {name: label for name, label in dataset["labels"].items() if name != "ignore"}
    if set(map(str, labels.values())) != set(map(str, range(len(labels)))):
        raise ValueError("the network finds regions; labels, from 0 on, would be right")
    (channel,) = channels.values()
    structures = sorted((name for name in labels if labels[name] != 0), key=labels.get)
    source = dataset.get("reference") or plans["dataset_name"]
    return {
        "description": json.dumps(f"{', '.join(structures)}, by nnU-Net"),
        "licence": json.dumps(dataset.get("licence") or "look for the terms of these weights"),
        "source": json.dumps(f"{source}; nnU-Net, doi:10.1038/s41592-020-01008-z"),
        "modality": "CT" if channel == "CT" else "any",
        "spacing": list(said["spacing"]),
        "axes": "".join(axes[index] for index in plans["transpose_forward"]),
        "size": list(said["patch_size"]),
        "normalise": json.dumps(normalisation(said, plans)),
        "classes": json.dumps(sorted(labels, key=labels.get)),
    }


def normalisation(said: dict, plans: dict) -> dict[str, Any]:
    """The manifest's `normalise` for nnU-Net's scheme. Raises ValueError where it has none."""
    (scheme,) = said["normalization_schemes"]
    if scheme == "CTNormalization":
        seen = plans["foreground_intensity_properties_per_channel"]["0"]
        clip = [seen["percentile_00_5"], seen["percentile_99_5"]]
        return {"zscore": {"clip": clip, "mean": seen["mean"], "sd": seen["std"]}}
    if scheme == "ZScoreNormalization" and not said["use_mask_for_norm"][0]:
        return {"zscore": "scan"}
    if scheme == "RescaleTo01Normalization":
        return {"percentiles": [0, 100]}
    masked = " within a mask" if scheme == "ZScoreNormalization" else ""
    raise ValueError(f"scans are normalised by {scheme}{masked}, which is not converted")


def convert(trained: Path, folder: Path, axes: str, folds: list[str]) -> None:
    """Write the model folder. Raises ValueError on what is not converted."""
    import torch
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans, dataset = (
        json.loads((trained / name).read_text(encoding="utf-8"))
        for name in ("plans.json", "dataset.json")
    )
    paths = [trained / f"fold_{fold}" / CHECKPOINT for fold in folds]
    paths = paths or sorted(trained.glob(f"fold_*/{CHECKPOINT}"))
    if not paths:
        raise ValueError(f"no fold has a {CHECKPOINT}; a network that was trained would be right")
    checkpoints = [opened(path) for path in paths]
    name = checkpoints[0]["init_args"]["configuration"]
    configuration = PlansManager(plans).get_configuration(name)
    said = described(plans, dataset, configuration.configuration, axes)
    weights = [checkpoint["network_weights"] for checkpoint in checkpoints]
    network = mean_of(configuration, len(json.loads(said["classes"])), weights)
    folder.mkdir(parents=True, exist_ok=True)
    window = torch.zeros(1, 1, *said["size"])
    torch.onnx.export(
        network,
        (window,),
        folder / "model.onnx",
        input_names=["image"],
        output_names=["scores"],
        dynamo=False,
    )
    content = (folder / "model.onnx").read_bytes()
    widest = configuration.network_arch_init_kwargs["features_per_stage"][0]
    bytes_held = 2 * len(content) + LAYERS * widest * window.nbytes
    manifest = MANIFEST.format(
        **said,
        sha256=hashlib.sha256(content).hexdigest(),
        flips=[axis + 1 for axis in checkpoints[0]["inference_allowed_mirroring_axes"] or ()],
        memory=MEMORY_MB + bytes_held // 10**6,
    )
    (folder / "model.yaml").write_text(manifest, encoding="utf-8")


def opened(path: Path) -> dict[str, Any]:
    """A checkpoint. Raises pickle.UnpicklingError where it holds more than numbers and text."""
    import numpy as np
    import torch
    from numpy._core.multiarray import scalar

    numbers = [scalar, np.dtype, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i8"))]
    with torch.serialization.safe_globals(numbers):
        return torch.load(path, map_location="cpu", weights_only=True)


def mean_of(configuration: Any, classes: int, weights: list[dict[str, Any]]) -> Any:
    """The torch module whose scores are the mean of those of one network with each of the weights."""
    import torch
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    class Mean(torch.nn.Module):
        def __init__(self, folds: list[torch.nn.Module]) -> None:
            super().__init__()
            self.folds = torch.nn.ModuleList(folds)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return sum(fold(image) for fold in self.folds) / len(self.folds)

    folds = []
    for own in weights:
        fold = get_network_from_plans(
            configuration.network_arch_class_name,
            configuration.network_arch_init_kwargs,
            configuration.network_arch_init_kwargs_req_import,
            input_channels=1,
            output_channels=classes,
            deep_supervision=False,
        )
        fold.load_state_dict(own)
        folds.append(fold)
    return Mean(folds).eval()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trained", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--axes", required=True, help="of the training images, such as SAR")
    parser.add_argument("--folds", nargs="+", default=[], help="numbers, or all")
    arguments = parser.parse_args()
    convert(arguments.trained, arguments.folder, arguments.axes, arguments.folds)
