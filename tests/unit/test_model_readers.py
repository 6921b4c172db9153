"""Files of simulations as meshio reads them: it turns each into one that VTK reads."""

from dataclasses import replace

import numpy as np
import pytest
from export_samples import reader, run
from model_samples import BODY, DIGITS, PROBLEM, SOLUTION, matrices
from scanmill.simulation.body import Fixed
from scanmill.simulation.model_files import write_body, write_problem, write_solution
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import VTK_QUADRATIC_TETRA, VTK_QUADRATIC_TRIANGLE
from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

pytestmark = pytest.mark.skipif(
    reader("meshio") is None, reason="meshio is not installed (make readers)"
)
# meshio knows no springs.
PLAIN = replace(PROBLEM, supports={"bottom": Fixed()})


def as_meshio_reads(path):
    """What meshio reads, as VTK's grid, and what it says of it."""
    converted = path.with_suffix(".vtu")
    run(reader("meshio"), "convert", "--ascii", path, converted)
    found = vtkXMLUnstructuredGridReader()
    found.SetFileName(str(converted))
    found.Update()
    return found.GetOutput(), run(reader("meshio"), "info", path)


def cells_of(grid, kind):
    """Points of the cells of a kind, one after the other."""
    kinds = [grid.GetCellType(n) for n in range(grid.GetNumberOfCells())]
    ids = vtk_to_numpy(grid.GetCells().GetConnectivityArray())
    starts = vtk_to_numpy(grid.GetCells().GetOffsetsArray())
    rows = zip(kinds, starts, starts[1:], strict=False)
    return np.array([ids[start:end] for which, start, end in rows if which == kind])


def assert_the_body(grid):
    points = vtk_to_numpy(grid.GetPoints().GetData())
    assert np.allclose(points, BODY.points, **DIGITS)
    assert (cells_of(grid, VTK_QUADRATIC_TETRA) == BODY.cells).all()


def test_msh(tmp_path):
    write_body(tmp_path / "a.msh", BODY)
    grid, said = as_meshio_reads(tmp_path / "a.msh")
    assert_the_body(grid)
    faces = np.concatenate(list(BODY.faces.values()))
    assert (cells_of(grid, VTK_QUADRATIC_TRIANGLE) == faces).all()
    assert "Cell sets: thrombus, wall, inner, outer, bottom, top" in said


def test_inp(tmp_path):
    write_problem(tmp_path / "a.inp", PLAIN)
    grid, said = as_meshio_reads(tmp_path / "a.inp")
    assert_the_body(grid)
    assert "Point sets: FACE_inner, FACE_outer, FACE_bottom, FACE_top" in said
    assert "Cell sets: PART_thrombus, PART_wall" in said


def test_xdmf(tmp_path):
    write_solution(tmp_path / "a.xdmf", PROBLEM, SOLUTION)
    grid, _ = as_meshio_reads(tmp_path / "a.xdmf")
    assert_the_body(grid)
    displacement = grid.GetPointData().GetArray("displacement_mm")
    assert np.allclose(vtk_to_numpy(displacement), SOLUTION.displacements, **DIGITS)
    stress = vtk_to_numpy(grid.GetCellData().GetArray("stress_N_mm2"))
    upper = matrices(SOLUTION.stresses)[:, *np.triu_indices(3)]
    assert np.allclose(stress, upper, **DIGITS)
