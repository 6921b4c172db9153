"""Agreement: how well each structure agrees with the reference that the sheet gives for the case.

In: labels.nii.gz with overlaps/, measurements.csv, and isotropic.nii.gz for where the scan lies; the
reference, which is given as supplied labels are. Out: agreement.csv, a row for each structure that the
reference tells of; its columns are described in `agreement.columns`. Masks are compared on the
reference's own grid.
"""

import csv
from pathlib import Path
from typing import Any

from scanmill.agreement.columns import BOTH_EMPTY, COMPARED, MISSED, REFERENCE, REFERENCE_EMPTY
from scanmill.agreement.comparison import mask_of, part_outside, side_by_side
from scanmill.agreement.masks import measures_of
from scanmill.agreement.reference import Drawn, read_reference
from scanmill.atomic import replacing
from scanmill.grid import Grid
from scanmill.label_map import Region, regions_of
from scanmill.label_map_files import read_label_map
from scanmill.recipe_labels import from_labels
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job

COVERED = (
    "others lie on the structure, and the reference is one map, which shows what is left of it: only "
    "that is compared, and no volume; a mask of its own in the reference would be right"
)
Row = dict[str, str | float]


def agreement(
    record: Record,
    isotropic: Path,
    labels: Path,
    overlaps: Path,
    measurements: Path,
    reference: list[Path],
    table: Path,
    structures: list[dict[str, Any]],
    reference_structures: list[str | None],
    surface_dice_tolerance: float,
) -> None:
    """Write the case's rows.

    reference: the user's label files, then whatever files of voxels their headers name;
    reference_structures: what each label file is the mask of, or None for a map of several. structures:
    name, label, code, laterality and segment of each. surface_dice_tolerance: mm.
    """
    label_map = read_label_map(labels, overlaps, {s["name"]: s["label"] for s in structures})
    grid = record.grid = label_map.grid
    resampled = read_sidecar(isotropic)
    scan = grid.concentric(tuple(resampled["native_size"]), tuple(resampled["native_spacing_mm"]))
    wanted = [s | {"segment": from_labels(s)} for s in structures]
    files = list(zip(reference_structures, reference, strict=False))
    frame = resampled.get("frame_of_reference")
    drawn, refusals = read_reference(files, wanted, scan, frame, record)
    volumes = _volumes(measurements)
    regions = label_map.regions()
    with replacing(table) as temporary, open(temporary, "w", newline="") as stream:
        rows = csv.DictWriter(stream, ("structure", *REFERENCE), lineterminator="\n")
        rows.writeheader()
        for structure in structures:
            name, label = structure["name"], structure["label"]
            region = regions.get(label)
            row: Row = {"structure": name}
            if name in refusals:
                record.warn(refusals[name].code, refusals[name].reason, name)
                row["reference_status"] = refusals[name].code
            elif name in drawn:
                if label in label_map.covered and not drawn[name].whole:
                    record.warn("reference-covered", COVERED, name)
                    region = regions_of(label_map.array).get(label)
                else:
                    row |= _volume(drawn[name], volumes.get(name))
                row["reference_status"] = _status(region, drawn[name])
                _check_ends(record, name, region, grid, drawn[name], scan)
            if row.get("reference_status") == COMPARED:
                mask = drawn[name].mask
                masks = side_by_side(region, grid, mask)
                row |= measures_of(*masks, mask.lattice.spacing, surface_dice_tolerance)
            rows.writerow({key: _text(value) for key, value in row.items()})


def _volumes(measurements: Path) -> dict[str, float]:
    """The best estimates, mm3, by structure."""
    with open(measurements, newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["volume_mm3"]]
    return {row["structure"]: float(row["volume_mm3"]) for row in rows}


def _status(region: Region | None, drawn: Drawn) -> str:
    if drawn.mask is None:
        return BOTH_EMPTY if region is None else REFERENCE_EMPTY
    return MISSED if region is None else COMPARED


def _volume(drawn: Drawn, volume: float | None) -> Row:
    """The volume of the reference, and how far the measured one is from it."""
    if drawn.mask is None:
        return {}
    true = drawn.volume()
    found: Row = {"reference_volume_mm3": true}
    if volume is not None:
        found["volume_error_mm3"] = volume - true
        found["volume_error_percent"] = 100 * (volume / true - 1)
    return found


def _check_ends(
    record: Record, name: str, region: Region | None, grid: Grid, drawn: Drawn, scan: Grid
) -> None:
    """Warn where one shows a part of the structure that the other cannot."""
    if drawn.mask is not None and (part := part_outside(drawn.mask, scan)) > 0:
        message = f"{part:.1f} % of the reference lie beyond the scan, and count as not found"
        record.warn("reference-beyond", message, name)
    if region is None or drawn.ends is None:
        return
    if (part := part_outside(mask_of(region, grid), drawn.ends)) > 0:
        message = f"{part:.1f} % of the structure lie beyond the reference, and count as wrong"
        record.warn("reference-cut", message, name)


def _text(value: str | float) -> str:
    return f"{value:.10g}" if isinstance(value, float) else value


if __name__ == "__main__":
    run_job(snakemake, agreement)
