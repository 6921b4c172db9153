"""Make an analytic patient: a scan whose true volumes, areas and centroids are known.

In: the patient's entry in config/phantoms.yaml. Out: the scan and its label map on the same grid
(.nii.gz; CT in HU, int16), and truth.json with the exact measures of each structure, in LPS mm.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scanmill import used
from scanmill.atomic import replacing
from scanmill.phantom.scanning import scan_of
from scanmill.sidecar import write_json
from scanmill.stage import print_to
from scanmill.volume_file import write_volume


def phantom(description: Mapping[str, Any], scan: Path, labels: Path, truth: Path) -> None:
    """Write the scan, the label map and the truth of a described patient."""
    made = scan_of(description)
    write_volume(scan, made.image)
    write_volume(labels, made.labels)
    write_json(
        truth,
        {"modality": description["modality"], "frame": "LPS", "structures": made.truth},
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
    used.tell()
