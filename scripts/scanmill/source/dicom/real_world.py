"""Real world value mappings: a second scaling beside the rescale, which is not applied."""

from pydicom import Dataset

from scanmill.source.dicom.frames import Frame
from scanmill.source.dicom.headers import whole_header
from scanmill.source.dicom.pixels import scaling_of
from scanmill.source.layout import Note


def real_world_notes(frame: Frame) -> list[Note]:
    """What to warn of where a plane has a real world value mapping other than its rescale."""
    if "RealWorldValueMappingSequence" not in frame.values:
        return []
    scaling = scaling_of(frame)
    if all(_scaling(item) == scaling for item in _mappings(frame)):
        return []
    return [
        (
            "mapping-ignored",
            "The header maps values to a real world quantity otherwise than its rescale does; the "
            "rescale was used.",
        )
    ]


def _mappings(frame: Frame) -> list[Dataset]:
    data = whole_header(frame.header)
    places = [data]
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        items = data.get(name) or []
        places += [items[frame.index if name.startswith("Per") else 0]] if items else []
    return [item for place in places for item in place.get("RealWorldValueMappingSequence") or []]


def _scaling(item: Dataset) -> tuple[float | None, float | None]:
    return item.get("RealWorldValueSlope"), item.get("RealWorldValueIntercept")
