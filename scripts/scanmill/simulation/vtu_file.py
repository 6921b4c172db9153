"""Write what was found in a body as VTK's unstructured grid (.vtu), which ParaView opens."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkDataArray, vtkPoints, vtkStringArray
from vtkmodules.vtkCommonDataModel import VTK_QUADRATIC_TETRA, vtkCellArray, vtkUnstructuredGrid
from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

from scanmill.atomic import replacing
from scanmill.simulation.body import Body, Problem
from scanmill.simulation.fields import TOLD, cell_fields, point_fields
from scanmill.simulation.solution import Solution

TENSOR = ("XX", "YY", "ZZ", "XY", "YZ", "XZ")


def write_vtu(path: Path, problem: Problem, solution: Solution) -> None:
    """Write the body as it was before, LPS mm, with `fields`; its field data names its parts."""
    grid = _grid(problem.body)
    for name, values in point_fields(solution).items():
        grid.GetPointData().AddArray(_array(name, values))
    for name, values in cell_fields(problem, solution).items():
        grid.GetCellData().AddArray(_array(name, values))
    for name, told in TOLD.items():
        grid.GetFieldData().AddArray(_strings(name, [told]))
    grid.GetFieldData().AddArray(_strings("parts", problem.body.parts))
    with replacing(path) as temporary:
        writer = vtkXMLUnstructuredGridWriter()
        writer.SetFileName(str(temporary))
        writer.SetInputData(grid)
        writer.SetCompressorTypeToLZ4()
        if not writer.Write():
            raise OSError(f"{path.name} could not be written")


def _grid(body: Body) -> vtkUnstructuredGrid:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(body.points, float), deep=True))
    cells = vtkCellArray()
    flat = np.ascontiguousarray(body.cells, np.int64).ravel()
    cells.SetData(body.cells.shape[1], numpy_to_vtkIdTypeArray(flat, deep=True))
    grid = vtkUnstructuredGrid()
    grid.SetPoints(points)
    grid.SetCells(VTK_QUADRATIC_TETRA, cells)
    return grid


def _array(name: str, values: np.ndarray) -> vtkDataArray:
    array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
    array.SetName(name)
    if values.shape[1:] == (6,):
        for number, component in enumerate(TENSOR):
            array.SetComponentName(number, component)
    return array


def _strings(name: str, values: Iterable[str]) -> vtkStringArray:
    array = vtkStringArray()
    array.SetName(name)
    for value in values:
        array.InsertNextValue(value)
    return array
