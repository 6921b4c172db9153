"""Volumes through the file and back, and as other libraries read them."""

import gzip
import zlib

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import isal_zlib
from scanmill.grid import Grid
from scanmill.volume_file import DATATYPES, Volume, read_grid, read_volume, write_volume
from test_grid import directions

GRID = Grid((7, 6, 5), (0.7, 0.9, 2.5), (-31.5, 12.25, 70.0), (0, 0, 1, -1, 0, 0, 0, 1, 0))
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
in_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def volume_of(dtype, grid=GRID, seed=0) -> Volume:
    random = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return Volume(random.normal(0, 1e3, grid.shape).astype(kind), grid)
    ends = np.iinfo(kind)
    array = random.integers(ends.min, ends.max, grid.shape, kind, endpoint=True)
    array.ravel()[-1], array.ravel()[0] = ends.max, ends.min
    return Volume(array, grid)


def lossless(low, high):
    """Coordinates as scanners write them, which float32 tells apart."""
    return st.integers(low, high).map(lambda n: n / 100)


@in_folder
@given(
    st.sampled_from(sorted(DATATYPES)),
    st.tuples(*[st.integers(1, 9)] * 3),
    st.tuples(*[lossless(10, 900)] * 3),
    st.tuples(*[lossless(-90000, 90000)] * 3),
    directions(),
)
def test_any_volume_comes_back_and_lies_where_other_libraries_find_it(
    tmp_path, dtype, size, spacing, origin, direction
):
    grid = Grid(size, spacing, origin, direction)
    volume = volume_of(dtype, grid)
    path = tmp_path / "volume.nii.gz"
    write_volume(path, volume)
    back = read_volume(path)
    assert back.array.dtype == volume.array.dtype
    assert back.array.tobytes() == volume.array.tobytes()
    assert back.grid == read_grid(path)
    assert back.grid.spacing == spacing
    assert back.grid.origin == pytest.approx(origin, abs=1e-4)
    assert back.grid.direction == pytest.approx(direction, abs=1e-6)
    corner = np.array(size) - 1
    point = grid.to_physical(corner)

    by_itk = sitk.ReadImage(str(path))
    assert by_itk.TransformIndexToPhysicalPoint(corner.tolist()) == pytest.approx(point, abs=1e-3)
    assert np.array_equal(sitk.GetArrayFromImage(by_itk), volume.array)

    by_nibabel = nibabel.load(path)
    assert np.array_equal(np.asanyarray(by_nibabel.dataobj), volume.array.transpose())
    by_rows = LPS @ by_nibabel.get_sform() @ [*corner, 1]
    assert by_rows[:3] == pytest.approx(point, abs=1e-3)
    # NIfTI leaves out the real part of the quaternion, whose square nibabel takes for 0 within three
    # steps of float32: then the turn is wrong by twice its root.
    lost = 2 * np.sqrt(3 * np.finfo(np.float32).eps)
    by_quaternion = LPS @ by_nibabel.get_qform() @ [*corner, 1]
    reach = np.linalg.norm(corner * spacing)
    assert by_quaternion[:3] == pytest.approx(point, abs=1e-3 + lost * reach)
    assert by_nibabel.header.get_xyzt_units()[0] == "mm"


def test_equal_volumes_give_equal_bytes(tmp_path):
    paths = [tmp_path / name for name in ("a.nii.gz", "b.nii.gz")]
    for path in paths:
        write_volume(path, volume_of("i2"))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize("dtype", sorted(DATATYPES))
def test_the_file_is_one_gzip_member_with_no_name_and_its_checksum(tmp_path, dtype):
    write_volume(tmp_path / "v.nii.gz", volume_of(dtype))
    whole = zlib.decompressobj(wbits=31)
    content = whole.decompress((tmp_path / "v.nii.gz").read_bytes())
    assert whole.eof and whole.unused_data == b""
    assert content[352:] == volume_of(dtype).array.tobytes()
    assert (tmp_path / "v.nii.gz").read_bytes()[3] == 0


def test_views_and_foreign_byte_orders_are_written_as_their_values(tmp_path):
    volume = volume_of("i2")
    for array in (volume.array.astype(">i2"), np.asfortranarray(volume.array)):
        write_volume(tmp_path / "v.nii.gz", Volume(array, GRID))
        assert np.array_equal(read_volume(tmp_path / "v.nii.gz").array, volume.array)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.9, 0.999999])
def test_a_truncated_file_raises(tmp_path, part):
    path = tmp_path / "volume.nii.gz"
    write_volume(path, volume_of("f4", Grid((60, 50, 40), (1.0, 1.0, 1.0))))
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(EOFError):
        read_volume(path)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_voxels_raise(tmp_path, seed):
    path = tmp_path / "volume.nii.gz"
    grid = Grid((60, 50, 40), (1.0, 1.0, 1.0))
    write_volume(path, Volume(np.arange(120000, dtype=np.int32).reshape(grid.shape) % 99, grid))
    content = bytearray(path.read_bytes())
    content[np.random.default_rng(seed).integers(400, len(content) - 8)] ^= 4
    path.write_bytes(content)
    with pytest.raises((ValueError, EOFError, OSError, isal_zlib.error)):
        read_volume(path)


def foreign(**changes) -> bytes:
    """A NIfTI file of another program, with some fields of its header changed."""
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4))
    for key, value in changes.items():
        image.header[key] = value
    return image.header.binaryblock + bytes(4) + bytes(240)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip at all" * 40,
        gzip.compress(b"too short", mtime=0),
        gzip.compress(bytes(2000), mtime=0),
        gzip.compress(foreign(datatype=32), mtime=0),
        gzip.compress(foreign(datatype=0), mtime=0),
        gzip.compress(foreign(magic=b"ni1"), mtime=0),
        gzip.compress(foreign(vox_offset=1024), mtime=0),
        gzip.compress(foreign(dim=[4, 4, 5, 6, 2, 1, 1, 1]), mtime=0),
    ],
)
def test_other_files_raise(tmp_path, content):
    path = tmp_path / "other.nii.gz"
    path.write_bytes(content)
    with pytest.raises((ValueError, EOFError, OSError)):
        read_volume(path)


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "volume.nii.gz"
    write_volume(path, volume_of("i2"))
    before = path.read_bytes()
    with pytest.raises(KeyError):
        write_volume(path, Volume(np.zeros(GRID.shape, complex), GRID))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["volume.nii.gz"]
