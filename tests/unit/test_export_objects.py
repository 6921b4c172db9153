"""The objects: whole to independent readers, valid, the same each time, without the patient."""

import json
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import trimesh
from export_samples import (
    CASE,
    CODE,
    FRAME,
    GRIDS,
    KEY,
    PLANTED,
    PRIVATE,
    ROOT,
    SERIES,
    STUDY,
    Planted,
    dice,
    errors_of,
    found_on,
    masks_on,
    read_by_dcmqi,
    read_by_plastimatch,
    reader,
    run,
    source_on,
    structure,
    write_series,
)
from highdicom.seg import segread
from pydicom import dcmread
from pydicom.uid import EnhancedCTImageStorage
from scanmill import yaml_file
from scanmill.export.identity import Original, Pseudonyms
from scanmill.export.instance import write_object
from scanmill.export.measurement_report import measurement_report
from scanmill.export.segmentation_object import binary_segmentation, label_map_segmentation
from scanmill.export.source_images import source_images
from scanmill.export.structure_set import structure_set
from scanmill.export.structures import ALGORITHMS, exported
from scanmill.export.surface_object import surface_object
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.recipe import load
from scanmill.source.dicom import FoundFrame
from scanmill.surface import boundaries, surface_of

ROW = {
    "volume_mm3": "12345.67891",
    "surface_area_mm2": "0.001234567891",
    "axial_long_mm": "30.5",
    "axial_short_mm": "",
    "stat_mean": "-1.234567891e-05",
    "stat_min": "-1000",
    "stat_max": "3071",
    "stat_var": "123.4",
}
# What the validator of 2022 does not know: the label map segmentation (2024), whose background is 0.
OF_ITS_AGE = ("SegmentNumber not monotonically", "Information Object Not found")


def structures_on(grid, **said):
    return [structure(name.replace(" ", "-"), m, **said) for name, m in masks_on(grid).items()]


def organ_and_tumour(grid):
    """A ball, and a smaller one in it: left, and abnormal."""
    masks = masks_on(grid)
    ball = masks["sphere with a cavity"]
    inner = np.zeros(grid.shape, bool)
    inner[6:10, 14:20, 8:14] = ball[6:10, 14:20, 8:14]
    return [
        structure("organ", ball, laterality="left"),
        structure("gtv", inner, category="abnormal", colour="#102030"),
    ]


def cavity(grid):
    """The surface of a hollow sphere."""
    mesh, _ = boundaries(masks_on(grid)["sphere with a cavity"].astype(np.uint8), grid, 0.1)
    return surface_of(mesh, 1, grid)


def all_objects(grid, source):
    """Every kind of object of one source, by name."""
    structures = organ_and_tumour(grid)
    seg = binary_segmentation(structures, source)
    rows = {s.name: ROW for s in structures}
    return {
        "seg": seg,
        "labelmap": label_map_segmentation(structures, source),
        "rtstruct": structure_set(structures, source),
        "sr": measurement_report(structures, rows, seg, source),
        "stl": surface_object(1, structures[0], cavity(grid), source),
    }


def written(made):
    content = BytesIO()
    write_to(content, made)
    return content.getvalue()


def write_to(target, made):
    made.save_as(target, enforce_file_format=True)


@pytest.mark.skipif(not reader("segimage2itkimage"), reason="dcmqi is not installed")
@pytest.mark.parametrize("name", GRIDS)
def test_dcmqi_reads_each_segment_whole(name, tmp_path):
    grid = GRIDS[name]
    write_object(tmp_path / "seg.dcm", binary_segmentation(structures_on(grid), source_on(grid)))
    (tmp_path / "read").mkdir()
    read = read_by_dcmqi(tmp_path / "seg.dcm", grid, tmp_path / "read")
    for mask, back in zip(masks_on(grid).values(), read, strict=True):
        assert dice(mask, back) == 1


@pytest.mark.skipif(not reader("plastimatch"), reason="plastimatch is not installed")
@pytest.mark.parametrize("name", GRIDS)
def test_plastimatch_fills_each_contour_to_its_mask(name, tmp_path):
    grid = GRIDS[name]
    write_series(tmp_path / "series", found_on(grid))
    source = source_on(grid, Original())
    write_object(tmp_path / "rtstruct.dcm", structure_set(structures_on(grid), source))
    (tmp_path / "read").mkdir()
    read = read_by_plastimatch(
        tmp_path / "rtstruct.dcm", tmp_path / "series", grid, tmp_path / "read"
    )
    for mask, back in zip(masks_on(grid).values(), read, strict=True):
        assert dice(mask, back) >= 0.99


@pytest.mark.parametrize("form", ["seg", "labelmap"])
@pytest.mark.parametrize("name", GRIDS)
def test_highdicom_reads_segments_where_they_lie(name, form, tmp_path):
    grid = GRIDS[name]
    structures = structures_on(grid)[:3] if form == "labelmap" else structures_on(grid)
    make = {"seg": binary_segmentation, "labelmap": label_map_segmentation}[form]
    write_object(tmp_path / "seg.dcm", make(structures, source_on(grid)))
    volume = segread(tmp_path / "seg.dcm").get_volume(combine_segments=form == "labelmap")
    expected = np.zeros((*grid.shape, len(structures)), bool)
    for n, s in enumerate(structures):
        expected[..., n] = s.region.full(grid.shape) if form == "seg" else 0
    if form == "labelmap":
        expected = np.zeros(grid.shape, int)
        for n, s in enumerate(structures, 1):
            expected[s.region.full(grid.shape)] = n
    index = np.argwhere(volume.array.reshape(*volume.array.shape[:3], -1).any(axis=-1))
    space = volume.map_indices_to_reference(index)
    own = np.rint(grid.to_index(space)).astype(int)
    assert np.abs(grid.to_index(space) - own).max() < 1e-3
    assert np.array_equal(volume.array[tuple(index.T)], expected[own[:, 2], own[:, 1], own[:, 0]])
    assert len(index) == np.count_nonzero(expected.reshape(*grid.shape, -1).any(axis=-1))


def test_segments_say_what_they_are():
    grid = GRIDS["oblique"]
    organ, tumour = binary_segmentation(organ_and_tumour(grid), source_on(grid)).SegmentSequence
    assert organ.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == CODE["meaning"]
    assert organ.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Anatomical Structure"
    side = organ.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0]
    assert (side.CodeValue, side.CodingSchemeDesignator) == ("7771000", "SCT")
    assert tumour.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    assert (
        "SegmentedPropertyTypeModifierCodeSequence"
        not in (tumour.SegmentedPropertyTypeCodeSequence[0])
    )
    assert organ.TrackingUID != tumour.TrackingUID
    # sRGB #102030 in CIELab is 11.3, -1.1, -11.5 (D50 or D65 apart by less than the tolerance).
    lightness, a, b = tumour.RecommendedDisplayCIELabValue
    assert lightness / 65535 * 100 == pytest.approx(12, abs=1.5)
    assert a / 65535 * 255 - 128 == pytest.approx(-1, abs=3)
    assert b / 65535 * 255 - 128 == pytest.approx(-12, abs=3)


def test_overlapping_segments_are_whole_and_said_to_overlap():
    grid = GRIDS["axial"]
    organ, tumour = organ_and_tumour(grid)
    assert binary_segmentation([organ, tumour], source_on(grid)).SegmentsOverlap == "YES"
    assert binary_segmentation([organ], source_on(grid)).SegmentsOverlap == "NO"


def test_frames_refer_to_the_images_that_they_lie_on():
    grid = GRIDS["feet first"]
    found = found_on(grid)
    seg = binary_segmentation(organ_and_tumour(grid), source_on(grid, Original()))
    for group in seg.PerFrameFunctionalGroupsSequence:
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        item = group.DerivationImageSequence[0].SourceImageSequence[0]
        (k,) = [k for k, f in enumerate(found.frames) if np.allclose(f.position, position)]
        assert item.ReferencedSOPInstanceUID == found.frames[k].sop_instance
    rt = structure_set(organ_and_tumour(grid), source_on(grid, Original()))
    for roi in rt.ROIContourSequence:
        for contour in roi.ContourSequence:
            point = np.array(contour.ContourData[:3], float)
            k = round(grid.to_index(point)[2])
            assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == (
                found.frames[k].sop_instance
            )


def enhanced_on(grid):
    """The same slices as frames of two multi-frame instances, shuffled within them."""
    found = found_on(grid)
    half = grid.size[2] // 2
    order = np.random.default_rng(1).permutation(half) + 1
    frames = [
        FoundFrame(
            EnhancedCTImageStorage,
            f"{ROOT}.6.{1 + k // half}",
            int(order[k % half]),
            found.frames[k].position,
        )
        for k in range(grid.size[2])
    ]
    return replace(found, frames=frames)


def test_frames_of_multi_frame_instances_are_referred_to_by_number():
    grid = GRIDS["oblique"]
    found = enhanced_on(grid)
    source = source_images(found, Original(), CASE)
    seg = binary_segmentation(organ_and_tumour(grid), source)
    by_place = {tuple(np.round(f.position, 3)): f for f in found.frames}
    for group in seg.PerFrameFunctionalGroupsSequence:
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        frame = by_place[tuple(np.round(position, 3))]
        item = group.DerivationImageSequence[0].SourceImageSequence[0]
        assert (item.ReferencedSOPInstanceUID, item.ReferencedFrameNumber) == (
            frame.sop_instance,
            frame.number,
        )
    series = seg.ReferencedSeriesSequence[0]
    assert len(series.ReferencedInstanceSequence) == 2


def between_slices(grid):
    """A series whose volume was resampled: its slices lie between the source's."""
    found = found_on(grid)
    shifted = [
        replace(f, position=f.position + 0.3 * grid.axes[:, 2] + 2 * grid.axes[:, 0])
        for f in found.frames
    ]
    return replace(found, frames=shifted, on_slices=False)


def test_off_the_source_s_slices_segments_refer_to_the_slices_on_either_side():
    grid = GRIDS["oblique"]
    found = between_slices(grid)
    seg = binary_segmentation(organ_and_tumour(grid), source_images(found, Original(), CASE))
    for group in seg.PerFrameFunctionalGroupsSequence:
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        k = grid.to_index(position)
        assert np.allclose(k, np.rint(k), atol=1e-4)
        items = group.DerivationImageSequence[0].SourceImageSequence
        expected = [found.frames[round(k[2]) - 1], found.frames[round(k[2])]]
        assert [i.ReferencedSOPInstanceUID for i in items] == [f.sop_instance for f in expected]
        assert {i.SpatialLocationsPreserved for i in items} == {"NO"}


def test_tiles_of_a_mosaic_are_each_made_of_their_one_image():
    grid = GRIDS["oblique"]
    found = found_on(grid)
    frames = [replace(f, sop_instance=f"{ROOT}.7") for f in found.frames]
    source = source_images(replace(found, frames=frames, on_slices=False), Original(), CASE)
    seg = binary_segmentation(organ_and_tumour(grid), source)
    for group in seg.PerFrameFunctionalGroupsSequence:
        (item,) = group.DerivationImageSequence[0].SourceImageSequence
        assert item.ReferencedSOPInstanceUID == f"{ROOT}.7"
        assert item.SpatialLocationsPreserved == "NO"


class Lossy(Planted):
    """A series that was compressed with loss."""

    methods = ("ISO_10918_1", "ISO_15444_1")

    def header(self):
        header = super().header()
        header.LossyImageCompression = "01"
        header.LossyImageCompressionRatio = [9.8, 12]
        header.LossyImageCompressionMethod = list(self.methods)
        return header


class Strange(Lossy):
    """One whose methods are none that the standard knows."""

    methods = ("ISO_10918_1", "PLANTED")


def segmented(kind):
    source = source_images(kind(**vars(found_on(GRIDS["axial"]))), Pseudonyms(KEY, CASE), CASE)
    return binary_segmentation(organ_and_tumour(GRIDS["axial"]), source)


def test_segments_of_lossy_images_say_so():
    made = {kind: segmented(kind) for kind in (Lossy, Strange)}
    assert {m.LossyImageCompression for m in made.values()} == {"01"}
    assert tuple(made[Lossy].LossyImageCompressionMethod) == Lossy.methods
    assert list(made[Lossy].LossyImageCompressionRatio) == [9.8, 12]
    assert "LossyImageCompressionMethod" not in made[Strange]


@pytest.mark.skipif(not reader("dciodvfy"), reason="dicom3tools is not installed")
def test_segments_of_lossy_images_are_valid(tmp_path):
    write_object(tmp_path / "seg.dcm", segmented(Lossy))
    assert errors_of(tmp_path / "seg.dcm") == []


def test_objects_tell_nothing_of_the_run():
    grid = GRIDS["axial"]
    today = date.today().strftime("%Y%m%d").encode()
    for name, made in all_objects(grid, source_on(grid)).items():
        assert today not in written(made), name


@pytest.mark.skipif(not reader("dciodvfy"), reason="dicom3tools is not installed")
@pytest.mark.parametrize("identity", [Pseudonyms(KEY, CASE), Original()], ids=["pseudonyms", "own"])
@pytest.mark.parametrize("found", [found_on, enhanced_on, between_slices])
def test_dciodvfy_finds_no_error(found, identity, tmp_path):
    grid = GRIDS["oblique"]
    source = source_images(found(grid), identity, CASE)
    for name, made in all_objects(grid, source).items():
        write_object(tmp_path / f"{name}.dcm", made)
        said = errors_of(tmp_path / f"{name}.dcm")
        if name == "labelmap":
            said = [line for line in said if not any(known in line for known in OF_ITS_AGE)]
        assert said == [], name


def test_equal_inputs_give_equal_bytes_and_others_another_uid():
    grid = GRIDS["axial"]
    one, same = (all_objects(grid, source_on(grid)) for _ in range(2))
    for name in one:
        assert written(one[name]) == written(same[name]), name
    changed = binary_segmentation(organ_and_tumour(grid)[:1], source_on(grid))
    assert changed.SOPInstanceUID != one["seg"].SOPInstanceUID
    assert changed.SeriesInstanceUID == one["seg"].SeriesInstanceUID
    assert len({made.SeriesInstanceUID for made in one.values()}) == len(one)


def test_nothing_of_the_source_s_identity_is_in_de_identified_bytes():
    grid = GRIDS["axial"]
    secrets = [*PLANTED.values(), PRIVATE, ROOT, *PLANTED["PatientName"].split("^")]
    for name, made in all_objects(grid, source_on(grid)).items():
        content = written(made)
        for secret in secrets:
            for encoding in ("utf-8", "latin-1", "utf-16-le"):
                assert secret.encode(encoding) not in content, (name, secret)
        again = dcmread(BytesIO(content))
        assert (str(again.PatientName), again.PatientID) == (CASE, CASE)
        assert again.PatientIdentityRemoved == "YES"


def test_back_to_the_pacs_objects_belong_to_their_study():
    grid = GRIDS["axial"]
    for name, made in all_objects(grid, source_on(grid, Original())).items():
        again = dcmread(BytesIO(written(made)))
        assert str(again.PatientName) == PLANTED["PatientName"], name
        assert (again.PatientID, again.StudyInstanceUID) == (PLANTED["PatientID"], STUDY)
        assert again.AccessionNumber == PLANTED["AccessionNumber"]
        made_at = again.StructureSetDate if name == "rtstruct" else again.ContentDate
        assert (again.StudyDate, made_at) == (PLANTED["StudyDate"], PLANTED["ContentDate"])
        assert again.SeriesInstanceUID != SERIES
        if name != "sr":
            assert again.FrameOfReferenceUID == FRAME
        for keyword in ("PatientComments", "InstitutionName", "OperatorsName", "PatientAddress"):
            assert not again.get(keyword)


def test_decimal_strings_are_short_enough_far_from_the_origin():
    grid = Grid((8, 8, 8), (0.71234567, 0.71234567, 1.0 / 3), (-98765.4321, 1e-9, 12345.678901234))
    mask = np.zeros(grid.shape, bool)
    mask[2:6, 2:6, 2:6] = True
    rt = dcmread(BytesIO(written(structure_set([structure("box", mask)], source_on(grid)))))
    for contour in rt.ROIContourSequence[0].ContourSequence:
        text = contour.get_item("ContourData").value
        assert max(len(number.strip()) for number in text.split(b"\\")) <= 16
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        index = grid.to_index(points)
        assert len(points) == contour.NumberOfContourPoints == 4
        assert np.abs(index[:, :2] % 1 - 0.5).max() < 1e-3


def test_a_contour_may_be_longer_than_64_kilobytes():
    grid = Grid((200, 200, 3), (1.0, 1.0, 2.0), (-100.0, 40.0, -300.0))
    mask = np.zeros(grid.shape, bool)
    mask[1, 1:-1, 1:-1] = np.indices((198, 198)).sum(axis=0) % 4 < 3
    mask[1, 1, 1:-1] = True
    made = written(structure_set([structure("comb", mask)], source_on(grid)))
    contours = dcmread(BytesIO(made)).ROIContourSequence[0].ContourSequence
    longest = max(contours, key=lambda c: c.NumberOfContourPoints)
    assert len(longest.get_item("ContourData").value) > 65536
    assert len(longest.ContourData) == 3 * longest.NumberOfContourPoints


def test_rois_are_named_coded_and_coloured():
    grid = GRIDS["axial"]
    rt = structure_set(organ_and_tumour(grid), source_on(grid))
    assert [roi.ROIName for roi in rt.StructureSetROISequence] == ["organ", "gtv"]
    assert [o.RTROIInterpretedType for o in rt.RTROIObservationsSequence] == ["ORGAN", "GTV"]
    code = rt.RTROIObservationsSequence[0].RTROIIdentificationCodeSequence[0]
    assert code.CodeValue == CODE["value"]
    kinds = [
        o.SegmentedPropertyCategoryCodeSequence[0].CodeValue for o in rt.RTROIObservationsSequence
    ]
    assert kinds == ["91723000", "49755003"]
    # Attributes of images and documents, not of structure sets, which have dates of their own.
    assert "ContentDate" not in rt and "ContentTime" not in rt
    assert (rt.StructureSetDate, rt.StructureSetTime) == (source_on(grid).date, "111200")
    assert list(rt.ROIContourSequence[1].ROIDisplayColor) == [0x10, 0x20, 0x30]


def numbers_of(report):
    """For each group: (name, derivation, unit) to number, and the segment that it refers to."""
    (content,) = [
        c for c in report.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == "126010"
    ]
    for group in content.ContentSequence:
        found, segment = {}, None
        for item in group.ContentSequence:
            if item.ValueType == "NUM":
                modifiers = [
                    m.ConceptCodeSequence[0].CodeMeaning for m in item.get("ContentSequence", [])
                ]
                value = item.MeasuredValueSequence[0]
                name = item.ConceptNameCodeSequence[0].CodeMeaning
                unit = value.MeasurementUnitsCodeSequence[0].CodeValue
                found[name, *modifiers, unit] = float(value.NumericValue)
            elif item.ValueType == "IMAGE":
                segment = item.ReferencedSOPSequence[0]
        yield found, segment


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_the_report_s_numbers_are_those_of_the_table(modality):
    grid = GRIDS["axial"]
    structures = organ_and_tumour(grid)
    source = source_on(grid, modality=modality)
    seg = binary_segmentation(structures, source)
    made = measurement_report(structures, {s.name: ROW for s in structures}, seg, source)
    name, unit = {
        "CT": ("Attenuation Coefficient", "[hnsf'U]"),
        "MR": ("MR signal intensity", "1"),
        "PT": (None, None),
    }[modality]
    expected = {
        ("Volume", "mm3"): 12345.67891,
        ("Surface Area of Mesh", "mm2"): 0.001234567891,
        ("Long axis", "mm"): 30.5,
    }
    if name:
        expected |= {
            (name, "Mean", unit): -1.234567891e-05,
            (name, "Minimum", unit): -1000,
            (name, "Maximum", unit): 3071,
            (name, "Standard Deviation", unit): pytest.approx(np.sqrt(123.4), rel=1e-9),
        }
    groups = list(numbers_of(dcmread(BytesIO(written(made)))))
    assert len(groups) == 2
    for number, (found, segment) in enumerate(groups, 1):
        assert found == expected
        assert segment.ReferencedSOPInstanceUID == seg.SOPInstanceUID
        assert segment.ReferencedSegmentNumber == number


@pytest.mark.skipif(not reader("tid1500reader"), reason="dcmqi is not installed")
def test_dcmqi_reads_the_report(tmp_path):
    grid = GRIDS["axial"]
    write_object(tmp_path / "sr.dcm", all_objects(grid, source_on(grid))["sr"])
    read = tmp_path / "read.json"
    run(reader("tid1500reader"), "--inputDICOM", tmp_path / "sr.dcm", "--outputMetadata", read)
    organ, tumour = json.loads(read.read_text())["Measurements"]
    assert organ["Laterality"]["CodeValue"] == "7771000" and "Laterality" not in tumour
    for group in (organ, tumour):
        numbers = [float(item["value"]) for item in group["measurementItems"]]
        assert numbers[:-1] == [float(text) for c, text in ROW.items() if text and c != "stat_var"]


@pytest.mark.skipif(not reader("dsrdump"), reason="dcmtk is not installed")
def test_dcmtk_reads_the_report(tmp_path):
    grid = GRIDS["axial"]
    write_object(tmp_path / "sr.dcm", all_objects(grid, source_on(grid))["sr"])
    said = run(reader("dsrdump"), tmp_path / "sr.dcm")
    assert not [line for line in said.splitlines() if line.startswith("E:")]
    assert said.count("12345.67891") == 2


def test_an_encapsulated_stl_is_the_surface_in_lps_mm():
    grid = GRIDS["oblique"]
    surface = cavity(grid)
    made = surface_object(2, organ_and_tumour(grid)[0], surface, source_on(grid))
    again = dcmread(BytesIO(written(made)))
    assert again.MIMETypeOfEncapsulatedDocument == "model/stl"
    assert again.MeasurementUnitsCodeSequence[0].CodeValue == "mm"
    # Nobody looked whether a face can be recognised.
    assert "RecognizableVisualFeatures" not in again
    stl = again.EncapsulatedDocument[: again.EncapsulatedDocumentLength]
    mesh = trimesh.load(BytesIO(stl), file_type="stl")
    assert mesh.is_watertight and mesh.volume > 0
    assert mesh.volume == pytest.approx(
        trimesh.Trimesh(surface.points, surface.triangles).volume, rel=1e-4
    )
    assert np.allclose(mesh.bounds, [surface.points.min(axis=0), surface.points.max(axis=0)])


@pytest.mark.skipif(not reader("dciodvfy"), reason="dicom3tools is not installed")
def test_a_code_longer_than_code_value_holds_is_kept_whole(tmp_path):
    grid = GRIDS["axial"]
    code = {"scheme": "SCT", "value": "123456789012345678", "meaning": "Eighteen digits"}
    parts = [structure("long", masks_on(grid)["two pieces"], code=code)]
    seg = binary_segmentation(parts, source_on(grid))
    rows = {"long": ROW}
    made = [seg, structure_set(parts, source_on(grid))]
    made.append(measurement_report(parts, rows, seg, source_on(grid)))
    for n, each in enumerate(made):
        write_object(tmp_path / f"{n}.dcm", each)
        assert code["value"].encode() in (tmp_path / f"{n}.dcm").read_bytes()
        assert errors_of(tmp_path / f"{n}.dcm") == []


def test_every_recipe_s_structure_can_be_described():
    grid = GRIDS["axial"]
    region = Region((slice(3, 4), slice(5, 7), slice(8, 9)), np.ones((1, 2, 1), bool))
    for path in Path(__file__).parents[2].glob("config/recipes/*.yaml"):
        described = load(path).structures
        structures = exported(described, {s["label"]: region for s in described})
        assert [s.name for s in structures] == [s["name"] for s in described]
        seg = binary_segmentation(structures, source_on(grid))
        assert len(seg.SegmentSequence) == len(described)


def test_every_method_of_recipes_tells_how_it_finds_a_structure():
    methods = yaml_file.schema("recipe")["$defs"]["segment"]["properties"]["method"]["enum"]
    assert set(ALGORITHMS) == set(methods)
