"""The errors of twins in short, per structure and challenge, and per challenge alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scanmill.validation.challenges import TITLES
from scanmill.validation.comparison import DICE, FALSELY_FOUND, Row

COLUMNS = (
    "recipe",
    "structure",
    "challenge",
    "quantity",
    "unit",
    "twins",
    "missed",
    "bias",
    "sd",
    "worst",
    "in_interval_percent",
)
KEY = ("recipe", "structure", "challenge", "quantity")


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


@dataclass(frozen=True)
class Short:
    """The structures of all twins of one challenge together.

    measured, missed: with and without a volume. median, high: of the volume's error, % without its
    sign; high is what 95 % are within. held: % of the intervals that hold the truth. dice: the mean.
    None of what no structure has.
    """

    challenge: str
    measured: int
    missed: int
    median: float | None
    high: float | None
    held: float | None
    dice: float | None


def by_challenge(errors: Sequence[Row]) -> list[Short]:
    """Each challenge's errors in short, in the order of the titles."""
    told = [row for row in errors if row.get("code") != FALSELY_FOUND]
    return [_short(c, rows) for c in TITLES if (rows := [r for r in told if r["challenge"] == c])]


def _short(challenge: str, rows: Sequence[Row]) -> Short:
    volumes = [row for row in rows if row["quantity"] == "volume_mm3"]
    found = np.abs([row["error_percent"] for row in volumes if "error_percent" in row])
    held = [row["in_interval"] == "yes" for row in volumes if row.get("in_interval")]
    dice = [row["measured"] for row in rows if row["quantity"] == DICE]
    return Short(
        challenge,
        len(found),
        len(volumes) - len(found),
        float(np.median(found)) if len(found) else None,
        float(np.quantile(found, 0.95)) if len(found) else None,
        100 * float(np.mean(held)) if held else None,
        float(np.mean(dice)) if dice else None,
    )
