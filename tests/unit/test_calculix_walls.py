"""CalculiX against what is known exactly, on meshes that are turned and away from the origin."""

import shutil

import pytest
from scanmill.simulation.calculix import solve
from wall_cases import errors, inflated_cylinder, lame_cylinder, lame_sphere, two_cylinders

pytestmark = pytest.mark.skipif(
    shutil.which("ccx") is None, reason="CalculiX is not installed (Debian: calculix-ccx)"
)


def errors_of(case):
    return errors(case, solve(case.problem, seconds=600))


@pytest.mark.slow
@pytest.mark.parametrize("poisson", [0.3, 0.45, 0.49])
def test_a_thick_cylinder_has_the_stress_of_lame(poisson):
    found = errors_of(lame_cylinder(poisson))
    assert found["l2"] < 0.01
    assert abs(found["mean"]) < 0.0015
    assert abs(found["p99"]) < 0.005


def test_a_thick_sphere_has_the_stress_of_lame():
    found = errors_of(lame_sphere(0.3))
    assert found["l2"] < 0.01
    assert abs(found["mean"]) < 0.005
    assert abs(found["p99"]) < 0.01


@pytest.mark.slow
def test_a_soft_cylinder_in_a_stiff_one_shares_the_load_as_known():
    found = errors_of(two_cylinders())
    assert found["l2"] < 0.005
    assert abs(found["mean"]) < 0.003
    assert abs(found["p99"]) < 0.005


@pytest.mark.slow
def test_an_inflated_cylinder_that_keeps_its_volume_has_the_exact_stress():
    found = errors_of(inflated_cylinder())
    assert found["l2"] < 0.02
    assert abs(found["mean"]) < 0.003
    assert abs(found["p99"]) < 0.01
