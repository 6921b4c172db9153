"""Export: a case's results as DICOM objects that refer to the series that they are made of.

In: the DICOM source, labels.nii.gz and overlaps/, surfaces/ and measurements.csv. Out: dicom/, with
seg.dcm (segmentation), labelmap.dcm (label map segmentation), rtstruct.dcm (contours), sr.dcm
(measurement report) and stl-<structure>.dcm (surfaces), as asked for; masks and contours lie on the
source's own slices, all coordinates are LPS mm in its frame of reference.
"""

import csv
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import Dataset
from scanmill import site
from scanmill.atomic import replacing_folder
from scanmill.export.identity import Identity, Original, Pseudonyms
from scanmill.export.instance import write_object
from scanmill.export.measurement_report import measurement_report
from scanmill.export.segmentation_object import (
    binary_segmentation,
    label_map_segmentation,
    overlap,
)
from scanmill.export.source_grid import on_source_grid, volume_changes
from scanmill.export.source_images import SourceImages, source_images
from scanmill.export.structure_set import structure_set
from scanmill.export.structures import Exported, exported
from scanmill.export.surface_object import surface_object
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import find_surface
from scanmill.refusal import Refusal
from scanmill.sidecar import read_sidecar
from scanmill.source import dicom as dicom_source
from scanmill.source import source_format
from scanmill.stage import Record, run_job

OPEN = "The structure has no closed surface, and no STL of it is written."
OFF_SLICES = (
    "The volume's slices are not the source's own (they were resampled): contours would lie beside "
    "the images, and none are written."
)


def export(
    record: Record,
    scan: list[Path],
    labels: Path,
    overlaps: Path,
    surfaces: Path,
    measurements: Path,
    dicom: Path,
    case: str,
    structures: list[dict[str, Any]],
    kinds: list[str],
    identity: str,
    allow_uneven: bool = False,
    wanted_series: str = "",
    wanted_volume: str = "",
) -> None:
    """Write the objects. structures: the recipe's. kinds: of seg, labelmap, rtstruct, sr and stl.

    identity: `de-identified` or `return-to-pacs`. The rest as for ingest.
    """
    if source_format(scan[0]) != "dicom":
        raise Refusal(
            "export-needs-dicom",
            "the scan is no DICOM series, which DICOM objects would have to refer to; the same scan "
            "as DICOM would be right",
        )
    with warnings.catch_warnings():
        # pydicom quotes the values that it warns of.
        warnings.simplefilter("ignore")
        found = dicom_source.find_volume(scan[0], wanted_series, wanted_volume, allow_uneven)
        source = source_images(found, _identity(identity, case), case)
        record.grid = source.grid
        names = {s["name"]: s["label"] for s in structures}
        label_map = read_label_map(labels, overlaps, names)
        regions = on_source_grid(label_map, source.grid)
        _tell_volumes(record, names, label_map, regions)
        parts = exported(structures, regions)
        with replacing_folder(dicom) as folder:
            for name, made in _objects(record, parts, source, kinds, measurements, surfaces):
                write_object(folder / f"{name}.dcm", made)


def _identity(identity: str, case: str) -> Identity:
    if identity == "return-to-pacs":
        return Original()
    return Pseudonyms(site.load().pseudonym_key, case)


def _objects(
    record: Record,
    structures: list[Exported],
    source: SourceImages,
    kinds: list[str],
    measurements: Path,
    surfaces: Path,
) -> Iterator[tuple[str, Dataset]]:
    """Name and content of each object, made when its turn comes: memory holds few at a time."""
    if not structures:
        record.warn("export-empty", "No structure has a voxel: there is nothing to export.")
        return
    if "seg" in kinds or "sr" in kinds:
        segmentation = binary_segmentation(structures, source)
        yield "seg", segmentation
    if "labelmap" in kinds:
        if overlap(structures, source.grid.shape):
            record.warn(
                "labelmap-overlap", "Structures overlap: the label map has the later on top."
            )
        yield "labelmap", label_map_segmentation(structures, source)
    if "rtstruct" in kinds and source.on_slices:
        yield "rtstruct", structure_set(structures, source)
    elif "rtstruct" in kinds:
        record.warn("export-off-slices", OFF_SLICES)
    if "sr" in kinds:
        yield "sr", measurement_report(structures, _rows(measurements), segmentation, source)
    if "stl" in kinds:
        meshed = read_sidecar(surfaces)["structures"]
        for number, structure in enumerate(structures, 1):
            if meshed[structure.name]["status"] != "ok":
                record.warn("export-open", OPEN, structure.name)
                continue
            surface = find_surface(surfaces, structure.name)
            yield f"stl-{structure.name}", surface_object(number, structure, surface, source)


def _tell_volumes(
    record: Record, names: dict[str, int], label_map: LabelMap, regions: dict[int, Region]
) -> None:
    """Say what going to the source's slices did to each structure's volume."""
    changes = volume_changes(label_map, regions, record.grid)
    record.details["structures"] = {
        name: {"volume_mm3": changes[label][0], "change_percent": round(changes[label][1], 6)}
        for name, label in names.items()
        if label in changes
    }
    for name, label in names.items():
        if label in changes and label not in regions:
            message = "The structure has no voxel on the source's slices and is not exported."
            record.warn("export-lost", message, name)


def _rows(measurements: Path) -> dict[str, dict[str, str]]:
    with open(measurements, encoding="utf-8", newline="") as stream:
        return {row["structure"]: row for row in csv.DictReader(stream)}


if __name__ == "__main__":
    run_job(snakemake, export)
