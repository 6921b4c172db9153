"""Pressed walls whose stresses are known, turned and away from the origin, and errors of answers."""

from dataclasses import dataclass, replace

import numpy as np
import wall_truths
from cylinder_samples import centres, cylinder_wall, moved, sphere_octant, volumes
from scanmill.phantom.description import turned
from scanmill.simulation.body import Body, Elastic, Problem, RaghavanVorp, Springs
from scanmill.simulation.solution import Solution

PRESSURE = 0.016
ROTATION = turned((20, -35, 50))
SHIFT = np.array([31.3, -112.7, 402.9])
# Nothing along the axis, as plane strain wants it; what keeps a cylinder from turning is next to none.
ENDS = Springs(normal=1e4, outwards=0.0, around=0.0)
HARDLY = Springs(normal=0.0, outwards=1e-6, around=1e-6)


@dataclass(frozen=True)
class Case:
    """A problem, and radial and hoop stress [m, 2] at the centres of its cells.

    radial, hoop: unit vectors [m, 3] there. volumes: of the cells [m].
    """

    problem: Problem
    truth: np.ndarray
    radial: np.ndarray
    hoop: np.ndarray
    volumes: np.ndarray


def lame_cylinder(poisson: float, layers: int = 6) -> Case:
    """A thick elastic cylinder between ends that keep their distance."""
    wall = cylinder_wall(10.0, 15.0, 3.0, around=12 * layers, layers=layers, along=2)
    truth = wall_truths.cylinder(10.0, 15.0, PRESSURE, 0.0, _radii(wall))
    return _cylinder(wall, {"wall": Elastic(1.0, poisson)}, truth)


def thin_cylinder(layers: int) -> Case:
    """A cylinder's wall of 1.5 mm with edges of 5 mm, as large vessels have."""
    wall = cylinder_wall(20.0, 21.5, 10.0, around=25, layers=layers, along=2)
    truth = wall_truths.cylinder(20.0, 21.5, PRESSURE, 0.0, _radii(wall))
    return _cylinder(wall, {"wall": Elastic(1.0, 0.45)}, truth)


def lame_sphere(poisson: float) -> Case:
    """An eighth of a thick elastic sphere."""
    wall = sphere_octant(10.0, 15.0, along=16, layers=4)
    middle = centres(wall)
    radii = np.linalg.norm(middle, axis=1)
    truth = wall_truths.sphere(10.0, 15.0, PRESSURE, radii)
    radial = middle / radii[:, None]
    across = np.cross(radial, np.roll(radial, 1, axis=1))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    supports = dict.fromkeys("xyz", ENDS)
    return _placed(wall, {"wall": Elastic(1.0, poisson)}, supports, truth, radial, across)


def two_cylinders() -> Case:
    """A soft cylinder, such as thrombus, in a stiff one."""
    radii, layers = (8.0, 12.0, 14.0), 6
    elastic = {"thrombus": Elastic(0.1, 0.45), "wall": Elastic(2.0, 0.45)}
    wall = cylinder_wall(8.0, 14.0, 3.0, around=60, layers=layers, along=2)
    parts = np.split(np.arange(len(wall.cells)), [len(wall.cells) * 4 // layers])
    wall = replace(wall, parts=dict(zip(elastic, parts, strict=True)))
    known = [(material.young, material.poisson) for material in elastic.values()]
    contact = wall_truths.between(radii, known, PRESSURE)
    r = _radii(wall)
    inside = np.isin(np.arange(len(r)), wall.parts["thrombus"])[:, None]
    truth = np.where(
        inside,
        wall_truths.cylinder(8.0, 12.0, PRESSURE, contact, r),
        wall_truths.cylinder(12.0, 14.0, contact, 0.0, r),
    )
    return _cylinder(wall, elastic, truth)


def inflated_cylinder() -> Case:
    """A hyperelastic cylinder between ends that keep their distance."""
    law = RaghavanVorp(0.174, 1.881)
    wall = cylinder_wall(10.0, 12.0, 2.0, around=60, layers=2, along=1)
    truth = wall_truths.Inflated(10.0, 12.0, PRESSURE, law.alpha, law.beta)
    return _cylinder(wall, {"wall": law}, truth.stresses(_radii(wall)))


def errors(case: Case, found: Solution) -> dict[str, float]:
    """How far the hoop stress of cells is off, as a part of the true: L2, mean, and 99th percentile."""
    stresses = found.stresses[:, [[0, 3, 5], [3, 1, 4], [5, 4, 2]]]
    hoop = np.einsum("ij,ijk,ik->i", case.hoop, stresses, case.hoop)
    true = case.truth[:, 1]
    off = np.average((hoop - true) ** 2, weights=case.volumes)
    return {
        "l2": float(np.sqrt(off / np.average(true**2, weights=case.volumes))),
        "mean": float(np.dot(case.volumes, hoop) / np.dot(case.volumes, true) - 1),
        "p99": float(np.percentile(hoop, 99) / np.percentile(true, 99) - 1),
    }


def _radii(wall: Body) -> np.ndarray:
    """Distances of the cells' centres from the z axis."""
    return np.hypot(*centres(wall)[:, :2].T)


def _cylinder(wall: Body, materials: dict, truth: np.ndarray) -> Case:
    radial = centres(wall) * [1, 1, 0] / _radii(wall)[:, None]
    supports = {"bottom": ENDS, "top": ENDS, "outer": HARDLY}
    return _placed(wall, materials, supports, truth, radial, np.cross([0, 0, 1], radial))


def _placed(
    wall: Body,
    materials: dict,
    supports: dict,
    truth: np.ndarray,
    radial: np.ndarray,
    hoop: np.ndarray,
) -> Case:
    problem = Problem(moved(wall, ROTATION, SHIFT), materials, {"inner": PRESSURE}, supports)
    return Case(problem, truth, radial @ ROTATION.T, hoop @ ROTATION.T, volumes(wall))
