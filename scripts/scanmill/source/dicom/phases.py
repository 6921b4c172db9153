"""Several volumes in one series, at the same places: echoes, phases, b-values, Dixon parts.

Which attributes tell the volumes apart differs between vendors. A split is believed only where each
part is a complete, regular stack at the same places.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from scanmill.refusal import Refusal
from scanmill.source.dicom.frames import Frame, triple
from scanmill.source.dicom.stack import is_regular, normal_of, positions_of
from scanmill.source.geometry import STACK_LIMIT, slack

# Each value of one of these is a volume of its own.
TELLING = (
    "EchoTime", "EffectiveEchoTime", "EchoNumbers", "InversionTime", "FlipAngle", "RepetitionTime",
    "DiffusionBValue", "DiffusionGradientOrientation", "VelocityEncodingDirection", "SequenceName",
    "TemporalPositionIdentifier", "TemporalPositionIndex", "NominalCardiacTriggerDelayTime",
    "NominalPercentageOfCardiacPhase", "NominalPercentageOfRespiratoryPhase", "TriggerTime",
    "FrameReferenceTime", "ImageType", "FrameType", "ComplexImageComponent", "ConvolutionKernel",
    "AcquisitionNumber",
)  # fmt: skip
# These differ between slices of one volume too: only their order at each place tells.
RANKED = ("TriggerTime", "FrameReferenceTime", "AcquisitionTime", "ContentTime")
# Words of image types that tell volumes apart; others might be anything, a name included.
KNOWN_WORDS = {
    "M", "P", "R", "I", "W", "F", "IP", "OP", "IN", "OUT", "IN_PHASE", "OUT_PHASE", "OPP_PHASE",
    "WATER", "FAT", "MAGNITUDE", "PHASE", "PHASE MAP", "REAL", "IMAGINARY", "MIXED", "ADC", "TRACEW",
    "FA", "DIXON", "ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "AXIAL", "ND", "NORM", "DIFFUSION",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One of the volumes of a series, and the values by which it differs from the others."""

    frames: tuple[Frame, ...]
    telling: dict[str, Hashable]

    def __str__(self) -> str:
        """What tells the volume from others, without any free text of the header."""
        return ", ".join(
            f"{word} {shown(value)}".strip() for word, value in self.telling.items()
        ) or _of_size(self.frames[0])


def shown(value: Hashable) -> str:
    """A value as a refusal may say it: numbers, and words that are known."""
    if isinstance(value, int | float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return "/".join(word for word in map(shown, value) if word) or "other"
    return str(value) if value in KNOWN_WORDS else ""


def parts_of(
    frames: Sequence[Frame], digest: Callable[[Frame], Hashable]
) -> tuple[list[Part], int]:
    """The volumes that parallel frames of one size make, and how many duplicates were dropped.

    digest: of a frame's encoded pixels and all that changes their values. Raises Refusal
    `dicom-irregular` where frames lie at one place and no attribute splits them into whole stacks.
    """
    normal = normal_of(frames[0])
    places = _places(frames, normal)
    if len(places) == len(frames):
        return [Part(tuple(frames), {})], 0
    kept = _without_duplicates(places, digest)
    dropped = len(frames) - sum(len(place) for place in kept)
    if all(len(place) == 1 for place in kept):
        return [Part(tuple(place[0] for place in kept), {})], dropped
    return _split(kept, normal), dropped


def _places(frames: Sequence[Frame], normal: np.ndarray) -> list[list[Frame]]:
    """The frames at each place, in order along the normal."""
    heights = positions_of(frames) @ normal
    order = np.argsort(heights, kind="stable")
    gaps = np.diff(heights[order])
    apart = gaps[gaps > max(1e-3, STACK_LIMIT * gaps.max(initial=0))]
    limit = slack(float(np.median(apart))) if apart.size else np.inf
    places: list[list[Frame]] = [[frames[order[0]]]]
    for gap, k in zip(gaps, order[1:], strict=True):
        if gap > limit:
            places.append([])
        places[-1].append(frames[k])
    return places


def _without_duplicates(
    places: Sequence[list[Frame]], digest: Callable[[Frame], Hashable]
) -> list[list[Frame]]:
    """The frames at each place, those left out that repeat another.

    A frame repeats another where their pixels, values and places are the same, and so are all
    attributes that tell volumes apart; or, whatever these say, where that is so of all frames.
    """
    everywhere = [_unlike(place, lambda f: (_point(f), digest(f))) for place in places[:1]]
    if len(everywhere[0]) == 1:
        everywhere = [_unlike(place, lambda f: (_point(f), digest(f))) for place in places]
        if all(len(place) == 1 for place in everywhere):
            return everywhere
    return [
        _unlike(place, lambda f: (_point(f), _telling(f), digest(f)))
        if len({_telling(f) for f in place}) < len(place)
        else place
        for place in places
    ]


def _unlike(place: Sequence[Frame], key: Callable[[Frame], Hashable]) -> list[Frame]:
    if len(place) == 1:
        return list(place)
    return list({key(frame): frame for frame in reversed(place)}.values())[::-1]


def _point(frame: Frame) -> Hashable:
    return tuple(np.round(triple(frame, "ImagePositionPatient"), 3))


def _telling(frame: Frame) -> tuple[Hashable, ...]:
    return tuple(frame.values.get(word) for word in TELLING)


def _split(places: Sequence[list[Frame]], normal: np.ndarray) -> list[Part]:
    several = len(places[0])
    if all(len(place) == several for place in places):
        words = [word for word in TELLING if _factors(places, word)]
        candidates = [
            lambda place: [_values_of(frame, words) for frame in place],
            *(_ranking(word) for word in RANKED),
        ]
        names = [words, *([word] for word in RANKED)]
        for key, told in zip(candidates, names, strict=True):
            parts = _grouped(places, key, told)
            if len(parts) == several and all(_is_whole(part, normal, places) for part in parts):
                return parts
    # Acquisitions of neighbouring regions overlap in part.
    word = "AcquisitionNumber"
    parts = _grouped(places, lambda place: [_values_of(f, [word]) for f in place], [word])
    if len(parts) > 1 and all(_is_without_gap(part, normal, places) for part in parts):
        return parts
    raise Refusal(
        "dicom-irregular",
        f"up to {max(map(len, places))} images lie at one place, and no attribute splits them into "
        "whole volumes: a slice is there twice with other pixels, or slices are missing; give one "
        "volume alone",
    )


def _factors(places: Sequence[list[Frame]], word: str) -> bool:
    """Whether an attribute takes the same several values at each place."""
    taken = {frozenset(frame.values.get(word) for frame in place) for place in places}
    return len(taken) == 1 and len(next(iter(taken))) > 1


def _values_of(frame: Frame, words: Sequence[str]) -> tuple[Hashable, ...]:
    return tuple(frame.values.get(word) for word in words)


def _ranking(word: str) -> Callable[[Sequence[Frame]], list[Hashable]]:
    """Order of the frames at a place by a time; all alike where times are lacking or equal."""

    def ranks(place: Sequence[Frame]) -> list[Hashable]:
        times = [_seconds(frame.values.get(word)) for frame in place]
        if None in times or len(set(times)) < len(times):
            return [0] * len(place)
        return [sorted(times).index(time) + 1 for time in times]

    return ranks


def _seconds(value: Hashable) -> float | None:
    """A number, or a time of day (HHMMSS.FF), that can be compared."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _grouped(
    places: Sequence[list[Frame]],
    key: Callable[[Sequence[Frame]], list[Hashable]],
    words: Sequence[str],
) -> list[Part]:
    """The parts by a key, in its order."""
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for place in places:
        for frame, which in zip(place, key(place), strict=True):
            groups[which].append(frame)
    ordered = sorted(groups.items(), key=lambda item: _sortable(item[0]))
    ranked = not isinstance(ordered[0][0], tuple)
    return [
        Part(
            tuple(group),
            {"place in time": which} if ranked else dict(zip(words, which, strict=True)),
        )
        for which, group in ordered
    ]


def _is_whole(part: Part, normal: np.ndarray, places: Sequence[list[Frame]]) -> bool:
    """Whether a part is a regular stack with a plane at every place."""
    return len(part.frames) == len(places) and is_regular(part.frames, normal)


def _is_without_gap(part: Part, normal: np.ndarray, places: Sequence[list[Frame]]) -> bool:
    """Whether a part is a regular stack with a plane at every place from its first to its last."""
    held = set(map(id, part.frames))
    at = [k for k, place in enumerate(places) if any(id(frame) in held for frame in place)]
    return len(part.frames) == at[-1] - at[0] + 1 and is_regular(part.frames, normal)


def _sortable(key: Hashable) -> list[tuple[int, float, str]]:
    values = key if isinstance(key, tuple) else (key,)
    return [
        (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value))
        for value in values
    ]


def _of_size(frame: Frame) -> str:
    return f"{frame.values.get('Columns')} x {frame.values.get('Rows')} pixels"
