"""The voxels whose centres a closed surface encloses, by VTK's stencil."""

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

from scanmill.grid import Grid
from scanmill.vtk_surface import polydata


def filled(points: np.ndarray, triangles: np.ndarray, grid: Grid) -> np.ndarray:
    """The mask [z, y, x] of a closed surface on a grid. points: (n, 3), LPS mm."""
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(polydata(grid.to_index(points), triangles))
    stencil.SetOutputWholeExtent(*(end for n in grid.size for end in (0, n - 1)))
    image = vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    return vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(grid.shape) > 0
