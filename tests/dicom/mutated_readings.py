"""Reads damaged series in a process of its own, within bounds, and tells what went wrong.

    python tests/dicom/mutated_readings.py FOLDER BASE FIRST COUNT

Prints one JSON line before each input (what it is) and one at the end (how many of each outcome). A
base is a series of which one file is damaged at a time. A reading must be a refusal, or the truth:
where the damage touched pixels or a slice's own rescale, its values may differ, never its places.
"""

import io
import json
import random
import resource
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)  # fmt: skip

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "scripts")]
from compression import compressed  # noqa: E402
from instances import CT, ENHANCED_MR, MR, PLAIN, enhanced, frames_of, save, series  # noqa: E402
from mutations import BY_ATTRIBUTE, BY_BYTES, GEOMETRY, Damage, layout_of  # noqa: E402
from quirks_enhanced import MEASURES, ORIENTATION, TRANSFORMATION  # noqa: E402
from scanmill.refusal import Refusal  # noqa: E402
from scanmill.source import read_source  # noqa: E402
from stacks import LOOSE, Reading, Stack, fault, turned  # noqa: E402

SMALL = Stack(8, 6, heights=(0.0, 2.5, 5.0, 7.5), turn=turned(20, -35, 70))
LARGER = replace(SMALL, columns=34, rows=33, gradient=(12.0, 25.0, 18.0))
MEMORY = 1536 << 20
SECONDS = 10
SCALES = ("RescaleSlope", "RescaleIntercept")
# Damage to these must be refused, whatever is told: the slice is of the series, and lies elsewhere.
NEVER_ASIDE = ("cut", *GEOMETRY)
Base = tuple[Stack, Callable[[Path], Path]]


def _stack(kind: str, syntax: str) -> Base:
    return SMALL, lambda folder: save(series(SMALL, kind), folder, syntax=syntax)


def _packed(stack: Stack, syntax: str) -> Base:
    return stack, lambda folder: save(compressed(series(stack), syntax), folder)


def _enhanced(syntax: str, *own: str) -> Base:
    def write(folder: Path) -> Path:
        return save([enhanced(frames_of(SMALL, [2, 0, 3, 1]), own=own)], folder, syntax=syntax)

    return SMALL, write


def _enhanced_packed(syntax: str) -> Base:
    return SMALL, lambda folder: save(
        compressed([enhanced(frames_of(SMALL), ENHANCED_MR, PLAIN)], syntax), folder
    )


BASES: dict[str, Base] = {
    "explicit": _stack(CT, ExplicitVRLittleEndian),
    "implicit": _stack(MR, ImplicitVRLittleEndian),
    "big-endian": _stack(CT, ExplicitVRBigEndian),
    "deflated": _stack(CT, DeflatedExplicitVRLittleEndian),
    "rle": _packed(SMALL, RLELossless),
    "jpeg-ls": _packed(SMALL, JPEGLSLossless),
    "jpeg-2000": _packed(LARGER, JPEG2000Lossless),
    "jpeg-lossless": _packed(SMALL, JPEGLosslessSV1),
    "enhanced": _enhanced(ExplicitVRLittleEndian),
    "enhanced-own": _enhanced(ImplicitVRLittleEndian, ORIENTATION, MEASURES, TRANSFORMATION),
    "enhanced-jpeg-ls": _enhanced_packed(JPEGLSLossless),
    "enhanced-rle": _enhanced_packed(RLELossless),
}


class TooSlowError(BaseException):
    """An input took longer than it may."""


def main(folder: Path, name: str, first: int, count: int) -> None:
    """Damage, read and judge `count` inputs of a base, from number `first` on."""
    stack, write = BASES[name]
    paths = sorted(write(folder).iterdir())
    whole = [path.read_bytes() for path in paths]
    assert not judged(folder, stack, Damage(whole[0], "", ""), whole)
    _bound()
    outcomes: Counter = Counter()
    for number in range(first, first + count):
        draw = random.Random(f"{name} {number}")
        # The first and the last slice are those that could be lost without a gap.
        which = draw.choice((0, len(paths) - 1, draw.randrange(len(paths))))
        damage = _damage(name, whole[which], draw)
        print(json.dumps({"base": name, "number": number, "how": damage.how}), flush=True)
        paths[which].write_bytes(damage.raw)
        signal.alarm(SECONDS)
        wrong = judged(folder, stack, damage, whole)
        signal.alarm(0)
        outcomes[wrong if wrong in ("refused", "") else "wrong"] += 1
        if wrong not in ("refused", ""):
            print(json.dumps({"base": name, "number": number, "how": damage.how, "wrong": wrong}))
        paths[which].write_bytes(whole[which])
    print(json.dumps({"refused": outcomes["refused"], "read": outcomes[""]}))


def _damage(name: str, raw: bytes, draw: random.Random) -> Damage:
    by_attribute = draw.random() < 0.35 and name != "big-endian"
    return draw.choice(BY_ATTRIBUTE if by_attribute else BY_BYTES)(raw, layout_of(raw), draw)


def judged(folder: Path, stack: Stack, damage: Damage, whole: list[bytes]) -> str:
    """'refused', '' where the truth was read, or what is wrong."""
    try:
        volume, notes = read_source(folder)
    except Refusal as refusal:
        return "a path is told" if str(folder) in refusal.reason else "refused"
    except TooSlowError:
        return f"more than {SECONDS} s"
    except BaseException as error:  # a codec in Rust panics beyond Exception
        return f"{type(error).__name__}: {error}"
    reading = Reading(volume.array, volume.grid.axes, np.array(volume.grid.origin))
    told = any(code.endswith("set-aside") for code, _ in notes)
    if told and len(whole) > 1 and not damage.touches.endswith(NEVER_ASIDE):
        remaining = [_shorter(stack, slice(1, None)), _shorter(stack, slice(None, -1))]
        return "" if not all(_places_fault(reading, rest) for rest in remaining) else "none is left"
    if len(whole) == 1 and damage.touches:
        return _fault_of_one(reading, stack, damage, whole[0])
    if damage.touches in ("pixels", "deflated", *SCALES):
        return _places_fault(reading, stack)
    return fault(reading, stack, 1.0, LOOSE)


def _shorter(stack: Stack, part: slice) -> Stack:
    return replace(stack, heights=stack.heights[part])


def _places_fault(reading: Reading, stack: Stack) -> str:
    return fault(reading, stack, np.inf, LOOSE)


def _fault_of_one(reading: Reading, stack: Stack, damage: Damage, whole: bytes) -> str:
    """A multi-frame image is judged by what it says after the damage, as pydicom reads it.

    Where pydicom cannot, by what it said before.
    """
    try:
        image = dcmread(io.BytesIO(damage.raw))
        frames = [_frame(image, k) for k in range(image.NumberOfFrames + 0)]
        size = np.zeros((image.Rows + 0, image.Columns + 0))
    except Exception:
        return fault(reading, stack, 1.0, LOOSE)
    stored = dcmread(io.BytesIO(whole)).pixel_array.astype(float)
    if len(frames) != reading.array.shape[0]:
        return "a frame is lost"
    for (position, cosines, spacing, slope, inter), pixels in zip(frames, stored, strict=True):
        steps = cosines[:, None, :] * spacing[::-1, None, None]
        across = np.arange(size.shape[1])[None, :, None] * steps[0]
        down = np.arange(size.shape[0])[:, None, None] * steps[1]
        index = reading.index_of(position + across + down)
        nearest = np.rint(index).astype(int)
        if np.abs(index - nearest).max() > LOOSE:
            return "the voxels lie elsewhere than the pixels"
        if (nearest < 0).any() or (nearest >= reading.array.shape[::-1]).any():
            return "a frame is lost"
        found = reading.array[nearest[..., 2], nearest[..., 1], nearest[..., 0]]
        if damage.touches == "pixels" or "Pixel" in damage.touches or "Bits" in damage.touches:
            continue
        if not np.allclose(found, pixels * slope + inter, rtol=1e-5, atol=0.51):
            return "values are not those of the frames"
    return ""


def _frame(image, k: int) -> tuple:
    shared, own = image.SharedFunctionalGroupsSequence, image.PerFrameFunctionalGroupsSequence[k]

    def macro(sequence: str, keyword: str, otherwise=None):
        for groups in (own, *(shared or [])):
            if sequence in groups:
                return np.array(groups[sequence][0][keyword].value, float)
        return otherwise

    transformation = "PixelValueTransformationSequence"
    return (
        macro("PlanePositionSequence", "ImagePositionPatient"),
        macro("PlaneOrientationSequence", "ImageOrientationPatient").reshape(2, 3),
        macro("PixelMeasuresSequence", "PixelSpacing"),
        macro(transformation, "RescaleSlope", 1.0),
        macro(transformation, "RescaleIntercept", 0.0),
    )


def _bound() -> None:
    """Bound this process's memory to what it has now and MEMORY more, and the time of an input."""

    def late(*_: object) -> None:
        raise TooSlowError

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    room = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    signal.signal(signal.SIGALRM, late)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
