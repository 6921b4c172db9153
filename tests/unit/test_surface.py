"""Surfaces against analytic bodies in every orientation, and as manifolds against another library."""

import numpy as np
import pytest
import trimesh
from bodies import BODIES, CENTRE, DIRECTIONS, OBLIQUE, grid_over, mask_of, points_of
from manifolds import assert_manifold, keys, random_labels, reversed_
from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.phantom.body import Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.surface import Boundaries, Surface, boundaries, surface_of, surface_of_mask
from scanmill.surface_measures import area, centroid, is_manifold, is_watertight, volume
from scanmill.volume_file import Volume

SEEDS = range(3)


def surface_on(body, grid) -> Surface:
    mesh, _ = boundaries(mask_of(body, grid).astype(np.uint8), grid)
    return surface_of(mesh, 1, grid)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_keeps_its_measures_in_every_orientation(name):
    body = BODIES[name]
    for direction in DIRECTIONS.values():
        grid = grid_over(body, direction=direction)
        surface = surface_on(body, grid)
        assert volume(surface) == pytest.approx(body.volume, rel=0.01)
        assert area(surface) == pytest.approx(body.area, rel=0.02)
        assert np.linalg.norm(centroid(surface) - body.centroid) < 0.1
        assert is_manifold(surface)


@pytest.mark.parametrize("name", ["sphere", "ellipsoid", "torus", "tube"])
def test_a_narrow_pass_band_measures_the_area_of_a_smooth_body_better(name):
    body = BODIES[name]
    grid = grid_over(body, direction=OBLIQUE["oblique"])
    mesh, _ = boundaries(mask_of(body, grid).astype(np.uint8), grid, pass_band=0.01)
    smoother = surface_of(mesh, 1, grid)
    assert area(smoother) == pytest.approx(body.area, rel=0.01)
    assert abs(area(smoother) - body.area) < abs(area(surface_on(body, grid)) - body.area)


@pytest.mark.parametrize("direction", OBLIQUE.values(), ids=OBLIQUE)
def test_slices_twice_as_thick_do_not_change_the_measures(direction):
    body = BODIES["ellipsoid"]
    surface = surface_on(body, grid_over(body, (0.8, 0.7, 1.5), direction))
    assert volume(surface) == pytest.approx(body.volume, rel=0.01)
    assert area(surface) == pytest.approx(body.area, rel=0.02)
    assert np.linalg.norm(centroid(surface) - body.centroid) < 0.1


@pytest.mark.parametrize("name", BODIES)
def test_every_surface_is_a_closed_manifold_that_faces_outward(name):
    for direction in OBLIQUE.values():
        assert_manifold(surface_on(BODIES[name], grid_over(BODIES[name], direction=direction)))


@pytest.mark.parametrize("direction", OBLIQUE.values(), ids=OBLIQUE)
def test_touching_structures_share_one_boundary(direction):
    body = BODIES["ellipsoid"]
    grid = grid_over(body, direction=direction)
    lps = points_of(grid) - CENTRE
    labels = mask_of(body, grid).astype(np.uint8)
    labels[(labels == 1) & (lps[..., 0] + lps[..., 2] > 1)] = 2
    labels[mask_of(sphere(5, CENTRE), grid)] = 7
    mesh, _ = boundaries(labels, grid)
    surfaces = {label: surface_of(mesh, label, grid) for label in (1, 2, 7)}
    for label, surface in surfaces.items():
        assert_manifold(surface)
        voxels = np.count_nonzero(labels == label) * grid.voxel_volume
        assert volume(surface) == pytest.approx(voxels, rel=1e-3)
    for one, other in ((1, 2), (1, 7), (2, 7)):
        between = (np.sort(mesh.sides, axis=1) == (one, other)).all(axis=1).sum()
        shared = keys(surfaces[one]) & keys(reversed_(surfaces[other]))
        assert len(shared) == between > 50
    outside = (mesh.sides == 0).any(axis=1)
    sides = np.where(mesh.sides[outside] > 0, 1, 0)
    around = surface_of(
        Boundaries(mesh.points, mesh.triangles[outside], sides, mesh.volumes), 1, grid
    )
    assert is_watertight(around)
    assert volume(around) == pytest.approx(sum(map(volume, surfaces.values())), rel=1e-9)
    assert volume(around) == pytest.approx(volume(surface_on(body, grid)), rel=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_gives_manifolds_with_the_volumes_of_their_voxels(seed):
    labels = random_labels(seed, (40, 44, 48), 2.0, 4)
    grid = Grid((48, 44, 40), (1.2, 1.2, 1.2), (3.0, -40.0, 9.0), (0, 1, 0, 1, 0, 0, 0, 0, 1))
    mesh, _ = boundaries(labels, grid)
    for label in (1, 2, 3):
        surface = surface_of(mesh, label, grid)
        assert_manifold(surface)
        voxels = np.count_nonzero(labels == label)
        assert voxels > 1000
        assert volume(surface) == pytest.approx(voxels * grid.voxel_volume, rel=0.01)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", [2, 4])
def test_white_noise_gives_manifolds(seed, number):
    labels = np.random.default_rng(seed).integers(0, number, (14, 15, 16)).astype(np.uint8)
    grid = Grid((16, 15, 14), (1.0, 1.0, 1.0))
    mesh, repaired = boundaries(labels, grid)
    assert repaired > 0
    for label in range(1, number):
        surface = surface_of(mesh, label, grid)
        assert len(surface.triangles) > 0
        assert is_manifold(surface)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_a_structure_cut_by_the_edge_of_the_grid_is_closed_there(direction):
    direction = np.asarray(direction, float)
    origin = np.asarray(CENTRE) + direction @ (0.5, -3.5, 0.5)
    grid = Grid((14, 20, 30), (1.0, 1.0, 1.0), tuple(origin), tuple(direction.ravel()))
    mask = mask_of(sphere(12, CENTRE), grid)
    assert mask[:, 0, 0].any()
    surface = surface_on(sphere(12, CENTRE), grid)
    assert_manifold(surface)
    assert volume(surface) == pytest.approx(np.count_nonzero(mask), rel=0.01)
    index = grid.to_index(surface.points)
    held = np.argwhere(mask)[:, ::-1]
    assert (index > held.min(axis=0) - 1).all()
    assert (index < held.max(axis=0) + 1).all()


def test_a_label_of_many_values_costs_no_more_than_its_voxels():
    grid = Grid((12, 12, 12), (1.0, 1.0, 1.0))
    labels = np.zeros(grid.shape, np.uint16)
    labels[3:9, 3:9, 3:6], labels[3:9, 3:9, 6:9] = 3, 65535
    mesh, _ = boundaries(labels, grid)
    for label in (3, 65535):
        assert volume(surface_of(mesh, label, grid)) == pytest.approx(108, rel=1e-3)


def test_an_absent_label_has_an_empty_surface():
    grid = Grid((5, 5, 5), (1.0, 1.0, 1.0))
    labels = np.zeros(grid.shape, np.uint8)
    labels[2, 2, 2] = 3
    mesh, _ = boundaries(labels, grid)
    surface = surface_of(mesh, 2, grid)
    assert volume(surface) == 0
    assert not is_watertight(surface)
    assert not is_manifold(surface)


def test_equal_maps_give_equal_surfaces():
    labels = random_labels(5, (20, 20, 20), 2.0, 3)
    grid = Grid((20, 20, 20), (1.0, 1.0, 1.0))
    first, second = (surface_of(boundaries(labels, grid)[0], 1, grid) for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()
    assert first.triangles.tobytes() == second.triangles.tobytes()


def box_surface(*size) -> Surface:
    mesh = trimesh.creation.box(size)
    turn = np.asarray(OBLIQUE["oblique"])
    return Surface(mesh.vertices @ turn.T + 1000.0, np.asarray(mesh.faces))


def test_measures_of_a_box_far_from_the_origin_are_exact():
    box = box_surface(2.0, 3.0, 5.0)
    assert volume(box) == pytest.approx(30)
    assert volume(reversed_(box)) == pytest.approx(-30)
    assert area(box) == pytest.approx(62)
    assert centroid(box) == pytest.approx(np.full(3, 1000.0))
    assert is_manifold(box)


def test_faults_are_seen():
    box = box_surface(1.0, 1.0, 1.0)
    opened = Surface(box.points, box.triangles[1:])
    assert not is_watertight(opened)
    inverted = box.triangles.copy()
    inverted[0] = inverted[0, ::-1]
    assert not is_watertight(Surface(box.points, inverted))
    doubled = Surface(box.points, np.concatenate([box.triangles, box.triangles]))
    assert not is_watertight(doubled)
    # Two boxes that meet at one point: closed, but two fans around it.
    far = 2 * box.points[0] - box.points
    pinched = Surface(
        np.concatenate([box.points, far[1:]]),
        np.concatenate(
            [box.triangles, np.where(box.triangles == 0, 0, box.triangles + 7)[:, ::-1]]
        ),
    )
    assert is_watertight(pinched)
    assert not is_manifold(pinched)


def test_waves_of_thick_slices_are_smoothed_away_and_the_volume_stays():
    body = Ellipsoid(radii=(12, 15, 22), centre=CENTRE, rotation=tuple(turned((35, 20, 0)).ravel()))
    thick = grid_over(body, (0.7, 0.7, 3.0))
    grid = thick.isotropic(1.0)
    mask = resample_labels(Volume(mask_of(body, thick).astype(np.uint8), thick), grid) == 1
    off = [body.distance(surface_of_mask(mask, grid, n).points).std() for n in (0.0, 3.0)]
    assert off[1] < 0.85 * off[0]
    assert volume(surface_of_mask(mask, grid, 3.0)) == pytest.approx(mask.sum(), rel=1e-3)
