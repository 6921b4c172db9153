"""Quirks of where slices lie: orientations, rounding, uneven and leaning stacks, slices twice."""

from dataclasses import replace

from cases import TILTED, Case, Write, stacked, written
from instances import CT, MR, decimals, enhanced, frames_of, series, uid
from pydicom import Dataset
from stacks import Stack, facing, turned

PLACES, UNEVEN, TWICE = "orientations and spacings", "uneven and tilted stacks", "slices twice"
ORIENTATIONS = {
    "axial": facing("L", "P"),
    "axial-feet-first": facing("R", "P"),
    "axial-prone": facing("R", "A"),
    "axial-upside-down": facing("L", "A"),
    "sagittal": facing("P", "I"),
    "sagittal-reversed": facing("A", "I"),
    "coronal": facing("L", "I"),
    "coronal-reversed": facing("R", "I"),
    "rows-down": facing("I", "P"),
    "oblique": turned(x=25),
    "oblique-about-y": turned(y=-40),
    "double-oblique": turned(x=-17, y=31),
    "triple-oblique": turned(11, -62, 140),
    "just-under-half-a-turn": turned(x=179.9),
}
LEAN = Stack(
    24, 20, heights=tuple(3.0 * k for k in range(12)), lean=(0.0, 0.25), turn=facing("L", "P")
)  # a gantry tilt of 14 degrees
GAPS = (0.0, 2.0, 4.5, 6.5, 10.0, 11.5, 14.0, 16.0)
GAPPED = replace(TILTED, heights=GAPS)
HOLED = replace(TILTED, heights=tuple(2.5 * k for k in range(10) if k != 4))
JITTER = (0.004, -0.003, 0.002, -0.004, 0.003, 0.0, -0.002, 0.004, -0.001)


def twice(which: range, **fields: object) -> list[Dataset]:
    """A series with some slices written once more, as other instances."""
    again = series(TILTED, **({"SOPInstanceUID": lambda k: uid("again", k)} | fields))
    return series(TILTED) + [again[k] for k in which]


def rounded(digits: int) -> Write:
    """Positions and cosines rounded as scanners do."""

    def position(k: int) -> list[str]:
        return [f"{x:.{digits}f}" for x in TILTED.position(k)]

    cosines = [f"{x:.{digits + 2}f}" for x in TILTED.axes[:, :2].T.ravel()]
    return stacked(ImagePositionPatient=position, ImageOrientationPatient=cosines)


def wobbling(k: int) -> list[str]:
    """Positions with the noise of a table."""
    return decimals(TILTED.position(k) + TILTED.axes[:, 2] * JITTER[k])


def _place(name: str, what: str, stack: Stack, kind: str = CT, **fields: object) -> Case:
    return Case(PLACES, name, what, stacked(stack, kind, **fields), stack)


CASES = [
    *(
        _place(name, name.replace("-", " "), replace(TILTED, turn=turn))
        for name, turn in ORIENTATIONS.items()
    ),
    _place("anisotropic", "pixels much longer than wide", replace(TILTED, pixel=(0.4, 1.6))),
    _place("thick", "slices much thicker than pixels", replace(
        TILTED, pixel=(0.3, 0.4), heights=tuple(10.0 * k for k in range(8)),
        gradient=(7.0, 13.0, 9.0))),
    _place("overlapping", "slices closer than they are thick", replace(
        TILTED, heights=tuple(0.8 * k for k in range(9)))),
    _place("two-slices", "the smallest stack", replace(TILTED, heights=(0.0, 2.5))),
    _place("one-row-more", "as many rows as slices", replace(TILTED, rows=9)),
    _place("far", "far from the origin", replace(TILTED, origin=(1203.5, -987.25, 2345.125))),
    _place("crossing-zero", "positions that change their sign", replace(
        TILTED, origin=(3.0, -4.0, -8.0), turn=facing("L", "P"))),
    Case(PLACES, "rounded", "positions of three digits, cosines of five", rounded(3), TILTED),
    Case(PLACES, "wobbling", "positions that wobble by some micrometres",
         stacked(ImagePositionPatient=wobbling), TILTED),
    Case(PLACES, "tilt-tag", "GantryDetectorTilt stated, but no slice shifted",
         stacked(GantryDetectorTilt="14"), TILTED),
    Case(UNEVEN, "tilt", "a gantry tilt", stacked(LEAN, GantryDetectorTilt="14"), LEAN),
    Case(UNEVEN, "tilt-untold", "a gantry tilt that no attribute states", stacked(LEAN), LEAN),
    Case(UNEVEN, "tilt-back", "a tilt the other way, its attribute wrong",
         stacked(replace(LEAN, lean=(0.0, -0.4)), GantryDetectorTilt="14"),
         replace(LEAN, lean=(0.0, -0.4))),
    Case(UNEVEN, "tilt-oblique", "a shear along rows and columns of oblique slices",
         stacked(replace(LEAN, lean=(0.2, -0.1), turn=TILTED.turn)),
         replace(LEAN, lean=(0.2, -0.1), turn=TILTED.turn)),
    Case(UNEVEN, "uneven", "uneven slices, and the recipe allows them", stacked(GAPPED), GAPPED,
         allow_uneven=True),
    Case(UNEVEN, "uneven-pitch", "two spacings in one stack, allowed", stacked(replace(
        TILTED, heights=(0.0, 1.25, 2.5, 3.75, 5.0, 7.5, 10.0, 12.5))), replace(
        TILTED, heights=(0.0, 1.25, 2.5, 3.75, 5.0, 7.5, 10.0, 12.5)), allow_uneven=True),
    Case(UNEVEN, "even-allowed", "an even stack where uneven ones are allowed", stacked(), TILTED,
         allow_uneven=True),
    Case("refused: geometry", "uneven-slices", "uneven slices", stacked(GAPPED),
         codes=frozenset({"dicom-irregular"})),
    Case("refused: geometry", "missing-slice", "a slice is missing", stacked(HOLED),
         codes=frozenset({"dicom-irregular"})),
    Case("refused: geometry", "missing-second", "the second slice is missing", stacked(
        replace(TILTED, heights=(0.0, *TILTED.heights[2:]))), codes=frozenset({"dicom-irregular"})),
    Case("rare: read right or refused", "missing-allowed",
         "a slice is missing, uneven ones allowed", stacked(HOLED), HOLED, allow_uneven=True,
         optional=True),
    Case("rare: read right or refused", "tilt-uneven", "a tilt and uneven slices, allowed", stacked(
        replace(LEAN, heights=GAPS)), replace(LEAN, heights=GAPS), allow_uneven=True,
        optional=True),
    Case(TWICE, "copied-slices", "files twice, under other names", written(
        lambda: series(TILTED) + series(TILTED)[2:6]), TILTED),
    Case(TWICE, "sent-twice", "all slices twice, as other instances",
         written(lambda: twice(range(9))), TILTED),
    Case(TWICE, "end-twice", "the last slice twice, as another instance",
         written(lambda: twice(range(8, 9))), TILTED),
    Case(TWICE, "frames-twice", "frames of an enhanced image twice", written(
        lambda: [enhanced(frames_of(TILTED, [*range(9), 3]))]), TILTED),
    Case("refused: geometry", "unequal-twice", "a slice twice, with other values", written(
        lambda: twice(range(4, 5), RescaleIntercept="-900")),
        codes=frozenset({"dicom-irregular", "dicom-volumes", "dicom-several"})),
    Case("refused: geometry", "unequal-pixels", "a slice twice, with one other pixel", written(
        lambda: [*series(TILTED), _changed(twice(range(4, 5))[-1])]),
        codes=frozenset({"dicom-irregular", "dicom-volumes", "dicom-several"})),
    Case("refused: geometry", "one-slice", "a single slice", stacked(
        replace(TILTED, heights=(0.0,))), codes=frozenset({"not-3d"})),
    Case("refused: geometry", "one-place", "all slices at one place", stacked(
        kind=MR, ImagePositionPatient=decimals(TILTED.position(0)))),
]  # fmt: skip


def _changed(image: Dataset) -> Dataset:
    image.PixelData = bytes([image.PixelData[0] ^ 1]) + image.PixelData[1:]
    return image
