"""Supplied labels, on any grid and in any voxel type, brought onto the scan."""

import numpy as np
import pytest
from bodies import AXIS_ALIGNED, BODIES, CENTRE, OBLIQUE, grid_over, mask_of, points_of
from hypothesis import given
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.label_extent import overlap
from scanmill.label_map import LabelMap
from scanmill.phantom.body import sphere
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene
from scanmill.segmentation.supplied import segment
from scanmill.stage import Record
from scanmill.volume_file import Volume
from source_samples import write_itk
from test_grid import directions

ORGAN, TUMOUR = BODIES["ellipsoid"], sphere(8, CENTRE)
SCAN = grid_over(ORGAN, (1.5, 1.5, 1.5), OBLIQUE["oblique"], margin=8)
VALUES = {"organ": 5, "tumour": 300, "spleen": 7}
LABELS = {"organ": 1, "tumour": 2, "spleen": 3}


def structures(values=VALUES, steps=()):
    return [
        {"name": name, "segment": {"method": "labels", "value": value, "steps": list(steps)}}
        for name, value in values.items()
    ]


def scene_of(*supplied, grid=SCAN) -> Scene:
    empty = LabelMap.empty(grid, 3)
    return Scene(grid, "any", lambda: None, empty, LABELS, Record(grid), list(supplied))


def label_array(grid) -> np.ndarray:
    labels = np.where(mask_of(ORGAN, grid), 5, 0).astype(np.uint16)
    labels[mask_of(TUMOUR, grid)] = 300
    labels[:2, :2, :2] = 9
    return labels


def other_grid(direction=None) -> Grid:
    return grid_over(ORGAN, (1.0, 1.2, 2.0), direction, margin=6)


def volume_of(region, grid=SCAN) -> float:
    return region.count() * grid.voxel_volume


def dice(region, body) -> float:
    mask, truth = region.full(SCAN.shape), mask_of(body, SCAN)
    return 2 * np.count_nonzero(mask & truth) / (mask.sum() + truth.sum())


@pytest.mark.parametrize("direction", [*AXIS_ALIGNED.values(), OBLIQUE["oblique coronal"]])
def test_a_label_map_on_another_grid(tmp_path, direction):
    grid = other_grid(direction)
    array = label_array(grid)
    scene = scene_of((None, write_itk(tmp_path / "labels.nrrd", Volume(array, grid))))
    segment(structures(), scene)
    regions = scene.label_map.regions()
    assert set(regions) == {1, 2}
    said = scene.record.details
    for name, value in (("organ", 5), ("tumour", 300)):
        supplied = np.count_nonzero(array == value) * grid.voxel_volume
        assert said["supplied_volume_mm3"][name] == pytest.approx(supplied)
        assert volume_of(regions[LABELS[name]]) == pytest.approx(supplied, rel=0.005)
    assert dice(regions[2], TUMOUR) > 0.93
    assert said["supplied_volume_mm3"]["spleen"] == 0
    assert said["structures"]["spleen"]["code"] == "structure-empty"
    assert set(said["structures"]) == {"spleen"}


def test_one_mask_for_each_structure_which_overlap(tmp_path):
    paths = []
    for name, body, direction in (
        ("organ", ORGAN, OBLIQUE["oblique coronal"]),
        ("tumour", TUMOUR, AXIS_ALIGNED["yxz+-+"]),
    ):
        grid = other_grid(direction)
        mask = mask_of(body, grid).astype(np.uint8) * 255
        paths.append((name, write_itk(tmp_path / f"{name}.nii.gz", Volume(mask, grid))))
    scene = scene_of(*paths)
    segment(structures(dict.fromkeys(("organ", "tumour"), 0)), scene)
    assert set(scene.label_map.covered) == {1}
    regions = scene.label_map.regions()
    assert dice(regions[1], ORGAN) > 0.96
    assert dice(regions[2], TUMOUR) > 0.93
    assert volume_of(regions[1]) == pytest.approx(ORGAN.volume, rel=0.02)
    assert not (regions[2].full(SCAN.shape) & ~regions[1].full(SCAN.shape)).any()
    assert np.count_nonzero(scene.label_map.array == 1) < regions[1].count()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32, np.uint16])
def test_labels_of_any_voxel_type(tmp_path, dtype):
    grid = other_grid()
    painted = []
    for array in (label_array(grid).astype(dtype), label_array(grid)):
        scene = scene_of((None, write_itk(tmp_path / "labels.nrrd", Volume(array, grid))))
        segment(structures(), scene)
        painted.append(scene.label_map.array)
    assert np.array_equal(*painted)
    assert set(np.unique(painted[0])) == {0, 1, 2}


@pytest.mark.parametrize(
    ("change", "dtype", "words"),
    [(0.25, np.float32, "fractions"), (-9, np.int16, "-4"), (70000, np.int32, "70005")],
)
def test_values_that_are_no_labels_are_refused(tmp_path, change, dtype, words):
    grid = other_grid()
    array = np.where(mask_of(ORGAN, grid), 5 + change, 0).astype(dtype)
    scene = scene_of((None, write_itk(tmp_path / "labels.nrrd", Volume(array, grid))))
    with pytest.raises(Refusal, match=words) as refusal:
        segment(structures(), scene)
    assert refusal.value.code == "labels-unreadable"


def test_a_float_label_that_is_not_finite_is_refused(tmp_path):
    grid = other_grid()
    array = label_array(grid).astype(np.float32)
    array[0, 0, 0] = np.nan
    scene = scene_of((None, write_itk(tmp_path / "labels.nrrd", Volume(array, grid))))
    with pytest.raises(Refusal) as refusal:
        segment(structures(), scene)
    assert refusal.value.code == "labels-unreadable"


def test_a_file_that_is_no_image_is_refused_without_its_name(tmp_path):
    path = tmp_path / "Doe_Jane.nii.gz"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(Refusal) as refusal:
        segment(structures(), scene_of((None, path)))
    assert refusal.value.code == "labels-unreadable"
    assert "Doe" not in refusal.value.reason


def test_labels_are_asked_for():
    with pytest.raises(Refusal) as refusal:
        segment(structures(), scene_of())
    assert refusal.value.code == "labels-missing"


def test_labels_elsewhere_are_refused(tmp_path):
    grid = other_grid()
    origin = tuple(np.add(grid.origin, (0.0, 0.0, 150.0)).tolist())
    away = Grid(grid.size, grid.spacing, origin, grid.direction)
    path = write_itk(tmp_path / "labels.nrrd", Volume(label_array(grid), away))
    with pytest.raises(Refusal) as refusal:
        segment(structures(), scene_of((None, path)))
    assert refusal.value.code == "labels-elsewhere"


def test_a_structure_outside_the_scan_is_refused_alone(tmp_path):
    grid = other_grid()
    path = write_itk(tmp_path / "labels.nrrd", Volume(label_array(grid), grid))
    axes = np.reshape(ORGAN.rotation, (3, 3))
    tip = np.asarray(CENTRE) + 13.5 * axes[:, 0]
    scan = grid_over(sphere(2.5, tuple(tip.tolist())), direction=axes, margin=0.0)
    scene = scene_of((None, path), grid=scan)
    segment(structures(), scene)
    said = scene.record.details
    assert set(scene.label_map.regions()) == {1}
    assert said["supplied_volume_mm3"]["tumour"] > 0
    assert said["structures"]["tumour"]["code"] == "structure-empty"
    assert "none of which lies in the scan" in said["structures"]["tumour"]["reason"]


def test_a_scan_that_is_thin_against_the_labels_is_found_in_them(tmp_path):
    labels = Grid((40, 40, 160), (4.0, 4.0, 5.0), (-80.0, -80.0, -400.0))
    array = np.ones(labels.shape, np.uint8)
    scan = Grid((30, 30, 8), (1.0, 1.0, 1.0), (-15.0, -15.0, 11.0))
    path = write_itk(tmp_path / "labels.nrrd", Volume(array, labels))
    scene = scene_of((None, path), grid=scan)
    segment(structures({"organ": 1}), scene)
    assert (scene.label_map.array == 1).all()


def test_a_value_that_no_map_can_hold_is_absent(tmp_path):
    grid = other_grid()
    path = write_itk(tmp_path / "labels.nrrd", Volume(label_array(grid), grid))
    scene = scene_of((None, path))
    segment(structures({"organ": 5, "tumour": 2**31 - 1}), scene)
    assert set(scene.label_map.regions()) == {1}
    assert scene.record.details["supplied_volume_mm3"]["tumour"] == 0


def test_two_structures_may_be_of_one_value(tmp_path):
    grid = other_grid()
    path = write_itk(tmp_path / "labels.nrrd", Volume(label_array(grid), grid))
    scene = scene_of((None, path))
    segment(structures({"organ": 5, "spleen": 5}), scene)
    regions = scene.label_map.regions()
    assert np.array_equal(regions[1].full(SCAN.shape), regions[3].full(SCAN.shape))


def test_steps_clean_up_what_was_supplied(tmp_path):
    grid = other_grid()
    array = label_array(grid)
    array[-3:, -3:, -3:] = 5
    path = write_itk(tmp_path / "labels.nrrd", Volume(array, grid))
    scene = scene_of((None, path))
    segment(structures({"organ": 5}, [{"largest": 1}]), scene)
    region = scene.label_map.regions()[1]
    assert points_of(SCAN)[region.full(SCAN.shape)].mean(axis=0) == pytest.approx(CENTRE, abs=0.3)
    supplied = np.count_nonzero(array == 5) * grid.voxel_volume
    assert scene.record.details["supplied_volume_mm3"]["organ"] == pytest.approx(supplied)


GRIDS = st.builds(
    Grid,
    st.tuples(*[st.integers(1, 12)] * 3),
    st.tuples(*[st.floats(0.5, 5)] * 3),
    st.tuples(*[st.floats(-30, 30)] * 3),
    directions(),
)


@given(GRIDS, GRIDS)
def test_blocks_overlap_where_a_point_of_one_lies_in_the_other(one, other):
    ends = [np.linspace(-0.5, n - 0.5, 15) for n in one.size]
    points = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    index = other.to_index(one.to_physical(points))
    held = ((index >= -0.5) & (index <= np.asarray(other.size) - 0.5)).all(axis=1).any()
    assert overlap(one, other) == overlap(other, one)
    assert overlap(one, other) or not held


@given(GRIDS, st.integers(0, 2), st.floats(0.01, 100))
def test_a_block_behind_a_face_does_not_overlap(grid, axis, gap):
    away = np.asarray(grid.origin) + grid.axes[:, axis] * (grid.size[axis] + gap)
    assert not overlap(grid, Grid(grid.size, grid.spacing, tuple(away), grid.direction))


def test_a_map_of_several_is_not_taken_for_the_mask_of_one(tmp_path):
    grid = other_grid()
    labels = write_itk(tmp_path / "labels.nrrd", Volume(label_array(grid), grid))
    mask = (label_array(grid) == 300).astype(np.uint8)
    tumour = write_itk(tmp_path / "tumour.nrrd", Volume(mask, grid))
    scene = scene_of(("organ", labels), ("tumour", tumour))
    segment(structures(), scene)
    assert scene.record.details["structures"]["organ"]["code"] == "labels-unreadable"
    assert set(scene.label_map.regions()) == {LABELS["tumour"]}


def test_a_mask_that_lies_elsewhere_is_refused_alone(tmp_path):
    grid = other_grid()
    away = Grid(grid.size, grid.spacing, (900.0, 0.0, 0.0), grid.direction)
    mask = (label_array(grid) == 300).astype(np.uint8)
    near = write_itk(tmp_path / "near.nrrd", Volume(mask, grid))
    far = write_itk(tmp_path / "far.nrrd", Volume(mask, away))
    scene = scene_of(("organ", far), ("tumour", near))
    segment(structures(), scene)
    assert scene.record.details["structures"]["organ"]["code"] == "labels-elsewhere"
    assert set(scene.label_map.regions()) == {LABELS["tumour"]}


def test_a_mask_of_what_another_method_finds_is_left_alone(tmp_path):
    grid = other_grid()
    mask = (label_array(grid) == 300).astype(np.uint8)
    path = write_itk(tmp_path / "mask.nrrd", Volume(mask, grid))
    scene = scene_of(("tumour", path), ("spleen", path))
    segment(structures({"tumour": 300}), scene)
    assert scene.record.details["supplied_volume_mm3"].keys() == {"tumour"}
