"""Stored pixels become measured values; padding becomes nothing that tissue could be."""

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless
from scanmill.refusal import Refusal
from scanmill.source import read_source
from scanmill.source.dicom.codecs import Shape, decode
from source_samples import tilted, write_series

SHAPE = Shape(rows=6, columns=7, allocated=16, stored=16, signed=True)


def written(tmp_path, array: np.ndarray, **fields):
    volume = tilted(array.shape)
    volume.array = array.astype(np.int16)
    return write_series(tmp_path, volume, **fields)


def test_padding_below_air_is_air_wherever_it_lies(tmp_path):
    array = np.full((3, 6, 7), 40)
    array[:, :2, :2] = array[1, 3, 3] = -2000
    folder = written(tmp_path, array, PixelPaddingValue=-2000)
    read, notes = read_source(folder)
    np.testing.assert_array_equal(read.array, np.where(array == -2000, -1024, array))
    assert [code for code, _ in notes] == ["padding"] and notes[0][1].startswith("13 pixels")


def test_padding_of_the_value_of_tissue_is_only_taken_for_it_at_the_edge(tmp_path):
    array = np.full((3, 6, 7), 40)
    array[:, :2, :3] = array[:, 4, 4] = 0
    read, _ = read_source(written(tmp_path, array, PixelPaddingValue=0))
    expected = array.copy()
    expected[:, :2, :3] = -1024
    np.testing.assert_array_equal(read.array, expected)


def test_padding_keeps_the_scaling_of_its_slice(tmp_path):
    array = np.full((3, 6, 7), 40)
    array[:, 0] = -5000
    slopes = [1.0, 2.0, 4.0]
    folder = written(tmp_path, array, PixelPaddingValue=-5000, RescaleSlope=lambda k: slopes[k])
    read, _ = read_source(folder)
    assert (read.array[:, 0] == -1024).all()
    np.testing.assert_array_equal(read.array[:, 1:, 0], np.outer(slopes, [40] * 5))


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_what_is_no_code_stream_is_refused(syntax):
    for encoded in (b"", b"\xff", bytes(4000), b"\xff\xd8" * 100, b"\xff\x4f\xff\x51" + bytes(60)):
        with pytest.raises(Refusal) as caught:
            decode(encoded, syntax, SHAPE)
        assert caught.value.code in ("data-corrupt", "data-truncated")


def test_a_code_stream_of_another_size_is_refused_before_it_is_decoded():
    # A JPEG 2000 stream that declares 4 294 967 295 x 4 294 967 295 pixels.
    size = b"\xff\xff\xff\xff" * 2 + bytes(8) + b"\xff\xff\xff\xff" * 2 + bytes(8)
    encoded = b"\xff\x4f\xff\x51\0\x29\0\0" + size + b"\0\1\x0f\1\1" + bytes(20)
    with pytest.raises(Refusal) as caught:
        decode(encoded, JPEG2000Lossless, SHAPE)
    assert caught.value.code == "data-corrupt" and "4294967295" in caught.value.reason
