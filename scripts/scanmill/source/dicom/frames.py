"""One record for each image plane: a file's only image, or a frame of a multi-frame file."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset
from pydicom.tag import BaseTag

from scanmill.refusal import Refusal
from scanmill.source.dicom.attributes import PLACE, WANTED, Values, plain
from scanmill.source.dicom.headers import Header, whole_header
from scanmill.source.dicom.mosaic import is_mosaic, tiles

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PET = "1.2.840.10008.5.1.4.1.1.128"
SINGLE = {CT: "CT", MR: "MR", PET: "PET"}
ENHANCED = {
    CT + ".1": "CT", CT + ".2": "CT", MR + ".1": "MR", MR + ".4": "MR",
    "1.2.840.10008.5.1.4.1.1.130": "PET", PET + ".1": "PET",
}  # fmt: skip
KINDS = SINGLE | ENHANCED
OF_FRAMES = {*PLACE, "RescaleSlope", "RescaleIntercept", "RescaleType"}
MOST_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class Frame:
    """An image plane.

    values: the attributes that hold of it, wherever the file states them. index: which one of its
    file it is, from 0; of a mosaic, its tile. tiles: of a mosaic, how many tiles a row of it has.
    """

    header: Header
    values: Values
    index: int = 0
    tiles: int = 1

    @property
    def number(self) -> int | None:
        """The 1-based frame number in a multi-frame file."""
        return self.index + 1 if self.values.get("SOPClassUID") in ENHANCED else None

    @property
    def kind(self) -> str:
        """CT, MR or PET; empty for all else."""
        return KINDS.get(self.values.get("SOPClassUID") or "", "")

    @property
    def image_type(self) -> tuple[str, ...]:
        """The words of ImageType, or of the frame's own FrameType."""
        return self.values.get("FrameType") or self.values.get("ImageType") or ()


def frames_of(header: Header) -> list[Frame]:
    """The image planes of a file that is one of CT, MR or PET. Raises Refusal for what is not read."""
    if header.values.get("SOPClassUID") in ENHANCED:
        try:
            return list(_frames_of_enhanced(header))
        except OSError as error:  # pydicom's, over bytes in memory
            raise Refusal(
                "header-invalid", "the frames' descriptions cannot be read; export the image again"
            ) from error
    if (header.values.get("NumberOfFrames") or 1) > 1:
        raise Refusal(
            "dicom-unsupported",
            "a file holds several frames without saying where each lies; export the series as "
            "single slices or as enhanced images",
        )
    if is_mosaic(header.values):
        count, values = tiles(header)
        return [Frame(header, own, k, count) for k, own in enumerate(values)]
    return [Frame(header, header.values)]


def _frames_of_enhanced(header: Header) -> Iterator[Frame]:
    data = whole_header(header)
    count = header.values.get("NumberOfFrames") or 1
    per_frame = data.get("PerFrameFunctionalGroupsSequence") or []
    shared = data.get("SharedFunctionalGroupsSequence") or []
    if not 0 < count <= MOST_FRAMES or len(per_frame) != count or len(shared) > 1:
        raise Refusal(
            "header-invalid",
            f"the image declares {count} frames and describes {len(per_frame)} of them; export it "
            "again",
        )
    # Place and scaling hold of a frame only where its groups state them.
    common = {word: value for word, value in header.values.items() if word not in OF_FRAMES}
    common |= _flat(shared[0]) if shared else {}
    for index, groups in enumerate(per_frame):
        yield Frame(header, common | _flat(groups), index)


def _flat(groups: Dataset) -> dict[str, object]:
    """The wanted attributes of a frame's functional groups, each of which holds one item."""
    found: dict[str, object] = {}
    for element in groups:
        # Vendors keep other places of the same image in sequences of their own.
        if element.VR != "SQ" or element.tag.is_private or not element.value:
            continue
        if element.keyword in WANTED.values():
            found[element.keyword] = True
        for inner in element.value[0]:
            word = WANTED.get(BaseTag(inner.tag))
            if word is not None:
                found[word] = plain(word, inner.value)
            elif inner.keyword == "DiffusionGradientDirectionSequence" and inner.value:
                direction = inner.value[0].get("DiffusionGradientOrientation")
                found["DiffusionGradientOrientation"] = plain(
                    "DiffusionGradientOrientation", direction
                )
    return found


def triple(frame: Frame, keyword: str, count: int = 3) -> np.ndarray:
    """Several numbers that a frame has to state. Raises Refusal where it does not."""
    value = frame.values.get(keyword)
    if not isinstance(value, tuple) or len(value) != count:
        raise Refusal(
            "geometry-missing",
            f"a slice does not state its {keyword}; without it, nothing can be measured",
        )
    numbers = np.array(value, float)
    if not np.isfinite(numbers).all():
        raise Refusal("geometry-invalid", f"a slice's {keyword} is not of finite numbers")
    return numbers
