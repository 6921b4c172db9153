"""Structures from SEG and RTSTRUCT: found by name, proven to be in the scan's space."""

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, OBLIQUE, grid_over, mask_of
from scanmill.frame_of_reference import seal
from scanmill.label_map import LabelMap
from scanmill.phantom.body import sphere
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene
from scanmill.segmentation.supplied import segment
from scanmill.stage import Record
from segment_samples import FRAME, KIDNEY, segmentation, sphere_contours, write_rtstruct

ORGAN, TUMOUR = sphere(16.0, CENTRE), sphere(7.0, (CENTRE[0] + 5, CENTRE[1], CENTRE[2] - 3))
LABELS = {"organ": 1, "tumour": 2, "spleen": 3}
SEALED = seal(FRAME, np.zeros((2, 2, 2)))
NATIVE = {
    name: grid_over(ORGAN, (0.9, 1.1, 2.5), DIRECTIONS[name], margin=8)
    for name in ("xyz+++", "yzx-+-", *OBLIQUE)
}


def structures(*names, **named):
    return [
        {
            "name": name,
            "code": {"scheme": "SCT", "value": "1", "meaning": ""},
            "laterality": None,
            "segment": {
                "method": "labels",
                "value": LABELS[name],
                "named": named.get(name, [name]),
                "steps": [],
            },
        }
        for name in names or ("organ", "tumour")
    ]


def scene_of(native, *supplied, sealed=SEALED, spacing=1.0) -> Scene:
    grid = native.isotropic(spacing)
    empty = LabelMap.empty(grid, 3)
    record = Record(grid)
    return Scene(grid, "any", lambda: None, empty, LABELS, record, list(supplied), native, sealed)


def put_set(folder, native, **options):
    rois = {
        "Organ": sphere_contours(np.array(ORGAN.centre), 16, native),
        "GTV Doe": sphere_contours(np.array(TUMOUR.centre), 7, native),
    }
    return write_rtstruct(folder / "set.dcm", rois, **options)


def put_seg(folder, native):
    masks = {"Organ": mask_of(ORGAN, native), "GTV Doe": mask_of(TUMOUR, native)}
    path = folder / "seg.dcm"
    segmentation(native, masks, code={"GTV Doe": KIDNEY}).save_as(path)
    return path


def dice(region, body, grid) -> float:
    mask, truth = region.full(grid.shape), mask_of(body, grid)
    return 2 * np.count_nonzero(mask & truth) / (mask.sum() + truth.sum())


@pytest.mark.parametrize("put", [put_set, put_seg])
@pytest.mark.parametrize("direction", NATIVE)
def test_organ_and_tumour_come_onto_the_isotropic_grid(tmp_path, put, direction):
    native = NATIVE[direction]
    scene = scene_of(native, (None, put(tmp_path, native)))
    segment(structures(tumour=["gtv*"]), scene)
    regions = scene.label_map.regions()
    assert set(regions) == {1, 2} and set(scene.label_map.covered) == {1}
    for label, body in ((1, ORGAN), (2, TUMOUR)):
        volume = regions[label].count() * scene.grid.voxel_volume
        name = "organ" if label == 1 else "tumour"
        supplied = scene.record.details["supplied_volume_mm3"][name]
        assert dice(regions[label], body, scene.grid) > {1: 0.97, 2: 0.94}[label]
        assert supplied == pytest.approx(body.volume, rel={1: 0.01, 2: 0.02}[label])
        assert volume == pytest.approx(supplied, rel=0.005)
    assert scene.record.warnings == []


def test_a_mask_drawn_on_the_scan_comes_back_voxel_by_voxel(tmp_path):
    native = grid_over(ORGAN, (1.0, 1.0, 1.0), OBLIQUE["oblique"], margin=8)
    scene = scene_of(native, (None, put_seg(tmp_path, native)))
    segment(structures(tumour=["gtv*"]), scene)
    for label, body in ((1, ORGAN), (2, TUMOUR)):
        region = scene.label_map.region(label)
        assert np.array_equal(region.full(scene.grid.shape), mask_of(body, native))


@pytest.mark.parametrize("put", [put_set, put_seg])
def test_another_frame_of_reference_is_refused(tmp_path, put):
    native = NATIVE["oblique"]
    scene = scene_of(native, (None, put(tmp_path, native)), sealed=seal("1.2.3", np.zeros(3)))
    with pytest.raises(Refusal) as refusal:
        segment(structures(tumour=["gtv*"]), scene)
    assert refusal.value.code == "labels-frame"
    assert FRAME not in refusal.value.reason
    assert not scene.label_map.array.any()


@pytest.mark.parametrize(("frame", "sealed"), [(FRAME, None), (None, SEALED)])
def test_without_a_frame_of_reference_space_decides_with_a_warning(tmp_path, frame, sealed):
    native = NATIVE["oblique"]
    path = put_set(tmp_path, native, frame=frame)
    scene = scene_of(native, (None, path), sealed=sealed)
    segment(structures(tumour=["gtv*"]), scene)
    assert [w["code"] for w in scene.record.warnings] == ["frame-unproven"]
    assert set(scene.label_map.regions()) == {1, 2}


def test_one_structure_may_be_absent_or_ambiguous_and_no_name_is_told(tmp_path):
    native = NATIVE["oblique"]
    scene = scene_of(native, (None, put_set(tmp_path, native)))
    segment(structures("organ", "tumour", "spleen", tumour=["*"]), scene)
    said = scene.record.details["structures"]
    assert said["spleen"]["code"] == "structure-empty"
    assert said["tumour"]["code"] == "labels-ambiguous"
    assert set(scene.label_map.regions()) == {1}
    assert "Doe" not in str(said)
    assert scene.record.details["supplied_volume_mm3"]["spleen"] == 0


def test_the_only_roi_of_a_file_for_one_structure_may_have_any_name(tmp_path):
    native = NATIVE["oblique"]
    contours = sphere_contours(np.array(TUMOUR.centre), 7, native)
    one = write_rtstruct(tmp_path / "one.dcm", {"Doe": contours})
    scene = scene_of(native, ("tumour", one), ("organ", put_set(tmp_path, native)))
    segment(structures(), scene)
    assert set(scene.label_map.regions()) == {1, 2}


def test_contours_elsewhere_are_refused(tmp_path):
    native = NATIVE["xyz+++"]
    rois = {
        "organ": [c + np.array([0, 0, 200]) for c in sphere_contours(np.array(CENTRE), 16, native)]
    }
    path = write_rtstruct(tmp_path / "set.dcm", rois)
    with pytest.raises(Refusal) as refusal:
        segment(structures(), scene_of(native, (None, path)))
    assert refusal.value.code == "labels-elsewhere"


def test_one_structure_elsewhere_is_refused_alone(tmp_path):
    native = NATIVE["xyz+++"]
    organ = sphere_contours(np.array(CENTRE), 16, native)
    # Half a slice off as well, so that it is of a lattice of its own.
    away = [c + np.array([0, 0, 201.25]) for c in organ]
    path = write_rtstruct(tmp_path / "set.dcm", {"organ": organ, "tumour": away})
    scene = scene_of(native, (None, path))
    segment(structures(), scene)
    assert scene.record.details["structures"]["tumour"]["code"] == "labels-elsewhere"
    assert set(scene.label_map.regions()) == {1}


def test_warnings_are_of_their_structure(tmp_path):
    native = NATIVE["xyz+++"]
    contours = sphere_contours(np.array(CENTRE), 16, native)
    path = write_rtstruct(tmp_path / "set.dcm", {"organ": contours[::2], "tumour": contours})
    scene = scene_of(native, (None, path))
    segment(structures(), scene)
    assert [(w["code"], w["structure"]) for w in scene.record.warnings] == [
        ("contours-interpolated", "organ")
    ]
    assert scene.label_map.covered.keys() == {1}


def test_a_damaged_object_is_unreadable_labels(tmp_path):
    native = NATIVE["xyz+++"]
    path = put_set(tmp_path, native)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(Refusal) as refusal:
        segment(structures(), scene_of(native, (None, path)))
    assert refusal.value.code == "labels-unreadable"
