"""Air that a structure holds and no structure names: bowel gas in a body, a sinus in a skull.

Rules tell gas from lung by how thin the rim is in which gas and tissue share voxels. So in a twin that
rim may be no wider than in the scan, and the air has a surface of its own.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_erosion
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from scanmill.grid import Grid
from scanmill.surface import Surface
from scanmill.validation.coverage import Coverage
from scanmill.volume_file import Volume

# Hounsfield units; air begins halfway from -1000 to water.
WATER, HALFWAY = 0.0, -500.0


def held_air(scan: Volume, covered: Sequence[Coverage]) -> Surface | None:
    """The closed surface, LPS mm, of all such air in a CT; None where there is none.

    scan: HU, without its noise. covered: the structures on its grid, later ones over earlier ones. Air
    in a structure that is mostly air itself, as a lung is, is that structure's own; so is what lies
    within a voxel of a structure's outside, where air and structure share voxels.
    """
    held = np.full(scan.grid.shape, WATER, np.float32)
    for part in covered:
        image, own = scan.array[part.box], held[part.box]
        if np.sum((image - HALFWAY) * part.whole) > 0:
            inner = binary_erosion(part.whole > 0.99, border_value=1)
            own[inner] = image[inner]
        else:
            own[part.visible >= 0.5] = WATER
    return _surface(held, scan.grid) if (held < HALFWAY).any() else None


def _surface(held: np.ndarray, grid: Grid) -> Surface:
    """Where an image crosses HALFWAY; beyond its edge lies water, so that the surface is closed."""
    padded = np.pad(held, 1, constant_values=WATER)
    image = vtkImageData()
    image.SetDimensions(padded.shape[::-1])
    image.SetOrigin(-1, -1, -1)
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel()))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, HALFWAY)
    edges.ComputeNormalsOff()
    edges.Update()
    found = edges.GetOutput()
    index = vtk_to_numpy(found.GetPoints().GetData()).astype(np.float64)
    triangles = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    # They face the darker side, the air, unless the frame is flipped.
    triangles = triangles[:, ::-1] if np.linalg.det(grid.axes) > 0 else triangles
    return Surface(grid.to_physical(index), triangles.astype(np.int32))
