"""Which series of a scan, and which volume of the series, is the one that is meant.

What is no volume is set aside. Where more than one is left and the sheet does not say which, none is
taken.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from scanmill.refusal import Refusal
from scanmill.source.dicom.aside import may_be_volume, planes
from scanmill.source.dicom.attributes import Values, text_of
from scanmill.source.dicom.frames import KINDS, Frame, triple
from scanmill.source.dicom.headers import Header
from scanmill.source.dicom.phases import TELLING, Part, parts_of
from scanmill.source.layout import Note

DIRECTORY = "1.2.840.10008.1.3.10"
LISTED = 20
# Cosines of one orientation, before proof that they are of parallel planes: below half a degree.
ALIKE_ORIENTATION = 0.01
# What one acquisition states alike in all its slices; where two differ, the series holds several.
ALIKE = (
    "Modality", "ImageType", "FrameType", "PixelSpacing", "BitsAllocated", "PixelRepresentation",
    "SamplesPerPixel", "PhotometricInterpretation", "RescaleType", "Units", "EchoTime",
    "EffectiveEchoTime", "InversionTime", "DiffusionBValue", "TemporalPositionIdentifier",
    "TemporalPositionIndex", "ConvolutionKernel", "KVP",
)  # fmt: skip
KINDS_OF_OTHERS = {
    "1.2.840.10008.5.1.4.1.1.7": "secondary captures, which lie nowhere in space",
    "1.2.840.10008.5.1.4.1.1.6": "ultrasound images",
    "1.2.840.10008.5.1.4.1.1.3": "ultrasound images",
    "1.2.840.10008.5.1.4.1.1.481.2": "a radiotherapy dose",
    "1.2.840.10008.5.1.4.1.1.481.3": "radiotherapy contours, which are labels and no scan",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation, which is labels and no scan",
    "1.2.840.10008.5.1.4.1.1.88": "reports",
    "1.2.840.10008.5.1.4.1.1.1": "projections, which have no depth",
    "1.2.840.10008.5.1.4.1.1.12": "angiograms, which have no depth",
    "1.2.840.10008.5.1.4.1.1.20": "nuclear medicine images",
}


def check_one_patient(headers: Sequence[Header]) -> None:
    """Refuse files of several patients, by their numbers; and their names where some have none."""
    found = {header.values.get("PatientID") for header in headers}
    numbers = found - {None}
    names = {_name(header.values) for header in headers} - {""}
    if len(numbers) > 1 or (None in found and len(names) > 1):
        raise Refusal(
            "dicom-patients",
            f"the files are of {max(len(numbers), len(names))} patients; give each a folder of its "
            "own",
        )


def choose_series(headers: Sequence[Header], wanted: str) -> tuple[list[Header], list[Note]]:
    """The files of the series that is wanted, or of the only one that is a volume; and notes.

    wanted: its SeriesInstanceUID, SeriesNumber or SeriesDescription; empty for the only one. Raises
    Refusal `dicom-several` with a list of what is there, or `dicom-unsupported`.
    """
    images = [header for header in headers if header.values.get("SOPClassUID") in KINDS]
    if not images:
        raise Refusal("dicom-unsupported", _unsupported(headers))
    # Before any is set aside: a file that is cut may not even say which series it is of.
    if any(header.pixels is None for header in images):
        raise Refusal("data-truncated", "a slice holds no pixels; copy or export it again")
    series: dict[str | None, list[Header]] = defaultdict(list)
    for header in images:
        series[header.values.get("SeriesInstanceUID")].append(header)
    # Where no image says it, as after a careless anonymisation, they are taken for those of one.
    if None in series and len(series) > 1:
        raise Refusal("header-invalid", "some slices do not say which series they belong to")
    found = {uid: members for uid, members in series.items() if _is_named(members[0], wanted)}
    if not found:
        raise Refusal(
            "dicom-several", f"none of the series is the one that is asked for: {_listed(series)}"
        )
    volumes = {uid: members for uid, members in found.items() if may_be_volume(members)}
    if len(volumes or found) > 1:
        which = "several are of that name" if wanted else "several are volumes"
        raise Refusal(
            "dicom-several",
            f"{which}; name one in the sheet's column 'series' (its number, description or UID): "
            f"{_listed(volumes or found)}",
        )
    chosen = next(iter((volumes or found).values()))
    others = len(headers) - len(chosen)
    notes = []
    if others:
        message = f"Images of other series, and other objects, were set aside: {others} files."
        notes = [("series-set-aside", message)]
    return chosen, notes


def choose_volume(
    frames: Sequence[Frame], wanted: str, digest: Callable[[Frame], Hashable]
) -> tuple[tuple[Frame, ...], list[Note]]:
    """The planes of the volume that is wanted, or of the series' only one; and notes.

    wanted: its number in the list of a refusal, or `Keyword=value`; empty for the only one. digest:
    equal for planes that measure the same. Raises Refusal `dicom-volumes` with a numbered list, or
    `dicom-irregular`.
    """
    parts: list[Part] = []
    dropped = 0
    for group in _groups(frames):
        found, repeated = parts_of(group, digest)
        parts, dropped = parts + found, dropped + repeated
    part = parts[_index(parts, wanted)]
    _check_alike(part.frames)
    notes = []
    if dropped:
        message = f"Images that repeat another in place and pixels were dropped: {dropped}."
        notes.append(("duplicates-dropped", message))
    return part.frames, notes


def _name(values: Values) -> str:
    return "".join(c for c in (values.get("PatientName") or "").casefold() if c.isalnum())


def _unsupported(headers: Sequence[Header]) -> str:
    classes = {header.values.get("SOPClassUID") or "" for header in headers}
    said = {
        words
        for uid in classes
        for known, words in KINDS_OF_OTHERS.items()
        if uid == known or uid.startswith(known + ".")
    }
    what = " and ".join(sorted(said)) or "objects of other kinds"
    return f"the files are no CT, MR or PET images but {what}; give a volume of one of these"


def _is_named(header: Header, wanted: str) -> bool:
    wanted, values = wanted.strip(), header.values
    if not wanted:
        return True
    return (
        wanted == values.get("SeriesInstanceUID")
        or wanted == str(values.get("SeriesNumber"))
        or wanted.casefold() == text_of(values, "SeriesDescription").strip().casefold()
    )


def _listed(series: dict[str | None, list[Header]]) -> str:
    """What a refusal says of series: numbers, kinds and sizes, and no text of the header."""
    lines = []
    for members in series.values():
        values = members[0].values
        number = values.get("SeriesNumber")
        lines.append(
            f"{KINDS[values['SOPClassUID']]} series {'without number' if number is None else number}"
            f" of {planes(members) or len(members)} images of {values.get('Columns')} x "
            f"{values.get('Rows')}{_spacing(members)}"
        )
    more = len(lines) - LISTED
    return "; ".join(sorted(lines[:LISTED])) + (f"; and {more} more" if more > 0 else "")


def _spacing(members: Sequence[Header]) -> str:
    """The usual distance of the slices of a single-frame series, in words."""
    try:
        places = [header.values["ImagePositionPatient"] for header in members]
        row, column = np.reshape(members[0].values["ImageOrientationPatient"], (2, 3))
        heights = np.unique(np.round(np.array(places) @ np.cross(row, column), 3))
    except (KeyError, ValueError, TypeError):
        return ""
    return f", {np.median(np.diff(heights)):.4g} mm apart" if heights.size > 1 else ""


def _groups(frames: Sequence[Frame]) -> list[list[Frame]]:
    """The planes by kind, frame of reference, size and orientation."""
    orientations: list[np.ndarray] = []
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        cosines = triple(frame, "ImageOrientationPatient", 6)
        values = frame.values
        what = [
            values.get(word)
            for word in ("SOPClassUID", "FrameOfReferenceUID", "Rows", "Columns", "StackID")
        ]
        groups[(*what, _nearest(orientations, cosines))].append(frame)
    if any(len(group) == 1 for group in groups.values()) and len(groups) > 1:
        raise Refusal(
            "dicom-irregular",
            "the slices are not parallel to each other, or differ in size, kind or frame of "
            "reference; one series of like slices is needed",
        )
    return list(groups.values())


def _nearest(known: list[np.ndarray], cosines: np.ndarray) -> int:
    for k, other in enumerate(known):
        if np.abs(other - cosines).max() <= ALIKE_ORIENTATION:
            return k
    known.append(cosines)
    return len(known) - 1


def _index(parts: Sequence[Part], wanted: str) -> int:
    wanted = wanted.strip()
    if not wanted and len(parts) == 1:
        return 0
    if wanted.isdecimal() and 1 <= int(wanted) <= len(parts):
        return int(wanted) - 1
    word, _, value = wanted.partition("=")
    matching = [
        k
        for k, part in enumerate(parts)
        if value and all(_equals(frame.values, word.strip(), value) for frame in part.frames)
    ]
    if len(matching) == 1:
        return matching[0]
    listed = "; ".join(f"{k + 1}: {part}" for k, part in enumerate(parts[:LISTED]))
    more = f"; and on to {len(parts)}" if len(parts) > LISTED else ""
    asked = (
        "and none, or not one alone, is the one that is asked for"
        if wanted
        else ("and one is needed")
    )
    raise Refusal(
        "dicom-volumes",
        f"the series holds {len(parts)} volumes, {asked}; name it in the sheet's column 'volume', by "
        f"its number or as Keyword=value: {listed}{more}",
    )


def _equals(values: Values, word: str, wanted: str) -> bool:
    value = values.get(word) if word in TELLING else None
    if isinstance(value, int | float):
        try:
            return abs(value - float(wanted)) <= 1e-6 * max(1.0, abs(value))
        except ValueError:
            return False
    if isinstance(value, tuple):
        words = [str(part) for part in value]
        return wanted.strip() == "\\".join(words) or wanted.strip() in words
    return value is not None and str(value) == wanted.strip()


def _check_alike(frames: Sequence[Frame]) -> None:
    for word in ALIKE:
        if len({frame.values.get(word) for frame in frames}) > 1:
            raise Refusal(
                "dicom-irregular",
                f"the slices differ in {word}; one series of like slices is needed",
            )
