"""Write and read surfaces, each format saying which space it is in.

PLY, STL, OBJ and VTP hold LPS millimetres and carry `SPACE=LPS`, which 3D Slicer reads; GLB follows
glTF: metres, Y up, here with X to the patient's left, Y to the head and Z to the front.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from vtkmodules.vtkCommonCore import vtkStringArray

from scanmill.atomic import replacing
from scanmill.surface import Surface
from scanmill.vtk_surface import polydata

SPACE = "SPACE=LPS"
# Numbers that glTF has from OpenGL.
VERTICES, INDICES, FLOAT, UNSIGNED_INT = 34962, 34963, 5126, 5125
METRES_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]) * 1e-3


def write_surface(path: Path, surface: Surface) -> None:
    """Write one surface in the format of the path's suffix: .ply, .stl, .obj or .vtp."""
    with replacing(path) as temporary:
        WRITERS[path.suffix](temporary, surface)


def find_surface(folder: Path, name: str) -> Surface:
    """Read the surface of that name, LPS mm, in whichever format the folder has it."""
    paths = (folder / f"{name}{suffix}" for suffix in (".ply", ".vtp", ".stl", ".obj"))
    return read_surface(next(path for path in paths if path.exists()))


def read_surface(path: Path) -> Surface:
    """Read a surface, LPS mm, that `write_surface` wrote."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
    from vtkmodules.vtkIOPLY import vtkPLYReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    readers = {
        ".ply": vtkPLYReader,
        ".vtp": vtkXMLPolyDataReader,
        ".stl": vtkSTLReader,
        ".obj": vtkOBJReader,
    }
    reader = readers[path.suffix]()
    reader.SetFileName(str(path))
    reader.Update()
    mesh = reader.GetOutput()
    triangles = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return Surface(vtk_to_numpy(mesh.GetPoints().GetData()).astype(float), triangles.copy())


def write_glb(path: Path, surfaces: dict[str, tuple[Surface, str]]) -> None:
    """Write all surfaces of a case as one scene: name to surface and colour (sRGB, #rrggbb).

    Own code, since importing trimesh costs more than writing: two buffers a surface, and a page of
    JSON. Format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
    """
    scene: dict[str, Any] = {"asset": {"version": "2.0", "generator": "ScanMill"}}
    parts: list[bytes] = []
    end = 0
    for n, (name, (surface, colour)) in enumerate(surfaces.items()):
        points = (surface.points @ METRES_Y_UP.T).astype("<f4")
        views = ((points, VERTICES), (surface.triangles.astype("<u4"), INDICES))
        for array, target in views:
            view = {"buffer": 0, "byteOffset": end, "byteLength": array.nbytes, "target": target}
            scene.setdefault("bufferViews", []).append(view)
            parts.append(array.tobytes())
            end += array.nbytes
        scene.setdefault("accessors", []).extend(
            [
                {
                    "bufferView": 2 * n,
                    "componentType": FLOAT,
                    "count": len(points),
                    "type": "VEC3",
                    "min": points.min(axis=0).tolist(),
                    "max": points.max(axis=0).tolist(),
                },
                {
                    "bufferView": 2 * n + 1,
                    "componentType": UNSIGNED_INT,
                    "count": surface.triangles.size,
                    "type": "SCALAR",
                },
            ]
        )
        paint = {"baseColorFactor": _linear(colour), "metallicFactor": 0.0, "roughnessFactor": 0.7}
        scene.setdefault("materials", []).append({"name": name, "pbrMetallicRoughness": paint})
        primitive = {"attributes": {"POSITION": 2 * n}, "indices": 2 * n + 1, "material": n}
        scene.setdefault("meshes", []).append({"name": name, "primitives": [primitive]})
        scene.setdefault("nodes", []).append({"name": name, "mesh": n})
    if parts:
        scene["scenes"] = [{"nodes": list(range(len(surfaces)))}]
        scene["scene"] = 0
        scene["buffers"] = [{"byteLength": end}]
    text = json.dumps(scene, separators=(",", ":"), allow_nan=False).encode()
    chunks = [(b"JSON", [text + b" " * (-len(text) % 4)])] + ([(b"BIN\0", parts)] if parts else [])
    sizes = [sum(map(len, content)) for _, content in chunks]
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        stream.write(struct.pack("<4sII", b"glTF", 2, 12 + sum(8 + size for size in sizes)))
        for (kind, content), size in zip(chunks, sizes, strict=True):
            stream.write(struct.pack("<I4s", size, kind))
            stream.writelines(content)


def _linear(colour: str) -> list[float]:
    """The linear RGBA, 0 to 1, that glTF has, of an sRGB colour (IEC 61966-2-1)."""
    srgb = np.array([*bytes.fromhex(colour.removeprefix("#")), 255]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear.round(6).tolist()


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
    writer.SetInputData(polydata(surface.points.astype(np.float32), surface.triangles))
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
    mesh = polydata(surface.points.astype(np.float32), surface.triangles)
    mesh.GetFieldData().AddArray(space)
    writer = vtkXMLPolyDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(mesh)
    # VTK's default, zlib, takes twenty times as long.
    writer.SetCompressorTypeToLZ4()
    writer.Write()


WRITERS = {".ply": _write_ply, ".stl": _write_stl, ".obj": _write_obj, ".vtp": _write_vtp}
