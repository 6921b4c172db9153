"""The mesh stage: closed surfaces in LPS mm, of the volume of their voxels."""

import json

import numpy as np
import pytest
import pyvista
import trimesh
from bodies import turned_array
from earlier import (
    BALL,
    GRID,
    LABELS,
    ORGAN,
    assert_refusal_passed_on,
    ball,
    organ,
    put_label_map,
    put_refused,
    put_volume,
)
from manifolds import assert_manifold
from mesh import mesh
from scanmill.sidecar import read_sidecar
from scanmill.stage import run_stage
from scanmill.surface import Surface

BODIES = {"organ": ORGAN, "ball": BALL}


def run(inputs, formats=("ply",), triangles=None):
    folder = inputs["labels"].parent
    outputs = {"surfaces": folder / "surfaces", "model": folder / "model.glb"}
    structures = [
        {"name": name, "label": label, "colour": "#dd8265", "triangles": triangles}
        for name, label in LABELS.items()
    ]
    parameters = {"structures": structures, "formats": list(formats), "pass_band": 0.1}
    run_stage("mesh", mesh, inputs, outputs, parameters)
    return *outputs.values(), read_sidecar(outputs["surfaces"])


def read(path) -> trimesh.Trimesh:
    return trimesh.load(path, process=False)


def test_surfaces_have_the_volume_and_place_of_the_body_covered_parts_included(tmp_path):
    surfaces, _, said = run(put_label_map(tmp_path / "one", organ=organ(), ball=ball()))
    assert said["status"] == "ok" and said["frame"] == "LPS"
    for name, body in BODIES.items():
        found = read(surfaces / f"{name}.ply")
        assert_manifold(Surface(np.asarray(found.vertices, float), np.asarray(found.faces)))
        assert found.volume == pytest.approx(body.volume, rel=0.01)
        assert found.area == pytest.approx(body.area, rel=0.02)
        assert found.center_mass == pytest.approx(body.centroid, abs=0.1)
        described = said["structures"][name]
        assert described["surface_volume_mm3"] == pytest.approx(found.volume, rel=1e-4)
        assert described["surface_area_mm2"] == pytest.approx(found.area, rel=1e-4)
        assert described["triangles"] == len(found.faces)
        assert described["watertight"] and described["manifold"]


def test_a_flipped_and_permuted_map_gives_the_same_surface(tmp_path):
    array = np.where(organ(), LABELS["organ"], 0).astype(np.uint8)
    volumes = {"as it is": (array, GRID), "turned": turned_array(array, GRID, (2, 0, 1), (1, 0, 1))}
    found = []
    for name, (values, grid) in volumes.items():
        labels = put_volume(tmp_path / name / "labels.nii.gz", values, grid)
        overlaps = put_label_map(tmp_path / "empty")["overlaps"]
        surfaces, _, _ = run({"labels": labels, "overlaps": overlaps})
        found.append(read(surfaces / "organ.ply"))
    assert found[0].volume == pytest.approx(found[1].volume, rel=1e-3)
    _, apart, _ = trimesh.proximity.closest_point_naive(found[0], found[1].vertices[::97])
    assert apart.max() < 0.15  # of a voxel of 1 mm: the smoothing is not told which axis is which


def test_every_format_that_is_asked_for_holds_the_same_surface_and_says_lps(tmp_path):
    inputs = put_label_map(tmp_path / "one", ball=ball())
    surfaces, _, _ = run(inputs, ("ply", "stl", "obj", "vtp"))
    assert {path.name for path in surfaces.iterdir()} == {
        f"ball.{suffix}" for suffix in ("ply", "stl", "obj", "vtp")
    }
    for suffix in ("ply", "stl", "obj"):
        assert b"SPACE=LPS" in (surfaces / f"ball.{suffix}").read_bytes()
    assert list(pyvista.read(surfaces / "ball.vtp").field_data["SPACE"]) == ["LPS"]
    for path in surfaces.iterdir():
        found = pyvista.read(path)
        assert found.volume == pytest.approx(BALL.volume, rel=0.01)
        assert found.center_of_mass() == pytest.approx(BALL.centroid, abs=0.1)


def test_the_model_holds_every_structure_by_name_in_metres_y_up(tmp_path):
    _, model, _ = run(put_label_map(tmp_path / "one", organ=organ(), ball=ball()))
    scene = trimesh.load(model)
    assert set(scene.geometry) == {"organ", "ball"}
    left, posterior, superior = BALL.centroid
    for found in scene.geometry.values():
        assert 1000 * found.center_mass == pytest.approx([left, superior, -posterior], abs=0.1)
    assert 1e9 * scene.geometry["organ"].volume == pytest.approx(ORGAN.volume, rel=0.01)


def test_a_budget_of_triangles_is_kept_and_what_it_costs_is_said(tmp_path):
    inputs = put_label_map(tmp_path / "one", organ=organ(), ball=ball())
    surfaces, _, said = run(inputs, triangles=500)
    for name, body in BODIES.items():
        described = said["structures"][name]
        assert described["triangles"] <= 500
        assert read(surfaces / f"{name}.ply").volume == pytest.approx(body.volume, rel=0.01)
        assert 0 < described["decimation_mean_mm"] < described["decimation_max_mm"] < 1


def test_a_map_without_a_structure_gives_no_surface_and_a_model_that_loads(tmp_path):
    surfaces, model, said = run(put_label_map(tmp_path / "one"))
    assert said["status"] == "ok" and said["structures"] == {}
    assert not list(surfaces.iterdir())
    assert model.read_bytes()[:4] == b"glTF"


def test_a_structure_cut_by_the_edge_of_the_scan_is_closed(tmp_path):
    cut = np.zeros(GRID.shape, bool)
    cut[:, :, : GRID.size[0] // 2] = organ()[:, :, GRID.size[0] // 2 :][:, :, : GRID.size[0] // 2]
    surfaces, _, _ = run(put_label_map(tmp_path / "one", organ=cut))
    found = read(surfaces / "organ.ply")
    assert found.is_watertight
    assert found.volume == pytest.approx(np.count_nonzero(cut), rel=0.01)


def test_a_refusal_is_passed_on_and_earlier_surfaces_vanish(tmp_path):
    run(put_label_map(tmp_path / "one", ball=ball()))
    folder = tmp_path / "one"
    inputs = {"labels": put_refused(folder / "labels.nii.gz"), "overlaps": folder / "overlaps"}
    surfaces, model, said = run(inputs)
    assert_refusal_passed_on(said, surfaces, model)
    assert str(tmp_path) not in json.dumps(said)


def test_a_structure_that_the_repair_takes_is_said_to_have_no_surface(tmp_path):
    # Noise is full of pinches; a lesion of one voxel within it is sometimes what a repair takes.
    codes = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        noise, lesion = np.zeros((2, *GRID.shape), bool)
        noise[4:9, 4:9, 4:9] = rng.random((5, 5, 5)) < 0.5
        lesion[tuple(rng.integers(4, 9, 3))] = True
        *_, said = run(put_label_map(tmp_path / str(seed), organ=noise & ~lesion, ball=lesion))
        assert said["structures"]["organ"]["status"] == "ok"
        codes.add(said["structures"]["ball"].get("code"))
    assert codes == {None, "surface-open"}
