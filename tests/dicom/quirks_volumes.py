"""Several volumes in one series: phases, echoes, b-values, Dixon parts; chosen, or refused."""

from collections.abc import Sequence
from typing import Any

from cases import TILTED, Case, Write, written
from instances import CT, MR, PET, Pixels, series, uid
from pydicom import Dataset
from stacks import Stack, brighter

GROUP, REFUSED = "several volumes in one series", "refused: several volumes"
BRIGHTER = 350.0
CODES = frozenset({"dicom-volumes", "dicom-several", "dicom-irregular", "is-4d"})
Part = dict[str, Any]


def parts_of(
    parts: Sequence[Part], kind: str = MR, lost: tuple[int, int] | None = None
) -> list[Dataset]:
    """One series of several volumes at one place, their slices interleaved.

    lost: (part, slice) that is not there.
    """
    wide = Pixels("<u2", 16, lambda k: (1.0, -1024.0 if kind == CT else 0.0))
    images = []
    for n, part in enumerate(parts):
        common = {
            "SeriesInstanceUID": uid("series", "a"),
            "InstanceNumber": lambda k, n=n: k * len(parts) + n + 1,
        }
        slices = series(brighter(TILTED, n * BRIGHTER), kind, wide, f"part{n}", **(common | part))
        images += [(k, n, image) for k, image in enumerate(slices) if (n, k) != lost]
    return [image for _, _, image in sorted(images, key=lambda entry: entry[:2])]


def nth(n: int) -> Stack:
    """The volume of part n."""
    return brighter(TILTED, n * BRIGHTER)


def _chosen(
    name: str, what: str, parts: Sequence[Part], volume: str, n: int, kind: str = MR
) -> list[Case]:
    """A volume by its value, each by its number, and the refusal without a choice."""
    write: Write = written(lambda: parts_of(parts, kind))
    cases = [Case(GROUP, f"{name}-value", f"{what}, by value", write, nth(n), volume=volume)]
    cases = cases if volume else []
    cases += [
        Case(GROUP, f"{name}-{k + 1}", f"{what}, number {k + 1}", write, nth(k), volume=f"{k + 1}")
        for k in range(len(parts))
    ]
    refused = [
        Case(REFUSED, name, f"{what}, and no choice", write, codes=CODES),
        Case(REFUSED, f"{name}-beyond", f"{what}, one beyond the last", write,
             volume=f"{len(parts) + 1}"),
    ]  # fmt: skip
    return cases + refused


def _values(keyword: str, values: Sequence[Any]) -> list[Part]:
    return [{keyword: value} for value in values]


def dixon(*kinds: str) -> list[Part]:
    """Images of one Dixon series."""
    return [{"ImageType": ["DERIVED", "PRIMARY", "DIXON", kind]} for kind in kinds]


TRIGGERED = [{"TriggerTime": f"{t}", "CardiacNumberOfImages": "4"} for t in (0, 90, 180, 270)]
ECHOES = [{"EchoTime": t, "EchoNumbers": n} for n, t in enumerate(("4.92", "7.38", "9.84"), 1)]
TIMES = _values("TemporalPositionIdentifier", (1, 2, 3))


def _flow(minutes: int) -> Part:
    return {"FrameReferenceTime": f"{60000 * minutes}", "AcquisitionTime": f"10{minutes:02}00"}


CASES = [
    *_chosen("echoes", "three echoes", ECHOES, "EchoTime=4.92", 0),
    *_chosen("times", "three time points", TIMES, "TemporalPositionIdentifier=3", 2),
    *_chosen("cine", "a cine of four phases", TRIGGERED, "TriggerTime=180", 2),
    *_chosen("b-values", "three b-values", _values("DiffusionBValue", (0.0, 500.0, 1000.0)),
             "DiffusionBValue=500", 1),
    *_chosen("acquisitions", "a CT of two acquisitions", _values("AcquisitionNumber", (1, 2)),
             "AcquisitionNumber=2", 1, CT),
    *_chosen("dynamic-pet", "a PET of two times", [_flow(0), _flow(5)],
             "FrameReferenceTime=300000", 1, PET),
    Case(GROUP, "dixon-water", "the water of a Dixon series",
         written(lambda: parts_of(dixon("WATER", "FAT"))), nth(0),
         volume="ImageType=DERIVED\\PRIMARY\\DIXON\\WATER", optional=True),
    Case(REFUSED, "dixon", "water and fat, and no choice",
         written(lambda: parts_of(dixon("WATER", "FAT"))), codes=CODES),
    Case(REFUSED, "dixon-four", "in, out, water and fat, and no choice",
         written(lambda: parts_of(dixon("IN_PHASE", "OUT_PHASE", "WATER", "FAT"))), codes=CODES),
    Case(REFUSED, "magnitude-phase", "magnitude and phase, and no choice",
         written(lambda: parts_of([{"ImageType": ["ORIGINAL", "PRIMARY", p]} for p in "MP"])),
         codes=CODES),
    Case(REFUSED, "kernels", "two kernels, and no choice", written(
        lambda: parts_of(_values("ConvolutionKernel", ("B30f", "B60f")), CT)), codes=CODES),
    Case(REFUSED, "untold", "two volumes that no attribute tells apart", written(
        lambda: parts_of([{}, {}])), codes=CODES),
    Case(REFUSED, "incomplete", "three echoes, one of which lacks a slice", written(
        lambda: parts_of(ECHOES, lost=(1, 4))), codes=CODES),
    Case(REFUSED, "incomplete-chosen", "the echo that lacks a slice", written(
        lambda: parts_of(ECHOES, lost=(1, 4))), codes=CODES, volume="EchoTime=7.38"),
    Case(REFUSED, "no-such-volume", "an echo time that is not there", written(
        lambda: parts_of(ECHOES)), volume="EchoTime=5.1"),
    Case(REFUSED, "nonsense-volume", "a choice that is none", written(
        lambda: parts_of(ECHOES)), volume="the bright one"),
    Case(REFUSED, "ends-alternate", "slices of two echoes in turn, one volume in space", written(
        lambda: series(TILTED, MR, EchoTime=lambda k: ("4.92", "7.38")[k % 2])), codes=CODES),
    Case(REFUSED, "halves", "two halves of a stack of two echoes", written(
        lambda: series(TILTED, MR, EchoTime=lambda k: ("4.92", "7.38")[k > 4])), codes=CODES),
    Case("rare: read right or refused", "incomplete-other", "a whole echo beside one that lacks a "
         "slice", written(lambda: parts_of(ECHOES, lost=(1, 4))), nth(2), volume="EchoTime=9.84",
         optional=True),
    Case(GROUP, "content-times", "slices that only differ in their times are one volume", written(
        lambda: series(TILTED, MR, ContentTime=lambda k: f"1011{k:02}",
                       TriggerTime=lambda k: f"{17 * k}", TemporalPositionIdentifier=1)), TILTED),
]  # fmt: skip
