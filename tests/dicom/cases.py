"""What a case of the quirky series is: how it is written, how it is asked for, what must come out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instances import CT, Pixels, save, series
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from stacks import CLOSE, Reading, Stack, fault, turned

# Oblique, anisotropic and shifted: what a reader forgets shows.
TILTED = Stack(turn=turned(20, -35, 70))
LAST = len(TILTED.heights) - 1
Write = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """A quirky series.

    write: writes it below a folder and returns what to read. stack: what must be read; None where
    it must be refused. codes: of the refusals that fit; any where empty. series, volume,
    allow_uneven: how it is asked for. optional: refusing it is right too. step: largest distance of
    two stored values, measured. within: voxels by which a voxel may lie off its true place.
    """

    group: str
    name: str
    what: str
    write: Write
    stack: Stack | None = None
    codes: frozenset[str] = frozenset()
    series: str = ""
    volume: str = ""
    allow_uneven: bool = False
    optional: bool = False
    step: float = 1.0
    within: float = CLOSE

    @property
    def is_asked_for(self) -> bool:
        """True where the reader is told more than the path."""
        return bool(self.series or self.volume or self.allow_uneven)

    def judge(self, reading: Reading | None) -> str:
        """'right', 'refused' (wrongly or not), or 'wrong: ...'; None is a refusal."""
        if reading is None:
            return "refused"
        if self.stack is None:
            return "wrong: read what must be refused"
        found = fault(reading, self.stack, self.step, self.within)
        return f"wrong: {found}" if found else "right"

    def accepts(self, verdict: str) -> bool:
        """True where that is what must come out."""
        if verdict == "refused":
            return self.stack is None or self.optional
        return verdict == "right"


def written(
    make: Callable[[], Sequence[Dataset]],
    names: Sequence[str] = (),
    syntax: str = ExplicitVRLittleEndian,
) -> Write:
    """Write the instances that `make` gives to one folder."""
    return lambda folder: save(make(), folder / "scan", names, syntax)


def stacked(
    stack: Stack = TILTED, kind: str = CT, pixels: Pixels | None = None, **fields: Any
) -> Write:
    """Write one single-frame series with these attributes."""
    return written(lambda: series(stack, kind, pixels, **fields))


def in_slice(at: int, value: Any, otherwise: Callable[[int], Any] | None = None) -> Callable:
    """An attribute that has `value` in slice `at`, and in the others what `otherwise` says."""
    return lambda k: value if k == at else (otherwise(k) if otherwise else None)
