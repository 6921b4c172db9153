"""The errors of twins in short: per structure and challenge, as a table and as a page to read."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from scanmill.validation.comparison import CENTROID, DICE, FALSELY_FOUND, Row

COLUMNS = (
    "recipe",
    "structure",
    "degraded",
    "quantity",
    "unit",
    "twins",
    "missed",
    "bias",
    "sd",
    "worst",
    "in_interval_percent",
)
KEY = ("recipe", "structure", "degraded", "quantity")
CHALLENGES = {
    "": "scanned like the cohort",
    "noise": "noise twice as strong",
    "slices": "slices three times as thick",
    "bias": "a bias field of ±40 %",
}
CAVEATS = """\
A twin is a scan made of a measured case: the surfaces that were found in it are its anatomy, whose
volumes are known exactly, and the scan's own tissues, noise and blur fill them. So these are the
errors of scanning, segmenting and measuring **the anatomy that was found**. They do not tell
whether the right thing was found. Three things make twins unlike patients: their surfaces are
smooth; what has no structure of its own, bowel gas say, reaches up to the surfaces around it; and
labels that a recipe takes as supplied are those of an observer who sees in every voxel what fills
most of it. A quantity is missed where a twin has the structure and no number was told of it.
Volumes and areas are off by so many percent of the truth, bias ± standard deviation; the
centroid's distance and Dice are means."""


def summarised(errors: Iterable[Row]) -> list[Row]:
    """Bias, spread and worst of each quantity, in percent where there is one, else in its unit."""
    order: dict[tuple[str, ...], list[Row]] = {}
    for row in errors:
        if row.get("code") != FALSELY_FOUND:
            order.setdefault(tuple(row[key] for key in KEY), []).append(row)
    return [dict(zip(KEY, key, strict=True)) | _spread(rows) for key, rows in order.items()]


def _spread(rows: Sequence[Row]) -> Row:
    relative = any("error_percent" in row for row in rows)
    found = [row for row in rows if "error" in row]
    errors = np.array([row["error_percent" if relative else "error"] for row in found])
    told: Row = {"unit": "%" if relative else rows[0]["unit"], "twins": len(rows)}
    told["missed"] = len(rows) - len(found)
    if found:
        told |= {"bias": float(errors.mean()), "worst": float(errors[np.abs(errors).argmax()])}
    if len(found) > 1:
        told["sd"] = float(errors.std(ddof=1))
    held = [row["in_interval"] for row in rows if row.get("in_interval")]
    if held:
        told["in_interval_percent"] = 100 * held.count("yes") / len(held)
    return told


def page(summary: Sequence[Row], errors: Sequence[Row], figure: str) -> str:
    """The page, in Markdown. figure: name of the picture beside it."""
    parts = ["# How far the numbers are off, by twins of this cohort", CAVEATS]
    parts.append(f"![Volume errors of every twin, by structure]({figure})")
    ordered = sorted(summary, key=lambda row: list(CHALLENGES).index(row["degraded"]))
    for degraded, rows in groupby(ordered, key=lambda row: row["degraded"]):
        parts.append(
            f"## Twins {CHALLENGES[degraded]}" if not degraded else f"## {_title(degraded)}"
        )
        parts.append(_table(list(rows)))
    parts += _falsely_found(errors)
    return "\n\n".join(parts) + "\n"


def _title(degraded: str) -> str:
    return CHALLENGES[degraded][0].upper() + CHALLENGES[degraded][1:]


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| recipe | structure | twins | missed | volume % | worst | interval holds | surface area % | "
        "centroid mm | Dice |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (recipe, structure), group in groupby(rows, key=lambda r: (r["recipe"], r["structure"])):
        by = {row["quantity"]: row for row in group}
        volume = by["volume_mm3"]
        held = volume.get("in_interval_percent")
        cells = [
            recipe,
            structure,
            volume["twins"],
            volume["missed"],
            _bias(volume),
            _number(volume, "worst", "+.1f"),
            "" if held is None else f"{held:.0f} %",
            _bias(by.get("surface_area_mm2", {})),
            _number(by.get(CENTROID, {}), "bias", ".2f"),
            f"{1 + by[DICE]['bias'] / 100:.3f}" if "bias" in by.get(DICE, {}) else "",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _bias(row: Row) -> str:
    """Mean and standard deviation."""
    bias, sd = _number(row, "bias", "+.1f"), _number(row, "sd", ".1f")
    return f"{bias} ± {sd}" if sd else bias


def _number(row: Row, key: str, form: str) -> str:
    value: Any = row.get(key)
    return "" if value is None else format(value, form)


def _falsely_found(errors: Sequence[Row]) -> list[str]:
    false = [row for row in errors if row.get("code") == FALSELY_FOUND]
    if not false:
        return []
    names = sorted({f"{row['structure']} ({row['recipe']})" for row in false})
    return [f"Found in {len(false)} twins of cases that do not have it: {', '.join(names)}."]
