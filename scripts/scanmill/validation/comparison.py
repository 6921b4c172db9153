"""Measurements of twins against the truth: one row a quantity."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.label_map import Region
from scanmill.label_map_files import read_label_map
from scanmill.surface import Surface
from scanmill.validation.coverage import coverages

COLUMNS = (
    "case",
    "structure",
    "recipe",
    "draw",
    "challenge",
    "quantity",
    "unit",
    "true",
    "measured",
    "error",
    "error_percent",
    "in_interval",
    "code",
)
# What is measured, which truth it has, and in which unit.
QUANTITIES = {
    "volume_mm3": ("volume", "mm3"),
    "surface_volume_mm3": ("volume", "mm3"),
    "morph_volume": ("volume", "mm3"),
    "surface_area_mm2": ("area", "mm2"),
    "morph_area_mesh": ("area", "mm2"),
    "morph_diam": ("diameter", "mm"),
    "stat_mean": ("mean", ""),
}
CENTROID, DICE, FALSELY_FOUND = "centroid", "dice", "falsely-found"
# Rows through a voxel are enough to tell which half it is in.
ROWS = 3
Row = dict[str, Any]


def errors_of(
    truth: Mapping[str, Any], measured: Mapping[str, Row], dice: Mapping[str, float]
) -> list[Row]:
    """The rows of one twin. measured: its rows of the cohort table, by structure; dice: likewise."""
    origin = {"case": truth["twin_of"], **{k: truth[k] for k in ("recipe", "draw", "challenge")}}
    rows = []
    for name, known in truth["structures"].items():
        rows += [origin | {"structure": name} | row for row in _errors(known, measured[name])]
        if name in dice:
            rows.append(origin | {"structure": name} | _row(DICE, "", 1.0, dice[name]))
    for name in truth["absent"]:
        if measured[name]["status"] == "ok":
            # The voxels: of so small a thing the best estimate may be withheld.
            found = _row("morph_vol_approx", "mm3", 0.0, float(measured[name]["morph_vol_approx"]))
            rows.append(origin | {"structure": name} | found | {"code": FALSELY_FOUND})
    return rows


def _errors(known: Mapping[str, float], measured: Row) -> Iterator[Row]:
    for quantity, (truth, unit) in QUANTITIES.items():
        if truth in known:
            if measured.get(quantity):
                row = _row(quantity, unit, known[truth], float(measured[quantity]))
            else:
                row = {"quantity": quantity, "unit": unit, "true": known[truth]}
            row["code"] = measured["code"]
            yield row | {"in_interval": _in_interval(quantity, known[truth], measured)}
    if "centroid_x" in known and measured.get("centroid_x_mm"):
        apart = [
            float(measured[f"centroid_{axis}_mm"]) - known[f"centroid_{axis}"] for axis in "xyz"
        ]
        yield _row(CENTROID, "mm", 0.0, float(np.linalg.norm(apart)))


def _row(quantity: str, unit: str, true: float, measured: float) -> Row:
    row: Row = {"quantity": quantity, "unit": unit, "true": true, "measured": measured}
    row["error"] = measured - true
    # A mean in Hounsfield units may be 0, and is not a ratio: no percentage of it.
    if true > 0 and quantity != "stat_mean":
        row["error_percent"] = 100 * (measured / true - 1)
    return row


def _in_interval(quantity: str, true: float, measured: Row) -> str:
    stem, _, unit = quantity.rpartition("_")
    low, high = (measured.get(f"{stem}_{end}_{unit}") for end in ("low", "high"))
    if not (low and high):
        return ""
    return "yes" if float(low) <= true <= float(high) else "no"


def dice_of(
    folder: Path, surfaces: Mapping[str, Surface], labels: Mapping[str, int]
) -> dict[str, float]:
    """Dice of each structure's voxels in a result against those of which it fills at least half.

    folder: of the case's results. surfaces: the truth, LPS mm. labels: by structure.
    """
    found = read_label_map(folder / "labels.nii.gz", folder / "overlaps", dict(labels))
    covered = coverages(list(surfaces.values()), found.grid, ROWS)
    halves = {name: part.whole >= 0.5 for name, part in zip(surfaces, covered, strict=True)}
    return {
        name: _dice(Region(part.box, halves[name]), found.region(labels[name]))
        for name, part in zip(surfaces, covered, strict=True)
        if halves[name].any()
    }


def _dice(one: Region, other: Region) -> float:
    common = tuple(
        slice(max(a.start, b.start), max(a.start, b.start, min(a.stop, b.stop)))
        for a, b in zip(one.box, other.box, strict=True)
    )
    first, second = (
        region.array[
            tuple(
                slice(c.start - s.start, c.stop - s.start)
                for c, s in zip(common, region.box, strict=True)
            )
        ]
        for region in (one, other)
    )
    return 2 * float((first & second).sum()) / float(one.count() + other.count())
