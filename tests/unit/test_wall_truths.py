import numpy as np
import pytest
import wall_truths

R = np.linspace(10.0, 15.0, 2001)


def imbalance(r, stresses, hoops):
    """What is left of d(radial)/dr + hoops (radial - hoop) / r, away from the ends."""
    radial, hoop = stresses.T
    return (np.gradient(radial, r) + hoops * (radial - hoop) / r)[2:-2]


@pytest.mark.parametrize(
    ("stresses", "hoops"),
    [
        (wall_truths.cylinder(10.0, 15.0, 0.016, 0.004, R), 1),
        (wall_truths.sphere(10.0, 15.0, 0.016, R), 2),
    ],
)
def test_known_stresses_balance_and_carry_the_pressure(stresses, hoops):
    assert np.abs(imbalance(R, stresses, hoops)).max() < 1e-8
    assert stresses[0, 0] == pytest.approx(-0.016)
    assert stresses[-1, 0] == pytest.approx(-0.004 if hoops == 1 else 0.0, abs=1e-12)


def test_the_inflated_cylinder_balances_where_it_has_gone_and_carries_the_pressure():
    known = wall_truths.Inflated(10.0, 15.0, 0.03, 0.174, 1.881)
    stresses = known.stresses(R)
    assert np.abs(imbalance(known.radius(R), stresses, 1)).max() < 1e-6
    assert stresses[0, 0] == pytest.approx(-0.03)
    assert stresses[-1, 0] == pytest.approx(0.0, abs=1e-12)
    assert known.radius(15.0) ** 2 - known.radius(10.0) ** 2 == pytest.approx(15.0**2 - 10.0**2)


def test_small_inflation_is_that_of_an_elastic_cylinder_of_the_same_shear_modulus():
    pressure = 1e-6
    found = wall_truths.Inflated(10.0, 15.0, pressure, 0.174, 1.881).stresses(R)
    known = wall_truths.cylinder(10.0, 15.0, pressure, 0.0, R)
    assert np.allclose(found, known, atol=1e-4 * pressure)


def test_two_cylinders_alike_are_one():
    alike = ((1.0, 0.4), (1.0, 0.4))
    contact = wall_truths.between((10.0, 12.0, 15.0), alike, 0.016)
    whole = wall_truths.cylinder(10.0, 15.0, 0.016, 0.0, np.array([12.0]))
    assert contact == pytest.approx(-whole[0, 0])
