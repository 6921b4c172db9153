"""What was simulated, as other programs read it."""

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from cylinder_samples import volumes
from model_samples import BODY, DIGITS, HALF, PROBLEM, SOLUTION, matrices
from scanmill.simulation.body import EDGES, SIDES
from scanmill.simulation.model_files import (
    BODIES,
    PROBLEMS,
    SOLUTIONS,
    write_body,
    write_problem,
    write_solution,
)
from scanmill.simulation.solution import first_principal, von_mises
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersCore import vtkMassProperties
from vtkmodules.vtkIOGeometry import vtkSTLReader
from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader


def write(path):
    if path.suffix in BODIES:
        write_body(path, BODY)
    elif path.suffix in PROBLEMS:
        write_problem(path, PROBLEM)
    else:
        write_solution(path, PROBLEM, SOLUTION)
    return path


@pytest.mark.parametrize("suffix", [*BODIES, *PROBLEMS, *SOLUTIONS])
def test_a_file_has_the_same_bytes_wherever_and_whenever_it_is_written(tmp_path, suffix):
    once, again = write(tmp_path / f"a{suffix}"), write(tmp_path / "other" / f"b{suffix}")
    assert once.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("suffix", [".inp", ".msh", ".xdmf", ".stl"])
def test_a_file_says_its_space_and_units(tmp_path, suffix):
    start = write(tmp_path / f"a{suffix}").read_bytes()[:300].decode("latin-1")
    assert "SPACE" in start and "LPS" in start and "mm" in start


def test_vtu_as_vtk_reads_it(tmp_path):
    reader = vtkXMLUnstructuredGridReader()
    reader.SetFileName(str(write(tmp_path / "a.vtu")))
    reader.Update()
    grid = reader.GetOutput()
    assert (vtk_to_numpy(grid.GetPoints().GetData()) == BODY.points).all()
    for number in (0, HALF, len(BODY.cells) - 1):
        cell = grid.GetCell(number)
        ids = [cell.GetPointId(n) for n in range(10)]
        assert cell.GetClassName() == "vtkQuadraticTetra" and ids == BODY.cells[number].tolist()
        for edge in range(6):
            start, end, middle = (cell.GetEdge(edge).GetPointId(n) for n in range(3))
            between = BODY.points[[start, end]].mean(axis=0)
            assert np.allclose(BODY.points[middle], between)
    displacement = grid.GetPointData().GetArray("displacement_mm")
    assert (vtk_to_numpy(displacement) == SOLUTION.displacements).all()
    cells = grid.GetCellData()
    stress = cells.GetArray("stress_N_mm2")
    assert (vtk_to_numpy(stress) == SOLUTION.stresses).all()
    named = [stress.GetComponentName(n) for n in range(6)]
    assert named == ["XX", "YY", "ZZ", "XY", "YZ", "XZ"]
    assert (vtk_to_numpy(cells.GetArray("strain")) == SOLUTION.strains).all()
    derived = {
        "first_principal_stress_N_mm2": first_principal(SOLUTION.stresses),
        "von_mises_stress_N_mm2": von_mises(SOLUTION.stresses),
    }
    for name, values in derived.items():
        assert (vtk_to_numpy(cells.GetArray(name)) == values).all()
    fields = grid.GetFieldData()
    parts = fields.GetAbstractArray("parts")
    for number, name in enumerate(parts.GetValue(n) for n in range(parts.GetNumberOfValues())):
        inside = np.flatnonzero(vtk_to_numpy(cells.GetArray("part")) == number)
        assert (inside == BODY.parts[name]).all()
    assert fields.GetAbstractArray("SPACE").GetValue(0) == "LPS"
    assert fields.GetAbstractArray("UNITS").GetValue(0) == "mm, N, N/mm2"


def test_xdmf_as_its_model_defines_it(tmp_path):
    grid = ElementTree.parse(write(tmp_path / "a.xdmf")).getroot().find("Domain/Grid")
    assert grid.get("parts") == "thrombus wall"
    topology = grid.find("Topology")
    assert topology.get("TopologyType") == "Tetrahedron_10"
    assert (items(topology) == BODY.cells).all()
    assert np.allclose(items(grid.find("Geometry")), BODY.points, **DIGITS)
    fields = {each.get("Name"): each for each in grid.iter("Attribute")}
    displacement = fields["displacement_mm"]
    assert (displacement.get("AttributeType"), displacement.get("Center")) == ("Vector", "Node")
    assert np.allclose(items(displacement), SOLUTION.displacements, **DIGITS)
    for name, tensors in (("stress_N_mm2", SOLUTION.stresses), ("strain", SOLUTION.strains)):
        assert (fields[name].get("AttributeType"), fields[name].get("Center")) == (
            "Tensor6",
            "Cell",
        )
        upper = matrices(tensors)[:, *np.triu_indices(3)]
        assert np.allclose(items(fields[name]), upper, **DIGITS)
    assert (np.flatnonzero(items(fields["part"]) == 1) == BODY.parts["wall"]).all()


def items(element):
    """The numbers of an element's DataItem, in the shape that it states."""
    item = element.find("DataItem")
    shape = tuple(map(int, item.get("Dimensions").split()))
    kind = {"Int": np.int64, "Float": np.float64}[item.get("NumberType")]
    return np.array(item.text.split(), kind).reshape(shape)


def test_msh_as_gmsh_defines_it(tmp_path):
    sections = sections_of(write(tmp_path / "a.msh").read_text())
    assert sections["MeshFormat"] == ["4.1 0 8"]
    groups = dict(line.rsplit(" ", 1) for line in sections["PhysicalNames"][1:])
    assert groups == {
        "3 1": '"thrombus"',
        "3 2": '"wall"',
        "2 1": '"inner"',
        "2 2": '"outer"',
        "2 3": '"bottom"',
        "2 4": '"top"',
    }
    count = len(BODY.points)
    nodes = sections["Nodes"]
    assert nodes[0] == f"1 {count} 1 {count}"
    points = np.array([line.split() for line in nodes[2 + count :]], float)
    assert np.allclose(points, BODY.points, **DIGITS)
    blocks = element_blocks(sections["Elements"])
    named = dict(enumerate(BODY.faces, start=1))
    assert list(blocks) == [(3, 1, 11), (3, 2, 11), *((2, tag, 9) for tag in named)]
    for tag, name in named.items():
        assert (blocks[2, tag, 9] == BODY.faces[name]).all()
        assert_in_the_middle(points, blocks[2, tag, 9], 3, SIDES)
    for tag, cells in enumerate(BODY.parts.values(), start=1):
        rows = blocks[3, tag, 11]
        assert (rows[:, :4] == BODY.cells[cells, :4]).all()
        assert_in_the_middle(points, rows, 4, [*EDGES[:4], (2, 3), (1, 3)])


def assert_in_the_middle(points, rows, corners, edges):
    for middle, (start, end) in zip(rows[:, corners:].T, edges, strict=True):
        between = points[rows[:, [start, end]]].mean(axis=1)
        assert np.allclose(points[middle], between, **DIGITS)


def sections_of(text):
    """Lines by the name of their section."""
    lines = text.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("$") and line[1:4] != "End"]
    return {
        lines[start][1:]: lines[start + 1 : lines.index(f"$End{lines[start][1:]}")]
        for start in starts
    }


def element_blocks(lines):
    """Points of the elements, from 0, by dimension, entity and kind; the elements count from 1."""
    found, at, counted = {}, 1, 0
    while at < len(lines):
        dimension, entity, kind, number = map(int, lines[at].split())
        rows = np.array([line.split() for line in lines[at + 1 : at + 1 + number]], int)
        assert (rows[:, 0] == counted + np.arange(number) + 1).all()
        found[dimension, entity, kind] = rows[:, 1:] - 1
        at, counted = at + 1 + number, counted + number
    assert lines[0] == f"{len(found)} {counted} 1 {counted}"
    return found


def test_stl_is_the_closed_skin_of_all_parts(tmp_path):
    reader = vtkSTLReader()
    reader.SetFileName(str(write(tmp_path / "a.stl")))
    measures = vtkMassProperties()
    measures.SetInputConnection(reader.GetOutputPort())
    assert measures.GetVolume() == pytest.approx(volumes(BODY).sum(), rel=1e-5)
    assert reader.GetOutput().GetNumberOfCells() == sum(map(len, BODY.faces.values()))


def test_inp_numbers_nodes_elements_and_faces_as_the_body(tmp_path):
    lines = write(tmp_path / "a.inp").read_text().splitlines()
    keywords = [n for n, line in enumerate(lines) if line.startswith("*")] + [len(lines)]
    blocks = {lines[start]: lines[start + 1 : end] for start, end in pairwise(keywords)}
    nodes = numbers_of(blocks["*NODE, NSET=BODY"], float)
    assert (nodes[:, 0] == np.arange(len(BODY.points)) + 1).all()
    assert np.allclose(nodes[:, 1:], BODY.points, **DIGITS)
    cells = numbers_of(blocks["*ELEMENT, TYPE=C3D10, ELSET=BODY"], int)
    assert (cells[:, 1:] - 1 == BODY.cells).all()
    listed = [int(n) for line in blocks["*ELSET, ELSET=PART_wall"] for n in line.split(",")]
    assert listed == (BODY.parts["wall"] + 1).tolist()
    # As the manual numbers faces of tetrahedra: S1 is 1-2-3, S2 1-4-2, S3 2-4-3, S4 3-4-1.
    corners = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])
    for name, faces in BODY.faces.items():
        surface = [
            line.split(", S") for line in blocks[f"*SURFACE, NAME=FACE_{name}, TYPE=ELEMENT"]
        ]
        cell, side = np.array(surface, int).T - 1
        found = BODY.cells[cell[:, None], corners[side]]
        assert (np.sort(found, axis=1) == np.sort(faces[:, :3], axis=1)).all()


def numbers_of(lines, kind):
    return np.array([line.split(",") for line in lines], kind)
