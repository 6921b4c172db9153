"""Closed surfaces of all the structures of a label map, that share the boundaries where they touch.

Surface nets (Gibson 1998, doi:10.1007/BFb0056277; VTK's vtkSurfaceNets3D) give one mesh of all
boundaries in one pass; a low-pass filter (`smoothing`) takes the voxel steps out of it. What smoothing
takes from a structure's volume is given back: each boundary moves along its normal by the difference of
the `pressures` of the two structures beside it, and the pressures are such that every structure has the
volume of its voxels. So neighbours never part or overlap.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D

from scanmill.composition import make_well_composed
from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_map import count_voxels
from scanmill.smoothing import STEPS, smoothed

LARGEST_SHIFT = 1.0
PRESSURE_STEPS = 25
VOLUME_TOLERANCE = 1e-4
# Of the surface of one mask: of those tried, the band that keeps shapes and takes steps of voxels away.
PASS_BAND = 0.01
# How many times as long the waves may be that are taken away where slices are thick: with more, round
# shapes of a radius of some voxels flatten.
LONGEST = 1.5


@dataclass
class Surface:
    """A triangle mesh. points: (n, 3) LPS mm. triangles: (m, 3), counter-clockwise from outside."""

    points: np.ndarray
    triangles: np.ndarray


@dataclass
class Boundaries:
    """The boundaries between all labels of a map, as one mesh.

    points: (n, 3), mm along the grid's axes from its first voxel's centre. triangles: (m, 3). sides:
    (m, 2), the labels behind and before each triangle, 0 being outside: normals point from the first
    to the second. volumes: by label, mm3, of the label's voxels.
    """

    points: np.ndarray
    triangles: np.ndarray
    sides: np.ndarray
    volumes: np.ndarray


def boundaries(
    labels: np.ndarray, grid: Grid, pass_band: float = 0.1, longer: float = 1.0
) -> tuple[Boundaries, int]:
    """Smooth, volume-keeping boundaries of a label map [z, y, x]; and how many voxels were repaired.

    pass_band: of the windowed sinc; less is smoother, and rounds sharp edges more. longer: how many
    times as long waves are smoothed away as the steps of voxels are.
    Structures cut by the edge of the grid are closed there, on the outer faces of its voxels.
    """
    volumes = count_voxels(labels, int(labels.max()) + 1) * grid.voxel_volume
    padded = np.pad(labels, 1)
    repaired, _ = make_well_composed(padded)
    net = _surface_net(padded)
    del padded
    triangles = vtk_to_numpy(net.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
    points = vtk_to_numpy(net.GetPoints().GetData())
    mesh = Boundaries(
        _smoothed_points(points, triangles, pass_band, longer) * grid.spacing,
        triangles,
        vtk_to_numpy(net.GetCellData().GetArray("BoundaryLabels")).astype(np.uint16),
        volumes,
    )
    del net, points
    keep_volumes(mesh, largest_step=0.25 * min(grid.spacing))
    return mesh, repaired


def keep_volumes(mesh: Boundaries, largest_step: float) -> None:
    """Move the boundaries until each structure encloses the volume of its voxels.

    largest_step: mm that a boundary may move in one of the steps.
    """
    # By rank among the labels of the mesh: values reach 65535, and the areas are a square matrix.
    occurs = count_voxels(mesh.sides, len(mesh.volumes)) > 0
    occurs[0] = True
    values = np.flatnonzero(occurs)
    sides = (np.cumsum(occurs) - 1).astype(mesh.sides.dtype)[mesh.sides]
    volumes = mesh.volumes[values]
    for _ in range(PRESSURE_STEPS):
        enclosed, areas = _volumes_and_areas(mesh.points, mesh.triangles, sides, len(values))
        miss = volumes - enclosed
        present = np.flatnonzero((volumes > 0) & (np.diag(areas) > 0))
        present = present[present > 0]
        if not (np.abs(miss[present]) > VOLUME_TOLERANCE * volumes[present]).any():
            return
        pressures = np.zeros(len(values))
        # Moving a boundary by one mm changes a volume by its area: a Laplacian over the neighbours.
        pressures[present] = np.linalg.lstsq(
            areas[np.ix_(present, present)], miss[present], rcond=1e-9
        )[0]
        pressures = np.clip(pressures, -largest_step, largest_step)
        _move(mesh.points, mesh.triangles, sides, pressures)


def surfaces_of(mesh: Boundaries, grid: Grid) -> Iterator[tuple[int, Surface]]:
    """Each structure's label and closed surface, LPS mm, by rising label."""
    frame = np.reshape(grid.direction, (3, 3))
    flipped = bool(np.linalg.det(frame) < 0)
    points = mesh.points @ frame.T + grid.origin
    begin, which = _by_label(mesh.sides, len(mesh.volumes))
    for label in range(1, len(mesh.volumes)):
        own = which[begin[label] : begin[label + 1]]
        if own.size > 0:
            used, triangles = _piece(mesh.triangles, own, flipped)
            yield label, Surface(points[used], triangles)


def surface_of(mesh: Boundaries, label: int, grid: Grid) -> Surface:
    """The closed surface of one structure, LPS mm; without triangles where it has none."""
    nothing = Surface(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    return dict(surfaces_of(mesh, grid)).get(label, nothing)


def surface_of_mask(mask: np.ndarray, grid: Grid, slices: float = 0.0) -> Surface:
    """The smooth, closed surface of a mask [z, y, x], LPS mm.

    slices: mm between those of the scan that the mask is of, where they are thicker than its voxels:
    they leave waves that are longer than those of voxels.
    """
    longer = float(np.clip(np.sqrt(slices / min(grid.spacing)), 1.0, LONGEST))
    mesh, _ = boundaries(mask.astype(np.uint8), grid, PASS_BAND, longer)
    return surface_of(mesh, 1, grid)


def _surface_net(padded: np.ndarray) -> vtkPolyData:
    """The unsmoothed net, in voxel units of the map before its padding by one voxel."""
    image = vtkImageData()
    image.SetDimensions(padded.shape[::-1])
    image.SetOrigin(-1, -1, -1)
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel()))
    nets = vtkSurfaceNets3D()
    nets.SetInputData(image)
    for n, label in enumerate(np.flatnonzero(count_voxels(padded, int(padded.max()) + 1)[1:]) + 1):
        nets.SetValue(n, int(label))
    nets.SmoothingOff()
    nets.SetOutputMeshTypeToTriangles()
    nets.Update()
    return nets.GetOutput()


def _smoothed_points(
    points: np.ndarray, triangles: np.ndarray, pass_band: float, longer: float
) -> np.ndarray:
    """The net's points after smoothing, in voxel units of the map.

    Thin structures collapse under a low-pass filter: no point may move further than a voxel, or than
    the waves are longer.
    """
    steps, furthest = round(STEPS * longer), LARGEST_SHIFT * longer
    shift = smoothed(points, triangles, pass_band / longer**2, steps) - points
    length = np.linalg.norm(shift, axis=1, keepdims=True)
    return points + shift * np.minimum(1.0, furthest / np.maximum(length, furthest))


@kernel
def _volumes_and_areas(points, triangles, sides, number):  # noqa: ANN001, ANN202
    """Enclosed volume by label; and areas: own on the diagonal, minus shared ones off it."""
    volumes = np.zeros(number)
    areas = np.zeros((number, number))
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        part = (a[0] * nx + a[1] * ny + a[2] * nz) / 6
        size = np.sqrt(nx * nx + ny * ny + nz * nz) / 2
        behind, before = sides[t, 0], sides[t, 1]
        volumes[behind] += part
        volumes[before] -= part
        areas[behind, behind] += size
        areas[before, before] += size
        areas[behind, before] -= size
        areas[before, behind] -= size
    return volumes, areas


@kernel
def _move(points, triangles, sides, pressures):  # noqa: ANN001, ANN202
    """Move each point by the area-weighted mean of its triangles' pressure differences."""
    force = np.zeros(points.shape)
    weight = np.zeros(len(points))
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        size = np.sqrt(nx * nx + ny * ny + nz * nz)
        push = pressures[sides[t, 0]] - pressures[sides[t, 1]]
        for n in range(3):
            p = triangles[t, n]
            force[p, 0] += push * nx
            force[p, 1] += push * ny
            force[p, 2] += push * nz
            weight[p] += size
    for p in range(len(points)):
        if weight[p] > 0:
            for n in range(3):
                points[p, n] += force[p, n] / weight[p]


@kernel
def _by_label(sides, number):  # noqa: ANN001, ANN202
    """Each label's triangles one after another, and where they begin.

    Every triangle stands twice: as t for the label behind, as t - their number for the one before.
    """
    begin = np.zeros(number + 2, np.int64)
    for side in range(2):
        for t in range(len(sides)):
            begin[sides[t, side] + 2] += 1
    begin = np.cumsum(begin)
    which = np.empty(2 * len(sides), np.int32)
    for side in range(2):
        for t in range(len(sides)):
            label = sides[t, side] + 1
            which[begin[label]] = t - side * len(sides)
            begin[label] += 1
    return begin, which


@kernel
def _piece(triangles, which, flipped):  # noqa: ANN001, ANN202
    """The points that some of the triangles use, ascending, and those triangles by their rank.

    Triangles are turned where their label is before them, or else where the frame is flipped.
    """
    own = np.empty((len(which), 3), np.int32)
    low, high = triangles[which[0], 0], triangles[which[0], 0]
    for n in range(len(which)):
        turned = (which[n] < 0) != flipped
        for c in range(3):
            p = triangles[which[n], 2 - c if turned else c]
            own[n, c] = p
            low, high = min(low, p), max(high, p)
    rank = np.zeros(high - low + 1, np.int32)
    for n in range(len(which)):
        for c in range(3):
            rank[own[n, c] - low] = 1
    used = np.flatnonzero(rank) + low
    for n in range(len(used)):
        rank[used[n] - low] = n
    for n in range(len(which)):
        for c in range(3):
            own[n, c] = rank[own[n, c] - low]
    return used, own
