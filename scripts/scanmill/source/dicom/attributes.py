"""The attributes that are read of a DICOM image, and their values in Python."""

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR, tag_for_keyword

Values = Mapping[str, Any]

IDENTITY = (
    "SpecificCharacterSet", "PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID",
    "SeriesNumber", "SeriesDescription", "SOPClassUID", "SOPInstanceUID", "FrameOfReferenceUID",
    "Modality", "ImageType",
)  # fmt: skip
PIXELS = (
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "RescaleType", "Units",
    "ModalityLUTSequence", "RealWorldValueMappingSequence", "LossyImageCompression",
)  # fmt: skip
PLACE = (
    "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness",
    "SpacingBetweenSlices",
)  # fmt: skip
ACQUISITION = (
    "EchoTime", "EffectiveEchoTime", "EchoNumbers", "InversionTime", "FlipAngle", "RepetitionTime",
    "TemporalPositionIdentifier", "TemporalPositionIndex", "TriggerTime",
    "NominalCardiacTriggerDelayTime", "FrameReferenceTime", "DiffusionBValue",
    "DiffusionGradientOrientation", "ComplexImageComponent", "FrameType", "AcquisitionNumber",
    "AcquisitionTime", "ContentTime", "ConvolutionKernel", "KVP", "StackID", "SequenceName",
    "NominalPercentageOfCardiacPhase", "NominalPercentageOfRespiratoryPhase",
    "VelocityEncodingDirection",
)  # fmt: skip
WANTED = {tag_for_keyword(word): word for word in IDENTITY + PIXELS + PLACE + ACQUISITION}
NUMBERS = {"DS", "IS"}
BINARY = {"US": "H", "US or SS": "H", "FD": "d", "FL": "f", "UL": "I", "SL": "i", "SS": "h"}
LISTS = {"ImageType", "FrameType"}
# Whose numbers make places and values; elsewhere a number that is none is text, as any other.
NEEDED = {*PIXELS, *PLACE}


def value_of(keyword: str, raw: bytes, order: str) -> Any:
    """The value of an attribute's bytes; `order` is `<` or `>`, of binary numbers.

    Numbers are int (IS, US) or float (DS, FD), several ones a tuple; ImageType is a tuple of words;
    a sequence is True, for being there; other text is undecoded (`text_of`); None stands for nothing.
    Raises ValueError or struct.error where the bytes are not such a value.
    """
    return _value(keyword, bytes(raw), order)


@lru_cache(maxsize=1 << 14)
def _value(keyword: str, raw: bytes, order: str) -> Any:
    kind = _kind(keyword)
    if kind == "SQ":
        return True
    if kind in BINARY:
        size = struct.calcsize(BINARY[kind])
        return _alone(struct.unpack(f"{order}{len(raw) // size}{BINARY[kind]}", raw))
    text = raw.rstrip(b"\0 ").lstrip(b" ")
    if kind in NUMBERS:
        return _numbers(keyword, kind, text) if text else None
    if keyword in LISTS:
        return (
            tuple(word.strip(" ") for word in text.decode("latin-1").split("\\")) if text else None
        )
    return text.decode("latin-1") or None


def _numbers(keyword: str, kind: str, text: bytes) -> Any:
    convert = float if kind == "DS" else _whole
    try:
        return _alone(tuple(convert(part) for part in text.split(b"\\")))
    except ValueError:
        if keyword in NEEDED:
            raise
        return text.decode("latin-1")


@lru_cache
def _kind(keyword: str) -> str:
    return dictionary_VR(tag_for_keyword(keyword))


def _alone(values: tuple[Any, ...]) -> Any:
    return values if len(values) > 1 else values[0] if values else None


def _whole(text: bytes) -> int:
    number = float(text)
    if not number.is_integer():
        raise ValueError("not a whole number")
    return int(number)


def plain(keyword: str, value: Any) -> Any:
    """What `value_of` would give for a value that pydicom has read."""
    kind = _kind(keyword)
    if kind == "SQ":
        return True
    several = list(value) if hasattr(value, "append") else [] if value in (None, "") else [value]
    if kind in NUMBERS or kind in BINARY:
        convert = float if kind in ("DS", "FD", "FL") else int
        return _alone(tuple(convert(x) for x in several))
    if keyword in LISTS:
        return tuple(str(word) for word in several) or None
    return "\\".join(str(x) for x in several) or None


def text_of(values: Values, keyword: str) -> str:
    """A text of the header in the character set that the header declares."""
    words = str(values.get("SpecificCharacterSet") or "").split("\\")
    raw = str(values.get(keyword) or "").encode("latin-1", "replace")
    return decode_bytes(raw, convert_encodings(words), set())
