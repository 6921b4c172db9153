"""What lies beside a volume and is set aside: scouts, and series that are none; never a part of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from scanmill.refusal import Refusal
from scanmill.source.dicom.attributes import Values
from scanmill.source.dicom.frames import Frame
from scanmill.source.dicom.headers import Header
from scanmill.source.dicom.mosaic import is_mosaic
from scanmill.source.dicom.stack import Stack
from scanmill.source.geometry import STACK_LIMIT

SCOUT = "LOCALIZER"
# What the slices of one stack have in common, down to the header's last digit.
COMMON = ("SOPClassUID", "FrameOfReferenceUID", "Rows", "Columns", "PixelSpacing")
PARALLEL = 0.01  # of cosines: below half a degree
BESIDE = 0.1  # voxels by which a plane may be off the stack's places, and still be one of them


def is_scout(values: Values) -> bool:
    """Whether an image says that it is a scout."""
    return SCOUT in (values.get("ImageType") or ()) or SCOUT in (values.get("FrameType") or ())


def without_scouts(frames: Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
    """The planes that are no scouts, and the scouts. Raises Refusal where there are only these."""
    slices = [frame for frame in frames if not is_scout(frame.values)]
    if not slices:
        raise Refusal("dicom-unsupported", "there are only scouts; give the scan's own series")
    return slices, [frame for frame in frames if is_scout(frame.values)]


def planes(members: Sequence[Header]) -> int:
    """How many planes a series holds, scouts left out."""
    return sum(
        (2 if is_mosaic(header.values) else header.values.get("NumberOfFrames") or 1)
        for header in members
        if not is_scout(header.values)
    )


def may_be_volume(members: Sequence[Header]) -> bool:
    """Whether a series has two parallel planes at two places, or does not say where its planes are.

    Scouts left out. Series that watch contrast arrive at one place, or look three ways, are none.
    """
    slices = [header.values for header in members if not is_scout(header.values)]
    if len(slices) < planes(members):  # images of several frames
        return True
    places: dict[tuple[float, ...], set[object]] = defaultdict(set)
    for values in slices:
        cosines, position = (
            values.get(word) for word in ("ImageOrientationPatient", "ImagePositionPatient")
        )
        if not (isinstance(cosines, tuple) and isinstance(position, tuple)):
            return len(slices) > 1
        places[tuple(np.round(cosines, 2).tolist())].add(position)
    return any(len(positions) > 1 for positions in places.values())


def check_none_left_out(stack: Stack, aside: Iterable[Values]) -> None:
    """Refuse a stack that a plane which was set aside continues, or fills: it may be a part of it."""
    if any(_continues(stack, values) for values in aside):
        raise Refusal(
            "dicom-irregular",
            "an image that is a scout by its header, or of another series, is like the slices and lies "
            "in line with them: it may be one of them; name the series in the sheet's column 'series', "
            "or give its slices alone",
        )


def _continues(stack: Stack, values: Values) -> bool:
    first = stack.frames[0].values
    position = values.get("ImagePositionPatient")
    cosines = values.get("ImageOrientationPatient")
    if any(values.get(word) != first.get(word) for word in COMMON) or not (
        isinstance(position, tuple) and isinstance(cosines, tuple)
    ):
        return False
    if np.abs(np.subtract(cosines, first["ImageOrientationPatient"])).max() > PARALLEL:
        return False
    index = stack.grid.to_index(np.array(position))
    height = index[2] * stack.grid.spacing[2]
    beside = stack.on_slices and np.abs(index[:2]).max() > BESIDE
    within = -1 - BESIDE <= index[2] <= stack.grid.size[2] + BESIDE
    there = np.abs(stack.heights - height).min() <= STACK_LIMIT * stack.grid.spacing[2]
    return bool(within and not beside and not there)
