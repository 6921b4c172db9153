"""A folder is read only where its slices prove to be one regular stack."""

import shutil

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless, generate_uid
from scanmill.refusal import Refusal
from scanmill.source import read_source
from source_samples import assert_same_body, tilted, write_series


def refused(folder) -> str:
    with pytest.raises(Refusal) as caught:
        read_source(folder)
    assert "Doe" not in caught.value.reason and "secret" not in caught.value.reason
    return caught.value.code


def series_refused(tmp_path, **fields) -> str:
    return refused(write_series(tmp_path / "series", tilted(), **fields))


def position(k: int, moved_slice: int, along_z: float, along_x: float = 0.0) -> list[str]:
    """Where slice k of the tilted stack lies, with one slice moved by so many voxels."""
    index = np.array([0.0, 0, k])
    if k == moved_slice:
        index += [along_x, 0, along_z]
    return [f"{x:.9f}" for x in tilted().grid.to_physical(index)]


def test_hounsfield_units_are_exact_integers(tmp_path):
    folder = write_series(tmp_path, tilted(), RescaleSlope=1, RescaleIntercept=-1024)
    array = read_source(folder)[0].array
    assert array.dtype == np.int16
    np.testing.assert_array_equal(array, tilted().array - 1024)


def test_each_slice_has_its_own_scaling(tmp_path):
    slopes = [0.5, 1.5, 2.0, 0.25, 1.0]
    folder = write_series(tmp_path, tilted(), RescaleSlope=lambda k: slopes[k])
    array = read_source(folder)[0].array
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, tilted().array * np.reshape(slopes, (5, 1, 1)))


def test_slices_scaled_by_whole_numbers_widen_without_wrapping_others(tmp_path):
    wrote = tilted()
    wrote.array -= 5
    slopes = [1, 1, 1, 1, 300]
    folder = write_series(tmp_path, wrote, RescaleSlope=lambda k: slopes[k])
    array = read_source(folder)[0].array
    assert array.dtype == np.int32
    expected = wrote.array.astype(int) * np.reshape(slopes, (5, 1, 1))
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(("dtype", "low"), [(np.uint16, 0), (np.int16, -5)])
def test_bits_that_are_not_stored_do_not_count(tmp_path, dtype, low):
    wrote = tilted()
    wrote.array = (wrote.array + low).astype(dtype)
    folder = write_series(tmp_path, wrote, BitsStored=12, HighBit=11)
    for path in folder.iterdir():
        image = dcmread(path)
        pixels = np.frombuffer(image.PixelData, "<u2")
        image.PixelData = ((pixels & 0x0FFF) | 0xA000).astype("<u2").tobytes()
        image.save_as(path)
    np.testing.assert_array_equal(read_source(folder)[0].array, wrote.array)


def test_run_length_encoding_is_read(tmp_path):
    folder = write_series(tmp_path, tilted())
    for path in folder.iterdir():
        image = dcmread(path)
        image.compress(RLELossless, generate_instance_uid=False)
        image.save_as(path)
    assert_same_body(read_source(folder)[0], tilted())


def test_slices_in_subfolders_count_and_other_files_are_told(tmp_path):
    folder = write_series(tmp_path / "series", tilted())
    (folder / "more").mkdir()
    (folder / "004.dcm").rename(folder / "more" / "004.dcm")
    (folder / "notes.txt").write_text("of the day")
    (folder / ".DS_Store").write_text("of the system")
    read, notes = read_source(folder)
    assert_same_body(read, tilted())
    assert [code for code, _ in notes] == ["files-ignored"]
    assert "notes" not in notes[0][1]


def test_two_series_are_refused(tmp_path):
    folder = write_series(tmp_path / "series", tilted())
    write_series(folder / "other", tilted())
    assert refused(folder) == "dicom-several"


def test_a_missing_slice_is_refused(tmp_path):
    for lost in (1, 2, 3):
        folder = write_series(tmp_path / str(lost), tilted())
        (folder / f"{lost:03}.dcm").unlink()
        assert refused(folder) == "dicom-irregular"


def test_a_slice_that_is_there_twice_counts_once_where_both_are_the_same(tmp_path):
    folder = write_series(tmp_path, tilted())
    shutil.copy(folder / "002.dcm", folder / "copy.dcm")
    read, notes = read_source(folder)
    assert_same_body(read, tilted())
    assert [code for code, _ in notes] == ["duplicates-dropped"]
    image = dcmread(folder / "copy.dcm")
    image.PixelData = bytes([image.PixelData[0] ^ 1]) + image.PixelData[1:]
    image.save_as(folder / "copy.dcm")
    assert refused(folder) == "dicom-irregular"


@pytest.mark.parametrize(("along_z", "along_x"), [(0.1, 0), (-0.1, 0), (0, 0.2), (-2, 0)])
def test_a_slice_out_of_place_is_refused(tmp_path, along_z, along_x):
    moved = lambda k: position(k, 2, along_z, along_x)  # noqa: E731
    assert series_refused(tmp_path, ImagePositionPatient=moved) == "dicom-irregular"


def sheared(k: int) -> list[str]:
    """Where slice k lies of a stack whose slices move by 0.3 pixels along their columns each."""
    return [f"{x:.9f}" for x in tilted().grid.to_physical(np.array([0, 0.3 * k, k]))]


def test_a_tilted_gantry_is_made_orthogonal(tmp_path):
    wrote = tilted()
    # A value that is linear in space stays true under linear interpolation.
    index = np.moveaxis(np.indices(wrote.array.shape)[::-1], 0, -1).astype(float)
    index[..., 1] += 0.3 * index[..., 2]
    direction = np.array([11.0, -23.0, 17.0])
    wrote.array = np.rint(wrote.grid.to_physical(index) @ direction).astype(np.int16)
    folder = write_series(tmp_path, wrote, ImagePositionPatient=sheared)
    read, notes = read_source(folder)
    assert [code for code, _ in notes] == ["tilt-corrected"] and "6.16 degrees" in notes[0][1]
    assert read.grid.spacing == pytest.approx(wrote.grid.spacing)
    index = np.moveaxis(np.indices(read.array.shape)[::-1], 0, -1)
    truth = read.grid.to_physical(index) @ direction
    inside = read.array != -1024
    assert inside.sum() >= wrote.array.size - 5 * 7
    acquired = (index[..., 1] >= 0.3 * index[..., 2]) & (index[..., 1] <= 5 + 0.3 * index[..., 2])
    assert inside[acquired].all()
    assert np.abs(read.array - truth)[acquired].max() <= 1.01


def test_slices_of_an_mr_that_drift_are_refused(tmp_path):
    fields = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "ImagePositionPatient": sheared}
    assert series_refused(tmp_path, **fields) == "dicom-irregular"


def test_uneven_slices_are_resampled_only_where_that_is_allowed(tmp_path):
    heights = [0.0, 1, 2, 4, 5]
    place = lambda k: [  # noqa: E731
        f"{x:.9f}" for x in tilted().grid.to_physical(np.array([0, 0, heights[k]]))
    ]
    folder = write_series(tmp_path, tilted(), ImagePositionPatient=place)
    assert refused(folder) == "dicom-irregular"
    read, notes = read_source(folder, allow_uneven=True)
    assert [code for code, _ in notes] == ["slices-resampled"]
    wrote = tilted().array.astype(float)
    between = np.rint((wrote[2] + wrote[3]) / 2)
    expected = np.stack([*wrote[:3], between, *wrote[3:]])
    np.testing.assert_array_equal(read.array, expected)
    assert read.grid.spacing == pytest.approx(tilted().grid.spacing)


def test_monochrome1_says_how_to_show_values_and_changes_none(tmp_path):
    folder = write_series(tmp_path, tilted(), PhotometricInterpretation="MONOCHROME1")
    assert_same_body(read_source(folder)[0], tilted())


def test_positions_rounded_as_scanners_do_are_regular(tmp_path):
    def rounded(k):
        return [f"{x:.2f}" for x in tilted().grid.to_physical(np.array([0, 0, k]))]

    folder = write_series(tmp_path, tilted(), ImagePositionPatient=rounded)
    grid = read_source(folder)[0].grid
    assert grid.spacing == pytest.approx(tilted().grid.spacing, abs=0.005)
    assert grid.same_as(tilted().grid, tolerance=0.03)


def test_slices_further_apart_than_their_headers_say_are_refused(tmp_path):
    assert series_refused(tmp_path, SpacingBetweenSlices=1.25) == "dicom-irregular"
    folder = write_series(tmp_path / "thin", tilted(), SliceThickness=1.25)
    assert [code for code, _ in read_source(folder)[1]] == ["slices-apart"]
    folder = write_series(tmp_path / "gapped", tilted(), SliceThickness=1, SpacingBetweenSlices=2.5)
    assert read_source(folder)[1] == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("PixelSpacing", None, "geometry-missing"),
        ("ImagePositionPatient", None, "geometry-missing"),
        ("ImageOrientationPatient", None, "geometry-missing"),
        ("PixelSpacing", [0, 0.7], "geometry-invalid"),
        ("ImageOrientationPatient", [1, 0, 0, 0, 2, 0], "geometry-invalid"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "geometry-invalid"),
        ("RescaleSlope", None, "header-invalid"),
        ("RescaleSlope", 0, "header-invalid"),
        ("RescaleType", "OD", "dicom-unsupported"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7", "dicom-unsupported"),
        ("NumberOfFrames", 2, "dicom-unsupported"),
        ("ImageType", ["ORIGINAL", "PRIMARY", "M", "MOSAIC"], "dicom-unsupported"),
        ("SamplesPerPixel", 3, "is-colour"),
        ("PhotometricInterpretation", "PALETTE COLOR", "dicom-unsupported"),
        ("Rows", 5, "data-corrupt"),
        ("BitsAllocated", 32, "type-unsupported"),
        ("HighBit", 14, "header-invalid"),
        ("Rows", None, "header-invalid"),
        ("Rows", 0, "size-zero"),
        ("Rows", 7, "data-truncated"),
        ("PixelData", None, "data-truncated"),
        ("SeriesInstanceUID", lambda k: "2.25.1" if k else None, "header-invalid"),
        ("EchoTime", lambda k: 10 + k % 2, "dicom-irregular"),
        ("ConvolutionKernel", lambda k: "AB"[k % 2], "dicom-irregular"),
        ("PixelSpacing", lambda k: [0.9, 0.7 + 0.1 * (k == 3)], "dicom-irregular"),
        ("FrameOfReferenceUID", lambda k: generate_uid(), "dicom-irregular"),
    ],
)
def test_what_is_not_certain_is_refused(tmp_path, field, value, code):
    assert series_refused(tmp_path, **{field: value}) == code


def test_one_slice_is_not_a_volume(tmp_path):
    folder = write_series(tmp_path, tilted(shape=(1, 6, 7)))
    assert refused(folder) == "not-3d"


def test_a_slice_that_cannot_be_parsed_is_not_left_out(tmp_path):
    folder = write_series(tmp_path, tilted())
    (folder / "999.dcm").write_bytes(b"half a slice")
    assert refused(folder) == "header-invalid"
