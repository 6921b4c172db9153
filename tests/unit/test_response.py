import numpy as np
import pytest
from scanmill.phantom.description import turned
from scanmill.simulation.body import Elastic, RaghavanVorp
from scanmill.simulation.response import response, true_stress

ELASTIC = Elastic(0.1, 0.45)
GRADIENT = np.random.default_rng(1).normal(size=(3, 3)) * 0.2
PRESSURE = np.array(0.03)
STEP = 1e-6


@pytest.mark.parametrize(
    ("material", "is_large"),
    [(ELASTIC, False), (ELASTIC, True), (RaghavanVorp(0.174, 1.881), True)],
)
def test_stiffness_is_the_change_of_stress(material, is_large):
    told = response(material, GRADIENT, PRESSURE, is_large)
    for n in range(9):
        change = np.zeros(9)
        change[n] = STEP
        more, less = (
            response(material, GRADIENT + sign * change.reshape(3, 3), PRESSURE, is_large)
            for sign in (1, -1)
        )
        by_stress = (more.stress - less.stress).ravel() / (2 * STEP)
        assert np.allclose(told.stiffness[:, n], by_stress, atol=1e-7)
        by_constraint = (more.constraint - less.constraint) / (2 * STEP)
        assert told.volume.ravel()[n] == pytest.approx(by_constraint, abs=1e-7)


def test_turning_adds_no_stress_where_displacements_are_large():
    gradient = turned((20, -35, 50)) - np.eye(3)
    told = response(ELASTIC, gradient, np.array(0.0), True)
    assert np.allclose(told.stress, 0.0, atol=1e-15)
    assert told.constraint == pytest.approx(0.0, abs=1e-15)


def test_drawn_out_far_an_elastic_bar_has_the_stress_of_saint_venant_and_kirchhoff():
    """Second Piola-Kirchhoff stress is Young's modulus times Green-Lagrange strain; none is across."""
    along, across = 0.3, -0.3 * ELASTIC.poisson
    stretch, thinning = np.sqrt(1 + 2 * along), np.sqrt(1 + 2 * across)
    gradient = np.diag([thinning, thinning, stretch]) - np.eye(3)
    pressure = -2 * ELASTIC.young / (2 * (1 + ELASTIC.poisson)) * across
    told = response(ELASTIC, gradient, np.array(pressure), True)
    assert told.constraint == pytest.approx(0.0, abs=1e-15)
    known = np.diag([0.0, 0.0, stretch * ELASTIC.young * along / thinning**2])
    assert np.allclose(true_stress(told.stress, gradient), known)
