"""Voxels come through with their values, in the smallest type that keeps them, or not at all."""

import gzip
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import scanmill
from isal import igzip
from scanmill.refusal import Refusal
from scanmill.source import read_source
from source_samples import tilted, write_itk

SHAPE = (5, 6, 7)


def nifti(path: Path, array: np.ndarray, slope: float = 1.0, inter: float = 0.0) -> Path:
    """Stored values [z, y, x] and a scaling, as they are, in a NIfTI of array's own byte order."""
    endianness = ">" if array.dtype.byteorder == ">" else "<"
    header = nib.Nifti1Header(endianness=endianness)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape[::-1])
    header.set_sform(np.diag([-0.7, 0.9, 2.5, 1.0]), 1)
    header["pixdim"][1:4] = 0.7, 0.9, 2.5
    header["magic"], header["vox_offset"] = b"n+1", 352
    header["scl_slope"], header["scl_inter"] = slope, inter
    raw = header.binaryblock + b"\0" * 4 + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def refused(path) -> str:
    with pytest.raises(Refusal) as caught:
        read_source(path)
    return caught.value.code


def spread(low, high, dtype) -> np.ndarray:
    """Values from low to high, both of them there, low in the first voxel."""
    values = np.linspace(low, high, np.prod(SHAPE)).astype(dtype)
    values[0], values[-1] = low, high
    return values.reshape(SHAPE)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("stored", "low", "high", "result"),
    [
        ("u1", 0, 255, "uint8"),
        ("i1", -128, 127, "int16"),
        ("i2", -32768, 32767, "int16"),
        ("u2", 0, 65535, "uint16"),
        ("i4", -1024, 3071, "int16"),
        ("i4", 0, 40000, "uint16"),
        ("i4", -1, 40000, "int32"),
        ("i4", -(2**31), 2**31 - 1, "int32"),
        ("u4", 0, 7, "int16"),
        ("u4", 0, 2**31 - 1, "int32"),
        ("i8", -5, 70000, "int32"),
        ("u8", 0, 60000, "uint16"),
        ("f4", -1.5, 7.25, "float32"),
        ("f8", -1.5, 7.25, "float32"),
    ],
)
def test_values_are_kept_in_the_smallest_type(tmp_path, order, stored, low, high, result):
    wrote = spread(low, high, stored)
    path = nifti(tmp_path / "a.nii", wrote.astype(f"{order}{stored}"))
    array = read_source(path)[0].array
    assert (array.dtype.name, array.dtype.isnative, array.shape) == (result, True, SHAPE)
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array, wrote.astype(result))
    np.testing.assert_array_equal(
        array.astype(float), wrote.astype("f4" if stored == "f8" else stored)
    )


@pytest.mark.parametrize(("stored", "value"), [("u4", 2**31), ("i8", -(2**31) - 1), ("u8", 2**63)])
def test_integers_that_would_wrap_are_refused(tmp_path, stored, value):
    wrote = np.zeros(SHAPE, stored)
    wrote[-1, -1, -1] = value
    assert refused(nifti(tmp_path / "a.nii", wrote)) == "type-unsupported"


def test_types_widen_in_mid_file_without_losing_what_came_before(tmp_path):
    wrote = np.zeros((9, 512, 512), np.int32)
    wrote[0, 0, 0], wrote[4, 0, 0], wrote[8, 511, 511] = 7, 50000, -100000
    array = read_source(nifti(tmp_path / "a.nii.gz", wrote))[0].array
    assert array.dtype == np.int32
    np.testing.assert_array_equal(array, wrote)


@pytest.mark.parametrize(
    ("slope", "inter", "result"),
    [
        (1.0, -1024.0, "int16"),
        (2.0, 0.0, "uint16"),
        (-2.0, 100.0, "int32"),
        (0.5, 0.0, "float32"),
        (1.0, 0.25, "float32"),
        (0.0, 9.0, "int16"),
        (np.nan, np.nan, "int16"),
    ],
)
def test_scaling_is_applied_and_whole_numbers_stay_whole(tmp_path, slope, inter, result):
    wrote = spread(0, 32000, np.int16)
    array = read_source(nifti(tmp_path / "a.nii", wrote, slope, inter))[0].array
    scaled = wrote if not slope or np.isnan(slope) else wrote * slope + inter
    assert array.dtype == result
    np.testing.assert_allclose(array.astype(float), scaled, rtol=1e-7)


def test_labels_stored_as_floats_come_back_whole(tmp_path):
    wrote = spread(0, 104, np.float64).round()
    array = read_source(nifti(tmp_path / "a.nii.gz", wrote))[0].array
    np.testing.assert_array_equal(array, np.rint(array))
    np.testing.assert_array_equal(array, wrote)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4"])
def test_one_voxel_that_is_not_finite_is_refused(tmp_path, value, dtype):
    wrote = np.zeros(SHAPE, dtype)
    wrote[-1, -1, -1] = value
    assert refused(nifti(tmp_path / "a.nii.gz", wrote)) == "values-not-finite"


def test_values_beyond_float32_are_refused(tmp_path):
    assert refused(nifti(tmp_path / "a.nii", np.full(SHAPE, 1e300))) == "type-unsupported"
    huge = np.full(SHAPE, 30000, np.int16)
    assert refused(nifti(tmp_path / "a.nii", huge, slope=3e38)) == "type-unsupported"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
@pytest.mark.parametrize("compressed", [False, True])
def test_bytes_after_the_voxels_are_a_warning(tmp_path, name, compressed):
    path = write_itk(tmp_path / name, tilted(), compressed)
    path.write_bytes(path.read_bytes() + b"after the end")
    read, notes = read_source(path)
    np.testing.assert_array_equal(read.array, tilted().array)
    assert [code for code, _ in notes] == ["data-trailing"]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("lost", [1, 9, 50])
def test_a_file_cut_short_is_refused(tmp_path, name, compressed, lost):
    path = write_itk(tmp_path / name, tilted(), compressed)
    path.write_bytes(path.read_bytes()[:-lost])
    assert refused(path) == "data-truncated"


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_damage_that_still_decodes_fails_its_checksum(tmp_path, name):
    wrote = tilted()
    path = write_itk(tmp_path / name, wrote, compressed=True)
    raw = bytearray(path.read_bytes())
    # The checksum itself: last in a zlib stream, followed by the length in gzip.
    raw[-1 if name == "a.mha" else -5] ^= 1
    path.write_bytes(raw)
    assert refused(path) == "data-corrupt"


def test_gzip_of_several_members_is_one_stream(tmp_path):
    path = nifti(tmp_path / "a.nii.gz", tilted().array)
    raw = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(raw[:500]) + gzip.compress(raw[500:]))
    read, notes = read_source(path)
    np.testing.assert_array_equal(read.array, tilted().array)
    assert notes == []


def test_a_header_that_promises_more_than_the_file_can_hold_allocates_nothing(tmp_path):
    path = nifti(tmp_path / "a.nii.gz", tilted().array)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[40:48] = np.array([3, 1200, 1200, 1200], "<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))
    tracemalloc.start()
    assert refused(path) == "data-truncated"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_more_voxels_than_are_accepted_are_refused_by_the_header(tmp_path):
    for sizes in ("2048 2048 1024", "2 2 40000"):
        head = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {sizes}\nencoding: gzip\n\n"
        (tmp_path / "a.nrrd").write_text(head)
        assert refused(tmp_path / "a.nrrd") == "data-oversized"


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_a_bomb_is_unpacked_no_further_than_declared(tmp_path, name):
    path = write_itk(tmp_path / name, tilted(), compressed=True)
    raw, bomb = path.read_bytes(), b"\0" * (64 << 20)
    if name == "a.nii.gz":
        path.write_bytes(gzip.compress(gzip.decompress(raw) + bomb, 1))
    elif name == "a.nrrd":
        head, voxels = raw.split(b"\n\n", 1)
        path.write_bytes(head + b"\n\n" + gzip.compress(gzip.decompress(voxels) + bomb, 1))
    else:
        head, voxels = raw.split(b"LOCAL\n", 1)
        path.write_bytes(head + b"LOCAL\n" + zlib.compress(zlib.decompress(voxels) + bomb, 1))
    tracemalloc.start()
    read, notes = read_source(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(read.array, tilted().array)
    assert [code for code, _ in notes] == ["data-trailing"]
    assert peak < 16 << 20


def test_reading_holds_one_copy_of_the_voxels(tmp_path):
    path = nifti(tmp_path / "a.nii", np.zeros((96, 512, 512), np.int16))
    packed = path.with_suffix(".nii.gz")
    packed.write_bytes(igzip.compress(path.read_bytes(), 1))
    code = (
        "import resource, sys; from pathlib import Path; from scanmill.source import read_source\n"
        "from scanmill.source.nifti import nifti_layout\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "read_source(Path(sys.argv[1]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    library = Path(scanmill.__file__).parents[1]
    out = subprocess.run(
        [sys.executable, "-c", code, packed],
        env={"PYTHONPATH": str(library)},
        capture_output=True,
        check=True,
    )
    unit = 1 if sys.platform == "darwin" else 1024
    voxels = 96 * 512 * 512 * 2
    assert int(out.stdout) * unit < voxels + (24 << 20)
