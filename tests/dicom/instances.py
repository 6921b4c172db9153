"""DICOM instances of stacks: single-frame slices and enhanced multi-frame images."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds
from stacks import Stack

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PET = "1.2.840.10008.5.1.4.1.1.128"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"
MODALITY = {CT: "CT", MR: "MR", PET: "PT"} | {
    ENHANCED_CT: "CT", ENHANCED_MR: "MR", ENHANCED_PET: "PT",
}  # fmt: skip

Scaling = tuple[float, float]


def uid(*names: Any) -> str:
    """The same UID for the same names, in every run."""
    return generate_uid(entropy_srcs=[str(name) for name in names])


def decimals(numbers: Iterable[float]) -> list[str]:
    """Numbers as decimal strings of at most 16 characters."""
    return [format_number_as_ds(float(x)) for x in numbers]


@dataclass(frozen=True)
class Pixels:
    """How measured values are stored.

    dtype: of a stored pixel. bits: stored of those allocated. scaling: (slope, intercept) of slice
    k. padding: the stored value of padding.
    """

    dtype: str = "<i2"
    bits: int = 16
    scaling: Callable[[int], Scaling] = lambda k: (1.0, 0.0)
    padding: int = -2000

    def stored(self, stack: Stack, k: int) -> np.ndarray:
        """The stored pixels of slice k."""
        slope, inter = self.scaling(k)
        stored = np.rint((stack.values()[k] - inter) / slope)
        low = -(2 ** (self.bits - 1)) if np.dtype(self.dtype).kind == "i" else 0
        if stored.min() < low or stored.max() >= low + 2**self.bits:
            raise ValueError("the stack's values do not fit in the stored bits")
        return np.where(stack.padding()[k], self.padding, stored).astype(self.dtype)

    def describe(self, image: Dataset) -> None:
        """State the layout of the pixels in an image's header."""
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated = 8 * np.dtype(self.dtype).itemsize
        image.BitsStored, image.HighBit = self.bits, self.bits - 1
        image.PixelRepresentation = int(np.dtype(self.dtype).kind == "i")


HOUNSFIELD = Pixels("<u2", 12, lambda k: (1.0, -1024.0))
PLAIN = Pixels("<u2", 12)


def series(
    stack: Stack, kind: str = CT, pixels: Pixels | None = None, name: str = "a", **fields: Any
) -> list[Dataset]:
    """One single-frame instance per slice, in order; `fields` are set in each, callables of k too.

    name: instances of other names are of another series. A field of None is left out.
    """
    pixels = pixels or (PLAIN if kind == MR else HOUNSFIELD)
    slices = []
    for k in range(len(stack.heights)):
        image = _instance(kind, name, k)
        image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if kind == CT else "M"]
        image.InstanceNumber, image.SliceThickness = k + 1, "2.5"
        image.Rows, image.Columns = stack.rows, stack.columns
        image.PixelSpacing = decimals(stack.pixel[::-1])
        image.ImageOrientationPatient = decimals(stack.axes[:, :2].T.ravel())
        image.ImagePositionPatient = decimals(stack.position(k))
        pixels.describe(image)
        if kind != MR or pixels is not PLAIN:
            image.RescaleSlope, image.RescaleIntercept = decimals(pixels.scaling(k))
        if kind == CT:
            image.RescaleType = "HU"
        image.PixelData = pixels.stored(stack, k).tobytes()
        slices.append(image)
    set_fields(slices, fields)
    return slices


def set_fields(images: Sequence[Dataset], fields: dict[str, Any]) -> None:
    """Set, or with None delete, attributes of images; a callable is given the image's number."""
    for k, image in enumerate(images):
        for keyword, value in fields.items():
            value = value(k) if callable(value) else value
            if value is not None:
                setattr(image, keyword, value)
            elif keyword in image:
                delattr(image, keyword)


def _instance(kind: str, name: str, number: Any) -> Dataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = uid("instance", name, number)
    image = Dataset()
    image.file_meta = meta
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID, image.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    image.StudyDate, image.AcquisitionTime = "20200102", "101112"
    image.Modality, image.Manufacturer = MODALITY.get(kind, "OT"), "Unnamed"
    image.PatientName, image.PatientID = "Doe^Jane", "secret-17"
    image.StudyInstanceUID, image.SeriesInstanceUID = uid("study"), uid("series", name)
    image.FrameOfReferenceUID = uid("frame")
    image.SeriesNumber, image.SeriesDescription = 3, f"planted {name}"
    image.AcquisitionNumber = 1
    return image


@dataclass(frozen=True)
class Frame:
    """One frame of an enhanced image: slice k of a stack, and its own functional groups."""

    stack: Stack
    k: int
    groups: dict[str, Dataset] = field(default_factory=dict)


def group(**fields: Any) -> Dataset:
    """One item of a functional group."""
    item = Dataset()
    for keyword, value in fields.items():
        setattr(item, keyword, value)
    return item


def enhanced(
    frames: Sequence[Frame],
    kind: str = ENHANCED_MR,
    pixels: Pixels = PLAIN,
    name: str = "a",
    own: Sequence[str] = (),
) -> Dataset:
    """An enhanced image of these frames in this order.

    own: the functional groups (PlaneOrientationSequence, PixelMeasuresSequence,
    PixelValueTransformationSequence) that each frame states itself; the others are shared.
    """
    first = frames[0].stack
    image = _instance(kind, name, 0)
    image.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    image.InstanceNumber, image.NumberOfFrames = 1, len(frames)
    image.Rows, image.Columns = first.rows, first.columns
    pixels.describe(image)
    image.SharedFunctionalGroupsSequence = [Dataset()]
    image.PerFrameFunctionalGroupsSequence = []
    for number, frame in enumerate(frames):
        item = Dataset()
        heights = frame.stack.heights
        item.FrameContentSequence = [
            group(
                StackID="1",
                InStackPositionNumber=int(np.argsort(np.argsort(heights))[frame.k]) + 1,
                DimensionIndexValues=[1, frame.k + 1],
                TemporalPositionIndex=1,
            )
        ]
        position = decimals(frame.stack.position(frame.k))
        item.PlanePositionSequence = [group(ImagePositionPatient=position)]
        for keyword, macro in _macros(frame, pixels).items():
            if keyword in own:
                setattr(item, keyword, [macro])
            elif number == 0:
                setattr(image.SharedFunctionalGroupsSequence[0], keyword, [macro])
        for keyword, macro in frame.groups.items():
            setattr(item, keyword, [macro])
        image.PerFrameFunctionalGroupsSequence.append(item)
    image.PixelData = b"".join(pixels.stored(f.stack, f.k).tobytes() for f in frames)
    return image


def _macros(frame: Frame, pixels: Pixels) -> dict[str, Dataset]:
    stack = frame.stack
    slope, inter = decimals(pixels.scaling(frame.k))
    return {
        "PlaneOrientationSequence": group(
            ImageOrientationPatient=decimals(stack.axes[:, :2].T.ravel())
        ),
        "PixelMeasuresSequence": group(
            PixelSpacing=decimals(stack.pixel[::-1]), SliceThickness="2.5"
        ),
        "PixelValueTransformationSequence": group(
            RescaleSlope=slope, RescaleIntercept=inter, RescaleType="US"
        ),
    }


def frames_of(stack: Stack, order: Sequence[int] | None = None, **groups: Dataset) -> list[Frame]:
    """The frames of a stack, in this order of its slices."""
    return [Frame(stack, k, groups) for k in (order or range(len(stack.heights)))]


def save(
    images: Sequence[Dataset],
    folder: Path,
    names: Sequence[str] = (),
    syntax: str = ExplicitVRLittleEndian,
) -> Path:
    """Write images, uncompressed or already compressed, to a folder; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, image in enumerate(images):
        if not image.file_meta.TransferSyntaxUID.is_encapsulated:
            if syntax == ExplicitVRBigEndian:
                image.PixelData = _swapped(image)
            image.file_meta.TransferSyntaxUID = syntax
        image.file_meta.MediaStorageSOPClassUID = image.get("SOPClassUID")
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        path = folder / (names[k] if names else f"{k:03}.dcm")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save_as(path, enforce_file_format=bool(image.SOPClassUID))
    return folder


def _swapped(image: Dataset) -> bytes:
    if image.BitsAllocated == 8:
        return image.PixelData
    image["PixelData"].VR = "OW"
    return np.frombuffer(image.PixelData, "<u2").astype(">u2").tobytes()


def deflated(size: int) -> bytes:
    """A raw deflate stream of so many zero bytes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join([*parts, packer.flush()])
