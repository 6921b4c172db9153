"""Several volumes in one series are told apart by what proves them whole, chosen, or refused."""

import numpy as np
import pytest
from scanmill.refusal import Refusal
from scanmill.source import read_source
from scanmill.source.dicom import find_volume
from source_samples import assert_same_body, tilted, write_series

MR = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "SeriesInstanceUID": "2.25.7"}
MR |= {"FrameOfReferenceUID": "2.25.8"}


def brighter(by: int):
    volume = tilted()
    volume.array = volume.array + np.int16(by)
    return volume


def series(tmp_path, *parts: dict):
    for n, fields in enumerate(parts):
        write_series(tmp_path / "series" / str(n), brighter(1000 * n), **MR, **fields)
    return tmp_path / "series"


def refused(folder, **how) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_source(folder, **how)
    return caught.value


def test_echoes_are_listed_and_chosen(tmp_path):
    folder = series(tmp_path, {"EchoTime": 4.92}, {"EchoTime": 7.38})
    said = refused(folder)
    assert said.code == "dicom-volumes" and "1: EchoTime 4.92; 2: EchoTime 7.38" in said.reason
    assert_same_body(read_source(folder, volume="2")[0], brighter(1000))
    assert_same_body(read_source(folder, volume="EchoTime=4.92")[0], tilted())
    for wrong in ("3", "0", "-1", "EchoTime=5", "PatientName=Doe^Jane", "EchoTime=", "="):
        assert refused(folder, volume=wrong).code == "dicom-volumes"


def test_two_attributes_together_tell_four_volumes_apart(tmp_path):
    parts = [{"EchoTime": t, "ImageType": ["ORIGINAL", "PRIMARY", w]} for t in (1, 2) for w in "MP"]
    folder = series(tmp_path, *parts)
    assert "holds 4 volumes" in refused(folder).reason
    assert_same_body(read_source(folder, volume="4")[0], brighter(3000))


def test_times_that_jitter_are_told_apart_by_their_order_at_each_place(tmp_path):
    folder = series(
        tmp_path,
        {"TriggerTime": lambda k: 10 + 0.3 * k},
        {"TriggerTime": lambda k: 50 - 0.2 * k},
    )
    assert_same_body(read_source(folder, volume="2")[0], brighter(1000))


def test_a_frame_time_is_never_a_distance(tmp_path):
    folder = write_series(
        tmp_path,
        tilted(),
        **MR,
        ImagePositionPatient=["1", "2", "3"],
        TriggerTime=lambda k: 40 * k,
        FrameTime="40",
    )
    assert refused(folder).code in ("dicom-volumes", "dicom-irregular")
    assert refused(folder, volume="1").code in ("not-3d", "dicom-irregular")


def test_words_of_the_header_are_not_listed_unless_they_are_known(tmp_path):
    parts = [{"ImageType": ["ORIGINAL", "PRIMARY", word]} for word in ("JANE DOE", "M")]
    said = refused(series(tmp_path, *parts))
    assert said.code == "dicom-volumes" and "JANE" not in said.reason and "/M" in said.reason


def test_a_volume_is_found_by_its_headers(tmp_path):
    folder = series(tmp_path, {"EchoTime": 4.92}, {"EchoTime": 7.38})
    found = find_volume(folder, volume="1")
    read, _ = read_source(folder, volume="1")
    assert found.grid == read.grid and found.on_slices
    assert (found.series, found.frame_of_reference) == ("2.25.7", "2.25.8")
    for k, frame in enumerate(found.frames):
        place = found.grid.to_physical(np.array([0, 0, k]))
        np.testing.assert_allclose(frame.position, place, atol=1e-6)
        assert frame.number is None and frame.sop_class == MR["SOPClassUID"]
    header = found.header()
    assert header.SOPInstanceUID == found.frames[0].sop_instance and "PixelData" not in header
