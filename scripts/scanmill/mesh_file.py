"""Write surfaces, each format saying which space it is in.

PLY, STL, OBJ and VTP hold LPS millimetres and carry `SPACE=LPS`, which 3D Slicer reads; GLB follows
glTF: metres, Y up, here with X to the patient's left, Y to the head and Z to the front.
"""

import struct
from pathlib import Path

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

from scanmill.atomic import replacing
from scanmill.surface import Surface

SPACE = "SPACE=LPS"
METRES_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]) * 1e-3


def write_surface(path: Path, surface: Surface) -> None:
    """Write one surface in the format of the path's suffix: .ply, .stl, .obj or .vtp."""
    with replacing(path) as temporary:
        WRITERS[path.suffix](temporary, surface)


def write_glb(path: Path, surfaces: dict[str, tuple[Surface, str]]) -> None:
    """Write all surfaces of a case as one scene: name to surface and colour (sRGB, #rrggbb).

    Without surfaces the file is empty, since a scene of nothing is no valid glTF.
    """
    import trimesh
    from trimesh.visual.material import PBRMaterial

    scene = trimesh.Scene()
    for name, (surface, colour) in surfaces.items():
        material = PBRMaterial(
            name=name,
            baseColorFactor=_linear(colour),
            metallicFactor=0.0,
            roughnessFactor=0.7,
        )
        mesh = trimesh.Trimesh(
            surface.points @ METRES_Y_UP.T,
            surface.triangles,
            process=False,
            visual=trimesh.visual.TextureVisuals(material=material),
        )
        scene.add_geometry(mesh, node_name=name, geom_name=name)
    with replacing(path) as temporary:
        temporary.write_bytes(scene.export(file_type="glb") if surfaces else b"")


def _linear(colour: str) -> np.ndarray:
    """The linear RGBA, 0 to 1, that glTF has, of an sRGB colour (IEC 61966-2-1)."""
    srgb = np.array([*bytes.fromhex(colour.removeprefix("#")), 255]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _polydata(surface: Surface) -> vtkPolyData:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(surface.points.astype(np.float32), deep=True))
    cells = vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(surface.triangles.astype(np.int64).ravel(), deep=True))
    mesh = vtkPolyData()
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    return mesh


def _write_ply(path: Path, surface: Surface) -> None:
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment {SPACE}\ncomment UNIT=mm\n"
        f"element vertex {len(surface.points)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(surface.triangles)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(surface.triangles), np.dtype([("n", "u1"), ("corners", "<i4", 3)]))
    faces["n"] = 3
    faces["corners"] = surface.triangles
    with open(path, "wb") as stream:
        stream.write(header.encode("ascii"))
        stream.write(surface.points.astype("<f4").tobytes())
        stream.write(faces.tobytes())


def _write_stl(path: Path, surface: Surface) -> None:
    from vtkmodules.vtkIOGeometry import vtkSTLWriter

    writer = vtkSTLWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(_polydata(surface))
    writer.SetFileTypeToBinary()
    writer.SetHeader(f"{SPACE};UNIT=mm")
    writer.Write()


def _write_obj(path: Path, surface: Surface) -> None:
    with open(path, "w", encoding="ascii", newline="\n") as stream:
        stream.write(f"# {SPACE}\n# UNIT=mm\n")
        np.savetxt(stream, surface.points, fmt="v %.6f %.6f %.6f")
        np.savetxt(stream, surface.triangles + 1, fmt="f %d %d %d")


def _write_vtp(path: Path, surface: Surface) -> None:
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    space = vtkStringArray()
    space.SetName("SPACE")
    space.InsertNextValue("LPS")
    mesh = _polydata(surface)
    mesh.GetFieldData().AddArray(space)
    writer = vtkXMLPolyDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(mesh)
    # VTK's default, zlib, takes twenty times as long.
    writer.SetCompressorTypeToLZ4()
    writer.Write()


WRITERS = {".ply": _write_ply, ".stl": _write_stl, ".obj": _write_obj, ".vtp": _write_vtp}
