"""What a manifest says of a trained nnU-Net, and that the converted network answers as it does."""

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from network_samples import write_model
from scanmill import model_folder

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))
import convert_nnunet  # noqa: E402

SAMPLE = Path(__file__).parent / "nnunet_sample.py"
SEEN = {"percentile_00_5": -900.0, "percentile_99_5": 700.0, "mean": 20.5, "std": 310.0}
PLANS = {
    "dataset_name": "Dataset297_Torso",
    "transpose_forward": [0, 1, 2],
    "foreground_intensity_properties_per_channel": {"0": SEEN},
}
DATASET = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, "spleen": 1, "kidney_right": 2},
    "licence": "CC-BY 4.0",
}
SAID = {
    "patch_size": [24, 32, 40],
    "spacing": [3.0, 1.5, 1.2],
    "normalization_schemes": ["CTNormalization"],
    "use_mask_for_norm": [False],
    "architecture": {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet"
    },
}


def manifest(folder: Path, plans=PLANS, dataset=DATASET, said=SAID, axes="SAR"):
    """The model that the manifest of a network describes, as the workflow reads it."""
    described = convert_nnunet.described(plans, dataset, said, axes)
    text = convert_nnunet.MANIFEST.format(**described, sha256="0" * 64, flips=[2, 3], memory=3000)
    write_model(folder)
    (folder / "model.yaml").write_text(text, "utf-8")
    return model_folder.read(folder)


def test_the_manifest_says_what_the_plans_say(tmp_path):
    model = manifest(tmp_path)
    assert model.axes == "SAR" and model.spacing == (3.0, 1.5, 1.2) and model.size == (24, 32, 40)
    assert model.modality == "CT" and model.licence == "CC-BY 4.0"
    assert model.classes == ("background", "spleen", "kidney_right")
    assert model.normalise == {"zscore": {"clip": [-900, 700], "mean": 20.5, "sd": 310}}
    assert model.logits and model.flips == (1, 2) and not model.smaller


def test_axes_that_the_plans_swap_are_those_of_the_network(tmp_path):
    """nnU-Net puts the coarsest axis first; spacing and size are of its order already."""
    assert manifest(tmp_path, plans=PLANS | {"transpose_forward": [2, 0, 1]}).axes == "RSA"


@pytest.mark.parametrize(
    ("scheme", "masked", "normalise"),
    [
        ("ZScoreNormalization", False, {"zscore": "scan"}),
        ("RescaleTo01Normalization", False, {"percentiles": [0, 100]}),
    ],
)
def test_mr_is_normalised_as_it_was(tmp_path, scheme, masked, normalise):
    said = SAID | {"normalization_schemes": [scheme], "use_mask_for_norm": [masked]}
    model = manifest(tmp_path, dataset=DATASET | {"channel_names": {"0": "T1"}}, said=said)
    assert model.normalise == normalise and model.modality == "any"


@pytest.mark.parametrize(
    ("where", "key", "value", "message"),
    [
        ("said", "patch_size", [32, 40], "looks at slices"),
        ("said", "previous_stage", "3d_lowres", "no cascade"),
        ("said", "normalization_schemes", ["RGBTo01Normalization"], "RGBTo01Normalization"),
        ("said", "architecture", {"network_class_name": "builtins.print"}, "a builtins.print"),
        ("dataset", "channel_names", {"0": "T1", "1": "T2"}, "2 channels"),
        ("dataset", "labels", {"background": 0, "whole": [1, 2], "core": 2}, "regions"),
    ],
)
def test_what_cannot_be_converted_is_said(where, key, value, message):
    known = deepcopy({"plans": PLANS, "dataset": DATASET, "said": SAID})
    known[where][key] = value
    with pytest.raises(ValueError, match=message):
        convert_nnunet.described(**known, axes="SAR")


def test_a_scheme_within_a_mask_is_not_taken_for_one_of_the_whole_scan():
    said = SAID | {"normalization_schemes": ["ZScoreNormalization"], "use_mask_for_norm": [True]}
    with pytest.raises(ValueError, match="within a mask"):
        convert_nnunet.normalisation(said, PLANS)


@pytest.mark.skipif("SCANMILL_NNUNET" not in os.environ, reason="needs the Python of make nnunet")
def test_the_converted_network_answers_as_nnunet_does(tmp_path):
    """Two folds of random weights; the mean of their scores, in a window and in its mirror image."""
    run = [os.environ["SCANMILL_NNUNET"], SAMPLE, tmp_path]
    subprocess.run(run, check=True, env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")})
    model = model_folder.check(tmp_path / "model")
    session = onnxruntime.InferenceSession(model.network)
    asked = np.load(tmp_path / "asked.npz")
    for image, scores in ((asked["image"], asked["scores"]), (asked["mirror"], asked["mirrored"])):
        found = session.run(None, {"image": image})[0]
        np.testing.assert_allclose(found, scores, atol=1e-4 * np.ptp(scores))
    assert json.loads((tmp_path / "refused.json").read_text()) == "UnpicklingError"
