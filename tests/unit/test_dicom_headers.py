"""Headers walked over here are those that pydicom reads, whatever the syntax and the clutter."""

import io
import tracemalloc
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from scanmill.refusal import Refusal
from scanmill.source.dicom import headers
from scanmill.source.dicom.attributes import WANTED, plain
from scanmill.source.dicom.files import File
from source_samples import CT, tilted, write_series

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
decimals = st.floats(-1e4, 1e4).map(lambda x: f"{x:.6g}")


@st.composite
def images(draw) -> Dataset:
    """An image with some of the wanted attributes, and others between them."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID, image.Modality = CT, "1.2.3", "CT"
    image.ImageType = draw(st.lists(st.sampled_from(["ORIGINAL", "AXIAL", "M"]), min_size=2))
    image.PatientName, image.SeriesDescription = "Doe^Jane", draw(st.sampled_from(["", "T1 ax"]))
    image.ImagePositionPatient = [draw(decimals) for _ in range(3)]
    image.PixelSpacing = [draw(decimals) for _ in range(2)]
    image.Rows, image.Columns = draw(st.integers(0, 2**16 - 1)), draw(st.integers(0, 2**16 - 1))
    image.SeriesNumber = draw(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)))
    image.DiffusionBValue = draw(st.floats(0, 1e4))
    image.EchoTime = draw(st.one_of(st.none(), decimals))
    if draw(st.booleans()):
        image.ReferencedImageSequence = [_nested(draw(st.integers(0, 3)))]
        image["ReferencedImageSequence"].is_undefined_length = draw(st.booleans())
    if draw(st.booleans()):
        block = image.private_block(0x0009, "SOMEBODY", create=True)
        block.add_new(0x10, "OB", draw(st.binary(max_size=64)))
    image.PixelData = bytes(8)
    image["PixelData"].VR = "OW"
    return image


def _nested(depth: int) -> Dataset:
    item = Dataset()
    item.ImagePositionPatient, item.Rows = ["9", "9", "9"], 9
    item.is_undefined_length_sequence_item = depth % 2 == 0
    if depth:
        item.ReferencedImageSequence = [_nested(depth - 1)]
        item["ReferencedImageSequence"].is_undefined_length = depth % 3 == 0
    return item


def bytes_of(image: Dataset, syntax: str) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CT, "1.2.3"
    stream = io.BytesIO()
    whole = FileDataset("", image, file_meta=meta, preamble=b"\0" * 128)
    little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    dcmwrite(stream, whole, little_endian=little, implicit_vr=implicit, force_encoding=True)
    return stream.getvalue()


def file_of(raw: bytes) -> File:
    return File(lambda: memoryview(raw), True)


def by_pydicom(raw: bytes) -> dict:
    read = dcmread(io.BytesIO(raw))
    return {
        keyword: plain(keyword, read[tag].value) for tag, keyword in WANTED.items() if tag in read
    }


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@settings(max_examples=40, deadline=None)
@given(image=images())
def test_attributes_are_those_that_pydicom_reads(syntax, image):
    with warnings.catch_warnings(action="ignore"):
        raw = bytes_of(image, syntax)
        header = headers.read_header(file_of(raw))
        assert dict(header.values) == by_pydicom(raw)
    at, length = header.pixels.offset, header.pixels.length
    assert bytes(headers.content(header)[at : at + length]) == bytes(8)


@pytest.mark.parametrize("syntax", SYNTAXES[:3], ids=lambda uid: uid.name)
def test_what_goes_to_pydicom_gives_the_same(syntax, tmp_path):
    path = sorted(write_series(tmp_path, tilted()).iterdir())[0]
    raw = bytes_of(Dataset(dcmread(path)), syntax)
    walked = headers.read_header(file_of(raw))
    fallen = headers._by_pydicom(file_of(raw), memoryview(raw), True)
    assert (dict(fallen.values), fallen.pixels) == (dict(walked.values), walked.pixels)
    assert fallen.syntax == walked.syntax == syntax


@settings(max_examples=150, deadline=None)
@given(image=images(), data=st.data())
def test_a_damaged_header_is_read_as_pydicom_does_or_refused(image, data):
    raw = bytearray(bytes_of(image, data.draw(st.sampled_from(SYNTAXES[:3]))))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(132, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings(action="ignore"):
        try:
            header = headers.read_header(file_of(bytes(raw)))
        except Refusal as refusal:
            assert "Doe" not in refusal.reason
            return
        try:
            truth = by_pydicom(bytes(raw))
        except Exception:
            return
    if header is not None:
        for keyword in header.values.keys() & truth.keys():
            mine = header.values[keyword]
            assert mine is None or unblanked(mine) == unblanked(truth[keyword]), keyword


def unblanked(value) -> str:
    """A value as text, without blanks, which mean nothing at the ends of values."""
    return str(value).replace(" ", "")


def test_a_bomb_in_a_deflated_file_is_refused_in_little_memory(tmp_path):

    image = Dataset(dcmread(sorted(write_series(tmp_path, tilted()).iterdir())[0]))
    image.PixelData = bytes(200 << 20)
    raw = bytes_of(image, DeflatedExplicitVRLittleEndian)
    del image
    tracemalloc.start()
    with pytest.raises(Refusal) as caught:
        headers.read_header(file_of(raw))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "data-oversized" and peak < 80 << 20


@pytest.mark.parametrize("start", [0, 132])
def test_a_deflated_file_whose_header_is_not_in_order_is_not_inflated_by_pydicom(start):
    image = Dataset()
    image.SOPClassUID, image.PatientName, image.PixelData = CT, "Doe^Jane", bytes(64 << 20)
    image["PixelData"].VR = "OW"
    raw = bytearray(bytes_of(image, DeflatedExplicitVRLittleEndian))
    del image
    if start:
        raw[132:134] = b"\2\0"
        raw[136:138] = b"??"  # a value representation that is none

    tracemalloc.start()
    with pytest.raises(Refusal) as caught:
        headers.read_header(file_of(bytes(raw[132 - start :])))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code in ("header-invalid", "data-oversized") and peak < 48 << 20
