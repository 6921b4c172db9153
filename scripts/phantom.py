"""Make an analytic patient: a scan whose true volumes, areas and centroids are known.

In: the patient's entry in config/phantoms.yaml. Out: the scan and its label map on the same grid
(.nii.gz; CT in HU, int16), and truth.json with the exact measures of each structure, in LPS mm.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing
from scanmill.phantom.description import grid_of, patient_of
from scanmill.phantom.rendering import add_noise, majority, signal, visible_occupancy
from scanmill.sidecar import write_json
from scanmill.stage import print_to
from scanmill.volume_file import Volume, write_volume


def phantom(description: Mapping[str, Any], scan: Path, labels: Path, truth: Path) -> None:
    """Write the scan, the label map and the truth of a described patient."""
    patient = patient_of(description)
    grid = grid_of(description["grid"])
    visible = visible_occupancy(patient, grid)
    image = add_noise(signal(patient, visible), description["modality"], **description["noise"])
    write_volume(scan, Volume(image, grid))
    write_volume(labels, Volume(majority(patient, visible), grid))
    write_json(
        truth,
        {"modality": description["modality"], "frame": "LPS", "structures": patient.truth()},
    )
    if "spoil" in description:
        SPOIL[description["spoil"]](scan)


def truncate(path: Path) -> None:
    """Cut a file to half its bytes, as a broken transfer does."""
    content = path.read_bytes()
    with replacing(path) as temporary:
        temporary.write_bytes(content[: len(content) // 2])


SPOIL = {"truncated": truncate}

if __name__ == "__main__":
    print_to(snakemake.log[0])
    phantom(
        snakemake.params.patient,
        Path(snakemake.output.scan),
        Path(snakemake.output.labels),
        Path(snakemake.output.truth),
    )
