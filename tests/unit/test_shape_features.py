"""Shape of masks: exact for boxes, by brute force for noise, and as published elsewhere."""

import csv
from itertools import product

import numpy as np
import pytest
from bodies import BODIES, CENTRE, DATA, OBLIQUE, grid_over, mask_of, turned_array
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.cube_table import cube_triangles
from scanmill.diameters import axial_diameters, plane_diameters
from scanmill.grid import Grid, bounding_box
from scanmill.phantom.body import Cylinder
from scanmill.shape_features import shape_features
from scanmill.source import read_source
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkMarchingCubes, vtkMassProperties

SPACINGS = st.tuples(*[st.floats(0.3, 5)] * 3)
masks = st.builds(
    lambda seed, shape, filled: np.random.default_rng(seed).random(shape) < filled,
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.integers(1, 7)] * 3),
    st.floats(0.05, 1),
).filter(lambda mask: mask.any())
PYRADIOMICS = {
    "MeshVolume": "morph_volume",
    "VoxelVolume": "morph_vol_approx",
    "SurfaceArea": "morph_area_mesh",
    "SurfaceVolumeRatio": "morph_av",
    "Sphericity": "morph_sphericity",
    "Maximum3DDiameter": "morph_diam",
    "MajorAxisLength": "morph_pca_maj_axis",
    "MinorAxisLength": "morph_pca_min_axis",
    "LeastAxisLength": "morph_pca_least_axis",
    "Elongation": "morph_pca_elongation",
    "Flatness": "morph_pca_flatness",
}
# Across the rows' axis x, the columns' axis y and the slices' axis z.
PLANES = ("Maximum2DDiameterRow", "Maximum2DDiameterColumn", "Maximum2DDiameterSlice")


def vertices(mask, spacing) -> np.ndarray:
    """Midpoints, mm, between every inside voxel and the outside ones beside it."""
    inside = np.pad(mask, 1)
    found = []
    for index in np.argwhere(inside):
        for axis, side in product(range(3), (-1, 1)):
            other = index.copy()
            other[axis] += side
            if not inside[tuple(other)]:
                found.append((index + other)[::-1] / 2 * spacing)
    return np.array(found)


def marching_cubes(mask, spacing) -> tuple[float, float]:
    """Volume and area of the mesh of another implementation."""
    inside = np.pad(mask, 1).astype(np.float32)
    image = vtkImageData()
    image.SetDimensions(inside.shape[::-1])
    image.SetSpacing(spacing)
    image.GetPointData().SetScalars(numpy_to_vtk(inside.ravel(), deep=True))
    contour = vtkMarchingCubes()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.Update()
    assert vtk_to_numpy(contour.GetOutput().GetPoints().GetData()).size
    mass = vtkMassProperties()
    mass.SetInputConnection(contour.GetOutputPort())
    return mass.GetVolume(), mass.GetSurfaceArea()


@pytest.mark.parametrize("size", [(3, 4, 6), (1, 1, 1), (9, 1, 2)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.9, 2.5)])
def test_a_box_of_voxels_has_the_moments_of_its_voxels(size, spacing):
    found = shape_features(np.ones(size[::-1], bool), spacing)
    n, step = np.array(size), np.array(spacing)
    assert found["morph_vol_approx"] == pytest.approx(np.prod(n * step))
    voxels = np.prod(n)
    # The variance of n steps in a row, by the sample's count less one.
    axes = 4 * step * np.sqrt((n**2 - 1) / 12 * voxels / max(1, voxels - 1))
    axes = np.sort(axes)[::-1]
    names = ("morph_pca_maj_axis", "morph_pca_min_axis", "morph_pca_least_axis")
    assert [found[name] for name in names] == pytest.approx(axes, abs=1e-9)
    # Its mesh is the box with its edges cut: vertices half a voxel out, along one axis only.
    reach = [np.where(np.arange(3) == a, n, n - 1) * step for a in range(3)]
    assert found["morph_diam"] == pytest.approx(max(np.linalg.norm(r) for r in reach))
    # The mesh leaves a half prism at each voxel of the 12 edges, and 5/6 of 1/8 voxel at 8 corners.
    volume = voxels - 4 * sum(n - 1) / 8 - 8 * 5 / 48
    assert found["morph_volume"] == pytest.approx(volume * np.prod(step), rel=1e-9)


@settings(max_examples=60)
@given(masks, SPACINGS)
def test_diameters_are_those_of_all_pairs_of_vertices(mask, spacing):
    points = vertices(mask, spacing)
    found = shape_features(mask, spacing)
    assert found["morph_diam"] == pytest.approx(pdist(points).max())
    planes = plane_diameters(mask, np.array(spacing))
    for axis in range(3):
        heights = np.round(points[:, axis] / spacing[axis] * 2)
        largest = max(pdist(points[heights == h]).max(initial=0.0) for h in np.unique(heights))
        assert planes[axis] == pytest.approx(largest)


@settings(max_examples=60)
@given(masks, SPACINGS)
def test_the_convex_hull_is_that_of_all_vertices(mask, spacing):
    hull = ConvexHull(vertices(mask, spacing))
    found = shape_features(mask, spacing)
    volume, area = found["morph_volume"], found["morph_area_mesh"]
    assert found["morph_vol_dens_conv_hull"] == pytest.approx(volume / hull.volume)
    assert found["morph_area_dens_conv_hull"] == pytest.approx(area / hull.area)


@settings(max_examples=60)
@given(masks, SPACINGS)
def test_axes_are_those_of_the_covariance_of_the_voxels(mask, spacing):
    found = shape_features(mask, spacing)
    points = np.argwhere(mask)[:, ::-1] * spacing
    variances = np.linalg.eigvalsh(np.cov(points.T) if len(points) > 1 else np.eye(3) * 0)
    axes = 4 * np.sqrt(np.maximum(variances[::-1], 0))
    names = ("morph_pca_maj_axis", "morph_pca_min_axis", "morph_pca_least_axis")
    assert [found[name] for name in names] == pytest.approx(axes, abs=1e-6)


@pytest.mark.parametrize("name", BODIES)
def test_volume_and_area_are_those_of_marching_cubes(name):
    grid = grid_over(BODIES[name], (0.9, 1.1, 1.6), OBLIQUE["oblique"])
    mask = mask_of(BODIES[name], grid)
    found = shape_features(mask, grid.spacing)
    volume, area = marching_cubes(mask, grid.spacing)
    assert found["morph_volume"] == pytest.approx(volume, rel=1e-4)
    assert found["morph_area_mesh"] == pytest.approx(area, rel=1e-4)


@settings(max_examples=30)
@given(masks, SPACINGS, st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_nothing_changes_where_the_voxels_are_stored_in_another_order(mask, spacing, order, flips):
    stored, grid = turned_array(mask, Grid(mask.shape[::-1], spacing), order, flips)
    first, second = shape_features(mask, spacing), shape_features(stored, grid.spacing)
    for key in first:
        assert second[key] == pytest.approx(first[key], rel=1e-9, abs=1e-6)


@given(masks, SPACINGS)
def test_the_array_around_a_mask_does_not_matter(mask, spacing):
    wide = np.pad(mask, ((2, 0), (1, 3), (0, 4)))
    assert shape_features(wide, spacing) == pytest.approx(
        shape_features(mask[bounding_box(mask)], spacing), abs=1e-6
    )


def test_derived_features_follow_their_definitions():
    found = shape_features(mask_of(BODIES["ellipsoid"], grid_over(BODIES["ellipsoid"])), (1, 1, 1))
    volume, area = found["morph_volume"], found["morph_area_mesh"]
    ball = (36 * np.pi * volume**2) ** (1 / 3)
    assert found["morph_av"] == pytest.approx(area / volume)
    assert found["morph_sphericity"] == pytest.approx(ball / area)
    assert found["morph_sph_dispr"] == pytest.approx(area / ball)
    assert found["morph_asphericity"] == pytest.approx(area / ball - 1)
    assert found["morph_comp_1"] == pytest.approx(volume / np.sqrt(np.pi * area**3))
    assert found["morph_comp_2"] == pytest.approx((ball / area) ** 3)
    assert found["morph_pca_elongation"] == pytest.approx(
        found["morph_pca_min_axis"] / found["morph_pca_maj_axis"]
    )
    # The axes of a solid ellipsoid by IBSI's 4 sqrt(variance) are 4 / sqrt(5) semi-axes.
    assert found["morph_pca_maj_axis"] == pytest.approx(16 * 4 / np.sqrt(5), rel=0.01)
    assert found["morph_pca_least_axis"] == pytest.approx(10 * 4 / np.sqrt(5), rel=0.01)


def test_an_empty_mask_has_no_shape():
    with pytest.raises(ValueError, match="empty"):
        shape_features(np.zeros((3, 3, 3), bool), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True)])
def test_axial_diameters_of_an_elliptic_cylinder_whatever_the_order_of_the_axes(order, flips):
    rotation = tuple(np.ravel([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]))
    body = Cylinder(radii=(21, 12), length=30, centre=CENTRE, rotation=rotation)
    grid = grid_over(body, (0.6, 0.7, 2.0))
    mask, stored = turned_array(mask_of(body, grid), grid, order, flips)
    long, short = axial_diameters(mask, stored)
    assert long == pytest.approx(42, abs=0.8)
    assert short == pytest.approx(24, abs=0.8)


@pytest.mark.parametrize("tilt", [-20, 15])
def test_axial_diameters_of_a_tilted_scan_are_read_in_its_own_slices(tilt):
    c, s = np.cos(np.deg2rad(tilt)), np.sin(np.deg2rad(tilt))
    direction = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    body = Cylinder(
        radii=(20, 9), length=40, centre=CENTRE, rotation=tuple(direction.ravel().tolist())
    )
    grid = grid_over(body, (0.7, 0.7, 1.5), direction)
    long, short = axial_diameters(mask_of(body, grid), grid)
    assert long == pytest.approx(40, abs=0.8)
    assert short == pytest.approx(18, abs=0.8)


# By name: whether a point (u, v), mm, lies in it; its longest line; the longest one across it.
OUTLINES = {
    # Its extent across is the outer radius, 20 mm; its thickness, where the inner circle ends, less.
    "crescent": (
        lambda u, v: (v >= 0) & (np.hypot(u, v) <= 20) & (np.hypot(u, v) >= 15),
        (40, np.sqrt(20**2 - 15**2)),
    ),
    # Corners at 0, (40, 0), (60, 30), (20, 30): the line across ends in one of the blunt corners.
    "parallelogram": (
        lambda u, v: (v >= 0) & (v <= 30) & (u >= v * 2 / 3) & (u <= 40 + v * 2 / 3),
        (np.hypot(60, 30), 1200 / np.hypot(60, 30) * (1 + 31.3 / 35.78)),
    ),
    # A bar with a knob: only there it is thick.
    "knob": (
        lambda u, v: (abs(u) <= 30) & (abs(v) <= 2) | (np.hypot(u - 15, v) <= 8),
        (np.hypot(60, 4), 16),
    ),
}


@pytest.mark.parametrize("name", OUTLINES)
@pytest.mark.parametrize("pose", OBLIQUE)
@pytest.mark.parametrize("turn", [0, 35, 90])
def test_the_short_diameter_is_the_longest_line_across_the_long_one(name, pose, turn):
    inside, expected = OUTLINES[name]
    grid = Grid((190, 210, 3), (0.5, 0.45, 3.0), (61.0, -30.0, 412.0), tuple(OBLIQUE[pose].ravel()))
    if grid.axial_axis != 2:
        pytest.skip("slices across another axis")
    y, x = np.indices(grid.shape[1:])
    away = np.stack([(x - 95) * 0.5, (y - 105) * 0.45])
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    u, v = c * away[0] + s * away[1], c * away[1] - s * away[0]
    if name == "parallelogram":
        u, v = u + 30, v + 15
    mask = np.zeros(grid.shape, bool)
    mask[1] = inside(u, v)
    # Pixels of half a millimetre blunt sharp corners.
    assert axial_diameters(mask, grid) == pytest.approx(expected, abs=1.4)


def test_the_short_diameter_of_a_voxel_is_that_of_its_rhomb():
    mask = np.zeros((3, 3, 3), bool)
    mask[1, 1, 1] = True
    found = axial_diameters(mask, Grid((3, 3, 3), (2.0, 1.0, 5.0), (9.0, -4.0, 7.0)))
    assert found == pytest.approx((2, 1))


@settings(max_examples=40)
@given(masks, SPACINGS)
def test_axial_diameters_are_the_largest_of_any_slice(mask, spacing):
    long, short = axial_diameters(mask, Grid(mask.shape[::-1], spacing, (9.0, -4.0, 7.0)))
    points = vertices(mask, spacing)
    on_slice = np.abs(points[:, 2] / spacing[2] - np.round(points[:, 2] / spacing[2])) < 0.1
    found = []
    for height in np.unique(points[on_slice, 2]):
        own = points[on_slice & (points[:, 2] == height)][:, :2]
        apart = own[:, None] - own
        lengths = np.linalg.norm(apart, axis=-1)
        for one, other in np.argwhere(lengths > lengths.max() - 1e-9):
            along = apart[one, other] / lengths[one, other]
            across = own @ np.array([-along[1], along[0]])
            places = own @ along
            beside = np.abs(places[:, None] - places) < 1e-9
            least = np.abs(across[:, None] - across)[beside].max()
            found.append((lengths[one, other], least, np.ptp(across)))
    assert long == pytest.approx(max(found)[0])
    assert any(
        length == pytest.approx(long) and least - 1e-6 <= short <= most + 1e-6
        for length, least, most in found
    )


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "pyradiomics").is_dir(), reason="no real scans here")
@pytest.mark.parametrize("case", ["brain1", "breast1"])
def test_the_values_that_pyradiomics_publishes(case):
    with open(DATA / "pyradiomics" / "baseline" / "baseline_shape.csv", newline="") as stream:
        rows = {row["featureName"]: row[case] for row in csv.DictReader(stream)}
    labels, _ = read_source(DATA / "pyradiomics" / f"{case}_label.nrrd")
    mask = labels.array == 1
    found = shape_features(mask, labels.grid.spacing)
    # PyRadiomics divides variances by the count of voxels, IBSI's reference values by one less.
    count = np.count_nonzero(mask)
    for name in ("morph_pca_maj_axis", "morph_pca_min_axis", "morph_pca_least_axis"):
        found[name] *= np.sqrt((count - 1) / count)
    for theirs, ours in PYRADIOMICS.items():
        assert found[ours] == pytest.approx(float(rows[f"original_shape_{theirs}"]), rel=1e-3), ours
    planes = plane_diameters(mask, np.array(labels.grid.spacing))
    expected = [float(rows[f"original_shape_{name}"]) for name in PLANES]
    assert planes == pytest.approx(expected, rel=1e-3)


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "ibsi").is_dir(), reason="no real scans here")
def test_the_values_of_the_ibsi_digital_phantom():
    with open(DATA / "ibsi" / "reference_values" / "ibsi_1_dig_phantom.csv") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    labels, _ = read_source(
        DATA / "ibsi" / "ibsi_1_digital_phantom" / "nifti" / "mask" / "mask.nii.gz"
    )
    found = shape_features(labels.array > 0, labels.grid.spacing)
    compared = [row for row in rows if row["tag"] in found]
    assert len(compared) == len(found)
    for row in compared:
        value, tolerance = float(row["reference value"]), float(row["tolerance"])
        assert abs(found[row["tag"]] - value) <= tolerance, row["tag"]


def test_the_table_of_cubes_is_what_vtk_draws():
    cubes, contour = vtkImageData(), vtkFlyingEdges3D()
    cubes.SetDimensions(2, 2, 2)
    contour.SetInputData(cubes)
    contour.SetValue(0, 0.5)
    sets, corners = cube_triangles()
    for index in range(256):
        outside = np.array([1 - (index >> n & 1) for n in range(8)], np.float32)
        cubes.GetPointData().SetScalars(numpy_to_vtk(outside, deep=True))
        contour.Modified()
        contour.Update()
        mesh = contour.GetOutput()
        drawn = np.empty((0, 3, 3))
        if mesh.GetNumberOfCells() > 0:
            points = vtk_to_numpy(mesh.GetPoints().GetData())
            drawn = points[vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)]
        np.testing.assert_array_equal(corners[sets == index], drawn[:, ::-1])
