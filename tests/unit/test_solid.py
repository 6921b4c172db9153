"""Organs as solid bodies: filled, with what lies in them, and pressed."""

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, grid_over, mask_of
from scanmill.phantom.body import Box, Ellipsoid, sphere
from scanmill.refusal import Refusal
from scanmill.simulation import filling
from scanmill.simulation.body import Body, Elastic
from scanmill.simulation.elements import volumes
from scanmill.simulation.equilibrium import solve
from scanmill.simulation.filling import filled
from scanmill.simulation.quality import quality
from scanmill.simulation.skin import skin
from scanmill.simulation.solid import SIDES, pressed, solid
from scanmill.simulation.solid_summary import of_answer, of_parts
from scanmill.simulation.tetrahedra import quadratic
from scanmill.surface import Surface, surface_of_mask
from scanmill.surface_measures import volume

SIZE = (20.0, 24.0, 40.0)
BAR = Box(size=SIZE, centre=CENTRE)
LOAD = {"held": "inferior", "pressed": "superior", "force": 100.0, "depth": 2.0}
YOUNG = 10.0
# A smaller one would move what is held sideways, which is no part of the exact answers.
POISSON = 0.01


def surface_through(body, direction="oblique", spacing=(1.0, 1.0, 1.0), within=None):
    grid = grid_over(within or body, spacing, DIRECTIONS[direction])
    mask = mask_of(body, grid)
    return surface_of_mask(mask & mask_of(within, grid) if within else mask, grid)


def bar(young) -> tuple[Body, Elastic]:
    """An upright bar of cubes, each of six tetrahedra. young: N/mm2, by the height above its foot."""
    corner = np.array([[0.0, 0, 0], SIZE])
    lattice = filling._lattice(Surface(corner, np.empty((0, 3), int)), 4.0)
    middles = lattice.points[lattice.corners].mean(axis=1)
    inside = ((middles > 0) & (middles < SIZE)).all(axis=1)
    own = lattice.only(inside)
    points, cells = quadratic(own.points + CENTRE, own.corners)
    body = Body(points, cells, {"bar": np.arange(len(cells))}, {"skin": skin(cells)})
    heights = points[cells[:, :4]].mean(axis=1)[:, 2] - CENTRE[2]
    return body, Elastic(young(heights), POISSON)


@pytest.mark.parametrize("direction", ["zxy-+-", "oblique left-handed"])
def test_a_ball_is_filled_with_good_tetrahedra(direction):
    surface = surface_through(sphere(12, CENTRE), direction)
    body = solid(surface, {}, "ball", 3.0)
    assert volumes(body.points, body.cells).sum() == pytest.approx(volume(surface), rel=0.003)
    assert volumes(body.points, body.cells).min() > 0
    assert quality(body)["dihedral_min_deg"] > 8
    radii = np.linalg.norm(body.points[np.unique(body.faces["skin"][:, :3])] - CENTRE, axis=1)
    assert np.abs(radii - 12).max() < 0.5


def test_the_same_organ_is_the_same_mesh():
    surface = surface_through(sphere(9, CENTRE))
    one, again = (filled(surface, 3.0) for _ in range(2))
    assert np.array_equal(one.points, again.points) and np.array_equal(one.corners, again.corners)


@pytest.mark.parametrize("shift", [0.0, 7.0])
def test_what_lies_in_an_organ_shares_its_nodes(shift):
    organ = Ellipsoid(radii=(18, 14, 15), centre=CENTRE)
    inner = sphere(8, tuple(np.add(CENTRE, (shift, 0, 0))))
    whole, tumour = surface_through(organ), surface_through(inner, within=organ)
    body = solid(whole, {"tumour": tumour}, "organ", 3.0)
    of_each = [np.unique(body.cells[cells]) for cells in body.parts.values()]
    assert len(np.intersect1d(*of_each)) > 100
    told = of_parts(body, "organ", {"organ": volume(whole), "tumour": volume(tumour)})
    assert told["organ"]["mesh_vs_mask_percent"] == pytest.approx(0, abs=0.7)
    assert told["tumour"]["mesh_vs_mask_percent"] == pytest.approx(0, abs=2)
    assert volumes(body.points, body.cells).min() > 0
    assert quality(body)["dihedral_min_deg"] > 5


def test_what_is_too_thin_for_its_edges_is_refused():
    organ, speck = sphere(15, CENTRE), sphere(1.2, CENTRE)
    with pytest.raises(Refusal, match="part-lost: no tetrahedron is left of a part"):
        solid(surface_through(organ), {"speck": surface_through(speck)}, "organ", 12.0)


def test_what_would_be_too_many_cells_is_refused_before_they_are_made():
    with pytest.raises(Refusal, match="mesh-large: edges of 0"):
        filled(surface_through(sphere(12, CENTRE)), 0.2)


def test_the_stiffness_of_a_bar_is_exact():
    body, material = bar(lambda heights: np.full(len(heights), YOUNG))
    problem = pressed(body, {"bar": material}, LOAD)
    told = of_answer(problem, solve(problem), LOAD)
    area, length = SIZE[0] * SIZE[1], SIZE[2]
    assert told["pressed_area_mm2"] == pytest.approx(area)
    assert told["stiffness_n_per_mm"] == pytest.approx(YOUNG * area / length, rel=2e-3)
    assert told["von_mises_mean_mpa"] == pytest.approx(LOAD["force"] / area, rel=2e-3)
    assert told["strain_third_p1"] == pytest.approx(-LOAD["force"] / area / YOUNG, rel=0.01)
    assert told["young_mean_mpa"] == pytest.approx(YOUNG)


def test_a_bar_whose_stiffness_rises_is_as_soft_as_its_slices_in_a_row():
    body, material = bar(lambda heights: 5 + heights / 2)
    problem = pressed(body, {"bar": material}, LOAD)
    told = of_answer(problem, solve(problem), LOAD)
    slices = 5 + np.linspace(0, SIZE[2], 10001) / 2
    expected = SIZE[0] * SIZE[1] / (SIZE[2] * np.mean(1 / slices))
    assert told["stiffness_n_per_mm"] == pytest.approx(expected, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["oblique", "zxy-+-"])
def test_the_stiffness_of_a_bar_of_voxels(direction):
    body = solid(surface_through(BAR, direction), {}, "bar", 4.0)
    problem = pressed(body, {"bar": Elastic(YOUNG, POISSON)}, LOAD)
    told = of_answer(problem, solve(problem), LOAD)
    area, length = SIZE[0] * SIZE[1], SIZE[2]
    assert told["stiffness_n_per_mm"] == pytest.approx(YOUNG * area / length, rel=0.02)
    assert told["von_mises_mean_mpa"] == pytest.approx(LOAD["force"] / area, rel=0.02)


@pytest.mark.parametrize(("held", "side"), [("left", "right"), ("anterior", "posterior")])
def test_sides_are_the_patients(held, side):
    body, material = bar(lambda heights: np.full(len(heights), YOUNG))
    problem = pressed(body, {"bar": material}, LOAD | {"held": held, "pressed": side})
    for name, way in (("held", held), ("pressed", side)):
        away = (problem.body.points[problem.body.faces[name]] - CENTRE).mean(axis=(0, 1))
        centre = np.array(SIZE) / 2
        assert (away - centre) @ SIDES[way] == pytest.approx(centre @ np.abs(SIDES[way]))


def test_sides_that_meet_are_refused():
    body, material = bar(lambda heights: np.full(len(heights), YOUNG))
    with pytest.raises(Refusal, match="side-bare: within 50 mm, the sides share faces"):
        pressed(body, {"bar": material}, LOAD | {"held": "superior", "depth": 50.0})


def test_a_side_that_no_face_looks_to_is_refused():
    body, material = bar(lambda heights: np.full(len(heights), YOUNG))
    with pytest.raises(Refusal, match="side-bare: within 0 mm, no face looks"):
        pressed(body, {"bar": material}, LOAD | {"depth": 0.0})
