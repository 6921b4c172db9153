"""Measure: one row per structure of the recipe, each number with its meaning in `columns`.

In: isotropic.nii.gz, labels.nii.gz with overlaps/, and the sidecar of surfaces/. Out: measurements.csv.
A structure that was not found, or whose surface could not be closed, has empty cells and says why.
"""

import csv
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from scanmill.atomic import replacing
from scanmill.columns import COLUMNS
from scanmill.diameters import axial_diameters
from scanmill.grid import Grid
from scanmill.intensity_features import histogram, intensity_features
from scanmill.label_map import Region
from scanmill.label_map_files import read_label_map
from scanmill.location import location
from scanmill.shape_features import shape_features
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.volume_file import read_volume

Cell = str | int | float | bool


def measure(
    record: Record,
    isotropic: Path,
    labels: Path,
    overlaps: Path,
    surfaces: Path,
    measurements: Path,
    case: str,
    structures: list[dict[str, Any]],
) -> None:
    """Write the case's rows. structures: name and label of each, in the recipe's order."""
    names = {s["name"]: s["label"] for s in structures}
    label_map = read_label_map(labels, overlaps, names)
    image = read_volume(isotropic).array
    record.grid = label_map.grid
    regions = label_map.regions()
    segmented, meshed = read_sidecar(labels), read_sidecar(surfaces)
    with replacing(measurements) as temporary, open(temporary, "w", newline="") as stream:
        rows = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        rows.writeheader()
        for name, label in names.items():
            row: dict[str, Cell] = {"case": case, "structure": name, "label": label}
            row |= _ledger(name, segmented)
            if label in regions:
                row |= {"status": "ok"}
                row |= _measured(regions[label], image, label_map.grid)
                row |= _surface(meshed["structures"][name])
                row |= _differences(row)
            else:
                row |= {"stage": "segment"} | _refusal(segmented["structures"][name])
            row["warnings"] = _warnings(name, segmented, meshed)
            rows.writerow({key: _text(value) for key, value in row.items()})


def _measured(region: Region, image: np.ndarray, grid: Grid) -> dict[str, Cell]:
    found: dict[str, Cell] = dict(shape_features(region.array, grid.spacing))
    found["volume_mm3"] = found["morph_vol_approx"]
    found |= location(region, grid)
    found["axial_long_mm"], found["axial_short_mm"] = axial_diameters(region.array, grid)
    found["components"] = int(cc3d.connected_components(region.array, return_N=True)[1])
    found |= intensity_features(*histogram(image[region.box], region.array))
    return found


def _ledger(name: str, segmented: dict[str, Any]) -> dict[str, Cell]:
    supplied = segmented.get("supplied_volume_mm3", {})
    return {"supplied_volume_mm3": supplied[name]} if name in supplied else {}


def _surface(said: dict[str, Any]) -> dict[str, Cell]:
    if said["status"] == "refused":
        return {"stage": "mesh", "code": said["code"], "reason": said["reason"]}
    return {key: value for key, value in said.items() if key != "status"}


def _differences(row: dict[str, Cell]) -> dict[str, Cell]:
    """Each volume of the ledger against the one before, %."""
    found: dict[str, Cell] = {}
    steps = {
        "isotropic_vs_supplied_percent": ("morph_vol_approx", "supplied_volume_mm3"),
        "surface_vs_isotropic_percent": ("surface_volume_mm3", "morph_vol_approx"),
    }
    for column, (after, before) in steps.items():
        if row.get(after) and row.get(before):
            found[column] = round(100 * (row[after] / row[before] - 1), 6)
    return found


def _refusal(said: dict[str, Any]) -> dict[str, Cell]:
    return {key: said[key] for key in ("status", "code", "reason")}


def _warnings(name: str, *sidecars: dict[str, Any]) -> str:
    codes = {w["code"] for s in sidecars for w in s["warnings"] if w.get("structure") == name}
    return " ".join(sorted(codes))


def _text(value: Cell) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


if __name__ == "__main__":
    run_job(snakemake, measure)
