"""Cross-validate: join the networks of all folds, and measure each on the scans that it was not shown.

In: the networks of the folds, and the isotropic volumes and label maps of the recipe's atlases. Out:
the folder of a trained network (model.onnx, model.yaml), with validation.json: Dice and volume errors
by structure and scan, and how often the network is right when it says how sure it is.
"""

import tempfile
from pathlib import Path

import numpy as np
from scanmill.atomic import replacing_folder
from scanmill.learning import folder
from scanmill.learning.cross_validation import Reliability, examined, summary
from scanmill.learning.graph import Weights
from scanmill.learning.lessons import Cohort, held_by
from scanmill.segmentation import Exemplar
from scanmill.sidecar import write_json
from scanmill.stage import Record, run_job


def cross_validate(
    record: Record,
    networks: list[Path],
    scans: list[Path],
    labels: list[Path],
    model: Path,
    modality: str,
    structures: dict[str, int],
) -> None:
    """Write the joined network and what was measured. structures: their labels by name."""
    cohort = Cohort(list(map(Exemplar, scans, labels)), structures, record)
    design = cohort.design(modality)
    weights = [read_weights(network) for network in networks]
    reliability, cases = Reliability(), {}
    for fold, own in enumerate(weights):
        with tempfile.TemporaryDirectory() as place:
            one = folder.model_of(Path(place), design, modality, list(structures))
            folder.write(one, [own])
            for number in held_by(fold, len(weights), len(cohort)):
                cases[number] = examined(cohort[number], one, reliability)
    record.details["cross_validation"] = {
        "structures": summary(list(structures), [cases[number] for number in sorted(cases)]),
        "calibration_error": round(reliability.error(), 4),
        "reliability": reliability.table(),
    }
    with replacing_folder(model) as place:
        joined = folder.model_of(place, design, modality, list(structures))
        folder.write(joined, weights)
        write_json(place / "validation.json", record.details["cross_validation"])


def read_weights(network: Path) -> Weights:
    """The weights of a trained network."""
    with np.load(network / "weights.npz") as arrays:
        return dict(arrays)


if __name__ == "__main__":
    run_job(snakemake, cross_validate)
