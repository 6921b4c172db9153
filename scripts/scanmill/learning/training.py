"""Train one network: a process of its own, in the environment that has torch.

    python -m scanmill.learning.training FOLDER

FOLDER holds `plan.json` (a Course) and `lessons.npz`: image_0, labels_0, image_1, ... (see Lesson). It
gets `curve.tsv` and `curve.svg`, to be watched, `checkpoint.pt`, from which a new process goes on, and
in the end `weights.npz`, and `trained.json`, the conditions. On a CPU the weights are the same bytes
for the same lessons, plan, processor, torch and number of threads, however often it was interrupted.
"""

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scanmill.atomic import replacing
from scanmill.learning.curve import Point, write_curve
from scanmill.learning.sampling import Lesson, batch, fixed_windows, lesson
from scanmill.learning.unet import UNet

RATE, DECAY, WARM_UP, LARGEST_GRADIENT = 2e-3, 1e-2, 50, 12.0
POINTS = 40
SECONDS_BETWEEN_CHECKPOINTS = 30.0
# Batches that are made ahead for a GPU.
AHEAD = 16


@dataclass(frozen=True)
class Course:
    """How a network is trained.

    structures: names of the classes, from 1. size: of a window, voxels. widths: channels by level.
    held: numbers of the lessons that it is not shown, and watched on. key: of a checkpoint that may be
    gone on from.
    """

    structures: tuple[str, ...]
    size: tuple[int, int, int]
    widths: tuple[int, ...]
    iterations: int
    batch: int
    seed: int
    held: tuple[int, ...]
    key: str


def main(folder: Path) -> None:
    """Train the network of a folder to its end."""
    course = Course(**json.loads((folder / "plan.json").read_text("utf-8")))
    lessons = read_lessons(folder / "lessons.npz", 1 + len(course.structures))
    weights = train(course, lessons, folder)
    with replacing(folder / "weights.npz") as temporary:
        np.savez(temporary, **weights)
    with replacing(folder / "trained.json") as temporary:
        temporary.write_text(json.dumps(conditions()), "utf-8")


def conditions() -> dict[str, Any]:
    """What else than lessons and plan the weights depend on."""
    device = _device()
    return {
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "bfloat16": _has_bfloat16(device),
        "threads": int(os.environ.get("OMP_NUM_THREADS", "1")),
    }


def read_lessons(path: Path, classes: int) -> list[Lesson]:
    """The lessons of a file. classes: with the background."""
    with np.load(path) as arrays:
        number = len(arrays.files) // 2
        return [lesson(arrays[f"image_{n}"], arrays[f"labels_{n}"], classes) for n in range(number)]


def train(course: Course, lessons: list[Lesson], folder: Path) -> dict[str, np.ndarray]:
    """The weights of the trained network, by name, float32."""
    device = _device()
    # As cuBLAS asks for.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(conditions()["threads"])
    torch.manual_seed(course.seed)
    network = UNet(1 + len(course.structures), list(course.widths)).to(device)
    network = network.to(memory_format=torch.channels_last_3d)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    state = {"network": network, "optimiser": optimiser}
    key = [course.key, conditions()]
    curve = _resumed(folder / "checkpoint.pt", key, state)
    taught = [known for n, known in enumerate(lessons) if n not in course.held]
    watched = fixed_windows([lessons[n] for n in course.held], course.size)
    saved, losses = time.monotonic(), []
    first = curve[-1].iteration if curve else 0
    for iteration, (images, labels) in enumerate(_batches(course, taught, first, device), first):
        for group in optimiser.param_groups:
            group["lr"] = RATE * _rate(iteration, course.iterations)
        losses.append(_step(network, optimiser, images, labels))
        done = iteration + 1
        if done % math.ceil(course.iterations / POINTS) == 0 or done == course.iterations:
            curve.append(Point(done, float(np.mean(losses)), _watch(network, watched)))
            losses = []
            write_curve(folder, curve, course.structures, course.iterations)
            print(f"iteration {done} of {course.iterations}: loss {curve[-1].loss:.3f}", flush=True)
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                _save(folder / "checkpoint.pt", key, state, curve)
                saved = time.monotonic()
    return {name: array.float().cpu().numpy() for name, array in network.state_dict().items()}


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _batches(
    course: Course, lessons: list[Lesson], first: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows [n, 1, a, b, c] and labels [n, a, b, c] of each iteration; a GPU has them made ahead."""

    def made(iteration: int) -> tuple[Tensor, Tensor]:
        images, labels = batch(lessons, course.size, course.batch, iteration, course.seed)
        return torch.from_numpy(images)[:, None], torch.from_numpy(labels.astype(np.int64))

    iterations = range(first, course.iterations)
    if device.type == "cpu":
        yield from map(made, iterations)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        coming: list[Future] = []
        for iteration in iterations:
            while len(coming) < AHEAD and iteration + len(coming) < course.iterations:
                coming.append(pool.submit(made, iteration + len(coming)))
            images, labels = coming.pop(0).result()
            yield images.to(device), labels.to(device)


def _step(network: UNet, optimiser: Any, images: Tensor, labels: Tensor) -> float:
    """One step of the weights; returns the loss. A CPU takes one image at a time, see Block."""
    parts = len(images) if images.device.type == "cpu" else 1
    total = 0.0
    optimiser.zero_grad(set_to_none=True)
    for some, truth in zip(images.chunk(parts), labels.chunk(parts), strict=True):
        loss = _loss(_scores(network, some), truth) / parts
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
    optimiser.step()
    return total


def _scores(network: UNet, images: Tensor) -> list[Tensor]:
    images = images.contiguous(memory_format=torch.channels_last_3d)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=_has_bfloat16(images.device)):
        scores = network(images)
    return [score.float() for score in scores]


def _has_bfloat16(device: torch.device) -> bool:
    """Does the processor compute in bfloat16, two to three times as fast, or only pretend to?"""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def _loss(scores: list[Tensor], labels: Tensor) -> Tensor:
    """Cross-entropy and Dice at each level; each counts half of the finer one."""
    weights = [0.5**n for n in range(len(scores))]
    total = scores[0].new_zeros(())
    for n, (weight, score) in enumerate(zip(weights, scores, strict=True)):
        step = 2**n
        truth = _one_hot(labels[:, ::step, ::step, ::step], score.shape[1])
        # torch's own cross-entropy is not deterministic on a GPU.
        entropy = -(score.log_softmax(1) * truth).sum(1).mean()
        total = total + weight * (entropy + _dice_loss(score, truth))
    return total / sum(weights)


def _one_hot(labels: Tensor, classes: int) -> Tensor:
    """[n, classes, a, b, c] of labels [n, a, b, c]: 1 for the own class, else 0."""
    known = torch.arange(classes, device=labels.device).reshape(1, -1, 1, 1, 1)
    return (labels[:, None] == known).float()


def _dice_loss(scores: Tensor, truth: Tensor) -> Tensor:
    """1 - the mean soft Dice of the structures."""
    chances, truth = scores.softmax(1)[:, 1:], truth[:, 1:]
    axes = (2, 3, 4)
    both = (chances * truth).sum(axes)
    return 1 - ((2 * both + 1) / (chances.sum(axes) + truth.sum(axes) + 1)).mean()


@torch.no_grad()
def _watch(network: UNet, windows: list[tuple[np.ndarray, np.ndarray]]) -> list[float]:
    """Dice of each class in windows that the network is not trained on; NaN where none has it."""
    device = next(network.parameters()).device
    both, either = 0.0, 0.0
    for image, labels in windows:
        scores = _scores(network, torch.from_numpy(image)[None, None].to(device))[0]
        classes = np.arange(1, scores.shape[1])
        found = scores.argmax(1)[0].cpu().numpy()[..., None] == classes
        truth = labels[..., None] == classes
        both = both + 2.0 * (found & truth).sum((0, 1, 2))
        either = either + found.sum((0, 1, 2)) + truth.sum((0, 1, 2))
    return [float(b / e) if e else math.nan for b, e in zip(both, either, strict=True)]


def _rate(iteration: int, iterations: int) -> float:
    """The learning rate, of the largest: up for some iterations, then down by half a cosine."""
    up = min(1.0, (iteration + 1) / WARM_UP)
    return up * 0.5 * (1 + math.cos(math.pi * iteration / iterations))


def _save(path: Path, key: list[Any], state: dict[str, Any], curve: list[Point]) -> None:
    content = {name: part.state_dict() for name, part in state.items()}
    content |= {"key": key, "curve": [tuple(point) for point in curve]}
    with replacing(path) as temporary:
        torch.save(content, temporary)


def _resumed(path: Path, key: list[Any], state: dict[str, Any]) -> list[Point]:
    """Put the network and its optimiser where a checkpoint left them; returns the curve until then."""
    if not path.exists():
        return []
    content = torch.load(path, weights_only=True)
    if content["key"] != key:
        return []
    for name, part in state.items():
        part.load_state_dict(content[name])
    return [Point(*point) for point in content["curve"]]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
