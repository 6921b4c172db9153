"""The windowed sinc: VTK's values, linear, and the pass band that was asked for."""

import numpy as np
import pytest
from numpy.polynomial.chebyshev import chebval
from scanmill.smoothing import STEPS, coefficients, smoothed
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D, vtkWindowedSincPolyDataFilter


@pytest.fixture(scope="module")
def net():
    """The unsmoothed boundaries of three bodies, of which two touch each other and the third both."""
    z, y, x = np.ogrid[:24, :26, :28]
    labels = np.zeros((24, 26, 28), np.uint8)
    labels[(x - 11) ** 2 + (y - 12) ** 2 + (z - 12) ** 2 < 64] = 1
    labels[(x - 18) ** 2 + (y - 13) ** 2 + (z - 11) ** 2 < 49] = 2
    labels[(abs(x - 14) < 5) & (abs(y - 18) < 5) & (abs(z - 9) < 4)] = 3
    image = vtkImageData()
    image.SetDimensions(labels.shape[::-1])
    image.SetOrigin(-40, 25, 3)
    image.GetPointData().SetScalars(numpy_to_vtk(labels.ravel()))
    nets = vtkSurfaceNets3D()
    nets.SetInputData(image)
    for label in (1, 2, 3):
        nets.SetValue(label - 1, label)
    nets.SmoothingOff()
    nets.SetOutputMeshTypeToTriangles()
    nets.Update()
    return nets.GetOutput()


@pytest.fixture(scope="module")
def points(net):
    return vtk_to_numpy(net.GetPoints().GetData())


@pytest.fixture(scope="module")
def triangles(net):
    return vtk_to_numpy(net.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)


@pytest.mark.parametrize("pass_band", [0.01, 0.1, 0.5])
def test_points_are_those_of_vtk_junctions_included(net, points, triangles, pass_band):
    sinc = vtkWindowedSincPolyDataFilter()
    sinc.SetInputData(net)
    sinc.SetNumberOfIterations(30)
    sinc.SetPassBand(pass_band)
    sinc.NormalizeCoordinatesOn()
    sinc.NonManifoldSmoothingOn()
    sinc.Update()
    expected = vtk_to_numpy(sinc.GetOutput().GetPoints().GetData())
    found = smoothed(points, triangles, pass_band)
    assert np.abs(expected - points).max() > 0.1
    assert np.abs(found - expected).max() < 1e-4


def test_moving_turning_and_scaling_commute_with_smoothing(points, triangles):
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0] * 1.7
    shift = np.array([120.0, -70.0, 900.0])
    moved = smoothed(points @ turn.T + shift, triangles, 0.1)
    assert np.abs(moved - (smoothed(points, triangles, 0.1) @ turn.T + shift)).max() < 1e-9


@pytest.mark.parametrize("pass_band", [0.001, 0.01, 0.1, 1.0])
def test_the_gain_is_one_at_the_pass_band_and_nothing_beyond(pass_band):
    found = coefficients(pass_band, STEPS)
    assert chebval(1 - pass_band / 2, found) == pytest.approx(1, abs=2e-3)
    assert chebval(1.0, found) == pytest.approx(1, abs=1e-12)
    beyond = chebval(np.linspace(-1, 1 - (pass_band + 1.0) / 2, 50), found)
    assert np.abs(beyond).max() < 0.06
