"""Whatever a file holds, reading it ends in a volume or in a refusal, and allocates little."""

import math
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.refusal import Refusal
from scanmill.source import read_source
from source_samples import tilted, write_itk, write_series

MEMORY = 64 << 20
DTYPES = ("uint8", "int16", "uint16", "int32", "float32")
NAMES = ["a.nii", "a.nii.gz", "a.nrrd", "z.nrrd", "a.mha", "z.mha", "a.nhdr", "a.mhd"]

mutations = st.one_of(
    st.tuples(
        st.just("flip"), st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=4)
    ),
    # Headers are where mistakes are dangerous, and are short beside the voxels.
    st.tuples(st.just("head"), st.lists(st.tuples(st.integers(0, 540), st.integers(0, 255)))),
    st.tuples(st.just("cut"), st.floats(0, 1)),
    st.tuples(
        st.just("digit"), st.tuples(st.integers(0, 60), st.sampled_from(list(b"0123456789-. eN(")))
    ),
    st.tuples(st.just("join"), st.binary(max_size=40)),
)


def mutated(raw: bytes, mutation) -> bytes:
    kind, how = mutation
    out = bytearray(raw)
    if kind == "flip":
        for place, change in how:
            out[int(place * (len(out) - 1))] ^= change
    elif kind == "head":
        for place, value in how:
            out[place % len(out)] = value
    elif kind == "cut":
        out = out[: int(how * len(out))]
    elif kind == "digit":
        digits = [k for k, byte in enumerate(out[:1000]) if byte in b"0123456789"]
        if digits:
            out[digits[how[0] % len(digits)]] = how[1]
    else:
        out += how
    return bytes(out)


def check(path) -> None:
    tracemalloc.start()
    try:
        volume, _ = read_source(path)
    except Refusal as refusal:
        assert str(path.parent) not in refusal.reason
    else:
        assert volume.array.shape == volume.grid.shape and volume.array.dtype.name in DTYPES
        assert np.isfinite(volume.array).all() and all(math.isfinite(x) for x in volume.grid.origin)
        assert min(volume.grid.spacing) > 0
        turn = np.reshape(volume.grid.direction, (3, 3))
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MEMORY


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    return {name: write_itk(folder / name, tilted(), name.startswith("z")) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=int(os.environ.get("SCANMILL_FUZZ", "60")), deadline=None)
@given(mutation=mutations)
def test_a_damaged_file_is_a_volume_or_a_refusal(scans, name, mutation):
    path = scans[name]
    raw = path.read_bytes()
    try:
        path.write_bytes(mutated(raw, mutation))
        check(path)
    finally:
        path.write_bytes(raw)


@settings(max_examples=int(os.environ.get("SCANMILL_FUZZ", "60")), deadline=None)
@given(mutation=mutations, which=st.integers(0, 4))
def test_a_damaged_slice_is_a_volume_or_a_refusal(tmp_path_factory, mutation, which):
    folder = write_series(tmp_path_factory.mktemp("series"), tilted())
    path = folder / f"{which:03}.dcm"
    path.write_bytes(mutated(path.read_bytes(), mutation))
    check(folder)
