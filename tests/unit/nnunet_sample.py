"""A trained nnU-Net of random weights, converted, and its own answers: run in nnU-Net's environment.

python nnunet_sample.py FOLDER
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import torch
from convert_nnunet import convert, opened
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

CONFIGURATION = {
    "patch_size": [16, 24, 24],
    "spacing": [2.0, 1.0, 1.0],
    "normalization_schemes": ["ZScoreNormalization"],
    "use_mask_for_norm": [False],
    # As plans up to 2023 have it, and TotalSegmentator's.
    "UNet_class_name": "PlainConvUNet",
    "UNet_base_num_features": 8,
    "unet_max_num_features": 32,
    "n_conv_per_stage_encoder": [2, 2, 2],
    "n_conv_per_stage_decoder": [2, 2],
    "num_pool_per_axis": [1, 2, 2],
    "conv_kernel_sizes": [[3, 3, 3]] * 3,
    "pool_op_kernel_sizes": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
}
PLANS = {
    "dataset_name": "Dataset001_Sample",
    "plans_name": "nnUNetPlans",
    "transpose_forward": [0, 1, 2],
    "configurations": {"3d_fullres": CONFIGURATION},
}
DATASET = {"channel_names": {"0": "T1"}, "labels": {"background": 0, "organ": 1}}


class Trap:
    """What must not be run when a checkpoint is read."""

    def __reduce__(self):
        return Path.write_text, (Path("trapped"), "")


def main(folder: Path) -> None:
    """Write the trained network, the model folder, and what nnU-Net's own network answers."""
    trained = folder / "trained"
    trained.mkdir()
    for name, content in (("plans", PLANS), ("dataset", DATASET)):
        (trained / f"{name}.json").write_text(json.dumps(content))
    known = PlansManager(json.loads(json.dumps(PLANS))).get_configuration("3d_fullres")
    image = torch.randn(1, 1, *CONFIGURATION["patch_size"])
    mirror, scores, mirrored = image.flip(2), 0, 0
    for fold in range(2):
        network = get_network_from_plans(
            known.network_arch_class_name,
            known.network_arch_init_kwargs,
            known.network_arch_init_kwargs_req_import,
            input_channels=1,
            output_channels=2,
            deep_supervision=False,
        ).eval()
        (trained / f"fold_{fold}").mkdir()
        checkpoint = {
            "network_weights": network.state_dict(),
            "init_args": {"configuration": "3d_fullres"},
            "inference_allowed_mirroring_axes": (0, 1, 2),
            "_best_ema": np.float64(0.5),
        }
        torch.save(checkpoint, trained / f"fold_{fold}" / "checkpoint_final.pth")
        with torch.no_grad():
            scores, mirrored = scores + network(image) / 2, mirrored + network(mirror) / 2
    convert(trained, folder / "model", "SPL", [])
    arrays = {"image": image, "mirror": mirror, "scores": scores, "mirrored": mirrored}
    np.savez(folder / "asked.npz", **{name: array.numpy() for name, array in arrays.items()})
    trap = folder / "trap.pth"
    torch.save({"network_weights": Trap()}, trap)
    try:
        opened(trap)
    except pickle.UnpicklingError as error:
        (folder / "refused.json").write_text(json.dumps(type(error).__name__))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
