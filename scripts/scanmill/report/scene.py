"""The 3D view of a case: its surfaces and its scan as a scene of vtk.js, and vtk.js itself.

The scene is in LPS mm, in the form that vtk.js exchanges scenes in: plain states of its objects, with
arrays by hash. The viewer is the one that Kitware builds into trame-vtk to open such scenes.
"""

import base64
import hashlib
import io
import json
import re
import zipfile
from importlib.metadata import distribution
from importlib.resources import files
from typing import Any

import deflate
import numpy as np
import pyfqmr
import trame_vtk

from scanmill.grid import Grid
from scanmill.surface import Surface
from scanmill.surface_measures import area

# Triangles that are shown of all structures together, and of one at most and at least.
TRIANGLES, MOST, LEAST = 150_000, 20_000, 600
# Of a surface with so many times the triangles that are shown, points are first put together.
MANY = 20
# Voxels of the scan that are shown, at most.
VOXELS = 2_000_000
# Of one that others lie in.
SEE_THROUGH = 0.25
# Parts of its longest side that a surface's points are rounded to.
PARTS = 4096
# A page must ask nothing of any network: vtk.js would fetch icons for the browser's tab.
ICONS = "https://kitware.github.io/vtk-js/icon/favicon-${t}x${t}.png"
LEVEL = 9
State = dict[str, Any]


def viewer() -> str:
    """The code of the viewer, a module of JavaScript."""
    page = (files(trame_vtk) / "tools" / "static_viewer.html").read_text(encoding="utf-8")
    (code,) = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    if ICONS not in code:
        raise ValueError("trame-vtk's viewer is not the one that this was written for")
    return code.replace(ICONS, "data:,")


def licence() -> str:
    """The terms under which the viewer may be passed on."""
    return distribution("trame-vtk").read_text("licenses/LICENSE")


def packed(content: bytes) -> str:
    """Compressed, as text; the same everywhere."""
    return base64.b64encode(bytes(deflate.gzip_compress(content, LEVEL))).decode()


def shown_surface(surface: Surface, others: int) -> Surface:
    """The surface with as many triangles as are shown of one of so many."""
    target = int(np.clip(TRIANGLES / others, LEAST, MOST))
    if len(surface.triangles) <= target:
        return surface
    if len(surface.triangles) > MANY * target:
        # What is to be removed one by one takes half a kilobyte a triangle.
        surface = _clustered(surface, float(np.sqrt(area(surface) / target)) / 2)
    simplifier = pyfqmr.Simplify()
    simplifier.setMesh(surface.points, surface.triangles.astype(np.int32))
    simplifier.simplify_mesh(target)
    points, triangles, _ = simplifier.getMesh()
    return Surface(np.asarray(points, float), np.asarray(triangles, np.int64))


def every(grid: Grid) -> int:
    """Along each axis, of how many voxels one is shown."""
    return int(np.ceil(np.cbrt(np.prod(grid.size) / VOXELS)))


def coarser(grid: Grid, step: int) -> Grid:
    """The grid of every `step`th voxel along each axis."""
    size = tuple(-(-n // step) for n in grid.size)
    return Grid(size, tuple(s * step for s in grid.spacing), grid.origin, grid.direction)


class Scene:
    """The states of a scene and its arrays, as they come together."""

    def __init__(self) -> None:
        self.arrays: dict[str, dict[str, str]] = {}
        self.props: list[State] = []

    def add_surface(self, colour: str, surface: Surface, around: bool) -> None:
        """Add a surface, LPS mm. colour: #rrggbb. around: others lie in it, so it is seen through."""
        n = len(self.props)
        points, triangles = _rounded(surface.points), surface.triangles
        corners = np.column_stack([np.full(len(triangles), 3), triangles])
        normals = self._array(_normals(surface), 3, "Normals") | {
            "location": "pointData",
            "registration": "setNormals",
        }
        mesh = {
            "points": self._array(points.astype("<f4"), 3, vtk_class="vtkPoints"),
            "polys": self._array(corners.ravel().astype("<u4"), 1, vtk_class="vtkCellArray"),
            "fields": [normals],
        }
        paint = [part / 255 for part in bytes.fromhex(colour.removeprefix("#"))]
        look = {
            "color": paint,
            "diffuseColor": paint,
            "ambientColor": paint,
            "ambient": 0.1,
            "diffuse": 0.9,
            "specular": 0.1,
            "specularPower": 20,
            "opacity": SEE_THROUGH if around else 1,
        }
        mapper = _state(
            "vtkMapper",
            f"mapper{n}",
            {"scalarVisibility": False},
            setInputData=_state("vtkPolyData", f"mesh{n}", mesh),
        )
        prop = _state("vtkProperty", f"look{n}", look)
        self.props.append(_state("vtkActor", f"prop{n}", {}, setMapper=mapper, setProperty=prop))

    def add_slices(self, grey: np.ndarray, grid: Grid) -> None:
        """Add three slices of an image, uint8 [z, y, x], one across each axis of its grid."""
        size = [n - 1 for n in grid.size]
        image = _state(
            "vtkImageData",
            "image",
            {
                "spacing": list(grid.spacing),
                "origin": list(grid.origin),
                "extent": [0, size[0], 0, size[1], 0, size[2]],
                # In columns, as vtk.js has it.
                "direction": np.reshape(grid.direction, (3, 3)).T.ravel().tolist(),
                "fields": [
                    self._array(grey.ravel(), 1, "grey")
                    | {"location": "pointData", "registration": "setScalars"}
                ],
            },
        )
        for axis in range(3):
            mapper = _state(
                "vtkImageMapper",
                f"slice{axis}",
                {"slicingMode": axis, "slice": grid.size[axis] // 2},
                setInputData=image,
            )
            look = _state(
                "vtkImageProperty", f"window{axis}", {"colorWindow": 255, "colorLevel": 127.5}
            )
            prop = _state(
                "vtkImageSlice",
                f"scan{axis}",
                {"visibility": False},
                setMapper=mapper,
                setProperty=look,
            )
            self.props.append(prop)

    def packed(self) -> str:
        """The scene as the viewer opens it: a zip of one JSON, stored, and then compressed."""
        camera = _state("vtkCamera", "camera", {"position": [0, -1, 0], "viewUp": [0, 0, 1]})
        renderer = _state(
            "vtkRenderer", "renderer", {"background": [0, 0, 0]}, setActiveCamera=camera
        )
        renderer["dependencies"] += self.props
        renderer["calls"] += [["addViewProp", [_reference(prop)]] for prop in self.props]
        window = _state("vtkRenderWindow", "window", {}, addRenderer=renderer)
        text = json.dumps({"scene": window, "hashes": self.arrays}, separators=(",", ":"))
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo("index.json"), text)
        return packed(made.getvalue())

    def _array(
        self, values: np.ndarray, components: int, name: str = "", vtk_class: str = "vtkDataArray"
    ) -> State:
        content = np.ascontiguousarray(values).tobytes()
        key = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.arrays[key] = {"content": base64.b64encode(content).decode()}
        return {
            "hash": key,
            "vtkClass": vtk_class,
            "name": name,
            "dataType": JAVASCRIPT[values.dtype.str[1:]],
            "numberOfComponents": components,
            "size": values.size,
        }


JAVASCRIPT = {"u1": "Uint8Array", "i1": "Int8Array", "u4": "Uint32Array", "f4": "Float32Array"}


def _state(kind: str, name: str, properties: State, **calls: State) -> State:
    """An object of vtk.js. calls: of its methods, each with an object that it depends on."""
    return {
        "id": name,
        "type": kind,
        "properties": properties,
        "dependencies": list(calls.values()),
        "calls": [[method, [_reference(other)]] for method, other in calls.items()],
    }


def _reference(state: State) -> str:
    return f"instance:${{{state['id']}}}"


def _rounded(points: np.ndarray) -> np.ndarray:
    """Points whose bytes compress well: multiples of a power of two, mm."""
    step = 2.0 ** np.floor(np.log2(np.ptp(points, axis=0).max() / PARTS))
    return np.round(points / step) * step


def _clustered(surface: Surface, cell: float) -> Surface:
    """A surface whose points in each cube of a grid, of `cell` mm, are one: their mean."""
    cubes = np.floor((surface.points - surface.points.min(axis=0)) / cell).astype(np.int64)
    sizes = cubes.max(axis=0) + 1
    keys = (cubes[:, 0] * sizes[1] + cubes[:, 1]) * sizes[2] + cubes[:, 2]
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = [np.bincount(place, surface.points[:, k]) for k in range(3)]
    corners = place[surface.triangles]
    a, b, c = corners.T
    return Surface(
        np.stack(sums, axis=1) / counts[:, None], corners[(a != b) & (b != c) & (c != a)]
    )


def _normals(surface: Surface) -> np.ndarray:
    """Of each point the mean of its triangles' normals by area, int8, as long as 127."""
    corners = surface.points[surface.triangles]
    facets = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.stack(
        [
            np.bincount(surface.triangles.ravel(), np.repeat(facets[:, k], 3), len(surface.points))
            for k in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.rint(127 * total / np.where(length > 0, length, 1)).astype(np.int8)
