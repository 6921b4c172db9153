"""Every quirky series is read voxel by voxel at its place, or refused where it must be."""

import numpy as np
import pytest
from cases import Case
from quirks import CASES
from scanmill.refusal import Refusal
from scanmill.source import read_source
from scanmill.source.dicom import find_volume
from stacks import Reading

IDENTITY = ("Doe", "secret", "planted", "Schädel", "spin", "2.25.", "1.2.826", ".dcm")


def reading_of(case: Case, path) -> tuple[Reading | None, str]:
    """What ScanMill makes of a case: a reading or None, and the refusal's code and reason."""
    try:
        volume, _ = read_source(path, case.series, case.volume, case.allow_uneven)
    except Refusal as refusal:
        return None, str(refusal)
    return Reading(volume.array, volume.grid.axes, np.array(volume.grid.origin)), ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_quirky_series_is_read_right_or_refused(case, tmp_path):
    reading, said = reading_of(case, case.write(tmp_path))
    assert case.accepts(case.judge(reading)), said or case.judge(reading)
    if reading is None:
        assert not case.codes or said.split(":")[0] in case.codes, said
        assert not [word for word in (*IDENTITY, str(tmp_path)) if word in said]


READABLE = [case for case in CASES if case.stack is not None and not case.optional]


@pytest.mark.parametrize("case", READABLE, ids=lambda case: case.name)
def test_headers_alone_tell_the_grid_and_each_frame_its_slice(case, tmp_path):
    path, how = case.write(tmp_path), (case.series, case.volume, case.allow_uneven)
    found = find_volume(path, *how)
    assert found.grid == read_source(path, *how)[0].grid
    frames = len({(frame.sop_instance, frame.number) for frame in found.frames})
    assert frames == len(found.frames) == len(case.stack.heights)
    if found.on_slices:
        index = found.grid.to_index([frame.position for frame in found.frames])
        np.testing.assert_allclose(index, [[0, 0, k] for k in range(frames)], atol=case.within)
    assert found.on_slices == case.stack.is_regular
    assert "PixelData" not in found.header()
