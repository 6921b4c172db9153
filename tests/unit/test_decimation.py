"""Decimated boundaries: still shared, still manifold, still near."""

import numpy as np
import pytest
from bodies import BODIES, CENTRE, OBLIQUE, grid_over, mask_of, points_of
from manifolds import assert_manifold, keys, random_labels, reversed_
from scanmill.decimation import decimate, distances
from scanmill.phantom.body import sphere
from scanmill.surface import Surface, boundaries, keep_volumes, surface_of
from scanmill.surface_measures import area, is_manifold, volume
from scipy.spatial import cKDTree

GRID = grid_over(BODIES["ellipsoid"], direction=OBLIQUE["oblique left-handed"])


def two_halves():
    labels = mask_of(BODIES["ellipsoid"], GRID).astype(np.uint8)
    labels[(labels == 1) & (points_of(GRID)[..., 2] > CENTRE[2])] = 2
    return boundaries(labels, GRID)[0]


def test_structures_keep_one_boundary_their_volume_and_their_place():
    mesh = two_halves()
    simple = decimate(mesh, {1: 800, 2: 800})
    keep_volumes(simple, largest_step=0.25)
    pair = [surface_of(simple, label, GRID) for label in (1, 2)]
    for label, surface in enumerate(pair, 1):
        assert 400 < len(surface.triangles) < 1000
        assert_manifold(surface)
        whole = surface_of(mesh, label, GRID)
        assert volume(surface) == pytest.approx(volume(whole), rel=1e-3)
        assert area(surface) == pytest.approx(area(whole), rel=0.02)
        mean, largest = distances(whole, surface)
        assert mean < 0.15
        assert largest < 0.8
    between = (np.sort(simple.sides, axis=1) == (1, 2)).all(axis=1).sum()
    assert len(keys(pair[0]) & keys(reversed_(pair[1]))) == between > 10


def test_only_the_boundaries_of_labels_with_a_budget_are_simplified():
    mesh = two_halves()
    simple = decimate(mesh, {1: 500})
    outer = [(np.sort(m.sides, axis=1) == (0, 2)).all(axis=1).sum() for m in (mesh, simple)]
    assert outer[0] == outer[1]
    assert len(surface_of(simple, 1, GRID).triangles) < len(surface_of(mesh, 1, GRID).triangles) / 3


def test_a_budget_that_is_not_reached_changes_nothing():
    mesh = two_halves()
    whole = surface_of(mesh, 1, GRID)
    same = surface_of(decimate(mesh, {1: 10**6}), 1, GRID)
    assert keys(same) == keys(whole)


@pytest.mark.parametrize("seed", range(2))
def test_noise_stays_manifold(seed):
    labels = random_labels(seed, (28, 28, 28), 1.5, 4)
    mesh, _ = boundaries(labels, GRID)
    simple = decimate(mesh, {1: 300, 2: 300, 3: 300})
    assert len(simple.triangles) < len(mesh.triangles)
    for label in (1, 2, 3):
        assert is_manifold(surface_of(simple, label, GRID))


def test_equal_meshes_are_decimated_equally():
    first, second = (surface_of(decimate(two_halves(), {1: 700}), 1, GRID) for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()
    assert first.triangles.tobytes() == second.triangles.tobytes()


def test_distances_of_a_sphere_within_a_sphere():
    grid = grid_over(sphere(12, CENTRE))
    mesh, _ = boundaries(mask_of(sphere(12, CENTRE), grid).astype(np.uint8), grid)
    outer = surface_of(mesh, 1, grid)
    middle = np.asarray(CENTRE)
    inner = Surface(middle + (outer.points - middle) * 0.9, outer.triangles)
    mean, largest = distances(outer, inner)
    nearest, _ = cKDTree(inner.points).query(outer.points)
    assert mean == pytest.approx(1.2, rel=0.02)
    assert largest <= nearest.max()
