"""Learn: train one network of a fold on the cohort's own labelled scans.

In: the isotropic volumes of the recipe's atlases, and their label maps. Out: a folder with weights.npz,
curve.tsv and curve.svg. While it learns they lie in `unfinished-…` beside it, with a checkpoint which a
later job goes on from. Training is a process in an environment that has torch.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from scanmill.atomic import replacing, replacing_folder
from scanmill.learning.design import WIDTHS
from scanmill.learning.environment import interpreter
from scanmill.learning.folder import model_of
from scanmill.learning.lessons import Cohort, arrays, held_by
from scanmill.lineage import fingerprint
from scanmill.model_folder import Model
from scanmill.segmentation import Exemplar
from scanmill.sidecar import write_json
from scanmill.stage import Record, run_job

RESULTS = "weights.npz", "curve.tsv", "curve.svg", "trained.json"
SCRIPTS = Path(__file__).parent
TRAINING = SCRIPTS / "scanmill" / "learning" / "training.py"
LOCK = SCRIPTS.parent / "envs" / "learn.lock"


def learn(
    record: Record,
    scans: list[Path],
    labels: list[Path],
    network: Path,
    modality: str,
    structures: dict[str, int],
    fold: int,
    folds: int,
    iterations: int,
    batch: int,
    threads: int,
) -> None:
    """Train the network of a fold, from 0. structures: their labels by name, in their order."""
    cohort = Cohort(list(map(Exemplar, scans, labels)), structures, record)
    design = cohort.design(modality)
    model = model_of(network, design, modality, list(structures))
    held = held_by(fold, folds, len(cohort))
    course = {
        "structures": list(structures),
        "size": list(model.size),
        "widths": list(WIDTHS),
        "iterations": iterations,
        "batch": batch,
        "seed": fold,
        "held": held,
    }
    work = desk_of(network, lessons_of(cohort, model), course)
    train(work, threads)
    with replacing_folder(network) as folder:
        for name in RESULTS:
            shutil.move(work / name, folder / name)
    shutil.rmtree(work)
    trained = json.loads((network / "trained.json").read_text("utf-8"))
    record.details |= {"held": held, "course": course, "conditions": trained}


def lessons_of(cohort: Cohort, model: Model) -> dict[str, np.ndarray]:
    """The images and labels of a cohort, as a network sees them, by the names that training knows."""
    lessons = {}
    for number in range(len(cohort)):
        lessons[f"image_{number}"], lessons[f"labels_{number}"] = arrays(cohort[number], model)
    return lessons


def desk_of(network: Path, lessons: dict[str, np.ndarray], course: dict[str, Any]) -> Path:
    """The folder that a network is trained in, with its lessons and its plan.

    Another one for other lessons, another plan or other code: a checkpoint is of no use to those, and
    a process that outlived its job must not write into theirs.
    """
    key = hashlib.sha256(f"{fingerprint(TRAINING, LOCK)} {json.dumps(course)}".encode())
    for name, array in lessons.items():
        key.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    desk = network.with_name(f"unfinished-{key.hexdigest()[:8]}")
    for other in network.parent.glob("unfinished-*"):
        if other != desk:
            shutil.rmtree(other, ignore_errors=True)
    desk.mkdir(parents=True, exist_ok=True)
    with replacing(desk / "lessons.npz") as temporary:
        np.savez(temporary, **lessons)
    write_json(desk / "plan.json", course | {"key": key.hexdigest()})
    return desk


def train(work: Path, threads: int) -> None:
    """Train the network of a folder, in the environment that has torch."""
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": str(threads)}
    command = [interpreter(), "-m", "scanmill.learning.training", work]
    done = subprocess.run(command, env=environment)
    if done.returncode == -signal.SIGKILL:
        # What kills it so is the system, for memory: the next attempt has more.
        raise MemoryError("the training was killed")
    done.check_returncode()


if __name__ == "__main__":
    run_job(snakemake, learn)
