"""A quantity that cases of one recipe have, and what is said of a case whose value is unusual."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from scanmill.checks.limits import Limits, limits

Array = np.ndarray
Flag = dict[str, str | float]


class Scale(NamedTuple):
    """Where values are compared: a function to it, where they spread alike, and its inverse."""

    to: Callable[[Array], Array]
    back: Callable[[float], float]


def _share(compared: float) -> float:
    return float(100 * np.sin(np.clip(compared, 0, np.pi / 2)) ** 2)


LINEAR = Scale(np.asarray, float)
# Of what is positive.
LOG = Scale(np.log, lambda compared: float(np.exp(compared)))
# Of percent of a whole: the arc sine of the root, on which shares vary alike.
SHARE = Scale(lambda percent: np.arcsin(np.sqrt(np.clip(percent, 0, 100) / 100)), _share)


@dataclass(frozen=True)
class Quantity:
    """What is compared between the cases that have it.

    check, structure: as in flags.csv; structure is empty for a whole case. words: what it is. unit:
    UCUM. scale, floor: as for `limits`, the floor on the scale. values: by case. told: of the cases of
    another cohort, by which to tell what is usual; None: of these. above: only much is unusual.
    """

    check: str
    structure: str
    words: str
    unit: str
    scale: Scale
    floor: float
    values: dict[str, float]
    told: tuple[float, ...] | None = None
    above: bool = False

    def limits(self, tests: int) -> Limits | None:
        """What is usual, on the scale; None where too few cases have it."""
        told = list(self.values.values()) if self.told is None else self.told
        found = limits(self.scale.to(np.array(told)), self.floor, tests)
        return replace(found, low=-np.inf) if found and self.above else found

    def flags(self, tests: int) -> list[Flag]:
        """A row of flags.csv for each case whose value is unusual; tests: as for `limits`."""
        usual = self.limits(tests)
        if usual is None:
            return []
        compared = self.scale.to(np.array(list(self.values.values())))
        ends = self.scale.back(usual.low), self.scale.back(usual.high)
        return [
            self._flag(case, value, *ends, usual.cases)
            for (case, value), place in zip(self.values.items(), compared, strict=True)
            if not usual.low <= place <= usual.high
        ]

    def _flag(self, case: str, value: float, low: float, high: float, cases: int) -> Flag:
        unit = f" {self.unit}" if self.unit else ""
        those = "that have it" if self.told is None else "of its shape model"
        return {
            "case": case,
            "structure": self.structure,
            "check": self.check,
            "value": value,
            "low": low,
            "high": high,
            "unit": self.unit,
            "message": f"{self.words} is {_told(value)}{unit}; among the {cases} cases {those}, "
            f"{_told(low)} to {_told(high)}{unit} is usual",
        }


def _told(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
