"""SEG and RTSTRUCT files: what is in them is read right or refused, and nothing else happens."""

import zipfile
import zlib

import numpy as np
import pytest
from bodies import AXIS_ALIGNED, DIRECTIONS, OBLIQUE, grid_over, mask_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)
from scanmill.grid import Grid
from scanmill.phantom.body import sphere
from scanmill.refusal import Refusal
from scanmill.source.segments import object_file, read_segments
from segment_samples import FRAME, KIDNEY, circle, segmentation, write_rtstruct
from source_samples import tilted, write_itk, write_series

CENTRE = (31.3, -112.7, 402.9)
SPACING = (1.1, 1.4, 2.5)
BALL = sphere(9.0, CENTRE)
PLUGINS = {RLELossless: "pydicom", JPEGLSLossless: "pyjpegls"}
KINDS = ["BINARY", "FRACTIONAL", "LABELMAP"]


def grid_of(direction) -> Grid:
    grid = grid_over(BALL, SPACING, DIRECTIONS[direction], margin=6)
    # A number of pixels that is no multiple of eight: frames then begin within a byte.
    return grid.crop((0, 0, 0), (21, 19, grid.size[2]))


def two_masks(grid) -> dict[str, np.ndarray]:
    ball = mask_of(BALL, grid)
    ball[6] = False
    sheet = np.zeros(grid.shape, bool)
    sheet[4, 7, 3:9] = True
    return {"Ball": ball & ~sheet, "Sheet": sheet}


def put_seg(folder, grid, masks, **options):
    path = folder / "seg.dcm"
    segmentation(grid, masks, **options).save_as(path)
    return path


def points_in(mask) -> set[tuple[float, ...]]:
    index = np.argwhere(mask.array)[:, ::-1] + mask.start
    return {tuple(p) for p in np.round(mask.lattice.to_physical(index), 4).tolist()}


def points_true(array, grid) -> set[tuple[float, ...]]:
    index = np.argwhere(array)[:, ::-1]
    return {tuple(p) for p in np.round(grid.to_physical(index), 4).tolist()}


def near(one: set, other: set) -> bool:
    """The same places, to what sixteen characters of a decimal hold."""
    first, second = (
        np.array(sorted(points, key=lambda p: np.round(p, 2).tolist())) for points in (one, other)
    )
    return first.shape == second.shape and bool(np.abs(first - second).max() < 1e-2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", [*list(AXIS_ALIGNED)[::7], *OBLIQUE])
def test_a_segment_lies_where_it_was(tmp_path, kind, direction):
    grid = grid_of(direction)
    masks = two_masks(grid)
    segments = read_segments(put_seg(tmp_path, grid, masks, kind=kind), grid)
    assert [s.name for s in segments.listed] == ["Ball", "Sheet"]
    assert {s.frame_of_reference for s in segments.listed} == {FRAME}
    for number, array in enumerate(masks.values()):
        mask, notes = segments.mask(number)
        assert near(points_in(mask), points_true(array, grid))
        assert [code for code, _ in notes] == ["labels-thresholded"] * (kind == "FRACTIONAL")
        assert mask.lattice.spacing == pytest.approx(SPACING)


def test_overlapping_segments_stay_whole(tmp_path):
    grid = grid_of("oblique")
    ball = mask_of(BALL, grid)
    inner = mask_of(sphere(5.0, CENTRE), grid)
    segments = read_segments(put_seg(tmp_path, grid, {"organ": ball, "tumour": inner}), grid)
    for number, array in enumerate((ball, inner)):
        assert near(points_in(segments.mask(number)[0]), points_true(array, grid))


def test_fractions_count_from_one_half(tmp_path):
    grid = grid_of("xyz+++")
    array = np.zeros(grid.shape, np.float32)
    array[3, 4, 2:6] = [0.2, 0.49, 0.51, 1.0]
    segments = read_segments(put_seg(tmp_path, grid, {"a": array}, kind="FRACTIONAL"), grid)
    assert near(points_in(segments.mask(0)[0]), points_true(array > 0.5, grid))


def test_implicit_encoding(tmp_path):
    grid = grid_of("oblique")
    masks = two_masks(grid)
    path = put_seg(tmp_path, grid, masks, transfer_syntax_uid=ImplicitVRLittleEndian)
    assert near(points_in(read_segments(path, grid).mask(1)[0]), points_true(masks["Sheet"], grid))


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("syntax", list(PLUGINS))
def test_compressed(tmp_path, kind, syntax):
    grid = grid_of("oblique")
    masks = two_masks(grid)
    path = put_seg(tmp_path, grid, masks, kind=kind)
    dataset = dcmread(path)
    # GDCM's encoder aborts the process on frames this small.
    dataset.compress(syntax, encoding_plugin=PLUGINS[syntax])
    dataset.save_as(path)
    segments = read_segments(path, grid)
    for number, array in enumerate(masks.values()):
        assert near(points_in(segments.mask(number)[0]), points_true(array, grid))


def test_deflated(tmp_path):
    grid = grid_of("oblique")
    masks = two_masks(grid)
    path = put_seg(tmp_path, grid, masks)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    segments = read_segments(path, grid)
    assert near(points_in(segments.mask(0)[0]), points_true(masks["Ball"], grid))


def changed(path, change):
    dataset = dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def frames(dataset):
    return dataset.PerFrameFunctionalGroupsSequence


def shuffle(dataset):
    order = np.random.default_rng(1).permutation(len(frames(dataset)))
    size = dataset.Rows * dataset.Columns
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8), bitorder="little")
    bits = bits[: size * len(order)].reshape(-1, size)[order].ravel()
    dataset.PixelData = np.packbits(bits, bitorder="little").tobytes() + b"\0"
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2 * 2]
    dataset.PerFrameFunctionalGroupsSequence = [frames(dataset)[n] for n in order]


def test_the_order_of_frames_says_nothing(tmp_path):
    grid = grid_of("oblique")
    masks = two_masks(grid)
    segments = read_segments(changed(put_seg(tmp_path, grid, masks), shuffle), grid)
    for number, array in enumerate(masks.values()):
        assert near(points_in(segments.mask(number)[0]), points_true(array, grid))


def without_spacing(dataset):
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    if "SpacingBetweenSlices" in measures:
        del measures.SpacingBetweenSlices


def test_every_second_slice_is_what_the_stated_spacing_makes_of_it(tmp_path):
    grid = grid_of("oblique")
    array = mask_of(BALL, grid)
    array[1::2] = False
    path = put_seg(tmp_path, grid, {"a": array})

    def state(dataset):
        measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        measures.SpacingBetweenSlices = 2.5

    segments = read_segments(changed(path, state), grid)
    mask, _ = segments.mask(0)
    assert mask.lattice.spacing[2] == 2.5
    assert near(points_in(mask), points_true(array, grid))
    with pytest.raises(Refusal, match=r"5 mm apart and 2\.5 mm thick"):
        read_segments(changed(path, without_spacing), grid)


def test_the_distance_of_planes_where_it_is_not_stated(tmp_path):
    grid = grid_of("oblique")
    masks = two_masks(grid)
    segments = read_segments(changed(put_seg(tmp_path, grid, masks), without_spacing), grid)
    mask, _ = segments.mask(0)
    assert mask.lattice.spacing[2] == pytest.approx(2.5, abs=1e-6)
    assert near(points_in(mask), points_true(masks["Ball"], grid))


def test_one_plane_is_as_thick_as_it_says(tmp_path):
    grid = grid_of("oblique")
    path = put_seg(tmp_path, grid, {"sheet": two_masks(grid)["Sheet"]})
    mask, _ = read_segments(changed(path, without_spacing), grid).mask(0)
    assert mask.lattice.spacing[2] == 2.5 and mask.array.sum() == 6

    def without_thickness(dataset):
        del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness

    with pytest.raises(Refusal, match="how thick"):
        read_segments(changed(path, without_thickness), grid)


def move(dataset, number, step):
    position = frames(dataset)[number].PlanePositionSequence[0]
    position.ImagePositionPatient = list(np.add(position.ImagePositionPatient, step))


def turn(dataset):
    group = frames(dataset)[2]
    orientation = Dataset()
    orientation.ImageOrientationPatient = [0, 1, 0, 1, 0, 0]
    group.PlaneOrientationSequence = [orientation]


def twice(dataset):
    frames(dataset)[1].PlanePositionSequence = frames(dataset)[0].PlanePositionSequence


def unknown(dataset):
    identification = frames(dataset)[0].SegmentIdentificationSequence[0]
    identification.ReferencedSegmentNumber = 9


def unplaced(dataset):
    del frames(dataset)[0].PlanePositionSequence


def numbered(dataset):
    dataset.SegmentSequence[1].SegmentNumber = 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: move(d, 2, (0, 0, 0.9)), "planes"),
        (lambda d: move(d, 2, (0.9, 0, 0)), "shifted"),
        (lambda d: move(d, 2, (np.inf, 0, 0)), "."),
        (turn, "differ in direction"),
        (twice, "two frames"),
        (unknown, "not described"),
        (unplaced, "PlanePositionSequence"),
        (numbered, "one number"),
        (lambda d: setattr(d, "PixelData", d.PixelData[:100]), "fewer pixels"),
        (lambda d: setattr(d, "Rows", 30000), "fewer pixels|span"),
        (lambda d: setattr(d, "NumberOfFrames", 900), "not described"),
        (lambda d: setattr(d, "BitsAllocated", 32), "1, 8 or 16 bits"),
        (lambda d: setattr(d, "SegmentationType", "OTHER"), "unknown type"),
        (lambda d: delattr(d, "SegmentSequence"), "cannot be interpreted"),
    ],
)
def test_a_seg_that_does_not_prove_itself_is_refused(tmp_path, change, words):
    grid = grid_of("xyz+++")
    path = changed(put_seg(tmp_path, grid, two_masks(grid)), change)
    with pytest.raises(Refusal, match=words) as refusal:
        segments = read_segments(path, grid)
        for number in range(2):
            segments.mask(number)
    assert "Ball" not in refusal.value.reason


CIRCLE = circle(np.array(CENTRE), 6.0, np.eye(3)[0], np.eye(3)[1], 24)
SCAN = grid_over(BALL, SPACING, margin=6)


def put_set(folder, rois, **options):
    return write_rtstruct(folder / "set.dcm", rois, **options)


def test_open_contours_and_points_are_left_out_and_repeated_ones_dropped(tmp_path):
    contours = [CIRCLE, CIRCLE, ("POINT", CIRCLE[:1]), ("OPEN_PLANAR", CIRCLE), CIRCLE[:2]]
    segments = read_segments(put_set(tmp_path, {"a": contours, "b": [CIRCLE]}), SCAN)
    mask, notes = segments.mask(0)
    assert [code for code, _ in notes] == ["contours-open", "contours-repeated"]
    assert notes[0][1].startswith("3 ")
    assert np.array_equal(mask.array, segments.mask(1)[0].array) and mask.array.any()


@pytest.mark.parametrize("contours", [[], [("POINT", CIRCLE[:1])], [("OPEN_PLANAR", CIRCLE)]])
def test_an_roi_without_closed_contours_is_an_empty_structure(tmp_path, contours):
    segments = read_segments(put_set(tmp_path, {"Doe": contours, "b": [CIRCLE]}), SCAN)
    with pytest.raises(Refusal) as refusal:
        segments.mask(0)
    assert refusal.value.code == "structure-empty" and "Doe" not in refusal.value.reason
    assert segments.mask(1)[0].array.any()


def contour(dataset, **sets):
    for keyword, value in sets.items():
        setattr(dataset.ROIContourSequence[0].ContourSequence[0], keyword, value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: contour(d, NumberOfContourPoints=23), "72 coordinates"),
        (lambda d: contour(d, ContourData=["1", "2", "3", "4"]), "4 coordinates"),
        (lambda d: contour(d, ContourData=["nan"] * 72), "nowhere"),
        (lambda d: contour(d, ContourData=["1e7"] * 72), "100 m"),
        (lambda d: contour(d, ContourOffsetVector=[0, 0, 5]), "offset"),
        (lambda d: delattr(d, "ROIContourSequence"), "cannot be interpreted"),
        (lambda d: setattr(d.StructureSetROISequence[1], "ROINumber", 1), "one number"),
    ],
)
def test_an_rtstruct_that_cannot_be_trusted_is_refused(tmp_path, change, words):
    path = changed(put_set(tmp_path, {"Doe": [CIRCLE], "b": [CIRCLE]}), change)
    with pytest.raises(Refusal, match=words) as refusal:
        read_segments(path, SCAN).mask(0)
    assert "Doe" not in refusal.value.reason


def test_a_coordinate_that_is_no_number_does_not_end_its_contour(tmp_path):
    path = put_set(tmp_path, {"Doe": [CIRCLE]})
    changed(path, lambda d: contour(d, NumberOfContourPoints=None))
    drawn = dcmread(path).ROIContourSequence[0].ContourSequence[0].ContourData
    text = "\\".join(map(str, drawn)).encode()
    half = "\\".join(map(str, drawn[:36])).encode()
    raw = path.read_bytes()
    path.write_bytes(raw.replace(text, half + b"\\x" + text[len(half) + 2 :]))
    assert path.stat().st_size == len(raw) and path.read_bytes() != raw
    with pytest.raises(Refusal) as refusal:
        read_segments(path, SCAN).mask(0)
    assert refusal.value.code == "header-invalid" and "Doe" not in refusal.value.reason


def test_coordinates_may_be_padded_and_the_file_without_preamble(tmp_path):
    path = put_set(tmp_path, {"a": [CIRCLE]}, syntax=ImplicitVRLittleEndian)
    plain, _ = read_segments(path, SCAN).mask(0)
    dataset = dcmread(path)
    data = [f" {x} " for x in np.ravel(CIRCLE)]
    raw = dataset.ROIContourSequence[0].ContourSequence[0]
    raw.ContourData = [text[:16] for text in data]
    dataset.save_as(path, enforce_file_format=False)
    content = path.read_bytes()
    path.write_bytes(content[content.index(b"\x08\0\x16\0") :])
    padded, _ = read_segments(path, SCAN).mask(0)
    assert np.array_equal(plain.array, padded.array)


def test_a_folder_or_archive_that_holds_one_object(tmp_path):
    series = write_series(tmp_path / "series", tilted())
    path = put_set(tmp_path, {"a": [CIRCLE]})
    assert read_segments(series, SCAN) is None
    (series / "deeper").mkdir()
    path.rename(series / "deeper" / "IM1")
    assert len(read_segments(series, SCAN).listed) == 1
    archive = tmp_path / "both.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in (path for path in series.rglob("*") if path.is_file()):
            packed.write(file, file.name)
    assert len(read_segments(archive, SCAN).listed) == 1
    put_set(series, {"a": [CIRCLE]})
    with pytest.raises(Refusal, match="2 segmentations or structure sets") as refusal:
        read_segments(series, SCAN)
    assert refusal.value.code == "labels-ambiguous"


def test_what_is_no_such_object_is_left_to_others(tmp_path):
    nowhere = tmp_path / "nothing.dcm"
    junk = tmp_path / "junk.dcm"
    junk.write_bytes(b"\x08\0" + bytes(range(256)) * 20)
    label_map = write_itk(tmp_path / "labels.nrrd", tilted())
    image = sorted(write_series(tmp_path / "series", tilted()).iterdir())[0]
    for path in (nowhere, junk, label_map, image):
        assert read_segments(path, SCAN) is None


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_that_ends_early_is_refused(tmp_path, syntax):
    path = put_set(tmp_path, {"a": [CIRCLE] * 2, "b": [CIRCLE]}, syntax=syntax)
    content = path.read_bytes()
    for cut in range(700, len(content) - 1, 97):
        path.write_bytes(content[:cut])
        with pytest.raises(Refusal):
            segments = read_segments(path, SCAN)
            assert segments is not None
            segments.mask(0)


def test_more_items_than_memory_holds_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = put_set(tmp_path, {"a": [CIRCLE] * 50})
    monkeypatch.setattr(object_file, "MOST_ITEMS", 50)
    with pytest.raises(Refusal, match="up to 50") as refusal:
        read_segments(path, SCAN)
    assert refusal.value.code == "data-oversized"


def test_a_bomb_is_refused_with_memory_bounded(tmp_path, monkeypatch):
    path = put_set(tmp_path, {"a": [CIRCLE]}, syntax=DeflatedExplicitVRLittleEndian)
    assert read_segments(path, SCAN).mask(0)[0].array.any()
    content = path.read_bytes()
    start = 144 + int.from_bytes(content[140:144], "little")
    packer = zlib.compressobj(wbits=-15)
    path.write_bytes(content[:start] + packer.compress(bytes(1 << 26)) + packer.flush())
    monkeypatch.setattr(object_file, "LARGEST_INFLATED", 1 << 24)
    monkeypatch.setattr(object_file, "dcmread", None)
    with pytest.raises(Refusal, match="inflate to more than"):
        read_segments(path, SCAN)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
    st.sampled_from(["set", "BINARY", "LABELMAP"]),
)
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, changes, kind):
    folder = tmp_path_factory.getbasetemp() / f"damaged {kind}"
    if not folder.exists():
        folder.mkdir()
        if kind == "set":
            put_set(folder, {"a": [CIRCLE, CIRCLE + 1], "b": [CIRCLE]})
        else:
            put_seg(folder, SCAN, {"a": mask_of(BALL, SCAN)}, kind=kind)
    (path,) = (path for path in folder.iterdir() if path.suffix == ".dcm")
    content = bytearray(path.read_bytes())
    for place, new in changes:
        at = 140 + int(place * (len(content) - 140))
        content[at : at + len(new)] = new
    damaged = folder / "damaged"
    damaged.write_bytes(content)
    try:
        segments = read_segments(damaged, SCAN)
        for number in range(len(segments.listed) if segments else 0):
            segments.mask(number)
    except Refusal:
        pass
    finally:
        damaged.unlink()


def test_codes_and_sides(tmp_path):
    grid = grid_of("xyz+++")
    path = put_seg(tmp_path, grid, two_masks(grid), code={"Sheet": KIDNEY})

    def side(dataset):
        kind = dataset.SegmentSequence[1].SegmentedPropertyTypeCodeSequence[0]
        modifier = Dataset()
        modifier.CodeValue, modifier.CodingSchemeDesignator = "G-A101", "SRT"
        modifier.CodeMeaning = "Left"
        kind.SegmentedPropertyTypeModifierCodeSequence = [modifier]

    ball, sheet = read_segments(changed(path, side), grid).listed
    assert ball.laterality is None and sheet.laterality == "left"
    assert sheet.code.value == KIDNEY[0]


def test_the_librarys_own_structure_set():
    path = get_testdata_file("rtstruct.dcm", download=False)
    segments = read_segments(path, Grid((64, 64, 20), (1.0, 1.0, 2.0)))
    mask, notes = segments.mask(0)
    # Three rectangles of 400 x 300 mm, 10 mm apart, each through pixel centres of this grid.
    assert mask.array.sum() == 400 * 300 * 11
    assert [code for code, _ in notes] == ["contours-interpolated"]
    for number in (1, 2):
        with pytest.raises(Refusal, match="but 1 open"):
            segments.mask(number)


def test_frames_wobble_with_the_slices_that_they_were_drawn_on(tmp_path):
    wobble = np.random.default_rng(5).uniform(-0.02, 0.02, (9, 3))
    grid = Grid((12, 10, 9), (0.35, 0.35, 0.4), (-31.5, 12.25, 70.0), SCAN.direction)
    ball = np.zeros(grid.shape, bool)
    ball[:, 2:7, 3:8] = np.random.default_rng(6).random((9, 5, 5)) < 0.5
    path = put_seg(tmp_path, grid, {"a": ball})

    def move(dataset):
        for frame, away in zip(dataset.PerFrameFunctionalGroupsSequence, wobble, strict=True):
            place = frame.PlanePositionSequence[0]
            moved = np.array(place.ImagePositionPatient, float) + away
            place.ImagePositionPatient = [f"{x:.4f}" for x in moved]

    found, _ = read_segments(changed(path, move), grid).mask(0)
    assert found.start == (0, 0, 0) and np.array_equal(found.array, ball)
