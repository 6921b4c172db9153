"""The masks of the structures that a SEG or RTSTRUCT holds, each proven to lie in the scan's space."""

from scanmill import frame_of_reference
from scanmill.grid import bounding_box
from scanmill.refusal import Refusal
from scanmill.segmentation import OF_ONE_STRUCTURE, Structure
from scanmill.segmentation.segment_match import matching
from scanmill.source.segments.segment import Mask, Segment, Segments
from scanmill.stage import Record

Masks = dict[str, Mask]
Refusals = dict[str, Refusal]
# A frame of reference, sealed; None where the scan has none.
Frame = dict[str, str] | None


def masks_of(
    segments: Segments,
    wanted: list[Structure],
    is_for_one: bool,
    frame: Frame,
    record: Record,
) -> tuple[Masks, Refusals]:
    """The mask of each wanted structure, or why it has none, by name; warnings go to the record.

    is_for_one: the sheet gives these labels for one structure; then their only segment is its, under
    any name. frame: of the scan. Raises Refusal `labels-frame` where all that was found lies in
    another space.
    """
    masks: Masks = {}
    refusals: Refusals = {}
    for structure in wanted:
        name = structure["name"]
        try:
            only = is_for_one and len(segments.listed) == 1
            place = 0 if only else matching(structure, segments.listed)
            _check_frame(segments.listed[place], frame, record)
            mask, notes = segments.mask(place)
        except Refusal as refusal:
            known = refusal.code in OF_ONE_STRUCTURE
            refusals[name] = refusal if known else Refusal("labels-unreadable", refusal.reason)
        else:
            for code, message in notes:
                record.warn(code, message, name)
            masks[name] = _tight(mask)
    frames = [refusal for refusal in refusals.values() if refusal.code == "labels-frame"]
    if frames and not masks:
        raise frames[0]
    return masks, refusals


def _check_frame(segment: Segment, frame: Frame, record: Record) -> None:
    """Refuse a segment of another frame of reference; warn, once, where none can be compared."""
    if frame is None or segment.frame_of_reference is None:
        warning = {
            "code": "frame-unproven",
            "message": "The scan or its labels do not say which frame of reference they are in: that "
            "it is the same one is taken for granted.",
        }
        if warning not in record.warnings:
            record.warnings.append(warning)
    elif not frame_of_reference.matches(segment.frame_of_reference, frame):
        raise Refusal(
            "labels-frame",
            "the supplied labels are in another frame of reference than the scan; labels drawn on "
            "this scan, or registered to it, are needed",
        )


def _tight(mask: Mask) -> Mask:
    """The mask without the background around it."""
    box = bounding_box(mask.array)
    start = tuple(s + part.start for s, part in zip(mask.start, box[::-1], strict=True))
    return Mask(mask.lattice, start, mask.array[box])
