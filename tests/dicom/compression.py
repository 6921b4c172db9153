"""Compressed pixel data, by the codecs of the environment."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gdcm
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID

BY_GDCM = {
    "1.2.840.10008.1.2.4.50": "JPEGBaselineProcess1",
    "1.2.840.10008.1.2.4.51": "JPEGExtendedProcess2_4",
    "1.2.840.10008.1.2.4.57": "JPEGLosslessProcess14",
    "1.2.840.10008.1.2.4.70": "JPEGLosslessProcess14_1",
}


def compressed(images: Sequence[Dataset], syntax: str, **how: Any) -> Sequence[Dataset]:
    """Compress the pixel data of images in place; `how` as in `pydicom.Dataset.compress`."""
    for image in images:
        if syntax in BY_GDCM:
            _compress_by_gdcm(image, syntax)
        else:
            image.compress(UID(syntax), generate_instance_uid=False, **how)
    return images


def _compress_by_gdcm(image: Dataset, syntax: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.dcm"
        _pixels_alone(image).save_as(path, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, BY_GDCM[syntax])))
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path.with_suffix(".packed")))
        if not reader.Read():
            raise ValueError("GDCM does not read the image")
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise ValueError("GDCM does not write that transfer syntax")
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.Write()
        packed = dcmread(path.with_suffix(".packed"))
    image.PixelData = packed.PixelData
    image["PixelData"].VR, image["PixelData"].is_undefined_length = "OB", True
    image.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID


def _pixels_alone(image: Dataset) -> Dataset:
    """The image without what GDCM might take exception to."""
    bare = image.group_dataset(0x0028)
    for keyword in ("SOPClassUID", "SOPInstanceUID", "PixelData"):
        bare[keyword] = image[keyword]
    for keyword in ("PixelSpacing", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        bare.pop(keyword, None)
    bare.file_meta = image.file_meta
    return bare


def frames_packed(image: Dataset) -> list[bytes]:
    """The compressed frames of an image."""
    return list(
        generate_frames(image.PixelData, number_of_frames=int(image.get("NumberOfFrames", 1)))
    )


def repack(image: Dataset, frames: list[bytes], **how: Any) -> Dataset:
    """Put compressed frames back in other fragments; `how` as in `pydicom.encaps.encapsulate`."""
    image.PixelData = encapsulate(frames, **how)
    image["PixelData"].is_undefined_length = True
    return image
