"""Own reading of NIfTI headers against nibabel's, field by field."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from scanmill.refusal import Refusal
from scanmill.source.nifti_header import parse, qform, sform, spatial_unit

SCALARS = (
    "sizeof_hdr",
    "datatype",
    "bitpix",
    "intent_code",
    "vox_offset",
    "scl_slope",
    "scl_inter",
)
SIZES = {Nifti1Header: (348, "n+1"), Nifti2Header: (540, "n+2")}


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from([Nifti1Header, Nifti2Header]),
    order=st.sampled_from("<>"),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_field_is_nibabels(kind, order, seed):
    length, _ = SIZES[kind]
    bytes_ = np.random.default_rng(seed).integers(0, 256, length, np.uint8)
    bytes_[:4] = np.array([length], f"{order}i4").view(np.uint8)
    theirs = kind(bytes_.tobytes(), order, check=False)
    ours, found = parse(bytes_.tobytes())
    assert found == order
    for name in SCALARS:
        np.testing.assert_array_equal(ours[name], theirs[name])
    for name in ("dim", "pixdim"):
        np.testing.assert_array_equal(ours[name], theirs[name])
    rows = [theirs[f"srow_{a}"] for a in "xyz"]
    np.testing.assert_array_equal(ours["srow"], rows)
    np.testing.assert_array_equal(ours["quatern"], [theirs[f"quatern_{a}"] for a in "bcd"])
    np.testing.assert_array_equal(ours["qoffset"], [theirs[f"qoffset_{a}"] for a in "xyz"])
    for name in ("qform_code", "sform_code"):
        assert ours[name] == theirs[name]
    assert spatial_unit(ours) == theirs["xyzt_units"] % 8


@settings(max_examples=100, deadline=None)
@example(kind=Nifti2Header, axis=(0.0, 0.875, 0.9144294251383105), angle=np.pi, flip=1)
@given(
    kind=st.sampled_from([Nifti1Header, Nifti2Header]),
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    angle=st.one_of(st.floats(-np.pi, np.pi), st.sampled_from([np.pi, -np.pi, np.pi - 1e-4])),
    flip=st.sampled_from([1, -1]),
)
def test_placements_are_nibabels_at_every_angle(kind, axis, angle, flip):
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.7, 1.25, 3.0 * flip])
    affine[:3, 3] = -120.5, 33.25, 900.0
    header = kind()
    header.set_qform(affine, 1)
    header.set_sform(affine, 2)
    ours, _ = parse(header.binaryblock)
    np.testing.assert_array_equal(sform(ours), header.get_sform())
    try:
        theirs = header.get_qform()
    except ValueError:
        # Half turns that nibabel writes, and that its own rounding keeps it from reading.
        np.testing.assert_allclose(qform(ours), affine, rtol=0, atol=1e-6)
    else:
        np.testing.assert_allclose(qform(ours), theirs, rtol=0, atol=1e-10)


def test_a_quaternion_longer_than_one_is_no_rotation():
    header = Nifti1Header()
    header.set_qform(np.eye(4), 1)
    header["quatern_b"] = 1.01
    with pytest.raises(Refusal, match="no rotation"):
        qform(parse(header.binaryblock)[0])
