"""Over a cohort: how far volumes are from those of the references, a row a structure and quantity."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from scanmill.agreement.bland_altman import limits_of_agreement
from scanmill.agreement.columns import BOTH_EMPTY, COMPARED, MISSED, REFERENCE_EMPTY
from scanmill.agreement.intraclass import intraclass

WITH_INTERVAL = "volume_mm3"
QUANTITIES = (WITH_INTERVAL, "mask_volume_mm3", "surface_volume_mm3")
# Fewer differences have no spread to speak of.
FEWEST = 3
Row = Mapping[str, str]


def agreement_rows(rows: list[Row], recipes: Mapping[str, str]) -> Iterator[dict[str, str | float]]:
    """The rows of the cohort's agreement, by `agreement.columns.AGREEMENT`.

    A structure that no case and no reference has is in none.

    rows: of the cohort's table. recipes: of each case, by name.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["reference_status"] not in ("", BOTH_EMPTY):
            groups.setdefault((recipes[row["case"]], row["structure"]), []).append(row)
    for (recipe, structure), found in groups.items():
        said = {"recipe": recipe, "structure": structure} | _counts(found) | _overlap(found)
        for quantity in QUANTITIES:
            pairs = _pairs(found, quantity)
            row = said | {"quantity": quantity, "n": len(pairs)} | _statistics(pairs)
            yield row | (_held(found) if quantity == WITH_INTERVAL else {})


def _counts(rows: list[Row]) -> dict[str, int]:
    states = Counter(row["reference_status"] for row in rows)
    known = (COMPARED, MISSED, REFERENCE_EMPTY)
    return {
        "compared": states[COMPARED],
        "missed": states[MISSED],
        "reference_empty": states[REFERENCE_EMPTY],
        "not_compared": sum(count for state, count in states.items() if state not in known),
    }


def _overlap(rows: list[Row]) -> dict[str, float]:
    dice = [float(row["dice"]) for row in rows if row["dice"]]
    if not dice:
        return {}
    return {"dice_median": float(np.median(dice)), "dice_min": min(dice), "dice_max": max(dice)}


def _pairs(rows: list[Row], quantity: str) -> np.ndarray:
    """Measured and reference, (n, 2), where there are both."""
    cells = [(row[quantity], row["reference_volume_mm3"]) for row in rows]
    return np.array([pair for pair in cells if all(pair)], float).reshape(-1, 2)


def _held(rows: list[Row]) -> dict[str, float]:
    """How often the interval of the volume holds the reference's, %."""
    known = [row for row in rows if row[WITH_INTERVAL] and row["reference_volume_mm3"]]
    if not known:
        return {}
    held = (
        float(row["volume_low_mm3"])
        <= float(row["reference_volume_mm3"])
        <= float(row["volume_high_mm3"])
        for row in known
    )
    return {"interval_holds_percent": 100 * sum(held) / len(known)}


def _statistics(pairs: np.ndarray) -> dict[str, float]:
    if len(pairs) < FEWEST:
        return {}
    limits = limits_of_agreement(pairs[:, 0] - pairs[:, 1])
    found = {"bias_mm3": limits.bias, "sd_mm3": limits.sd}
    found |= {"limit_low_mm3": limits.lower, "limit_high_mm3": limits.upper}
    found |= _ends("bias_ci_{}_mm3", limits.bias_interval)
    found |= _ends("limit_low_ci_{}_mm3", limits.lower_interval)
    found |= _ends("limit_high_ci_{}_mm3", limits.upper_interval)
    correlation = intraclass(pairs)
    if correlation is not None:
        found["icc"] = correlation.value
        found |= _ends("icc_ci_{}", correlation.interval) if correlation.interval else {}
    return found


def _ends(name: str, interval: tuple[float, float]) -> dict[str, float]:
    return {name.format(end): value for end, value in zip(("low", "high"), interval, strict=True)}
