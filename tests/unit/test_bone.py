"""The stiffness of bone by Hounsfield units, in cells of any pose."""

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, grid_over
from scanmill.phantom.body import Box
from scanmill.simulation.body import Body, Elastic
from scanmill.simulation.bone import LAWS, Bone, young_in
from scanmill.simulation.materials import of_part
from scanmill.simulation.tetrahedra import quadratic
from scanmill.volume_file import Volume

SAID = {
    "law": "morgan-2003-vertebra",
    "density": {"slope": 0.001, "intercept": 0.05},
    "poisson": 0.3,
    "least": 1.0,
}


def test_the_laws_are_those_of_the_paper():
    # N/mm2 at 0.2 g/cm3, as the paper's powers have it.
    expected = {"vertebra": 384.2, "tibia": 694.8, "trochanter": 449.4, "femoral-neck": 622.6}
    for site, young in expected.items():
        bone = Bone(f"morgan-2003-{site}", 1.0, 0.0, 1.0)
        assert bone.young(np.array([0.2])) == pytest.approx([young], rel=1e-3)
    assert set(LAWS) == {f"morgan-2003-{site}" for site in expected}


def test_what_has_no_density_is_as_stiff_as_the_least():
    bone = Bone("morgan-2003-vertebra", 0.001, 0.0, 2.5)
    assert bone.young(np.array([-1000.0, 0.0])).tolist() == [2.5, 2.5]


@pytest.mark.parametrize("direction", ["oblique", "oblique left-handed"])
def test_cells_have_the_mean_of_what_lies_in_them(direction):
    grid = grid_over(Box(size=(30, 30, 30), centre=CENTRE), (0.8, 0.8, 1.5), DIRECTIONS[direction])
    z, y, x = np.indices(grid.shape)
    places = grid.to_physical(np.stack([x, y, z], axis=-1).reshape(-1, 3))
    # HU that rise along the patient's left.
    image = Volume((200 + 10 * (places[:, 0] - CENTRE[0])).reshape(grid.shape), grid)
    rng = np.random.default_rng(3)
    corners = CENTRE + rng.uniform(-6, 6, (40, 4, 3))
    points, cells = quadratic(corners.reshape(-1, 3), np.arange(160).reshape(40, 4))
    body = Body(points, cells, {"bone": np.arange(40)}, {})
    middles = corners.mean(axis=1)
    linear = Bone("morgan-2003-vertebra", 0.001, 0.05, 1e-9)
    found = young_in(linear, image, body, body.parts["bone"])
    at_middles = linear.young(200 + 10 * (middles[:, 0] - CENTRE[0]))
    # A mean of a convex law is more than the law of a mean, by a little where it bends little.
    assert (found >= at_middles * (1 - 1e-6)).all()
    assert found == pytest.approx(at_middles, rel=0.02)
    material = of_part(SAID, body, "bone", image)
    assert isinstance(material, Elastic) and material.poisson == 0.3
    assert material.young == pytest.approx(found, rel=1e-6)
