"""Surfaces as other programs read them: the same points, in a space that the file names."""

import json
import struct

import numpy as np
import pytest
import trimesh
from bodies import BODIES, CENTRE, OBLIQUE, grid_over, mask_of
from scanmill.mesh_file import write_glb, write_surface
from scanmill.surface import Surface, boundaries, surface_of
from scanmill.surface_measures import volume
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
from vtkmodules.vtkIOPLY import vtkPLYReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

FORMATS = (".ply", ".stl", ".obj", ".vtp")
READERS = {
    ".ply": vtkPLYReader,
    ".stl": vtkSTLReader,
    ".obj": vtkOBJReader,
    ".vtp": vtkXMLPolyDataReader,
}
COLOURS = {"left-lung": "#c5a591", "aorta": "#ff0010"}


@pytest.fixture(scope="module")
def surfaces() -> dict[str, Surface]:
    found = {}
    for name, body in zip(COLOURS, (BODIES["ellipsoid"], BODIES["tube"]), strict=True):
        grid = grid_over(body, (2.0, 2.0, 2.0), OBLIQUE["oblique left-handed"])
        mesh, _ = boundaries(mask_of(body, grid).astype(np.uint8), grid)
        found[name] = surface_of(mesh, 1, grid)
    return found


def read(path):
    """The reader that 3D Slicer uses for the format, and what it reads."""
    reader = READERS[path.suffix]()
    reader.SetFileName(str(path))
    reader.Update()
    mesh = reader.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float)
    triangles = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return reader, Surface(points, triangles.astype(np.int64))


def space_in(reader, suffix) -> str:
    """What vtkMRMLModelStorageNode of 3D Slicer searches for the space, by format."""
    if suffix == ".ply":
        comments = reader.GetComments()
        return ";".join(comments.GetValue(n) for n in range(comments.GetNumberOfValues()))
    if suffix == ".stl":
        return reader.GetHeader()
    if suffix == ".obj":
        return reader.GetComment()
    array = reader.GetOutput().GetFieldData().GetAbstractArray("SPACE")
    return f"SPACE={array.GetValue(0)}"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_surface_comes_back_in_the_same_place_and_says_its_space(tmp_path, surfaces, suffix):
    surface = surfaces["left-lung"]
    path = tmp_path / f"lung{suffix}"
    write_surface(path, surface)
    reader, back = read(path)
    assert "SPACE=LPS" in space_in(reader, suffix)
    assert "RAS" not in space_in(reader, suffix)
    assert len(back.triangles) == len(surface.triangles)
    corners = back.points[back.triangles], surface.points[surface.triangles]
    assert np.abs(corners[0] - corners[1]).max() < 1e-4
    assert volume(back) == pytest.approx(volume(surface), rel=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == [f"lung{suffix}"]


@pytest.mark.parametrize("suffix", [".ply", ".stl", ".obj"])
def test_another_library_reads_a_closed_outward_surface(tmp_path, surfaces, suffix):
    path = tmp_path / f"lung{suffix}"
    write_surface(path, surfaces["left-lung"])
    mesh = trimesh.load_mesh(path)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(volume(surfaces["left-lung"]), rel=1e-4)
    assert mesh.center_mass == pytest.approx(np.array(CENTRE), abs=0.1)


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_surfaces_give_equal_bytes(tmp_path, surfaces, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        write_surface(path, surfaces["aorta"])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_an_unknown_format_leaves_nothing(tmp_path, surfaces):
    with pytest.raises(KeyError):
        write_surface(tmp_path / "lung.fbx", surfaces["aorta"])
    assert list(tmp_path.iterdir()) == []


def write_scene(path, surfaces) -> None:
    write_glb(path, {name: (surface, COLOURS[name]) for name, surface in surfaces.items()})


def test_a_scene_is_in_metres_with_the_head_up_and_the_face_to_the_front(tmp_path, surfaces):
    path = tmp_path / "model.glb"
    write_scene(path, surfaces)
    scene = trimesh.load_scene(path)
    assert set(scene.graph.nodes_geometry) == set(COLOURS)
    for name, surface in surfaces.items():
        transform, geometry = scene.graph[name]
        mesh = scene.geometry[geometry].copy().apply_transform(transform)
        # LPS: x to the left, y to the back, z to the head. glTF: x stays, y up, z to the viewer.
        x, y, z = (surface.points / 1000).T
        expected = Surface(np.column_stack([x, z, -y]), surface.triangles)
        assert len(mesh.faces) == len(surface.triangles)
        assert mesh.is_watertight
        assert mesh.volume == pytest.approx(volume(surface) * 1e-9, rel=1e-4)
        assert mesh.bounds == pytest.approx(
            np.array([expected.points.min(axis=0), expected.points.max(axis=0)]), abs=1e-6
        )


def test_a_scene_names_and_colours_its_structures(tmp_path, surfaces):
    path = tmp_path / "model.glb"
    write_scene(path, surfaces)
    content = path.read_bytes()
    magic, version, total, length, kind = struct.unpack("<4sIII4s", content[:20])
    assert (magic, version, total, kind) == (b"glTF", 2, len(content), b"JSON")
    said = json.loads(content[20 : 20 + length])
    assert [mesh["name"] for mesh in said["meshes"]] == list(COLOURS)
    for mesh in said["meshes"]:
        material = said["materials"][mesh["primitives"][0]["material"]]
        assert material["name"] == mesh["name"]
        # glTF's factors are linear: what is shown is their sRGB encoding.
        linear = np.array(material["pbrMetallicRoughness"]["baseColorFactor"])
        srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        shown = "#" + bytes(np.rint(srgb[:3] * 255).astype(np.uint8)).hex()
        assert shown == COLOURS[mesh["name"]]
        assert linear[3] == 1


def test_equal_scenes_give_equal_bytes(tmp_path, surfaces):
    paths = [tmp_path / name for name in ("a.glb", "b.glb")]
    for path in paths:
        write_scene(path, surfaces)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_scene_of_nothing_is_still_a_scene(tmp_path):
    write_glb(tmp_path / "model.glb", {})
    assert len(trimesh.load_scene(tmp_path / "model.glb").geometry) == 0
