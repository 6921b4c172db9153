"""The solver against what is known exactly and against CalculiX, on meshes turned, off the origin."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from cylinder_samples import centres, cylinder_wall, volumes
from scanmill.refusal import Refusal
from scanmill.simulation import calculix, equilibrium
from scanmill.simulation.body import Elastic, Fixed, Problem, RaghavanVorp, Springs
from scanmill.simulation.equilibrium import solve
from scanmill.simulation.memory import check_memory
from scanmill.simulation.quality import require_sound
from scanmill.simulation.solution import first_principal
from scipy.sparse import csc_array
from wall_cases import (
    errors,
    inflated_cylinder,
    lame_cylinder,
    lame_sphere,
    thin_cylinder,
    two_cylinders,
)

needs_calculix = pytest.mark.skipif(
    shutil.which("ccx") is None, reason="CalculiX is not installed (Debian: calculix-ccx)"
)
BODY = cylinder_wall(10.0, 12.0, 4.0, around=24, layers=1, along=2)
ENDS = dict.fromkeys(("bottom", "top"), Fixed())


@pytest.mark.parametrize("poisson", [0.3, 0.49, 0.4999])
def test_a_thick_cylinder_has_the_stress_of_lame(poisson):
    found = errors(case := lame_cylinder(poisson), solve(case.problem))
    assert found["l2"] < 0.01
    assert abs(found["mean"]) < 0.0015
    assert abs(found["p99"]) < 0.005


def test_one_layer_of_a_wall_is_as_good_as_two():
    one, two = (errors(c := thin_cylinder(layers), solve(c.problem)) for layers in (1, 2))
    # Edges of 5 mm are chords: the mean is off by them.
    assert abs(one["mean"]) < 0.01
    assert one["mean"] == pytest.approx(two["mean"], abs=1e-3)
    assert one["l2"] < two["l2"] < 0.012


def test_a_thick_sphere_has_the_stress_of_lame():
    found = errors(case := lame_sphere(0.45), solve(case.problem))
    assert found["l2"] < 0.01
    assert abs(found["mean"]) < 0.005
    assert abs(found["p99"]) < 0.01


def test_a_soft_cylinder_in_a_stiff_one_shares_the_load_as_known():
    found = errors(case := two_cylinders(), solve(case.problem))
    assert found["l2"] < 0.005
    assert abs(found["mean"]) < 0.003
    assert abs(found["p99"]) < 0.005


@pytest.mark.slow
def test_an_inflated_cylinder_that_keeps_its_volume_has_the_exact_stress():
    found = errors(case := inflated_cylinder(), solve(case.problem))
    assert found["l2"] < 0.01
    assert abs(found["mean"]) < 0.003
    assert abs(found["p99"]) < 0.01


@pytest.mark.slow
@needs_calculix
def test_calculix_finds_the_same_where_only_one_material_is_hyperelastic():
    materials = {"thrombus": Elastic(0.1, 0.45), "wall": RaghavanVorp(0.174, 1.881)}
    problem = replace((case := two_cylinders()).problem, materials=materials)
    own, other = solve(problem), calculix.solve(problem, seconds=600)
    apart = np.linalg.norm(own.strains - other.strains)
    assert apart < 0.01 * np.linalg.norm(own.strains)
    assert mean_stress(own, case.volumes) == pytest.approx(
        mean_stress(other, case.volumes), rel=0.002
    )


@pytest.mark.slow
@needs_calculix
def test_calculix_finds_the_same_where_all_is_hyperelastic():
    problem = (case := inflated_cylinder()).problem
    own, other = solve(problem), calculix.solve(problem, seconds=600)
    most = np.abs(own.displacements).max()
    assert own.displacements == pytest.approx(other.displacements, abs=0.01 * most)
    assert mean_stress(own, case.volumes) == pytest.approx(
        mean_stress(other, case.volumes), rel=0.002
    )


@pytest.mark.slow
@needs_calculix
def test_calculix_finds_the_same_away_from_where_ends_are_fixed():
    """At their rims, stress has no limit, and elements of displacements alone are too stiff."""
    wall = cylinder_wall(10.0, 12.0, 30.0, around=48, layers=2, along=16)
    problem = Problem(wall, {"wall": Elastic(2.7, 0.45)}, {"inner": 0.016}, ENDS)
    own, other = solve(problem), calculix.solve(problem, seconds=600)
    middle = abs(wall.points[:, 2] - 15.0) < 4.0
    moved = np.linalg.norm(other.displacements[middle], axis=1)
    apart = np.linalg.norm((own.displacements - other.displacements)[middle], axis=1)
    assert apart.max() < 0.01 * moved.min()
    middle = abs(centres(wall)[:, 2] - 15.0) < 4.0
    size, hoops = volumes(wall)[middle], []
    for found in (own, other):
        hoops.append(np.average(first_principal(found.stresses[middle]), weights=size))
    assert hoops[0] == pytest.approx(hoops[1], rel=0.01)


def mean_stress(found, volumes):
    return np.average(first_principal(found.stresses), weights=volumes)


def test_springs_give_way_by_the_force_over_their_stiffness():
    supports = {"bottom": Springs(0.5, 0.5, 0.5), "outer": Springs(0.0, 1e-9, 1e-9)}
    found = solve(Problem(BODY, {"wall": Elastic(1e6, 0.3)}, {"top": 0.016}, supports))
    assert np.allclose(found.displacements, [0.0, 0.0, -0.016 / 0.5], atol=1e-5)


def test_pressure_follows_the_wall_that_it_moves():
    """What balances an inflated tube is the pressure times its inner radius as it is then."""
    sliding = dict.fromkeys(("bottom", "top"), Springs(1e3, 1e-6, 1e-6))
    material = RaghavanVorp(0.174, 1.881)
    found = solve(Problem(BODY, {"wall": material}, {"inner": 0.03}, sliding))
    radii = np.linalg.norm((BODY.points + found.displacements)[:, :2], axis=1)
    inner = radii[np.unique(BODY.faces["inner"][:, :3])].mean()
    outer = radii[np.unique(BODY.faces["outer"][:, :3])].mean()
    assert inner > 11.0
    middles = BODY.points[BODY.cells[:, :4]].mean(axis=1)
    around = np.stack((-middles[:, 1], middles[:, 0], 0 * middles[:, 0]), axis=1)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    tensors = found.stresses[:, [[0, 3, 5], [3, 1, 4], [5, 4, 2]]]
    hoop = np.einsum("mi,mij,mj->m", around, tensors, around).mean()
    assert hoop == pytest.approx(0.03 * inner / (outer - inner), rel=0.02)


def test_what_no_wall_can_hold_is_refused():
    bursting = Problem(BODY, {"wall": RaghavanVorp(0.174, 0.0)}, {"inner": 5.0}, ENDS)
    with pytest.raises(Refusal, match=r"solver-failed: .* of the pressure"):
        solve(bursting)


def test_more_memory_than_is_allowed_is_not_begun_with():
    problem = Problem(BODY, {"wall": Elastic(2.7, 0.45)}, {"inner": 0.016}, ENDS)
    check_memory(problem, 500)
    with pytest.raises(Refusal, match="'memory_mb' allows 10"):
        check_memory(problem, 10)


@pytest.mark.parametrize("own", [0.0, 1e-30])
def test_forces_that_nothing_balances_are_refused(own):
    matrix = csc_array(np.array([[2.0, 0, 0], [0, own, own], [0, own, own]]))
    with pytest.raises(Refusal, match="solver-failed: no displacements were found"):
        equilibrium._solved(matrix, np.array([1.0, 1.0, -1.0]))


@pytest.mark.parametrize("place", [np.nan, 1e3])
def test_cells_that_are_inside_out_are_refused_before_they_are_solved(place):
    require_sound(BODY)
    points = BODY.points.copy()
    points[BODY.cells[0, 0], 2] = place
    with pytest.raises(Refusal, match=r"mesh-inverted: .* tetrahedra are flat or inside out"):
        require_sound(replace(BODY, points=points))


def test_a_body_of_no_cell_is_refused():
    with pytest.raises(Refusal, match="mesh-inverted: 0 of 0 tetrahedra"):
        require_sound(replace(BODY, cells=BODY.cells[:0]))
