"""Triangles and tetrahedra of about one size, by MMG, in a process of its own.

MMG is a C library: a crash or an endless loop in it must not take a case's other results along.

    python -m scanmill.simulation.mesher TASK given.npz found.npz

reads arrays and writes arrays, as the function of TASKS takes and gives them.

Dapogny et al. 2014, doi:10.1016/j.jcp.2014.01.005.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.refusal import Refusal
from scanmill.simulation.tetrahedra import Tetrahedra
from scanmill.surface import Surface

Arrays = dict[str, np.ndarray]

# How far the new surface may lie from the old one, of an edge.
HAUSDORFF = 0.1
# Degrees: no edge inside the surface of a vessel is sharp; and none of a skin at all, whose cells are
# bad where MMG takes it for one. Where parts meet, edges stay anyway.
RIDGE, NO_RIDGE = 80.0, 180.0
# The second time, MMG leaves fewer triangles and cells that are smaller than asked for.
PASSES = 2
# Of the edge that is asked for, what those of tetrahedra may be: where parts meet, MMG would make them
# ever shorter, and flat.
SHORTEST, LONGEST = 0.5, 1.2
# Nothing but to divide.
AS_IT_IS = {"noinsert": 1, "noswap": 1, "nomove": 1}
# Of computing: it takes seconds. And how many times as long it may take on a busy machine.
SECONDS, PATIENCE = 300, 20


def remeshed(surface: Surface, edge: float) -> Surface:
    """The surface of triangles of about one size. edge: of their sides, mm. Open ends stay.

    Raises Refusal where MMG crashes or does not end; MemoryError where it was killed, as a lack of
    memory does.
    """
    given = {"points": surface.points, "triangles": surface.triangles, "edge": np.array(edge)}
    found = _apart("remesh", given)
    if not len(found["triangles"]):
        raise _failed("left no triangle")
    return Surface(found["points"], found["triangles"])


def divided(mesh: Tetrahedra, level: np.ndarray, part: int) -> Tetrahedra:
    """A part of tetrahedra divided where a function is zero, whatever the shape of its pieces.

    level: the function at the points, mm. Where it is negative, the part's cells become a new part,
    whose number is one more than the largest. Raises as `remeshed` does.
    """
    given = {"points": mesh.points, "corners": mesh.corners, "parts": mesh.parts}
    given |= {"level": level, "part": np.array(part)}
    return Tetrahedra(**_apart("divide", given))


def remeshed_cells(mesh: Tetrahedra, edge: float) -> Tetrahedra:
    """Tetrahedra of about one size whose parts have smooth boundaries. Raises as `remeshed` does."""
    given = {"points": mesh.points, "corners": mesh.corners, "parts": mesh.parts}
    return Tetrahedra(**_apart("remesh-cells", given | {"edge": np.array(edge)}))


def _apart(task: str, arrays: Arrays) -> Arrays:
    """What one of TASKS makes of arrays, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(given, **arrays)
        ended = _run(task, given, found)
        if ended == -signal.SIGKILL:
            raise MemoryError("the mesher was killed")
        if ended != 0:
            why = "did not end" if ended == -signal.SIGXCPU else f"failed, with the code {ended}"
            raise _failed(why)
        with np.load(found) as meshed:
            return dict(meshed)


def _failed(why: str) -> Refusal:
    return Refusal("mesher-failed", f"MMG {why}; another length of edges may help")


def _run(task: str, given: Path, found: Path) -> int:
    """How the process ended."""
    command = [sys.executable, "-m", __name__, task, str(given), str(found)]
    library = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        return subprocess.run(command, env=library, timeout=PATIENCE * SECONDS).returncode
    except subprocess.TimeoutExpired:
        return -signal.SIGXCPU


def remesh(points: np.ndarray, triangles: np.ndarray, edge: np.ndarray) -> Arrays:
    """What the process does of a surface."""
    # Not above: it is a quarter of a second that the process which starts this one need not spend.
    from mmgpy import MmgMeshS

    for _ in range(PASSES):
        mesh = MmgMeshS(points.astype(float), triangles.astype(np.int32))
        mesh.remesh(hsiz=float(edge), hausd=HAUSDORFF * edge, ar=RIDGE, verbose=-1)
        points, triangles = np.asarray(mesh.get_vertices()), np.asarray(mesh.get_triangles())
    return {"points": points, "triangles": triangles}


def divide(
    points: np.ndarray, corners: np.ndarray, parts: np.ndarray, level: np.ndarray, part: np.ndarray
) -> Arrays:
    """What the process does where tetrahedra are divided."""
    new = int(parts.max()) + 1
    # What MMG divides gets numbers that no part has.
    kept, off = new, new + 1
    mesh = _mesh(points, corners, parts)
    materials = [
        {"ref": n + 1, "split": int(n == part), "ref_minus": off + 1, "ref_plus": kept + 1}
        for n in range(new)
    ]
    mesh.set_multi_materials(materials)
    mesh.remesh_levelset(level.astype(float)[:, None], ar=NO_RIDGE, verbose=-1, **AS_IT_IS)
    found = _arrays(mesh)
    numbers = found["parts"]
    return found | {"parts": np.select([numbers == kept, numbers == off], [part, new], numbers)}


def remesh_cells(
    points: np.ndarray, corners: np.ndarray, parts: np.ndarray, edge: np.ndarray
) -> Arrays:
    """What the process does of tetrahedra."""
    found = {"points": points, "corners": corners, "parts": parts}
    for _ in range(PASSES):
        mesh = _mesh(**found)
        sizes = {"hmin": SHORTEST * edge, "hmax": LONGEST * edge, "hausd": HAUSDORFF * edge}
        mesh.remesh(**sizes, ar=NO_RIDGE, verbose=-1)
        found = _arrays(mesh)
    return found


def _mesh(points: np.ndarray, corners: np.ndarray, parts: np.ndarray) -> Any:
    from mmgpy import MmgMesh3D

    mesh = MmgMesh3D()
    mesh.set_mesh_size(vertices=len(points), tetrahedra=len(corners))
    mesh.set_vertices(points.astype(float))
    # MMG keeps 0 to itself.
    mesh.set_tetrahedra(corners.astype(np.int32), parts.astype(np.int64) + 1)
    return mesh


def _arrays(mesh: Any) -> Arrays:
    corners, references = mesh.get_tetrahedra_with_refs()
    points = np.asarray(mesh.get_vertices())
    return {"points": points, "corners": np.asarray(corners), "parts": references - 1}


TASKS = {"remesh": remesh, "divide": divide, "remesh-cells": remesh_cells}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    with np.load(sys.argv[2]) as read:
        made = TASKS[sys.argv[1]](**read)
    np.savez(sys.argv[3], **made)
