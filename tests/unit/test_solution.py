import numpy as np
from scanmill.simulation.solution import first_principal, von_mises

# Uniaxial, pure shear in each plane, and hydrostatic.
STRESSES = np.array(
    [
        [2.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.5, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.5, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.5],
        [-3.0, -3.0, -3.0, 0.0, 0.0, 0.0],
    ]
)


def test_equivalent_stresses_of_textbook_states():
    assert np.allclose(von_mises(STRESSES), [2.0, *[1.5 * np.sqrt(3.0)] * 3, 0.0])


def test_principal_stresses_of_textbook_states():
    assert np.allclose(first_principal(STRESSES), [2.0, 1.5, 1.5, 1.5, -3.0])


def test_a_tensor_has_the_same_stresses_in_any_frame():
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turned = rotation @ np.diag([5.0, -1.0, 2.0]) @ rotation.T
    tensor = turned[[0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]][None]
    assert np.allclose(first_principal(tensor), 5.0)
    assert np.allclose(von_mises(tensor), np.sqrt(0.5 * (36.0 + 9.0 + 9.0)))
