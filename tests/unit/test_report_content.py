"""What a case's page says: numbers as they are shown, what was done to the scan, and its 3D scene."""

import base64
import gzip
import io
import json
import zipfile
from collections import defaultdict

import numpy as np
import pytest
from bodies import grid_over
from manifolds import assert_manifold
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.mesh_file import write_surface
from scanmill.phantom.body import sphere
from scanmill.report import scene
from scanmill.report.figures import at_same_places, of_marks, of_structures, overview
from scanmill.report.tables import number, tables
from scanmill.report.treatment import smoothed, treatment
from scanmill.report.view_3d import view_3d
from scanmill.report.window import SOFT
from scanmill.surface import Surface, boundaries, surfaces_of
from scanmill.volume_file import Volume

OFF = {"metal": "off", "bias": "off", "noise": "off"}
RESAMPLED = {
    "parameters": {"correct": OFF, "spacing": 1.5},
    "native_spacing_mm": [0.7, 0.7, 5.0],
    "native_size": [512, 512, 40],
    "spacing_mm": [1.5, 1.5, 1.5],
    "artefacts": {},
    "corrections": {},
}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (63.295, "63.30"),
        (2168.49, "2168"),
        (123456.7, "123457"),
        (0.00123456, "0.001235"),
        (-12.346, "-12.35"),
        (0.0, "0"),
    ],
)
def test_numbers_keep_four_digits_and_small_ones_are_no_zero(value, shown):
    assert number(value, percent=False) == shown


def test_percentages_have_one_place_and_zero_has_no_sign():
    assert [number(value, percent=True) for value in (-0.04, 1.27, -10)] == ["0.0", "1.3", "-10.0"]


def test_tables_have_the_columns_that_any_structure_has_and_units():
    rows = [
        {
            "structure": "a",
            "volume_mm3": "2500",
            "volume_low_mm3": "2400",
            "volume_high_mm3": "2650",
        },
        {"structure": "b", "stat_mean": "-10"},
    ]
    wanted = tables_of(rows)
    titles = [(q.title, q.unit) for q in wanted.quantities]
    assert titles == [("Volume", "mL"), ("Mean", "HU")]
    cells = [(name, [(e.value, e.interval) for e in entries]) for name, entries in wanted.rows]
    assert cells == [
        ("a", [("2.500", "2.400 to 2.650"), ("", "")]),
        ("b", [("", ""), ("-10.00", "")]),
    ]


def tables_of(rows):
    return tables([defaultdict(str, row) for row in rows], hounsfield=True)["measurements"]


def test_what_was_not_asked_for_is_said_not_to_be_done():
    said = dict(treatment(RESAMPLED))
    assert said["Resolution"] == (
        "512 x 512 x 40 voxels of 0.7 x 0.7 x 5 mm as acquired, resampled to cubic voxels of 1.5 mm."
    )
    assert said["Artefacts"] == "None was found."
    assert "does not ask" in said["Bias field"] and "does not ask" in said["Noise"]
    assert not smoothed(RESAMPLED)


def test_what_was_done_is_said_with_its_figures():
    done = RESAMPLED | {
        "parameters": {
            "correct": {"metal": "inpaint", "bias": "n4", "noise": "diffusion"},
            "spacing": "native",
        },
        "artefacts": {"table_percent": 3.25, "metal_percent": 0.0, "streak_percent": 1.0},
        "corrections": {
            "bias": {"applied": True, "field_log_sd": 0.123},
            "noise": {"applied": True, "sd_before": 24.91, "sd_after": 3.04},
        },
    }
    said = dict(treatment(done))
    assert said["Resolution"].endswith("left as they are.")
    assert "3.2 % of the voxels: the patient's table" in said["Artefacts"]
    assert "in-painted" in said["Artefacts"] and "metal, marked" not in said["Artefacts"]
    assert "12 %" in said["Bias field"]
    assert "24.9 before, 3.04 after" in said["Noise"] and smoothed(done)
    kept = done | {"corrections": {"bias": {"applied": False}, "noise": {"applied": False}}}
    said = dict(treatment(kept))
    assert "not taken off" in said["Bias field"] and said["Noise"] == "None was found."


def body() -> Surface:
    ball = sphere(12, (50, -80, 300))
    grid = grid_over(ball)
    mask = np.linalg.norm(grid.to_physical(indices(grid)) - (50, -80, 300), axis=-1) < 12
    mesh, _ = boundaries(mask.astype(np.uint8), grid)
    return next(surface for _, surface in surfaces_of(mesh, grid))


def indices(grid: Grid) -> np.ndarray:
    z, y, x = np.indices(grid.shape)
    return np.stack([x, y, z], axis=-1)


def opened(packed: str) -> dict:
    with zipfile.ZipFile(io.BytesIO(gzip.decompress(base64.b64decode(packed)))) as archive:
        return json.loads(archive.read("index.json"))


def test_a_scene_has_the_surface_in_the_patients_millimetres_and_its_normals_outside():
    surface, made = body(), scene.Scene()
    made.add_surface("#ff8000", surface, around=True)
    found = opened(made.packed())
    (renderer,) = found["scene"]["dependencies"]
    camera, actor = renderer["dependencies"]
    mapper, look = actor["dependencies"]
    mesh = mapper["dependencies"][0]["properties"]

    def values(array):
        content = base64.b64decode(found["hashes"][array["hash"]]["content"])
        return np.frombuffer(
            content,
            {"Float32Array": "<f4", "Uint32Array": "<u4", "Int8Array": "i1"}[array["dataType"]],
        )

    points = values(mesh["points"]).reshape(-1, 3)
    assert points == pytest.approx(surface.points, abs=0.01)
    corners = values(mesh["polys"]).reshape(-1, 4)
    assert (corners[:, 0] == 3).all() and (corners[:, 1:] == surface.triangles).all()
    normals = values(mesh["fields"][0]).reshape(-1, 3)
    outwards = (points - (50, -80, 300)) / np.linalg.norm(points - (50, -80, 300), axis=1)[:, None]
    assert (np.einsum("ij,ij->i", normals, outwards) > 0.9 * 127).all()
    assert look["properties"]["color"] == pytest.approx([1, 128 / 255, 0])
    assert look["properties"]["opacity"] == scene.SEE_THROUGH and camera["type"] == "vtkCamera"


def test_surfaces_are_shown_with_the_triangles_that_all_together_may_have():
    surface = body()
    assert scene.shown_surface(surface, 1) is surface
    simple = scene.shown_surface(surface, 10**6)
    assert len(simple.triangles) <= 1.05 * scene.LEAST < len(surface.triangles)
    assert_manifold(simple)
    radii = np.linalg.norm(simple.points - (50, -80, 300), axis=1)
    assert radii == pytest.approx(12, abs=0.6)


def test_a_surface_of_very_many_triangles_is_shown_where_it_was():
    ball = sphere(30, (50, -80, 300))
    grid = grid_over(ball, (0.5, 0.5, 0.5))
    mask = np.linalg.norm(grid.to_physical(indices(grid)) - (50, -80, 300), axis=-1) < 30
    mesh, _ = boundaries(mask.astype(np.uint8), grid)
    surface = next(surface for _, surface in surfaces_of(mesh, grid))
    assert len(surface.triangles) > scene.MANY * scene.LEAST
    simple = scene.shown_surface(surface, 10**6)
    assert 0.5 * scene.LEAST < len(simple.triangles) <= 1.05 * scene.LEAST
    radii = np.linalg.norm(simple.points - (50, -80, 300), axis=1)
    assert radii == pytest.approx(30, abs=1.5)


def test_a_large_scan_is_shown_by_every_nth_voxel_where_it_lies():
    grid = Grid((512, 512, 300), (0.7, 0.7, 1.0), (-10.0, 20.0, 30.0), (-1, 0, 0, 0, 0, 1, 0, 1, 0))
    step = scene.every(grid)
    coarse = scene.coarser(grid, step)
    assert step == 4 and np.prod(coarse.size) <= scene.VOXELS
    place = coarse.to_physical(np.array([3, 5, 7]))
    assert place == pytest.approx(grid.to_physical(np.array([12, 20, 28])))


def test_masks_are_told_by_the_place_of_their_structure_up_to_the_largest_label(tmp_path):
    grid = Grid((4, 3, 2), (1.0, 1.0, 1.0))
    array = np.zeros(grid.shape, np.uint8)
    array[0, 1], array[1, 2] = 255, 7
    (tmp_path / "surfaces").mkdir()
    write_surface(tmp_path / "surfaces" / "last.ply", body())
    closed = [{"name": "last", "label": 255, "colour": "#ffffff"}]
    made = view_3d(array, LabelMap(array, grid), closed, tmp_path / "surfaces", SOFT)
    told = np.frombuffer(gzip.decompress(base64.b64decode(made.scan.labels)), "<u2")
    assert (told.reshape(grid.shape) == (array == 255)).all()
    assert (made.scan.names, made.scan.sizes) == (["sagittal", "coronal", "axial"], [4, 3, 2])
    assert [(b.name, b.around) for b in made.bodies] == [("last", False)] and not made.fewer


def test_the_viewer_asks_nothing_of_its_makers_and_its_licence_goes_with_it():
    code = scene.viewer()
    assert "OfflineLocalView" in code and "github.io/vtk-js/icon" not in code
    assert "Redistribution" in scene.licence()


def test_what_was_done_is_shown_where_most_is_marked():
    grid = Grid((12, 10, 8), (1.0, 1.0, 2.0))
    marks = np.zeros(grid.shape, np.uint8)
    marks[5, 2:8, 3:9], marks[2, 4, 4] = 1, 2
    axial, coronal, sagittal = of_marks(marks, marks, grid, SOFT)
    assert (axial.slice, coronal.slice, sagittal.slice) == (6, 5, 5)
    same = at_same_places(Volume(marks, grid), [axial, coronal, sagittal], grid, SOFT)
    assert [p.slice for p in same] == [6, 5, 5] and not any(p.outlines for p in same)
    # The same places on a grid of slices twice as thick.
    thick = grid.concentric((12, 10, 4), (1.0, 1.0, 4.0))
    own = at_same_places(Volume(marks[::2], thick), [axial, coronal, sagittal], grid, SOFT)
    assert [p.slice for p in own] == [3, 5, 5] and own[0].slices == 4


def test_a_scan_of_one_slice_and_a_structure_of_one_voxel_can_be_drawn():
    grid = Grid((9, 7, 1), (1.0, 1.0, 8.0))
    mask = np.zeros(grid.shape, bool)
    mask[0, 3, 4] = True
    label_map = LabelMap.empty(grid, 1)
    label_map.paint(1, Region.of(mask))
    structures = [{"name": "one", "label": 1, "colour": "#ffffff"}]
    image = np.zeros(grid.shape, np.int16)
    for drawn in (
        overview(image, label_map, structures, SOFT),
        of_structures(image, label_map, structures, SOFT)[0].pictures,
    ):
        assert [len(each.outlines) for each in drawn] == [1, 1, 1]
        assert drawn[1].frame[3] == 8
