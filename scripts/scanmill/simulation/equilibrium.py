"""A body at rest under pressure: displacements and pressures within it, by Newton's method.

Own code, as it is a page of linear algebra: what would be left to a library of finite elements is this
page's sums, which libraries in Python take over pairs of shape functions. SciPy's SuperLU solves them.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import SuperLU, splu

from scanmill.refusal import Refusal
from scanmill.simulation.body import Body, Elastic, Fixed, Material, Problem
from scanmill.simulation.elements import INSIDE, gradients, quarters
from scanmill.simulation.faces import pressure_on, springs_on
from scanmill.simulation.response import response, true_stress
from scanmill.simulation.solution import Solution
from scanmill.simulation.supports import require_held

# Of the load, what may be left unbalanced: at the end, and before.
PRECISION, ON_THE_WAY = 1e-7, 1e-3
# The load is put on in steps that double, and halve where Newton's method fails.
FIRST_STEP, LEAST_STEP = 1 / 8, 1 / 128
ITERATIONS = 15
# Where factors lose digits, what is left unbalanced is solved for again.
REFINED = 3
# What is unbalanced falls to less than this with factors that serve once more.
PROGRESS = 0.1
# So many cells at once: their matrices, some 10 kB each, stay in the processor's cache.
AT_ONCE = 500


@dataclass
class State:
    """displacements: [n, 3], mm. pressures: at the corners of each part, N/mm2."""

    displacements: np.ndarray
    pressures: np.ndarray


class Entries:
    """A sparse matrix as a sum of small ones, without the rows and columns of what is held.

    place: for each unknown, its row and column; -1 where it has none. size: of the matrix.
    """

    def __init__(self, place: np.ndarray, size: int) -> None:
        self.place, self.size = place, size
        self.rows, self.columns, self.values = [], [], []

    def add(self, at: np.ndarray, matrices: np.ndarray) -> None:
        """Add matrices [m, k, k] for the unknowns [m, k]."""
        places = self.place[at]
        rows = np.broadcast_to(places[:, :, None], matrices.shape)
        columns = np.broadcast_to(places[:, None, :], matrices.shape)
        kept = (rows >= 0) & (columns >= 0)
        self.rows.append(rows[kept])
        self.columns.append(columns[kept])
        self.values.append(matrices[kept])

    def matrix(self) -> csc_array:
        """The sum."""
        rows, columns, values = map(np.concatenate, (self.rows, self.columns, self.values))
        return csc_array((values, (rows, columns)), shape=(self.size, self.size))


class Assembly:
    """The matrix and the forces of a problem, of which only numbers change from step to step.

    Unknowns: three displacements of each point, then pressures, of which a point has one in each part
    that it is a corner of, as they jump where materials do.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        body = problem.body
        self.number = 3 * len(body.points)
        self.corners, self.pressures = _pressure_places(body)
        self.unknowns = np.concatenate(
            (_components(body.cells), self.number + self.corners), axis=1
        )
        held = [
            body.faces[name] for name, way in problem.supports.items() if isinstance(way, Fixed)
        ]
        fixed = np.unique(np.concatenate([np.empty(0, int), *(faces.ravel() for faces in held)]))
        free = np.ones(self.number + self.pressures, bool)
        free[_components(fixed[None]).ravel()] = False
        self.free = np.flatnonzero(free)
        # Which free unknown each is; -1 for those that are held.
        self.place = np.where(free, np.cumsum(free) - 1, -1).astype(np.int32)
        self.is_linear = all(isinstance(m, Elastic) for m in problem.materials.values())

    def system(self, state: State, part_of_load: float) -> tuple[csc_array, np.ndarray, float]:
        """The matrix of the free unknowns, what is out of balance, and the size of the load."""
        body = self.problem.body
        forces, load = np.zeros((2, len(self.place)))
        entries = Entries(self.place, len(self.free))
        for name, cells in body.parts.items():
            material = self.problem.materials[name]
            for start in range(0, len(cells), AT_ONCE):
                own = cells[start : start + AT_ONCE]
                piece = material.of(slice(start, start + AT_ONCE))
                matrices, force = self._of_cells(own, piece, state)
                np.add.at(forces, self.unknowns[own], force)
                entries.add(self.unknowns[own], matrices)
        for faces, matrices in springs_on(self.problem):
            at = _components(faces)
            moved = state.displacements[faces].reshape(len(faces), 18)
            np.add.at(forces, at, np.einsum("kab,kb->ka", matrices, moved))
            entries.add(at, matrices)
        places = body.points if self.is_linear else body.points + state.displacements
        for name, pressure in self.problem.pressures.items():
            at = _components(body.faces[name])
            force, change = pressure_on(places, body.faces[name], pressure * part_of_load)
            np.add.at(load, at, force)
            if not self.is_linear:
                entries.add(at, -change)
        return entries.matrix(), (load - forces)[self.free], float(np.linalg.norm(load))

    def _of_cells(
        self, own: np.ndarray, material: Material, state: State
    ) -> tuple[np.ndarray, np.ndarray]:
        """Matrices [m, 34, 34] and forces [m, 34] of cells."""
        body = self.problem.body
        cells = body.cells[own]
        shape = gradients(body.points, cells)
        weight = quarters(body.points, cells)
        gradient = np.einsum("max,mqai->mqxi", state.displacements[cells], shape)
        pressure = state.pressures[self.corners[own]] @ INSIDE.T
        told = response(material, gradient, pressure, not self.is_linear)
        # The gradient's change by the cell's displacements: H_xi = sum over a of u_ax dN_a/di.
        by = np.einsum("mqai,xy->mqxiay", shape, np.eye(3)).reshape(*pressure.shape, 9, 30)
        matrix = np.zeros((len(own), 34, 34))
        weighted = by * weight[..., None, None]
        matrix[:, :30, :30] = (weighted.swapaxes(-1, -2) @ (told.stiffness @ by)).sum(axis=1)
        of_volume = np.einsum("mqa,mqan->mqn", told.volume.reshape(*pressure.shape, 9), weighted)
        coupling = np.einsum("mqn,qc->mnc", of_volume, INSIDE)
        matrix[:, :30, 30:] = coupling
        matrix[:, 30:, :30] = coupling.swapaxes(1, 2)
        matrix[:, 30:, 30:] = -((told.compliance * weight)[:, None] * INSIDE.T) @ INSIDE
        force = np.empty((len(own), 34))
        stress = told.stress.reshape(*pressure.shape, 9)
        force[:, :30] = np.einsum("mqa,mqan->mn", stress, weighted)
        force[:, 30:] = (weight * told.constraint) @ INSIDE
        return matrix, force

    def solution(self, state: State) -> Solution:
        """What a state says of the cells."""
        body = self.problem.body
        stresses, strains = np.empty((2, len(body.cells), 6))
        for name, cells in body.parts.items():
            material = self.problem.materials[name]
            shape = gradients(body.points, body.cells[cells])
            gradient = np.einsum("max,mqai->mqxi", state.displacements[body.cells[cells]], shape)
            pressure = state.pressures[self.corners[cells]] @ INSIDE.T
            stress = response(material, gradient, pressure, not self.is_linear).stress
            if not self.is_linear:
                stress = true_stress(stress, gradient)
            share = quarters(body.points, body.cells[cells])
            share /= share.sum(axis=1, keepdims=True)
            stresses[cells] = _six(np.einsum("mq,mqxi->mxi", share, stress))
            turned = gradient.swapaxes(-1, -2)
            strain = (gradient + turned) / 2
            if not self.is_linear:
                strain = strain + turned @ gradient / 2
            strains[cells] = _six(np.einsum("mq,mqxi->mxi", share, strain))
        return Solution(state.displacements, stresses, strains)


def solve(problem: Problem) -> Solution:
    """Displacements, stress and strain of a body in equilibrium.

    Where a material is not linear, all displacements may be large, and pressures stay across the faces
    as these move. Raises Refusal where nothing holds the body, or no
    equilibrium is found.
    """
    require_held(problem)
    assembly = Assembly(problem)
    state = State(np.zeros_like(problem.body.points), np.zeros(assembly.pressures))
    if assembly.is_linear:
        matrix, missing, _ = assembly.system(state, 1.0)
        return assembly.solution(_moved(assembly, state, _solved(matrix, missing)))
    done, step, speed = 0.0, FIRST_STEP, None
    while done < 1:
        step = min(step, 1 - done)
        precision = PRECISION if done + step == 1 else ON_THE_WAY
        start = _ahead(state, speed, step)
        found = _balanced(assembly, start, done + step, precision)
        if found:
            speed = State(
                (found.displacements - state.displacements) / step,
                (found.pressures - state.pressures) / step,
            )
            state, done, step = found, done + step, 2 * step
        elif step / 2 < LEAST_STEP:
            raise Refusal(
                "solver-failed",
                f"no shape was found that holds more than {done:.0%} of the pressure",
            )
        else:
            step /= 2
    return assembly.solution(state)


def _solved(matrix: csc_array, missing: np.ndarray) -> np.ndarray:
    """What balances a linear body. Raises Refusal where nothing does."""
    found, left = np.zeros_like(missing), missing
    # SuperLU's word for a matrix that is singular is a RuntimeError.
    with suppress(RuntimeError):
        factors = _factors(matrix)
        for _ in range(REFINED):
            found = found + factors.solve(left)
            left = missing - matrix @ found
            if np.linalg.norm(left) <= PRECISION * np.linalg.norm(missing):
                return found
    text = "no displacements were found that balance the load; another length of edges may help"
    raise Refusal("solver-failed", text)


def _ahead(state: State, speed: State | None, step: float) -> State:
    """The state that a step leads to, straight on."""
    if speed is None:
        return state
    return State(
        state.displacements + step * speed.displacements,
        state.pressures + step * speed.pressures,
    )


def _balanced(
    assembly: Assembly, state: State, part_of_load: float, precision: float
) -> State | None:
    """The state at a part of the load; None where Newton's method does not come to it."""
    factors, before = None, np.inf
    for _ in range(ITERATIONS):
        # Where cells are turned inside out, roots of negative volumes are no numbers.
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            matrix, missing, load = assembly.system(state, part_of_load)
        left = np.linalg.norm(missing) / load
        if not np.isfinite(left):
            return None
        if left <= precision:
            return state
        # Factors cost more than all the rest: they serve again while they make good progress.
        if factors is None or left > PROGRESS * before:
            # Both would not fit beside each other.
            factors = None
            try:
                factors = _factors(matrix)
            except RuntimeError:
                # SuperLU's word for a matrix that is singular.
                return None
        state, before = _moved(assembly, state, factors.solve(missing)), left
    return None


def _moved(assembly: Assembly, state: State, change: np.ndarray) -> State:
    full = np.zeros(len(assembly.place))
    full[assembly.free] = change
    return State(
        state.displacements + full[: assembly.number].reshape(-1, 3),
        state.pressures + full[assembly.number :],
    )


def _factors(matrix: csc_array) -> SuperLU:
    """The factors of a matrix that is nearly symmetric.

    Its diagonal, positive for displacements and negative for pressures, needs no pivots
    (Vanderbei 1995, doi:10.1137/0805005).
    """
    return splu(
        matrix,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )


def _components(points: np.ndarray) -> np.ndarray:
    """The unknowns of points [m, k]: three displacements each, [m, 3 k]."""
    return (3 * points[..., None] + np.arange(3)).reshape(len(points), -1)


def _pressure_places(body: Body) -> tuple[np.ndarray, int]:
    """For the corners of each cell, [m, 4], which pressure is theirs; and how many there are."""
    places = np.empty((len(body.cells), 4), int)
    number = 0
    for cells in body.parts.values():
        used, own = np.unique(body.cells[cells, :4], return_inverse=True)
        places[cells] = number + own.reshape(-1, 4)
        number += len(used)
    return places, number


def _six(tensors: np.ndarray) -> np.ndarray:
    """The components xx yy zz xy yz zx of symmetric tensors [m, 3, 3]."""
    return tensors[:, [0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]]
