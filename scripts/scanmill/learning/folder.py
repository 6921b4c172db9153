"""The folder of a learned network, such as recipes name and others can use: see model_folder."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from scanmill.learning.design import AXES, Design
from scanmill.learning.graph import Weights, joined
from scanmill.model_folder import MANIFEST, MEMORY_MB, NETWORK, Model
from scanmill.sidecar import checksum

LICENCE = "as the labelled scans that it was trained on"
SOURCE = "trained by ScanMill on a cohort's own labelled scans"
BACKGROUND = "background"


def model_of(folder: Path, design: Design, modality: str, structures: Sequence[str]) -> Model:
    """What is in the folder of networks of a design. structures: names, in the order of labels."""
    return Model(
        folder / NETWORK,
        LICENCE,
        SOURCE,
        modality,
        design.spacing,
        AXES,
        design.size,
        False,
        design.normalise,
        (),
        False,
        MEMORY_MB,
        (BACKGROUND, *structures),
    )


def write(model: Model, networks: Sequence[Weights]) -> None:
    """Write the networks, joined, and their manifest."""
    model.network.write_bytes(joined(networks))
    manifest = {
        "description": f"{', '.join(model.classes[1:])}, by the mean of {len(networks)} networks",
        "licence": model.licence,
        "source": model.source,
        "sha256": checksum(model.network),
        "modality": model.modality,
        "spacing": list(model.spacing),
        "axes": model.axes,
        "size": list(model.size),
        "normalise": model.normalise,
        "output": "probabilities",
        "classes": list(model.classes),
    }
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
    (model.network.parent / MANIFEST).write_text(text, "utf-8")
