"""Solve with CalculiX, a program of its own: https://www.calculix.de (GPL).

Its elements know displacements only, and are too stiff where volume hardly changes and they are long:
of a hyperelastic tube between fixed ends the mean stress was 6 % low with 8 along it, 1.5 % with 16.
"""

import math
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np

from scanmill.recipe_simulation import CALCULIX
from scanmill.refusal import Refusal
from scanmill.simulation.body import Problem
from scanmill.simulation.deck import write_deck
from scanmill.simulation.solution import Solution
from scanmill.simulation.supports import require_held

ONE_THREAD = {"OMP_NUM_THREADS": "1", "CCX_NPROC_EQUATION_SOLVER": "1"}
# How many times as long it may take: what else the machine does must not decide what is refused.
PATIENCE = 20
# The order of tensors in what CalculiX prints, xx yy zz xy xz yz, as columns of a Solution's.
PRINTED = [0, 1, 2, 3, 5, 4]
# Points of a quadratic tetrahedron where stress is found, all of one weight.
INTEGRATION_POINTS = 4


def solve(problem: Problem, seconds: float) -> Solution:
    """What CalculiX finds in one thread, computing for so many seconds at most.

    Raises Refusal where nothing holds the body, or CalculiX is missing, fails, takes longer or comes to
    no balance of forces; MemoryError where it has too little memory.
    """
    require_held(problem)
    program = _program()
    with tempfile.TemporaryDirectory() as folder:
        with open(Path(folder) / "job.inp", "w", encoding="ascii", newline="\n") as stream:
            write_deck(stream, problem)
        _run(program, Path(folder), seconds)
        return _solution(Path(folder) / "job.dat", problem)


def version() -> str:
    """Of CalculiX, as it tells it. Raises Refusal where it is missing."""
    told = subprocess.run([_program(), "-v"], stdout=subprocess.PIPE, text=True).stdout
    return told.rpartition("Version")[2].strip()


def _program() -> str:
    program = shutil.which(CALCULIX)
    if program is None:
        reason = f"CalculiX is to solve this, and its program {CALCULIX} is not installed"
        raise Refusal("solver-missing", reason)
    return program


def _run(program: str, folder: Path, seconds: float) -> None:
    try:
        done = subprocess.run(
            [program, "job"],
            cwd=folder,
            env=os.environ | ONE_THREAD,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds * PATIENCE,
            preexec_fn=partial(_limit, math.ceil(seconds)),
        )
    except subprocess.TimeoutExpired as error:
        raise _slow(seconds) from error
    if done.returncode == -signal.SIGXCPU:
        raise _slow(seconds)
    if done.returncode == -signal.SIGKILL or "error allocating memory" in done.stdout:
        raise MemoryError("CalculiX had too little memory")
    # What it exits with tells nothing: 0 also after errors.
    if "*ERROR" in done.stdout or "Job finished" not in done.stdout:
        raise Refusal("solver-failed", f"CalculiX failed{_told(done.stdout)}")


def _limit(seconds: int) -> None:
    """Let this process compute for so long, and leave no image of itself when it is ended."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _slow(seconds: float) -> Refusal:
    reason = f"CalculiX was not done after {seconds:.0f} s of computing, the most that it was given"
    return Refusal("solver-slow", reason)


def _told(output: str) -> str:
    """What CalculiX said of its first error, if anything, in one line without names of files."""
    said = re.search(r"\*ERROR.*(?:\n {6,}\S.*)*", output)
    if said is None:
        return ""
    return ": " + re.sub(r"\S*job\S*", "its input", " ".join(said[0].split()))


def _solution(printed: Path, problem: Problem) -> Solution:
    """From the displacements of nodes, and tensors of elements at their points, that it printed."""
    blocks = _blocks(printed.read_text(encoding="ascii"))
    points, cells = len(problem.body.points), len(problem.body.cells)
    shapes = {"displacements": (points, 4), "stresses": (cells * INTEGRATION_POINTS, 8)}
    shapes["strains"] = shapes["stresses"]
    for name, shape in shapes.items():
        if name not in blocks or blocks[name].shape != shape or not np.isfinite(blocks[name]).all():
            raise Refusal("solver-failed", f"CalculiX found no {name}, or some that are no numbers")
    return Solution(
        blocks["displacements"][:, 1:], *(_means(blocks[name]) for name in ("stresses", "strains"))
    )


def _means(printed: np.ndarray) -> np.ndarray:
    """Tensors of cells [m, 6] from rows of cell, point, tensor."""
    return printed[:, 2:].reshape(-1, INTEGRATION_POINTS, 6).mean(axis=1)[:, PRINTED]


def _blocks(printed: str) -> dict[str, np.ndarray]:
    """Rows of numbers under each heading of the whole load, by its first word."""
    parts = re.split(r"^ (\w+) \(.*and time +(\S+)$", printed, flags=re.MULTILINE)
    listed = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return {name: _numbers(rows) for name, time, rows in listed if float(time) == 1.0}


def _numbers(rows: str) -> np.ndarray:
    # Fortran leaves out the E where the exponent has three digits.
    return np.loadtxt(StringIO(re.sub(r"(\d)([+-]\d{3})\b", r"\1E\2", rows)), ndmin=2)
