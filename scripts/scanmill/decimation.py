"""Fewer triangles, with the boundaries that structures share still shared.

Each patch, the boundary between one pair of structures, is simplified on its own with its rim held
(quadric error metrics: Garland and Heckbert 1997, doi:10.1145/258734.258849; pyfqmr, MIT), so that the
patches still fit together. A patch that would not stay a manifold is left as it was.
"""

import numpy as np
import pyfqmr
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scanmill.surface import Boundaries, Surface
from scanmill.vtk_surface import polydata

SMALLEST_PATCH = 50


def decimate(mesh: Boundaries, budgets: dict[int, int]) -> Boundaries:
    """Simplify the boundaries of each label in `budgets` to about that many triangles.

    A boundary that two such labels share follows the smaller share that is left to either.
    """
    counts = np.bincount(mesh.sides.ravel(), minlength=len(mesh.volumes))
    share = {label: min(1.0, budget / max(1, counts[label])) for label, budget in budgets.items()}
    points, triangles, sides = [], [], []
    total = 0
    pairs, which = np.unique(mesh.sides, axis=0, return_inverse=True)
    for n, pair in enumerate(pairs):
        kept = min(share.get(int(label), 1.0) for label in pair)
        for patch in _pieces(mesh.points, mesh.triangles[which == n]):
            if kept < 1 and len(patch.triangles) >= SMALLEST_PATCH:
                patch = _simplified(patch, int(kept * len(patch.triangles)))
            points.append(patch.points)
            triangles.append(patch.triangles + total)
            sides.append(np.tile(pair, (len(patch.triangles), 1)))
            total += len(patch.points)
    # Rims are held to the last bit, so equal coordinates are the same point.
    merged, index = np.unique(np.concatenate(points), axis=0, return_inverse=True)
    return Boundaries(
        merged, index.ravel()[np.concatenate(triangles)], np.concatenate(sides), mesh.volumes
    )


def distances(original: Surface, simplified: Surface) -> tuple[float, float]:
    """Mean and largest distance, mm, from the points of a surface to its simplified form."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersGeneral import vtkDistancePolyDataFilter

    measure = vtkDistancePolyDataFilter()
    measure.SetInputData(0, polydata(original.points, original.triangles))
    measure.SetInputData(1, polydata(simplified.points, simplified.triangles))
    measure.SignedDistanceOff()
    measure.ComputeSecondDistanceOff()
    measure.ComputeCellCenterDistanceOff()
    measure.Update()
    apart = vtk_to_numpy(measure.GetOutput().GetPointData().GetArray("Distance"))
    return float(apart.mean()), float(apart.max())


def _pieces(points: np.ndarray, triangles: np.ndarray) -> list[Surface]:
    """The connected pieces of a patch, each with its own points."""
    used, index = np.unique(triangles, return_inverse=True)
    index = index.reshape(-1, 3)
    links = coo_array(
        (np.ones(2 * len(index), bool), (index[:, [0, 1]].ravel(), index[:, [1, 2]].ravel())),
        shape=(len(used), len(used)),
    )
    number, piece = connected_components(links, directed=False)
    if number == 1:
        return [Surface(points[used], index)]
    pieces = []
    for n in range(number):
        own = piece == n
        renumbered = np.cumsum(own) - 1
        pieces.append(Surface(points[used[own]], renumbered[index[own[index[:, 0]]]]))
    return pieces


def _simplified(patch: Surface, target: int) -> Surface:
    rim, euler = _rim(patch), _euler(patch)
    # What breaks a patch at one target leaves it sound at a gentler one.
    while target < len(patch.triangles) / 1.5:
        simplifier = pyfqmr.Simplify()
        simplifier.setMesh(patch.points, patch.triangles.astype(np.int32))
        simplifier.simplify_mesh(target, preserve_border=True)
        points, triangles, _ = simplifier.getMesh()
        simple = Surface(np.asarray(points, float), np.asarray(triangles, np.int64))
        if (
            len(simple.triangles) > 0
            and _euler(simple) == euler
            and _rim(simple) == rim
            and _is_simple(simple)
        ):
            return simple
        target *= 2
    return patch


def _edges(triangles: np.ndarray) -> np.ndarray:
    return np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])


def _euler(patch: Surface) -> int:
    """Points minus edges plus triangles: unchanged while no piece, hole or handle comes or goes."""
    edges = np.unique(np.sort(_edges(patch.triangles), axis=1), axis=0)
    return len(np.unique(patch.triangles)) - len(edges) + len(patch.triangles)


def _rim(patch: Surface) -> set[bytes]:
    """The directed edges that have no partner, as coordinates."""
    edges = _edges(patch.triangles)
    known = set(map(tuple, edges.tolist()))
    alone = [(a, b) for a, b in known if (b, a) not in known]
    return {patch.points[a].tobytes() + patch.points[b].tobytes() for a, b in alone}


def _is_simple(patch: Surface) -> bool:
    """No directed edge twice, no triangle that uses a point twice, no point twice."""
    edges = _edges(patch.triangles)
    return (
        len(np.unique(edges, axis=0)) == len(edges)
        and bool((edges[:, 0] != edges[:, 1]).all())
        and len(np.unique(patch.points, axis=0)) == len(patch.points)
    )
