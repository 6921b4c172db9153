"""The same body lies at the same LPS points, in whatever format and orientation it was written."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source import read_source
from scanmill.volume_file import Volume
from source_samples import assert_same_body, grids, tilted, write_itk, write_series

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
VALUES = np.arange(7 * 6 * 5, dtype=np.int16).reshape(5, 6, 7) - 50


def affine(grid: Grid) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = grid.axes, grid.origin
    return RAS @ matrix


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
@settings(max_examples=25, deadline=None)
@given(grid=grids())
def test_what_simpleitk_wrote_lies_where_it_was(tmp_path_factory, name, grid):
    wrote = Volume(VALUES, grid)
    path = write_itk(tmp_path_factory.mktemp("scan") / name, wrote, compressed=True)
    read, notes = read_source(path)
    assert_same_body(read, wrote)
    assert read.grid.spacing == grid.spacing
    assert read.array.dtype == np.int16 and notes == []


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@settings(max_examples=25, deadline=None)
@given(grid=grids())
def test_what_nibabel_wrote_in_ras_lies_in_lps(tmp_path_factory, kind, grid):
    image = kind(VALUES.T, affine(grid))
    image.set_qform(affine(grid), 1)
    path = tmp_path_factory.mktemp("scan") / "a.nii.gz"
    nib.save(image, path)
    read, _ = read_source(path)
    assert_same_body(read, Volume(VALUES, grid), tolerance=2e-4)
    assert read.grid.spacing == grid.spacing


@settings(max_examples=15, deadline=None)
@given(grid=grids(proper=True))
def test_a_dicom_series_lies_where_its_slices_say(tmp_path_factory, grid):
    wrote = Volume(VALUES, grid)
    folder = write_series(tmp_path_factory.mktemp("series"), wrote, order=[3, 0, 4, 1, 2])
    read, _ = read_source(folder)
    assert_same_body(read, wrote)
    np.testing.assert_allclose(read.grid.spacing, grid.spacing, rtol=1e-6)


def test_slices_stacked_against_the_normal_are_turned_and_stay_in_place(tmp_path):
    grid = tilted().grid
    direction = np.reshape(grid.direction, (3, 3)) * [1, 1, -1]
    mirrored = Grid(grid.size, grid.spacing, grid.origin, tuple(direction.ravel()))
    wrote = Volume(VALUES, mirrored)
    read, _ = read_source(write_series(tmp_path / "series", wrote))
    assert_same_body(read, wrote)
    assert np.linalg.det(np.reshape(read.grid.direction, (3, 3))) > 0


def test_flips_and_permutations_of_one_body_are_one_body(tmp_path):
    wrote = tilted()
    for axes in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
        for flips in ((), (0,), (0, 1, 2)):
            image = nib.Nifti1Image(wrote.array.T, affine(wrote.grid))
            codes = np.array([[a, -1.0 if k in flips else 1.0] for k, a in enumerate(axes)])
            nib.save(image.as_reoriented(codes), tmp_path / "a.nii")
            assert_same_body(read_source(tmp_path / "a.nii")[0], wrote)


def header_changed(tmp_path, **fields):
    """A NIfTI of spacing (0.7, 0.9, 2.5) with sform and qform, and some header fields replaced."""
    wrote = tilted()
    image = nib.Nifti1Image(wrote.array.T, affine(wrote.grid))
    image.set_qform(affine(wrote.grid), 1)
    nib.save(image, tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    header = nib.Nifti1Header(bytes(raw[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    raw[:348] = header.binaryblock
    (tmp_path / "a.nii").write_bytes(raw)
    return tmp_path / "a.nii"


def refused(path) -> str:
    with pytest.raises(Refusal) as caught:
        read_source(path)
    return caught.value.code


@pytest.mark.parametrize(("unit", "factor"), [(1, 1000.0), (2, 1.0), (3, 0.001), (0, 1.0)])
def test_units_are_honoured(tmp_path, unit, factor):
    grid = read_source(header_changed(tmp_path, xyzt_units=unit))[0].grid
    assert grid.spacing == pytest.approx(np.multiply(tilted().grid.spacing, factor), rel=1e-12)
    assert grid.origin == pytest.approx(np.multiply(tilted().grid.origin, factor), rel=1e-6)


@pytest.mark.parametrize("shift", [0.02, np.nan])
def test_two_placements_that_differ_are_a_conflict(tmp_path, shift):
    moved = affine(tilted().grid)[:3, 3] + [0, 0, shift]
    code = "geometry-conflict" if np.isfinite(shift) else "geometry-invalid"
    assert refused(header_changed(tmp_path, qoffset_x=moved[0], qoffset_z=moved[2])) == code


def test_placements_that_differ_by_a_hair_agree(tmp_path):
    moved = affine(tilted().grid)[2, 3] + 0.005
    read, _ = read_source(header_changed(tmp_path, qoffset_z=moved))
    assert_same_body(read, tilted())


def test_a_conflict_far_from_the_origin_is_seen(tmp_path):
    # Both agree at the first voxel, and drift apart along the axes.
    wrote = tilted()
    path = header_changed(tmp_path, pixdim=[1, 0.7, 0.9, 2.51, 0, 0, 0, 0])
    assert refused(path) == "geometry-conflict"
    assert_same_body(read_source(header_changed(tmp_path, qform_code=0))[0], wrote)


def test_qform_alone_and_sform_alone_agree(tmp_path):
    for fields in ({"sform_code": 0}, {"qform_code": 0}):
        assert_same_body(read_source(header_changed(tmp_path, **fields))[0], tilted())


def test_the_sform_outranks_a_spacing_that_differs_and_says_so(tmp_path):
    path = header_changed(tmp_path, qform_code=0, pixdim=[1, 3, 3, 3, 0, 0, 0, 0])
    read, notes = read_source(path)
    assert_same_body(read, tilted())
    assert [code for code, _ in notes] == ["spacing-ignored"]


def test_a_file_with_spacing_only_is_read_with_a_warning(tmp_path):
    path = header_changed(tmp_path, sform_code=0, qform_code=0)
    read, notes = read_source(path)
    assert read.grid.spacing == (0.7, 0.9, 2.5)
    np.testing.assert_array_equal(read.grid.axes, np.diag([-0.7, -0.9, 2.5]))
    assert [code for code, _ in notes] == ["geometry-assumed"]


def test_a_file_that_was_told_nothing_has_no_geometry(tmp_path):
    for pixdim in ([1, 1, 1, 1, 0, 0, 0, 0], [0] * 8):
        path = header_changed(tmp_path, sform_code=0, qform_code=0, xyzt_units=0, pixdim=pixdim)
        assert refused(path) == "geometry-missing"


@pytest.mark.parametrize(
    "fields",
    [
        {"qform_code": 0, "srow_x": [0.0, 0.0, 0.0, 5.0]},
        {"qform_code": 0, "srow_x": [0.7, 0.4, 0.0, 5.0]},
        {"qform_code": 0, "srow_y": [np.nan, 0.4, 0.0, 5.0]},
        {"sform_code": 0, "pixdim": [1, 0.7, -0.9, 2.5, 0, 0, 0, 0]},
        {"sform_code": 0, "pixdim": [1, 0.7, 0.0, 2.5, 0, 0, 0, 0]},
        {"sform_code": 0, "pixdim": [1, 0.7, np.nan, 2.5, 0, 0, 0, 0]},
        {"sform_code": 0, "quatern_b": 3.0},
        {"sform_code": 0, "qoffset_x": np.inf},
        {"sform_code": 0, "qoffset_x": 2e5},
        {"sform_code": 0, "qform_code": 0, "pixdim": [1, 0.7, 0.0, 2.5, 0, 0, 0, 0]},
    ],
)
def test_impossible_geometry_is_refused(tmp_path, fields):
    assert refused(header_changed(tmp_path, **fields)) == "geometry-invalid"


def nrrd_changed(tmp_path, old: bytes, new: bytes):
    path = write_itk(tmp_path / "a.nrrd", tilted())
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("space", "turn"),
    [("right-anterior-superior", (-1, -1, 1)), ("LAS", (1, -1, 1)), ("left-posterior-superior", 1)],
)
def test_nrrd_spaces_are_turned_to_lps(tmp_path, space, turn):
    path = nrrd_changed(tmp_path, b"left-posterior-superior", space.encode())
    grid = read_source(path)[0].grid
    np.testing.assert_allclose(grid.origin, np.multiply(tilted().grid.origin, turn))
    np.testing.assert_allclose(grid.axes.T, (tilted().grid.axes.T * turn), atol=1e-12)


def test_nrrd_without_a_known_space_has_no_geometry(tmp_path):
    path = nrrd_changed(tmp_path, b"space: left-posterior-superior", b"space: scanner-xyz")
    assert refused(path) == "geometry-missing"


def test_nrrd_with_spacings_only_is_read_with_a_warning(tmp_path):
    raw = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 3 4\nspacings: 0.7 1 2\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(raw + bytes(range(24)))
    read, notes = read_source(tmp_path / "a.nrrd")
    assert read.grid == Grid((2, 3, 4), (0.7, 1.0, 2.0))
    assert [code for code, _ in notes] == ["geometry-assumed"]
    (tmp_path / "a.nrrd").write_bytes(raw.replace(b"spacings: 0.7 1 2\n", b"") + bytes(range(24)))
    assert refused(tmp_path / "a.nrrd") == "geometry-missing"


def metaimage(tmp_path, *lines: str):
    head = ["ObjectType = Image", "NDims = 3", "DimSize = 2 3 4", "ElementType = MET_UCHAR"]
    text = "\n".join([*head, *lines, "ElementDataFile = LOCAL\n"])
    (tmp_path / "a.mha").write_bytes(text.encode() + bytes(range(24)))
    return tmp_path / "a.mha"


def test_metaimage_without_directions_is_read_with_a_warning(tmp_path):
    read, notes = read_source(metaimage(tmp_path, "ElementSpacing = 1 2 3", "Offset = 4 5 6"))
    assert read.grid == Grid((2, 3, 4), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    assert [code for code, _ in notes] == ["geometry-assumed"]
    assert refused(metaimage(tmp_path, "Offset = 4 5 6")) == "geometry-missing"
    assert refused(metaimage(tmp_path, "ElementSpacing = 1 0 3")) == "geometry-invalid"


def test_metaimage_units_are_honoured(tmp_path):
    path = metaimage(tmp_path, "ElementSpacing = 1 2 3", "Offset = 4 5 6", "DistanceUnits = cm")
    grid = read_source(path)[0].grid
    assert (grid.spacing, grid.origin) == ((10.0, 20.0, 30.0), (40.0, 50.0, 60.0))
