"""The voxels whose centres a closed surface encloses, by VTK's stencil."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

from scanmill.grid import Grid


def filled(points: np.ndarray, triangles: np.ndarray, grid: Grid) -> np.ndarray:
    """The mask [z, y, x] of a closed surface on a grid. points: (n, 3), LPS mm."""
    corners = vtkPoints()
    corners.SetData(numpy_to_vtk(grid.to_index(points), deep=True))
    faces = vtkCellArray()
    faces.SetData(3, numpy_to_vtkIdTypeArray(triangles.astype(np.int64).ravel(), deep=True))
    surface = vtkPolyData()
    surface.SetPoints(corners)
    surface.SetPolys(faces)
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(surface)
    stencil.SetOutputWholeExtent(*(end for n in grid.size for end in (0, n - 1)))
    image = vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    return vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(grid.shape) > 0
