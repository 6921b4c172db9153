"""Triangles of about one size for a surface, by MMG, in a process of its own.

MMG is a C library: a crash or an endless loop in it must not take a case's other results along.

    python -m scanmill.simulation.remesh given.npz found.npz

reads points, triangles and edge, and writes points and triangles.

Dapogny et al. 2014, doi:10.1016/j.jcp.2014.01.005.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from scanmill.refusal import Refusal
from scanmill.surface import Surface

# How far the new surface may lie from the old one, of an edge.
HAUSDORFF = 0.1
# Degrees: no edge inside the surface of a vessel is sharp.
RIDGE = 80.0
# The second time, MMG leaves fewer triangles that are smaller than asked for.
PASSES = 2
# Of computing: it takes a second or two. And how many times as long it may take on a busy machine.
SECONDS, PATIENCE = 300, 20


def remeshed(surface: Surface, edge: float) -> Surface:
    """The surface of triangles of about one size. edge: of their sides, mm. Open ends stay.

    Raises Refusal where MMG crashes or does not end; MemoryError where it was killed, as a lack of
    memory does.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(given, points=surface.points, triangles=surface.triangles, edge=edge)
        ended = _run(given, found)
        if ended == -signal.SIGKILL:
            raise MemoryError("the mesher was killed")
        if ended != 0:
            why = "did not end" if ended == -signal.SIGXCPU else f"failed, with the code {ended}"
            raise Refusal("mesher-failed", f"MMG {why}; another length of edges may help")
        with np.load(found) as meshed:
            return Surface(meshed["points"], meshed["triangles"])


def _run(given: Path, found: Path) -> int:
    """How the process ended."""
    command = [sys.executable, "-m", __name__, str(given), str(found)]
    library = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        return subprocess.run(command, env=library, timeout=PATIENCE * SECONDS).returncode
    except subprocess.TimeoutExpired:
        return -signal.SIGXCPU


def remesh(given: Path, found: Path) -> None:
    """What the process does."""
    # Not above: it is a quarter of a second that the process which starts this one need not spend.
    from mmgpy import MmgMeshS

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    with np.load(given) as surface:
        points, triangles, edge = surface["points"], surface["triangles"], float(surface["edge"])
    for _ in range(PASSES):
        mesh = MmgMeshS(points.astype(float), triangles.astype(np.int32))
        mesh.remesh(hsiz=edge, hausd=HAUSDORFF * edge, ar=RIDGE, verbose=-1)
        points, triangles = np.asarray(mesh.get_vertices()), np.asarray(mesh.get_triangles())
    np.savez(found, points=points, triangles=triangles)


if __name__ == "__main__":
    remesh(Path(sys.argv[1]), Path(sys.argv[2]))
