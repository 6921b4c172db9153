"""Measure: one row per structure of the recipe, each number with its meaning in `columns`.

In: volume.nii.gz, isotropic.nii.gz, labels.nii.gz with overlaps/ and doubts/, surfaces/ and its
sidecar, and those of centrelines/ and simulation/ where they are asked for. Out: measurements.csv.
Volumes are told from the scan as acquired, `volume`. A structure that was not found, or whose surface
could not be closed, has empty cells and says why.
"""

import csv
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from scanmill.atomic import replacing
from scanmill.columns import COLUMNS, distance_column, distance_columns
from scanmill.contacts import contacts
from scanmill.diameters import axial_diameters
from scanmill.grid import Grid
from scanmill.intensity_features import histogram, intensity_features
from scanmill.interval import intervals
from scanmill.label_map import Region
from scanmill.label_map_files import find_doubt, read_label_map
from scanmill.location import location
from scanmill.shape_features import shape_features
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.surroundings import neighbours_of
from scanmill.volume_file import read_volume
from scanmill.volume_ledger import (
    Cell,
    check_ledger,
    counted_volume,
    differences,
    estimated_volume,
    supplied_volume,
    told_volume,
)

# A larger part of a structure in marked voxels is worth a warning.
SPOILED_PERCENT = 5.0


def measure(
    record: Record,
    volume: Path,
    isotropic: Path,
    artefacts: Path,
    labels: Path,
    overlaps: Path,
    doubts: Path,
    surfaces: Path,
    centrelines: list[Path],
    simulations: list[Path],
    measurements: Path,
    case: str,
    structures: list[dict[str, Any]],
    ledger_limit: float,
) -> None:
    """Write the case's rows.

    centrelines, simulations: their folders, where the recipe asks for any. structures: name, label,
    distances_to and drawn of each, in the recipe's order. ledger_limit: %, beyond which a volume that
    differs from the best estimate is warned of.
    """
    names = {s["name"]: s["label"] for s in structures}
    grid, regions, covered, record.details["contacts"] = _regions(labels, overlaps, names)
    record.grid = grid
    masked = _masked(regions, grid, isotropic)
    spoiled = _spoiled(regions, artefacts)
    scan = read_volume(volume)
    segmented, meshed = read_sidecar(labels), read_sidecar(surfaces)
    asked = [read_sidecar(path)["structures"] for path in (*centrelines, *simulations)]
    bodies = {
        name: regions[label]
        for name, label in names.items()
        if label in regions and meshed["structures"][name]["status"] == "ok"
    }
    columns = COLUMNS | distance_columns(structures)
    with replacing(measurements) as temporary, open(temporary, "w", newline="") as stream:
        rows = csv.DictWriter(stream, columns, lineterminator="\n")
        rows.writeheader()
        for structure in structures:
            name, label = structure["name"], structure["label"]
            row: dict[str, Cell] = {"case": case, "structure": name, "label": label}
            row |= supplied_volume(name, segmented)
            if label in regions:
                row |= {"status": "ok"} | segmented.get("shapes", {}).get(name, {})
                region = regions[label]
                counted = counted_volume(region, grid, scan.grid)
                row |= masked[label]
                row["mask_volume_mm3"] = counted
                around = None if structure["drawn"] else neighbours_of(label, regions, covered)
                doubt = find_doubt(doubts, name, grid)
                estimate = estimated_volume(region, grid, scan, counted, around, doubt)
                row |= told_volume(record, name, estimate, counted, scan.grid)
                row |= _believed(record, name, spoiled[label])
                row |= _surface(meshed["structures"][name])
                for told in asked:
                    row |= told.get(name, {})
                row |= intervals(row, estimate, region, grid, scan.grid)
                row |= differences(row)
                check_ledger(record, name, row, ledger_limit)
                row |= _distances(name, structure["distances_to"], bodies, surfaces)
            else:
                row |= {"stage": "segment"} | _refusal(segmented["structures"][name])
            row["warnings"] = _warnings(name, record.warnings)
            rows.writerow({key: _text(value) for key, value in row.items()})


def _regions(
    labels: Path, overlaps: Path, names: dict[str, int]
) -> tuple[Grid, dict[int, Region], set[int], dict[str, dict[str, float]]]:
    """The grid, each label's region as they were painted, labels of covered ones, and which touch.

    The map itself is not kept in memory beside the images.
    """
    label_map = read_label_map(labels, overlaps, names)
    regions = label_map.regions()
    painted = {label: regions[label] for label in names.values() if label in regions}
    touching = contacts(label_map.array, label_map.grid, names)
    return label_map.grid, painted, set(label_map.covered), touching


def _masked(regions: dict[int, Region], grid: Grid, isotropic: Path) -> dict[int, dict[str, Cell]]:
    """What each mask tells, and the values of the isotropic image in it; the image is not kept."""
    image = read_volume(isotropic).array
    return {label: _measured(region, image, grid) for label, region in regions.items()}


def _measured(region: Region, image: np.ndarray, grid: Grid) -> dict[str, Cell]:
    found: dict[str, Cell] = dict(shape_features(region.array, grid.spacing))
    found |= location(region, grid)
    found["axial_long_mm"], found["axial_short_mm"] = axial_diameters(region.array, grid)
    found["components"] = int(cc3d.connected_components(region.array, return_N=True)[1])
    found |= intensity_features(*histogram(image[region.box], region.array))
    return found


def _spoiled(regions: dict[int, Region], artefacts: Path) -> dict[int, float]:
    """Which part of each structure lies where the image cannot be believed, %; marks are not kept."""
    marks = read_volume(artefacts).array
    return {
        label: 100 * float((marks[region.box][region.array] > 0).mean())
        for label, region in regions.items()
    }


def _believed(record: Record, name: str, percent: float) -> dict[str, Cell]:
    if percent > SPOILED_PERCENT:
        message = f"{percent:.1f} % of the structure lies in voxels that artefacts spoil"
        record.warn("artefacts", message, name)
    return {"artefact_percent": percent}


def _surface(said: dict[str, Any]) -> dict[str, Cell]:
    if said["status"] == "refused":
        return {"stage": "mesh", "code": said["code"], "reason": said["reason"]}
    return {key: value for key, value in said.items() if key != "status"}


def _distances(
    name: str, others: list[str], bodies: dict[str, Region], surfaces: Path
) -> dict[str, Cell]:
    """To each of the others, where both have a body. bodies: of those with a closed surface."""
    found: dict[str, Cell] = {}
    for other in others:
        if name in bodies and other in bodies:
            # Imported here: few recipes ask for distances, and every job pays for its imports.
            from scanmill.distances import distance, overlap
            from scanmill.mesh_file import find_surface

            apart = 0.0
            if not overlap(bodies[name], bodies[other]):
                apart = distance(find_surface(surfaces, name), find_surface(surfaces, other))
            found[distance_column(other)] = apart
    return found


def _refusal(said: dict[str, Any]) -> dict[str, Cell]:
    return {key: said[key] for key in ("status", "code", "reason")}


def _warnings(name: str, warnings: list[dict[str, str]]) -> str:
    """Codes of what was said of a structure, or of its whole case."""
    return " ".join(sorted({w["code"] for w in warnings if w.get("structure", name) == name}))


def _text(value: Cell) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


if __name__ == "__main__":
    run_job(snakemake, measure)
