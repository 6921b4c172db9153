"""Cross-validate: join the networks of all folds, and measure each on the scans that it was not shown.

In: the networks of the folds, and the isotropic volumes and label maps of the recipe's atlases. Out:
the folder of a trained network (model.onnx, model.yaml), with validation.json: Dice and volume errors
by structure and scan, and how often the network is right when it says how sure it is.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scanmill.atomic import replacing_folder
from scanmill.learning import folder
from scanmill.learning.cross_validation import Reliability, examined, summary
from scanmill.learning.graph import Weights
from scanmill.learning.lessons import Cohort, held_by
from scanmill.refusal import Refusal
from scanmill.segmentation import Exemplar
from scanmill.sidecar import write_json
from scanmill.stage import Record, run_job

# Dice above 0.7 is customarily called good (Zijdenbos et al. 1994, doi:10.1109/42.363096).
POOR = 0.7


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
                try:
                    cases[number] = examined(cohort[number], one, reliability)
                except Refusal as refusal:
                    record.warn(refusal.code, f"of the labelled scans, one: {refusal.reason}")
    told = summary(list(structures), [cases[number] for number in sorted(cases)])
    warn_of_poor(told, record)
    record.details["cross_validation"] = {
        "structures": told,
        "calibration_error": round(reliability.error(), 4),
        "reliability": reliability.table(),
    }
    with replacing_folder(model) as place:
        joined = folder.model_of(place, design, modality, list(structures))
        folder.write(joined, weights)
        write_json(place / "validation.json", record.details["cross_validation"])


def warn_of_poor(told: dict[str, Any], record: Record) -> None:
    """Warn of structures that the networks do not find well; all cases get the warning."""
    for name, scores in told.items():
        mean = scores["dice_mean"]
        if mean is None or mean < POOR:
            found = "in none" if mean is None else f"with a mean Dice of {mean:.2f}"
            record.warn(
                "learned-poorly",
                f"in labelled scans that they were not shown, the trained networks find it {found}; "
                "more labelled scans, or longer training, would be right",
                name,
            )


def read_weights(network: Path) -> Weights:
    """The weights of a trained network."""
    with np.load(network / "weights.npz") as arrays:
        return dict(arrays)


if __name__ == "__main__":
    run_job(snakemake, cross_validate)
