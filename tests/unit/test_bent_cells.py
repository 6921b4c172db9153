"""Tetrahedra and triangles whose edges are bent: their volumes and areas, and where they fold."""

import numpy as np
import pytest
from scanmill.phantom.description import turned
from scanmill.simulation.body import EDGES, SIDES
from scanmill.simulation.elements import flat_volumes, gradients, quarters, volumes
from scanmill.simulation.faces import bent_areas
from scanmill.simulation.tetrahedra import quadratic, unfolded

TURN, SHIFT = turned((20, -35, 50)), np.array([31.3, -112.7, 402.9])
CORNERS = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
POINTS = np.array([[0, 0, 0], [6, 0, 0], [0, 6, 0], [0, 0, 6], [6, 6, 6]]) @ TURN.T + SHIFT


def cells():
    points, found = quadratic(POINTS.astype(float), CORNERS)
    found[1] = (
        found[1][[0, 2, 1, 3, 6, 5, 4, 7, 9, 8]] if volumes(points, found)[1] < 0 else found[1]
    )
    return points, found


def test_straight_ones_have_the_volumes_of_their_corners():
    points, found = cells()
    assert volumes(points, found) == pytest.approx(flat_volumes(points, found))
    assert volumes(points, found)[0] == pytest.approx(36.0)


def test_middles_that_are_mapped_by_squares_give_the_mapped_volume():
    """Of x -> x + x z / 20, whose Jacobian's determinant is 1 + z / 20: over the first cell, known."""
    points, found = quadratic((POINTS - SHIFT) @ TURN, CORNERS)
    bent = points + np.stack(
        [points[:, 0] * points[:, 2] / 20, *np.zeros((2, len(points)))], axis=1
    )
    assert volumes(bent @ TURN.T + SHIFT, found)[0] == pytest.approx(36 * (1 + 1.5 / 20))


def test_gradients_of_a_linear_field_are_its_slope_in_bent_cells_too():
    points, found = cells()
    bent = points + 0.3 * np.sin(points[:, [1, 2, 0]])
    slope = np.array([0.3, -1.2, 0.7])
    values = (bent @ slope)[found]
    assert np.allclose(np.einsum("ma,mqax->mqx", values, gradients(bent, found)), slope)


def test_the_area_of_a_bent_triangle_is_that_of_its_sphere():
    corners = 10 * np.linalg.qr(TURN)[0]
    corners = corners[0] + 0.3 * (corners - corners[0])
    corners *= 10 / np.linalg.norm(corners, axis=1, keepdims=True)
    middles = np.stack([corners[[a, b]].mean(axis=0) for a, b in SIDES])
    flat = np.concatenate([corners, middles])[None]
    middles *= 10 / np.linalg.norm(middles, axis=1, keepdims=True)
    bent = np.concatenate([corners, middles])[None]
    # Van Oosterom and Strackee: the solid angle of a triangle.
    a, b, c = corners / 10
    angle = 2 * np.arctan2(a @ np.cross(b, c), 1 + a @ b + b @ c + c @ a)
    assert bent_areas(bent)[0] == pytest.approx(100 * abs(angle), rel=1e-3)
    assert bent_areas(flat)[0] < 0.99 * bent_areas(bent)[0]


def test_what_folds_is_straight_and_the_rest_stays_bent():
    points, found = cells()
    bent = points.copy()
    inner = points[POINTS.shape[0] :].mean(axis=0)
    far = found[0, 4 + EDGES.index((0, 1))]
    near = found[1, next(n for n, node in enumerate(found[1]) if n > 3 and node not in found[0])]
    bent[far] += 4 * (inner - bent[far])
    bent[near] += 0.1 * (inner - bent[near])
    assert (quarters(bent, found)[0] <= 0).any()
    mended = unfolded(bent, found)
    assert np.allclose(mended[far], points[far])
    assert np.allclose(mended[near], bent[near])
    assert (quarters(mended, found) > 0).all()
