"""Which segment of a DICOM object a structure of the recipe is.

By name (`named` of the recipe, the structure's own by default, `*` and `?` are wildcards, case does not
count); where no name is right, by the coded type, and the side where the structure has one. Numbers of
segments say nothing: the recipe's `value` is for label maps.
"""

from fnmatch import fnmatchcase
from typing import Any

from pydicom.sr.coding import Code

from scanmill.refusal import Refusal
from scanmill.source.segments.segment import Segment


def matching(structure: dict[str, Any], listed: list[Segment]) -> int:
    """The place in the list of the segment that a structure is.

    Raises Refusal `structure-empty` where none is, `labels-ambiguous` where several are.
    """
    places = [n for n, segment in enumerate(listed) if _is_named(structure, segment)]
    places = places or [n for n, segment in enumerate(listed) if _is_coded(structure, segment)]
    if not places:
        raise Refusal(
            "structure-empty",
            f"none of the {len(listed)} segments of the supplied labels has a name that the recipe "
            "gives this structure, or its code; 'named' in the recipe says under which names it comes",
        )
    if len(places) > 1:
        raise Refusal(
            "labels-ambiguous",
            f"{len(places)} of the {len(listed)} segments of the supplied labels could be this "
            "structure; a 'named' in the recipe that only one of them has would be right",
        )
    return places[0]


def _is_named(structure: dict[str, Any], segment: Segment) -> bool:
    name = segment.name.strip().casefold()
    patterns = [pattern.strip().casefold() for pattern in structure["segment"]["named"]]
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def _is_coded(structure: dict[str, Any], segment: Segment) -> bool:
    if segment.code is None:
        return False
    code = Code(structure["code"]["value"], structure["code"]["scheme"], "")
    return code == segment.code and structure["laterality"] in (None, segment.laterality)
