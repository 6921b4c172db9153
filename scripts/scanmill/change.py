"""How the volume of a structure changed between two scans of a subject, and how sure that is.

The interval of a difference of two measurements is made of theirs, which need not be symmetric (Zou and
Donner 2008, doi:10.1002/sim.3095); that of the change in percent in the same way of their logarithms.
Errors of the two scans are taken to be independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, inf, log, sqrt

from scanmill.columns import Column

ZOU_DONNER = "Zou and Donner 2008, doi:10.1002/sim.3095"
MEASURED, REFUSED = "ok", "refused"

CHANGES = {
    "subject": Column("The subject, as in the sheet"),
    "recipe": Column("The recipe of both cases"),
    "structure": Column("The structure, as in the recipe"),
    "case_before": Column("The case at the one timepoint"),
    "case_after": Column("The case at the next"),
    "timepoint_before": Column("The one timepoint, as in the sheet"),
    "timepoint_after": Column("The next timepoint, as in the sheet"),
    "elapsed": Column("Time between them: days where they are dates, else their difference"),
    "status": Column("ok: both were measured. refused: the codes say why one was not"),
    "code_before": Column("Why the structure was not measured before"),
    "code_after": Column("Why the structure was not measured after"),
    "volume_before_mm3": Column("volume_mm3 before", "mm3"),
    "volume_after_mm3": Column("volume_mm3 after", "mm3"),
    "change_mm3": Column("Volume after, less volume before", "mm3"),
    "change_low_mm3": Column("Lower end of its 95 % interval", "mm3", source=ZOU_DONNER),
    "change_high_mm3": Column("Upper end of its 95 % interval", "mm3", source=ZOU_DONNER),
    "change_percent": Column("The change, of the volume before", "%"),
    "change_low_percent": Column("Lower end of its 95 % interval", "%", source=ZOU_DONNER),
    "change_high_percent": Column(
        "Upper end of its 95 % interval; empty where the volume before may be 0",
        "%",
        source=ZOU_DONNER,
    ),
    "smallest_detectable_change_mm3": Column(
        "Change between these two scans that chance alone exceeds in 5 %: of both scans', the root of "
        "the mean square",
        "mm3",
    ),
    "exceeds": Column("Whether the change, up or down, is larger than that"),
}


# Of the cohort's table, before the unit.
COLUMNS = ("volume", "volume_low", "volume_high", "smallest_detectable_change")


@dataclass(frozen=True)
class Volume:
    """A volume with its 95 % interval and the smallest detectable change of such volumes, mm3."""

    value: float
    low: float
    high: float
    detectable: float

    @classmethod
    def of(cls, row: Mapping[str, str]) -> "Volume | None":
        """That of a row of the cohort's table; None where it was not measured."""
        cells = [row[f"{column}_mm3"] for column in COLUMNS]
        return cls(*map(float, cells)) if all(cells) else None


def change(before: Volume, after: Volume) -> dict[str, float | str]:
    """The change from one volume to another, by the columns of CHANGES."""
    low, high = _difference(
        (before.value, before.low, before.high), (after.value, after.low, after.high)
    )
    detectable = sqrt((before.detectable**2 + after.detectable**2) / 2)
    found: dict[str, float | str] = {
        "volume_before_mm3": before.value,
        "volume_after_mm3": after.value,
        "change_mm3": after.value - before.value,
        "change_low_mm3": low,
        "change_high_mm3": high,
        "smallest_detectable_change_mm3": detectable,
        "exceeds": str(abs(after.value - before.value) > detectable).lower(),
    }
    if min(before.value, after.value) <= 0:
        return found
    found["change_percent"] = 100 * (after.value / before.value - 1)
    ends = _difference(_logarithms(before), _logarithms(after))
    for end, of_ratio in zip(("low", "high"), ends, strict=True):
        if of_ratio < inf:
            found[f"change_{end}_percent"] = 100 * (exp(of_ratio) - 1)
    return found


def _difference(
    before: tuple[float, float, float], after: tuple[float, float, float]
) -> tuple[float, float]:
    """The interval of the difference of two values, given with the ends of theirs."""
    middle = after[0] - before[0]
    down = sqrt((after[0] - after[1]) ** 2 + (before[2] - before[0]) ** 2)
    up = sqrt((after[2] - after[0]) ** 2 + (before[0] - before[1]) ** 2)
    return middle - down, middle + up


def _logarithms(volume: Volume) -> tuple[float, float, float]:
    return (log(volume.value), log(volume.low) if volume.low > 0 else -inf, log(volume.high))
