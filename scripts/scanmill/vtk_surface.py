"""Triangles as VTK has them."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData


def polydata(points: np.ndarray, triangles: np.ndarray) -> vtkPolyData:
    """A copy of points (n, 3), in their type, and triangles (m, 3) of their indices."""
    places = vtkPoints()
    places.SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    cells = vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(triangles.astype(np.int64).ravel(), deep=True))
    mesh = vtkPolyData()
    mesh.SetPoints(places)
    mesh.SetPolys(cells)
    return mesh
