"""Whether a converted nnU-Net finds what nnU-Net itself finds: hippocampi, as a Markdown table.

    .venv-nnunet/bin/python docs/nnunet.py train FOLDER WORK
    .venv/bin/python docs/nnunet.py compare FOLDER WORK

FOLDER holds `images` and `labels` of the Medical Segmentation Decathlon's hippocampus task (1 anterior,
2 posterior). `train` has nnU-Net plan and train two networks on 16 scans, briefly, and find the parts
in 12 others, and converts the networks. `compare` has the workflow find them in the same scans.
"""

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
TASK, CONFIGURATION = "Dataset004_Hippocampus", "3d_fullres"
PARTS = {"anterior": 1, "posterior": 2}
# Of the set's images, which are RAS.
AXES = "SAR"
TRAINED, UNSEEN = 16, 12
# nnU-Net trains 250 000 steps of nine windows, by gradient descent. With few steps, Adam gets farther.
FOLDS, STEPS, BATCH, RATE = 2, 200, 2, 1e-3
RECIPE = """\
description: the hippocampus in two parts, by a converted nnU-Net
modality: MR
spacing: 1
structures:
"""
STRUCTURE = """\
  - name: {name}
    label: {label}
    code: {{scheme: 99SCANMILL, value: {name}, meaning: {name} part of hippocampus}}
    colour: "#f2a33c"
    segment: {{method: model, folder: model, class: {name}}}
"""


def main() -> None:
    """Do one of the two."""
    folder, work = (Path(path).resolve() for path in sys.argv[2:])
    images = sorted((folder / "images").glob("*.nii.gz"))
    images = [images[n] for n in np.random.default_rng(0).permutation(len(images))]
    unseen = images[TRAINED:][:UNSEEN]
    if sys.argv[1] == "train":
        train(images[:TRAINED], work)
        segment(unseen, work)
    else:
        compare(unseen, work)


def train(images: list[Path], work: Path) -> None:
    """Have nnU-Net plan and train its networks; convert them."""
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(work / name)
    os.environ |= {"nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1"}
    import torch
    from batchgenerators.utilities.file_and_folder_operations import load_json, save_json
    from convert_nnunet import convert
    from nnunetv2.experiment_planning import plan_and_preprocess_api as planning
    from nnunetv2.run.run_training import get_trainer_from_args

    raw = work / "raw" / TASK
    for image in images:
        name = image.name.removesuffix(".nii.gz")
        put(image, raw / "imagesTr" / f"{name}_0000.nii.gz")
        put(labels_of(image), raw / "labelsTr" / f"{name}.nii.gz")
    said = {"channel_names": {"0": "MRI"}, "labels": {"background": 0, **PARTS}}
    save_json(said | {"numTraining": len(images), "file_ending": ".nii.gz"}, raw / "dataset.json")
    planning.extract_fingerprints([4], num_processes=1)
    planning.plan_experiments([4])
    planning.preprocess([4], configurations=[CONFIGURATION], num_processes=[1])
    plans = work / "preprocessed" / TASK / "nnUNetPlans.json"
    said = load_json(plans)
    said["configurations"][CONFIGURATION]["batch_size"] = BATCH
    save_json(said, plans)
    # Planning wants one process at least, training none beside its own.
    os.environ |= {"nnUNet_n_proc_DA": "0"}
    for fold in range(FOLDS):
        torch.manual_seed(fold)
        trainer = get_trainer_from_args(TASK, CONFIGURATION, fold, device=torch.device("cpu"))
        trainer.configure_optimizers = partial(by_adam, trainer)
        trainer.num_epochs, trainer.num_iterations_per_epoch = 1, STEPS
        trainer.num_val_iterations_per_epoch = 1
        trainer.run_training()
    convert(trained_in(work), work / "model", AXES, [])


def by_adam(trainer: Any) -> tuple[Any, Any]:
    """The optimiser of a trainer of nnU-Net, and its steady rate."""
    import torch

    optimizer = torch.optim.AdamW(trainer.network.parameters(), RATE)
    return optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1)


def segment(images: list[Path], work: Path) -> None:
    """Have nnU-Net find the parts in images, and print its seconds of a core."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    begun = time.process_time()
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(trained_in(work), tuple(range(FOLDS)))
    (work / "found").mkdir(exist_ok=True)
    found = [str(work / "found" / image.name) for image in images]
    predictor.predict_from_files_sequential([[str(image)] for image in images], found)
    print(f"nnU-Net: {(time.process_time() - begun) / len(images):.1f} s a scan")


def compare(images: list[Path], work: Path) -> None:
    """Have the workflow find the parts, and print how far it agrees with nnU-Net."""
    from scanmill.learning.cross_validation import dice
    from scanmill.source import read_source
    from scanmill.volume_file import read_volume

    structures = "".join(STRUCTURE.format(name=name, label=PARTS[name]) for name in PARTS)
    (work / "recipe.yaml").write_text(RECIPE + structures, "utf-8")
    rows = [f"scan-{n}\t{image}" for n, image in enumerate(images)]
    (work / "scans.tsv").write_text("\n".join(["case\tscan", *rows]) + "\n", "utf-8")
    wanted = [f"results/cases/scan-{n}/labels.nii.gz" for n in range(len(images))]
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", work, "--cores", "1", "--quiet", "all"]
    command += ["--config", "scans=scans.tsv", "recipe=recipe.yaml", "--", *wanted]
    subprocess.run(command, check=True)
    print("| part | Dice of nnU-Net | of ScanMill | of the two | voxels of one label |")
    print("|---|---|---|---|---|")
    for part, label in PARTS.items():
        scores = []
        for image, path in zip(images, wanted, strict=True):
            ours = read_volume(work / path)
            truth, _ = read_source(labels_of(image))
            theirs, _ = read_source(work / "found" / image.name)
            assert ours.grid.same_as(truth.grid) and ours.grid.same_as(theirs.grid)
            drawn, found, own = (v.array == label for v in (truth, theirs, ours))
            same = 100 * np.mean(theirs.array == ours.array)
            scores.append([dice(found, drawn), dice(own, drawn), dice(own, found), same])
        *dices, same = np.mean(scores, axis=0)
        print(f"| {part} | {' | '.join(f'{score:.4f}' for score in dices)} | {same:.3f} % |")


def labels_of(image: Path) -> Path:
    """The drawn labels of an image of the set."""
    return image.parent.parent / "labels" / image.name


def trained_in(work: Path) -> Path:
    """The folder of networks that nnU-Net trained."""
    return work / "results" / TASK / f"nnUNetTrainer__nnUNetPlans__{CONFIGURATION}"


def put(source: Path, target: Path) -> None:
    """Copy a file, where its folder may not exist yet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


if __name__ == "__main__":
    main()
