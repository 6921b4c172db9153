"""Learning from labelled scans, each on a grid of its own: what is joined, measured and passed on."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cross_validate import cross_validate
from earlier import put_refused, put_volume
from learn import SCRIPTS, desk_of, learn
from learning_samples import needs_torch
from scanmill import model_folder
from scanmill.learning.design import AXES
from scanmill.learning.environment import interpreter
from scanmill.sidecar import read_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import read_volume
from segment import segment
from test_registration import CENTRE, grid_of, points_of

STRUCTURES = {"half": 5, "ball": 3}
OFFSET = np.array([0.0, 0.0, 4.0])


def shown(kind: str, extent: float = 24.0) -> tuple[np.ndarray, np.ndarray, object]:
    """A bright upper half and a brighter ball in it, on a grid of that kind, and their labels."""
    grid = grid_of(kind, extent)
    about = points_of(grid) - CENTRE
    half = about[..., 2] > 0
    ball = np.linalg.norm(about - OFFSET, axis=-1) < 4
    labels = np.select([ball, half], [3, 5], 0).astype(np.uint8)
    return np.select([ball, half], [600, 150], 0).astype(np.int16), labels, grid


def put_atlas(folder: Path, kind: str, extent: float = 24.0) -> Path:
    image, labels, grid = shown(kind, extent)
    put_volume(folder / "labels.nii.gz", labels, grid)
    return put_volume(folder / "isotropic.nii.gz", image, grid)


def put_spoiled(folder: Path) -> Path:
    put_refused(folder / "labels.nii.gz")
    return put_refused(folder / "isotropic.nii.gz")


def put_network(folder: Path, sign: float) -> Path:
    """A network without levels that classes voxels by how bright they are; sign -1: wrongly."""
    centre = np.zeros((1, 1, 3, 3, 3), np.float32)
    centre[..., 1, 1, 1] = 1
    blocks = {}
    for name in ("encoder.0.0", "encoder.0.1"):
        blocks |= {f"{name}.convolution.weight": centre, f"{name}.scale": np.ones(1, np.float32)}
        blocks |= {f"{name}.shift": np.full(1, 10, np.float32)}
    slopes = 40 * sign * np.array([0, 1, 2], np.float32)
    heads = {"heads.0.weight": slopes.reshape(3, 1, 1, 1, 1)}
    # Intensities get mean 0 and sd 1, and the blocks add 10: halves are at 11 to 12, balls beyond 18.
    heads |= {"heads.0.bias": -40 * sign * np.array([0, 10.7, 10.7 + 15.5], np.float32)}
    folder.mkdir(parents=True)
    np.savez(folder / "weights.npz", **blocks, **heads)
    return folder


def inputs_of(atlases: list[Path]) -> dict[str, list[Path]]:
    return {"scans": atlases, "labels": [atlas.with_name("labels.nii.gz") for atlas in atlases]}


@pytest.fixture
def atlases(tmp_path):
    kinds = ("flipped", "oblique", "thick slices", "oblique")
    return [put_atlas(tmp_path / f"atlas-{n}", kind) for n, kind in enumerate(kinds)]


def validated(folder: Path, networks: list[Path], atlases: list[Path]):
    model = folder / "network"
    inputs = {"networks": networks} | inputs_of(atlases)
    parameters = {"modality": "MR", "structures": STRUCTURES}
    run_stage("cross_validate", cross_validate, inputs, {"model": model}, parameters)
    return model, read_sidecar(model)


def test_each_network_is_measured_on_what_it_was_not_shown(tmp_path, atlases):
    """The first is right and the second wrong: the scans at odd places were held from the second."""
    networks = [put_network(tmp_path / f"fold-{n}" / "network", s) for n, s in enumerate((1, -1))]
    model, said = validated(tmp_path / "joined", networks, atlases)
    measured = said["cross_validation"]
    assert measured == json.loads((model / "validation.json").read_text("utf-8"))
    for name in STRUCTURES:
        scores = measured["structures"][name]["dice"]
        assert min(scores[0], scores[2]) > 0.9 and max(scores[1], scores[3]) < 0.6
        assert measured["structures"][name]["scans"] == 4
        assert measured["structures"][name]["dice_mean"] == pytest.approx(np.mean(scores), abs=1e-4)
    assert 0.5 < measured["calibration_error"] < 1
    assert sum(row["voxels"] for row in measured["reliability"]) > 10_000
    assert [(w["code"], w["structure"]) for w in said["warnings"]] == [
        ("learned-poorly", name) for name in STRUCTURES
    ]
    _, found = segmented(atlases[1], model)
    assert found["warnings"] == said["warnings"]


def test_a_labelled_scan_that_cannot_be_segmented_is_told_and_not_measured(tmp_path, atlases):
    network = put_network(tmp_path / "fold-0" / "network", 1)
    small = put_atlas(tmp_path / "atlas-4", "oblique", 6.0)
    _, said = validated(tmp_path / "joined", [network, network], [*atlases, small])
    assert said["status"] == "ok"
    assert [warning["code"] for warning in said["warnings"]] == ["scan-too-small"]
    assert said["cross_validation"]["structures"]["half"]["scans"] == len(atlases)


def test_what_is_learned_segments_a_scan(tmp_path, atlases):
    network = put_network(tmp_path / "fold-0" / "network", 1)
    model, measured = validated(tmp_path / "joined", [network, network], atlases)
    assert measured["cross_validation"]["calibration_error"] < 0.1 and not measured["warnings"]
    read = model_folder.check(model)
    assert read.classes == ("background", "half", "ball") and read.axes == AXES
    image, truth, grid = shown("oblique")
    isotropic = put_volume(tmp_path / "case" / "isotropic.nii.gz", image, grid)
    labels, said = segmented(isotropic, model)
    assert said["status"] == "ok"
    found = read_volume(labels).array
    for label in STRUCTURES.values():
        both = ((found == label) & (truth == label)).sum()
        assert 2 * both / ((found == label).sum() + (truth == label).sum()) > 0.93


def segmented(isotropic: Path, model: Path):
    way = {"method": "learn", "model": 0, "steps": []}
    structures = [
        {"name": name, "label": label, "segment": way | {"classes": [name]}}
        for name, label in STRUCTURES.items()
    ]
    labels = isotropic.with_name("labels.nii.gz")
    outputs = {name: isotropic.with_name(name) for name in ("overlaps", "doubts")}
    outputs["labels"] = labels
    inputs = {"isotropic": isotropic, "learned": [model]}
    run_stage("segment", segment, inputs, outputs, {"modality": "MR", "structures": structures})
    return labels, read_sidecar(labels)


def test_too_few_labelled_scans_refuse_the_network_and_its_cases(tmp_path, atlases):
    few = [put_spoiled(tmp_path / "bad"), atlases[0]]
    outputs = {"network": tmp_path / "models" / "fold-1" / "network"}
    run_stage("learn", learn, inputs_of(few), outputs, course(tmp_path, 5))
    assert read_sidecar(outputs["network"])["code"] == "atlases-missing"
    model, said = validated(tmp_path / "models", [outputs["network"]], few)
    assert (said["status"], said["code"]) == ("refused", "atlases-missing")
    assert "only 1 of the 2 atlases" in said["reason"] and not list(model.iterdir())
    image, _, grid = shown("flipped")
    isotropic = put_volume(tmp_path / "case" / "isotropic.nii.gz", image, grid)
    labels, said = segmented(isotropic, model)
    assert (said["stage"], said["code"]) == ("cross_validate", "atlases-missing")
    assert labels.stat().st_size == 0


def course(folder: Path, iterations: int) -> dict:
    return {
        "modality": "MR",
        "structures": STRUCTURES,
        "fold": 0,
        "folds": 2,
        "iterations": iterations,
        "batch": 1,
        "threads": 1,
    }


def test_other_lessons_or_another_plan_have_a_desk_of_their_own(tmp_path):
    network = tmp_path / "fold-1" / "network"
    lessons = {
        "image_0": np.zeros((2, 3, 4), np.float32),
        "labels_0": np.zeros((2, 3, 4), np.uint8),
    }
    first = desk_of(network, lessons, {"iterations": 5})
    (first / "checkpoint.pt").touch()
    assert desk_of(network, lessons, {"iterations": 5}) == first
    assert (first / "checkpoint.pt").exists()
    second = desk_of(network, lessons, {"iterations": 6})
    assert second != first and not first.exists()
    third = desk_of(network, lessons | {"labels_0": lessons["labels_0"] + 1}, {"iterations": 6})
    assert third not in (first, second) and [*network.parent.iterdir()] == [third]
    assert json.loads((third / "plan.json").read_text("utf-8"))["iterations"] == 6


@needs_torch
@pytest.mark.slow
def test_a_network_that_is_trained_is_the_same_after_an_interruption(tmp_path, atlases):
    whole = tmp_path / "one" / "network"
    run_stage("learn", learn, inputs_of(atlases), {"network": whole}, course(tmp_path, 12))
    said = read_sidecar(whole)
    assert said["status"] == "ok" and said["held"] == [0, 2]
    assert said["conditions"]["device"] and not list(whole.parent.glob("unfinished*"))
    lines = (whole / "curve.tsv").read_text().splitlines()
    assert len(lines) == 13 and lines[-1].startswith("12\t")
    again = tmp_path / "two" / "network"
    interrupted(tmp_path, again, inputs_of(atlases))
    assert (again / "weights.npz").read_bytes() == (whole / "weights.npz").read_bytes()
    assert (again / "curve.tsv").read_bytes() == (whole / "curve.tsv").read_bytes()


def interrupted(folder: Path, network: Path, inputs: dict) -> None:
    """Train as `learn` does, killed at the fifth iteration, and once more to the end."""
    kill = (
        "import os, signal, sys\n"
        "from scanmill.learning import training\n"
        "training.SECONDS_BETWEEN_CHECKPOINTS = -1\n"
        "step, seen = training._step, []\n"
        "def killing(*given):\n"
        "    seen.append(1)\n"
        "    return step(*given) if len(seen) < 6 else os.kill(os.getpid(), signal.SIGKILL)\n"
        "training._step = killing\n"
        "training.main(training.Path(sys.argv[-1]))\n"
    )
    script = folder / "killing.py"
    script.write_text(kill)
    launcher = folder / "python"
    launcher.write_text(f'#!/bin/sh\nshift 2\nexec "{interpreter()}" "{script}" "$@"\n')
    launcher.chmod(0o755)
    real = os.environ.get("SCANMILL_LEARNER")
    os.environ["SCANMILL_LEARNER"] = str(launcher)
    try:
        with pytest.raises(MemoryError):
            run_stage("learn", learn, inputs, {"network": network}, course(folder, 12))
    finally:
        os.environ.pop("SCANMILL_LEARNER")
        if real:
            os.environ["SCANMILL_LEARNER"] = real
    assert list(network.parent.glob("unfinished-*/checkpoint.pt"))
    run_stage("learn", learn, inputs, {"network": network}, course(folder, 12))


@needs_torch
@pytest.mark.slow
def test_the_onnx_network_answers_as_torch_does(tmp_path):
    """A small network with random weights, of an odd number of levels."""
    asked = (
        "import sys, numpy, torch\n"
        "from scanmill.learning.unet import UNet\n"
        "torch.manual_seed(0)\n"
        "network = UNet(3, [4, 8, 16])\n"
        "for weights in network.parameters():\n"
        "    weights.data += 0.1 * torch.randn_like(weights)\n"
        "image = torch.randn(1, 1, 8, 16, 24)\n"
        "with torch.no_grad():\n"
        "    chances = network(image)[0].softmax(1)\n"
        "both = {'image': image.numpy(), 'chances': chances.numpy()}\n"
        "weights = {k: v.numpy() for k, v in network.state_dict().items()}\n"
        "numpy.savez(sys.argv[1], **both)\n"
        "numpy.savez(sys.argv[2], **weights)\n"
    )
    import onnxruntime
    from scanmill.learning.graph import joined

    answer, weights = tmp_path / "answer.npz", tmp_path / "weights.npz"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    subprocess.run([interpreter(), "-c", asked, answer, weights], check=True, env=environment)
    session = onnxruntime.InferenceSession(joined([dict(np.load(weights))]))
    with np.load(answer) as both:
        (found,) = session.run(None, {"image": both["image"]})
        np.testing.assert_allclose(found, both["chances"], atol=1e-5)
