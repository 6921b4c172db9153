"""Walls of tubes: cut open, meshed alike and thickened, in any pose."""

from itertools import cycle, product

import numpy as np
import pytest
import pyvista
from bodies import AXIS_ALIGNED, CENTRE, DIRECTIONS, OBLIQUE, grid_over, mask_of
from scanmill.phantom.body import Body, Capsule
from scanmill.phantom.description import turned
from scanmill.phantom.tubes import Tubes
from scanmill.refusal import Refusal
from scanmill.simulation.crossings import crossing
from scanmill.simulation.elements import volumes
from scanmill.simulation.equilibrium import solve
from scanmill.simulation.open_surface import End, enclosed, open_loops, opened
from scanmill.simulation.quality import flatness
from scanmill.simulation.skin import skin
from scanmill.simulation.solution import first_principal
from scanmill.simulation.summary import (
    is_away,
    of_mesh,
    of_stress,
    require_away,
    require_thickness,
    through_wall,
)
from scanmill.simulation.tetrahedra import dihedral_angles, quadratic, scaled_jacobians
from scanmill.simulation.vessel import MMHG, problem, vessel
from scanmill.surface import Surface, surface_of_mask

TURN = turned((20, -35, 50))
TUBE = Capsule(radius=8, length=50, centre=CENTRE, rotation=tuple(TURN.ravel()))
ASKED = {"edge": 2.5, "thickness": 1.5, "surface": "inner"}


def surface_through(body: Body, direction="oblique", spacing=(1.0, 1.0, 1.0)):
    grid = grid_over(body, spacing, DIRECTIONS[direction])
    return surface_of_mask(mask_of(body, grid), grid)


def ends_at(*places: float) -> dict[str, End]:
    """Ends of the tube, mm along it from its centre."""
    return {
        f"end{n}": End(CENTRE + TURN @ [0, 0, z], TURN @ [0, 0, np.sign(z)])
        for n, z in enumerate(places)
    }


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_tube_is_cut_open_across_its_course(direction):
    surface = surface_through(TUBE, direction)
    ends = ends_at(-12, 9)
    cut = opened(surface, list(ends.values()))
    along = (cut.points - CENTRE) @ TURN[:, 2]
    assert along.min() == pytest.approx(-12, abs=1e-6)
    assert along.max() == pytest.approx(9, abs=1e-6)
    assert sorted(len(loop) > 20 for loop in open_loops(cut)) == [True, True]
    assert enclosed(cut, list(ends.values())) == pytest.approx(np.pi * 64 * 21, rel=0.01)


@pytest.mark.parametrize(
    ("direction", "side"),
    [
        *zip(AXIS_ALIGNED, cycle(("inner", "outer")), strict=False),
        *product(OBLIQUE, ("inner", "outer")),
    ],
)
def test_a_wall_is_as_thick_as_asked_and_on_the_side_asked(direction, side):
    ends = ends_at(-15, 15)
    found = vessel(surface_through(TUBE, direction), ends, ASKED | {"surface": side})
    body = found.wall.body
    size = volumes(body.points, body.cells)
    low, high = (8, 9.5) if side == "inner" else (6.5, 8)
    assert size.min() > 0
    assert size.sum() == pytest.approx(np.pi * (high**2 - low**2) * 30, rel=0.02)
    told = of_mesh(found)
    for percent in (5, 50, 95):
        assert told[f"wall_thickness_p{percent}_mm"] == pytest.approx(1.5, rel=0.03)
    assert abs(told["remeshed_vs_surface_percent"]) < 1.0
    assert told["dihedral_min_deg"] > 8
    for name, radius, turn in (("inner", low, -1), ("outer", high, 1)):
        faces = body.faces[name]
        a, b, c = np.moveaxis(body.points[faces[:, :3]] - CENTRE, 1, 0)
        across = (a + b + c) / 3 @ (np.eye(3) - np.outer(TURN[:, 2], TURN[:, 2]))
        assert np.linalg.norm(across, axis=1) == pytest.approx(radius, abs=0.5)
        assert (turn * np.einsum("ij,ij->i", np.cross(b - a, c - a), across) > 0).all()
    for name, end in ends.items():
        rim = body.points[body.faces[name]] - end.point
        assert abs(rim @ end.outwards).max() < 1e-3
    sides = sum(len(faces) for faces in body.faces.values())
    assert sides == len(found.surface.triangles) * 2 + sum(len(body.faces[e]) for e in ends)


def exact_surface(body: Body) -> Surface:
    """Where the distance to a body is zero, between voxels of 1 mm."""
    grid = grid_over(body, (1.0, 1.0, 1.0), np.eye(3))
    z, y, x = np.indices(grid.shape)
    depth = body.distance(grid.to_physical(np.stack([x, y, z], axis=-1)).reshape(-1, 3))
    image = pyvista.ImageData(dimensions=grid.size, spacing=grid.spacing, origin=grid.origin)
    found = image.contour([0.0], depth).clean().triangulate()
    found = found.compute_normals(auto_orient_normals=True, consistent_normals=True)
    return Surface(np.asarray(found.points, float), np.asarray(found.regular_faces))


@pytest.mark.parametrize("edge", [2.5, 4.0])
def test_a_wall_is_round_between_its_points(edge):
    body = vessel(exact_surface(TUBE), ends_at(-15, 15), ASKED | {"edge": edge}).wall.body
    for name, radius in (("inner", 8), ("outer", 9.5)):
        places = (body.points[np.unique(body.faces[name])] - CENTRE) @ TURN
        # Edges of 2.5 mm that are chords would be 0.1 mm off at their middles, those of 4 mm 0.25.
        assert np.linalg.norm(places[:, :2], axis=1) == pytest.approx(radius, abs=0.06)
    assert volumes(body.points, body.cells).sum() == pytest.approx(
        np.pi * (9.5**2 - 8**2) * 30, rel=2e-3
    )


def test_ends_that_slide_change_nothing():
    """A tube widens evenly, up to where it is cut: they were wedged by 28 % once."""
    asked = ASKED | {"ends": "sliding", "material": {"young": 2.7, "poisson": 0.45}}
    found = vessel(exact_surface(TUBE), ends_at(-15, 15), asked)
    solution = solve(problem(found, asked, 120.0))
    size = volumes(found.wall.body.points, found.wall.body.cells)
    hoop = first_principal(through_wall(solution.stresses, size, found.wall.columns))
    # Averages over triangles as long as a third of a radius lose 0.5 % of what turns within them.
    assert hoop == pytest.approx(120 * MMHG * 8 / 1.5, rel=0.015)


@pytest.mark.parametrize(("edge", "layers"), [(2.5, 2), (3.0, 2), (3.1, 1), (5.0, 1)])
def test_a_wall_has_layers_that_are_not_flat(edge, layers):
    found = vessel(surface_through(TUBE), ends_at(-15, 15), ASKED | {"edge": edge})
    told = of_mesh(found)
    assert told["tetrahedra"] == 3 * layers * len(found.surface.triangles)
    assert told["dihedral_min_deg"] > 8
    assert flatness(told) is None


def test_a_wall_of_long_edges_is_flat_and_told_so():
    told = of_mesh(vessel(surface_through(TUBE), ends_at(-15, 15), ASKED | {"thickness": 0.4}))
    assert told["dihedral_min_deg"] < 8
    assert f"{told['dihedral_min_deg']:.1f} degrees" in flatness(told)


def test_what_holds_the_ends_is_left_out():
    found = vessel(surface_through(TUBE), ends_at(-18, 18), ASKED)
    along = (found.wall.middles - CENTRE) @ TURN[:, 2]
    # 4 sqrt(8.75 x 1.5)
    assert abs(along[is_away(found)]).max() == pytest.approx(18 - 14.5, abs=0.6)


def test_what_is_left_of_fixed_ends_is_not_in_the_percentile():
    asked = ASKED | {"ends": "fixed", "material": {"young": 2.7, "poisson": 0.45}}
    found = vessel(exact_surface(TUBE), ends_at(-22, 22), asked)
    told = of_stress(found, solve(problem(found, asked, 120.0)), None)
    hoop = 120 * MMHG * 8 / 1.5
    assert told["stress_p99_mpa"] == pytest.approx(hoop, rel=0.015)
    assert told["stress_mean_mpa"] == pytest.approx(hoop, rel=0.015)


def test_a_vessel_of_which_all_is_near_its_ends_is_refused():
    require_away(vessel(surface_through(TUBE), ends_at(-18, 18), ASKED))
    with pytest.raises(Refusal, match="vessel-short"):
        require_away(vessel(surface_through(TUBE), ends_at(-6, 6), ASKED))


def test_a_wall_that_is_thinner_than_asked_is_refused():
    found = vessel(surface_through(TUBE), ends_at(-15, 15), ASKED)
    require_thickness(found, 1.5)
    with pytest.raises(Refusal, match=r"wall-folded: half of the wall .* 1.5 mm, and 1.7 mm were"):
        require_thickness(found, 1.7)


def test_the_crotch_of_a_vessel_does_not_fold():
    legs = [[(0, 0, 0, 8), (side, 0, 40, 6)] for side in (-22, 22)]
    trunk = [(0, 0, -40, 9), (0, 0, 0, 8)]
    body = Tubes(branches=(tuple(trunk), *map(tuple, legs)), centre=CENTRE, rotation=TUBE.rotation)
    ends = {"trunk": End(CENTRE + TURN @ [0, 0, -30], TURN @ [0, 0, -1.0])}
    for n, side in enumerate((-1, 1)):
        along = np.array([22 * side, 0, 40]) / np.hypot(22, 40)
        ends[f"leg{n}"] = End(CENTRE + TURN @ (33 * along), TURN @ along)
    found = vessel(surface_through(body), ends, ASKED)
    assert volumes(found.wall.body.points, found.wall.body.cells).min() > 0
    assert of_mesh(found)["wall_thickness_p50_mm"] == pytest.approx(1.5, rel=0.01)


def test_a_wall_that_is_thicker_than_its_vessel_is_refused():
    with pytest.raises(Refusal, match="wall-folded"):
        vessel(
            surface_through(TUBE), ends_at(-15, 15), ASKED | {"surface": "outer", "thickness": 12.0}
        )


def hairpin() -> tuple[Tubes, dict[str, End]]:
    """A tube of radius 6 whose two legs lie 2.4 mm apart, and their ends."""
    t = np.linspace(0, np.pi, 30)
    bend = np.column_stack([7.2 * np.cos(t), 0 * t, 7.2 * np.sin(t), 6 + 0 * t])
    legs = [(7.2, 0, -40, 6)], [(-7.2, 0, -40, 6)]
    branch = (*legs[0], *map(tuple, bend.tolist()), *legs[1])
    body = Tubes(branches=(branch,), centre=CENTRE, rotation=TUBE.rotation)
    along = TURN @ [0, 0, -1.0]
    places = {"inlet": (7.2, 0, -30), "outlet-1": (-7.2, 0, -30)}
    return body, {name: End(CENTRE + TURN @ place, along) for name, place in places.items()}


def test_walls_that_run_through_each_other_are_refused_and_thinner_ones_are_not():
    body, ends = hairpin()
    surface = surface_through(body, spacing=(0.8, 0.8, 0.8))
    thin = vessel(surface, ends, ASKED | {"thickness": 0.8}).wall
    assert not len(crossing(thin.body.points, skin(thin.body.cells)[:, :3]))
    with pytest.raises(Refusal, match=r"wall-crossed: \d+ triangles.*around"):
        vessel(surface, ends, ASKED | {"thickness": 1.6})


def test_only_triangles_that_run_through_others_cross():
    flat = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0]], float)
    upright = np.array([[1, 1, -1], [1, 1, 1], [1, 2, 3]], float)
    three = np.arange(9).reshape(3, 3)
    far, aside = flat + np.array([0, 0, 5]), upright + np.array([3, 3, 0])
    assert crossing(np.concatenate((flat, upright, far)), three).tolist() == [0, 1]
    assert not len(crossing(np.concatenate((flat, aside, far)), three))
    # Neighbours touch along an edge.
    assert not len(crossing(np.concatenate((flat, upright)), np.array([[0, 1, 2], [1, 2, 4]])))


def test_a_vessel_that_is_cut_where_it_is_not_is_refused():
    ends = ends_at(-15, 15) | {"aside": End(CENTRE + TURN @ [60, 0, 0], TURN @ [1.0, 0, 0])}
    with pytest.raises(Refusal, match="ends-unclear"):
        vessel(surface_through(TUBE), ends, ASKED)


def test_the_angles_and_the_jacobian_of_a_regular_and_of_a_right_tetrahedron():
    regular = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]], float)
    right = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    four = np.arange(4)[None]
    assert dihedral_angles(regular, four) == pytest.approx(np.degrees(np.arccos(1 / 3)))
    angles = np.sort(dihedral_angles(right, four)[0])
    assert angles == pytest.approx([np.degrees(np.arccos(1 / np.sqrt(3)))] * 3 + [90] * 3)
    assert scaled_jacobians(regular, four) == pytest.approx(1)
    assert scaled_jacobians(right, four) == pytest.approx(np.sqrt(2) / 2)
    assert scaled_jacobians(right[[0, 2, 1, 3]], four) < 0


def test_neighbours_share_the_middle_of_an_edge():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], float)
    found, cells = quadratic(points, np.array([[0, 1, 2, 3], [1, 2, 3, 4]]))
    assert len(found) == 5 + 9
    assert len(set(cells[0, 4:]) & set(cells[1, 4:])) == 3
