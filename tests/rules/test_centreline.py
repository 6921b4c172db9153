"""The stage centreline: the course of a vessel, as a table, as curves and in the sidecar."""

import csv

import numpy as np
import pytest
import pyvista
from bodies import CENTRE, grid_over, mask_of
from centreline import centreline
from earlier import LEFT_HANDED, OK, assert_refusal_passed_on, put_refused
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import write_label_map
from scanmill.phantom.body import Capsule, sphere
from scanmill.phantom.description import turned
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.stage import run_stage

TUBE = Capsule(radius=6, length=60, centre=CENTRE, rotation=tuple(turned((40, 25, 0)).ravel()))
BALL = sphere(8, (CENTRE[0] + 30, CENTRE[1], CENTRE[2]))
GRID = grid_over(TUBE, (0.8, 0.8, 0.8), LEFT_HANDED, margin=12)
STRUCTURES = [
    {"name": "vessel", "label": 3, "centreline": True},
    {"name": "ball", "label": 4, "centreline": True},
    {"name": "vein", "label": 5, "centreline": True},
    {"name": "bone", "label": 6, "centreline": False},
]


def inputs_of(folder, masks: dict[int, np.ndarray], grid: Grid = GRID):
    """What resample and segment leave of masks, by label."""
    names = {s["name"]: s["label"] for s in STRUCTURES}
    inputs = {"labels": folder / "labels.nii.gz", "overlaps": folder / "overlaps"}
    label_map = LabelMap.empty(grid, 6)
    for label, mask in masks.items():
        label_map.paint(label, Region.of(mask))
    write_label_map(*inputs.values(), label_map, names)
    for path in inputs.values():
        write_sidecar(path, OK | {"stage": "segment"})
    scan = folder / "isotropic.nii.gz"
    scan.touch()
    write_sidecar(scan, OK | {"stage": "resample", "native_spacing_mm": [0.8, 0.8, 0.8]})
    return inputs | {"isotropic": scan}


def run(inputs, folder):
    found = folder / "centrelines"
    parameters = {"structures": STRUCTURES}
    run_stage("centreline", centreline, inputs, {"centrelines": found}, parameters)
    return found, read_sidecar(found)


def test_a_vessel_has_its_course_and_a_ball_has_none(tmp_path):
    masks = {3: mask_of(TUBE, GRID), 4: mask_of(BALL, GRID), 6: np.zeros(GRID.shape, bool)}
    masks[6][:2, :2, :9] = True
    found, said = run(inputs_of(tmp_path, masks), tmp_path)
    assert list(said["structures"]) == ["vessel"]
    assert [w["code"] for w in said["warnings"]] == ["centreline-short"]
    told = said["structures"]["vessel"]
    assert told["centreline_branches"] == 1
    assert told["centreline_length_mm"] == pytest.approx(60, abs=0.8)
    assert told["section_max_diameter_mm"] == pytest.approx(12, abs=0.5)
    with open(found / "vessel.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    axis = np.reshape(TUBE.rotation, (3, 3))[:, 2]
    points = np.array([[float(row[f"{x}_mm"]) for x in "xyz"] for row in rows]) - CENTRE
    off = points - np.outer(points @ axis, axis)
    assert np.linalg.norm(off, axis=1).max() < 0.4
    at = np.array([float(row["at_mm"]) for row in rows])
    np.testing.assert_allclose(np.ptp(points @ axis), at[-1], atol=0.05)
    curves = pyvista.read(found / "vessel.vtp")
    assert curves.n_cells == 1 and curves.field_data["SPACE"] == ["LPS"]
    np.testing.assert_allclose(np.asarray(curves.points) - CENTRE, points, atol=1e-3)
    areas = [float(row["area_mm2"]) for row in rows]
    np.testing.assert_allclose(curves.point_data["area_mm2"], areas, rtol=1e-5)


def test_pieces_beside_a_vessel_are_told(tmp_path):
    vessel = mask_of(TUBE, GRID) | mask_of(BALL, GRID)
    _, said = run(inputs_of(tmp_path, {3: vessel}), tmp_path)
    assert [w["code"] for w in said["warnings"]] == ["centreline-pieces"]
    assert said["structures"]["vessel"]["centreline_length_mm"] == pytest.approx(60, abs=0.8)


def test_the_noise_of_a_mask_is_hardly_in_its_largest_diameter(tmp_path):
    z, y, x = np.indices(GRID.shape)
    places = GRID.to_physical(np.stack([x, y, z], axis=-1)).reshape(-1, 3)
    depth = TUBE.distance(places).reshape(GRID.shape)
    noise = np.random.default_rng(5).normal(0, 0.3, GRID.shape)
    _, said = run(inputs_of(tmp_path, {3: depth < noise}), tmp_path)
    # Across the surface that a pass band of 0.1 leaves, it is 13.2 mm.
    assert said["structures"]["vessel"]["section_max_diameter_mm"] == pytest.approx(12, abs=0.9)


def test_a_refusal_is_passed_on(tmp_path):
    names = ("labels.nii.gz", "overlaps", "isotropic.nii.gz")
    inputs = {name.partition(".")[0]: put_refused(tmp_path / name) for name in names}
    found, said = run(inputs, tmp_path)
    assert_refusal_passed_on(said, found)
