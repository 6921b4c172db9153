"""A Problem as the input deck that CalculiX and Abaqus read.

Keywords: Dhondt, CalculiX CrunchiX user's manual, version 2.20; they mean the same in Abaqus.
"""

from collections.abc import Iterator
from typing import TextIO

import numpy as np

from scanmill.simulation.body import Elastic, Fixed, Material, Problem, RaghavanVorp, Springs
from scanmill.simulation.fields import TOLD
from scanmill.simulation.skin import owners
from scanmill.simulation.supports import bed

HEADING = f"""** SPACE={TOLD["SPACE"]}
** UNITS={TOLD["UNITS"]}
*HEADING
Patient coordinates: x to the left, y to the back, z to the head. mm, N, N/mm2.
"""
# Bulk by initial shear modulus, since CalculiX has no elements for what is incompressible. With 100 a
# wall that is stretched by 7 % goes 0.9 % too far, with 300 0.25 %, with 1000 0.02 %; but the more, the
# more pressure swings between cells: their hoop stress is off by 0.5, 0.8 and 1.3 % (L2).
BULK_TO_SHEAR = 300.0
# Of the fourth power of the change of volume, which the model has not; for 0, CalculiX takes its own.
NO_QUARTIC = 1e10
# Young's moduli by steps of 2 % are one material.
ALIKE = 1.02
# At first, in all, at least and at most, of a load that is applied bit by bit.
INCREMENTS = "0.3, 1.0, 1e-5, 0.5"
# Nodes and elements that a deck says displacements, stresses and strains of.
OUTPUT = """*NODE PRINT, NSET=BODY, FREQUENCY=10000
U
*EL PRINT, ELSET=BODY, FREQUENCY=10000
S, E
*NODE FILE, FREQUENCY=10000
U
*EL FILE, FREQUENCY=10000
S, E
*END STEP
"""


def write_deck(stream: TextIO, problem: Problem) -> None:
    """Write a complete deck: body, sets, materials, supports, pressure, one static step, output.

    Nodes and elements have the numbers of points and cells, plus 1. Sets of nodes and surfaces
    are named FACE_ and as the faces, sets of elements PART_ and as the parts. Springs act on nodes of
    their own, tied to the body's by *EQUATION, whose coefficients carry direction and area.
    """
    stream.write(HEADING)
    _write_mesh(stream, problem)
    for name, material in problem.materials.items():
        if isinstance(material, Elastic) and isinstance(material.young, np.ndarray):
            _write_mapped(stream, name, material, problem.body.parts[name])
        else:
            _write_section(stream, f"PART_{name}", material)
    _write_springs(stream, problem)
    for name, support in problem.supports.items():
        if isinstance(support, Fixed):
            stream.write(f"*BOUNDARY\nFACE_{name}, 1, 3\n")
    stream.write("*STEP, NLGEOM, INC=1000\n" if large(problem) else "*STEP\n")
    stream.write(f"*STATIC\n{INCREMENTS}\n" if large(problem) else "*STATIC\n")
    for name, pressure in problem.pressures.items():
        stream.write(f"*DSLOAD\nFACE_{name}, P, {pressure:.10g}\n")
    stream.write(OUTPUT)


def _write_section(stream: TextIO, name: str, material: Material) -> None:
    stream.write(f"*MATERIAL, NAME={name}\n{_law(material)}")
    stream.write(f"*SOLID SECTION, ELSET={name}, MATERIAL={name}\n")


def _write_mapped(stream: TextIO, name: str, material: Elastic, cells: np.ndarray) -> None:
    """A material for the cells of about the same stiffness: decks have none of single cells."""
    steps = np.round(np.log(material.young) / np.log(ALIKE)).astype(int)
    for number, step in enumerate(np.unique(steps), start=1):
        alike = steps == step
        stream.write(f"*ELSET, ELSET=PART_{name}_{number}\n")
        _write_list(stream, cells[alike] + 1)
        mean = Elastic(float(material.young[alike].mean()), material.poisson)
        _write_section(stream, f"PART_{name}_{number}", mean)


def large(problem: Problem) -> bool:
    """Whether displacements are large, and pressure follows the faces: with a hyperelastic material."""
    return any(isinstance(material, RaghavanVorp) for material in problem.materials.values())


def _law(material: Material) -> str:
    if isinstance(material, Elastic):
        return f"*ELASTIC\n{material.young:.10g}, {material.poisson:.10g}\n"
    bulk = BULK_TO_SHEAR * 2.0 * material.alpha
    constants = (material.alpha, material.beta, 2.0 / bulk, NO_QUARTIC)
    listed = ", ".join(f"{constant:.10g}" for constant in constants)
    return f"*HYPERELASTIC, REDUCED POLYNOMIAL, N=2\n{listed}\n"


def _write_mesh(stream: TextIO, problem: Problem) -> None:
    body = problem.body
    stream.write("*NODE, NSET=BODY\n")
    _write_rows(stream, np.arange(len(body.points)) + 1, body.points, ".10g")
    stream.write("*ELEMENT, TYPE=C3D10, ELSET=BODY\n")
    _write_rows(stream, np.arange(len(body.cells)) + 1, body.cells + 1, "d")
    for name, cells in body.parts.items():
        stream.write(f"*ELSET, ELSET=PART_{name}\n")
        _write_list(stream, cells + 1)
    for name, faces in body.faces.items():
        stream.write(f"*NSET, NSET=FACE_{name}\n")
        _write_list(stream, np.unique(faces) + 1)
        stream.write(f"*SURFACE, NAME=FACE_{name}, TYPE=ELEMENT\n")
        cells, sides = owners(body.cells, faces)
        rows = zip((cells + 1).tolist(), (sides + 1).tolist(), strict=True)
        stream.writelines(f"{cell}, S{side}\n" for cell, side in rows)


def _write_springs(stream: TextIO, problem: Problem) -> None:
    node, element = len(problem.body.points) + 1, len(problem.body.cells) + 1
    for name, support in problem.supports.items():
        if not isinstance(support, Springs):
            continue
        under = bed(problem.body, problem.body.faces[name])
        free = ~np.isin(under.nodes, _fixed_nodes(problem))
        own = node + np.arange(free.sum())
        stream.write("*NODE\n")
        _write_rows(stream, own, problem.body.points[under.nodes[free]], ".10g")
        weights = np.sqrt(under.areas[free])[:, None, None] * under.frames[free]
        stream.write("*EQUATION\n")
        stream.writelines(_ties(own, under.nodes[free] + 1, weights))
        for axis, stiffness in enumerate(support.stiffnesses, start=1):
            stream.write(f"*ELEMENT, TYPE=SPRING1, ELSET=SPRING{axis}_{name}\n")
            _write_rows(stream, element + np.arange(len(own)), own[:, None], "d")
            stream.write(f"*SPRING, ELSET=SPRING{axis}_{name}\n{axis}\n{stiffness:.10e}\n")
            element += len(own)
        node += len(own)


def _fixed_nodes(problem: Problem) -> np.ndarray:
    """The points that do not move."""
    faces = [
        problem.body.faces[name].ravel()
        for name, support in problem.supports.items()
        if isinstance(support, Fixed)
    ]
    return np.unique(np.concatenate([np.empty(0, int), *faces]))


def _ties(own: np.ndarray, nodes: np.ndarray, weights: np.ndarray) -> Iterator[str]:
    """Equations by which a spring's node moves as far as its place on the body does along each axis."""
    for spring, node, axes in zip(own.tolist(), nodes.tolist(), weights.tolist(), strict=True):
        for axis, (x, y, z) in enumerate(axes, start=1):
            terms = f"{node}, 1, {x:.9e}, {node}, 2, {y:.9e}, {node}, 3, {z:.9e}"
            yield f"4\n{spring}, {axis}, -1.0, {terms}\n"


def _write_rows(stream: TextIO, numbers: np.ndarray, rows: np.ndarray, form: str) -> None:
    line = "{}" + f", {{:{form}}}" * rows.shape[1] + "\n"
    listed = zip(numbers.tolist(), rows.tolist(), strict=True)
    stream.writelines(line.format(number, *row) for number, row in listed)


def _write_list(stream: TextIO, numbers: np.ndarray) -> None:
    """Numbers, eight a line: readers allow sixteen."""
    listed = numbers.tolist()
    for start in range(0, len(listed), 8):
        stream.write(", ".join(map(str, listed[start : start + 8])) + "\n")
