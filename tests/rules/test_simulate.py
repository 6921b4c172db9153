"""The stage simulate: from a mask of voxels to the stress in a wall, whose mean is known."""

import re
import shutil

import numpy as np
import pytest
import pyvista
from bodies import CENTRE, grid_over, mask_of
from centreline import centreline
from earlier import LEFT_HANDED, OK, assert_refusal_passed_on, put_refused
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import write_label_map
from scanmill.phantom.body import Capsule, Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.recipe_simulation import filled
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.simulation.vessel import MMHG
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, write_volume
from simulate import simulate

RESAMPLED = OK | {"stage": "resample", "native_spacing_mm": [1.0, 1.0, 1.0]}
RADIUS, THICKNESS, PRESSURE = 8.0, 1.2, 120.0
TURN = turned((40, 25, 0))
TUBE = Capsule(radius=RADIUS, length=70, centre=CENTRE, rotation=tuple(TURN.ravel()))
GRID = grid_over(TUBE, (1.0, 1.0, 1.0), LEFT_HANDED)
SIMULATE = {
    "surface": "inner",
    "thickness": THICKNESS,
    "edge": 3.0,
    "material": {"young": 2.7, "poisson": 0.45},
    "pressure": "systolic",
    "ends": "sliding",
    "strength": 0.65,
    "formats": ["vtu", "inp"],
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """What segment and centreline leave of a tube."""
    folder = tmp_path_factory.mktemp("earlier")
    inputs = {"labels": folder / "labels.nii.gz", "overlaps": folder / "overlaps"}
    label_map = LabelMap.empty(GRID, 3)
    label_map.paint(3, Region.of(mask_of(TUBE, GRID)))
    write_label_map(*inputs.values(), label_map, {"vessel": 3})
    for path in inputs.values():
        write_sidecar(path, OK | {"stage": "segment"})
    inputs["isotropic"] = scan = folder / "isotropic.nii.gz"
    write_volume(scan, Volume(np.full(GRID.shape, 150.0, np.float32), GRID))
    write_sidecar(scan, RESAMPLED)
    found = {"centrelines": folder / "centrelines"}
    parameters = {"structures": [{"name": "vessel", "label": 3, "centreline": True}]}
    run_stage("centreline", centreline, inputs, found, parameters)
    return inputs | {"centrelines": [found["centrelines"]]}


def run(inputs, folder, **changes):
    asked = filled({"wall": SIMULATE | changes})
    structures = [{"name": "vessel", "label": 3, "simulate": asked}]
    return run_of(inputs, folder, structures)


def run_of(inputs, folder, structures):
    found = folder / "simulation"
    parameters = {"structures": structures, "pressures": {"systolic": PRESSURE}}
    run_stage("simulate", simulate, inputs, {"simulation": found}, parameters)
    return found, read_sidecar(found)


@pytest.mark.slow
def test_the_mean_stress_of_a_tube_is_that_of_laplace(inputs, tmp_path):
    found, said = run(inputs, tmp_path)
    told = said["structures"]["vessel"]
    expected = PRESSURE * MMHG * RADIUS / THICKNESS
    assert told["stress_mean_mpa"] == pytest.approx(expected, rel=0.01)
    # Waves of voxels bend so thin a wall.
    assert told["stress_p99_mpa"] == pytest.approx(expected, rel=0.04)
    assert told["rupture_potential"] == pytest.approx(told["stress_p99_mpa"] / 0.65)
    peak = np.array([told[f"stress_peak_{x}_mm"] for x in "xyz"]) - CENTRE
    across = peak - TURN[:, 2] * (peak @ TURN[:, 2])
    assert np.linalg.norm(across) == pytest.approx(RADIUS + THICKNESS / 2, abs=0.3)
    wall = pyvista.read(found / "vessel.vtu")
    assert wall.n_cells == told["tetrahedra"]
    drawn = pyvista.read(found / "vessel-stress.vtp")
    stress = drawn.cell_data["stress_N_mm2"][drawn.cell_data["away"] == 1]
    assert stress.max() == pytest.approx(told["stress_peak_mpa"], rel=1e-6)
    moved = wall.point_data["displacement_mm"]
    assert np.linalg.norm(moved, axis=1).max() == pytest.approx(
        told["displacement_max_mm"], rel=1e-4
    )
    # The inner side of a thick tube whose length is kept; single points swing with the steps of voxels.
    low, high, young, poisson = RADIUS, RADIUS + THICKNESS, 2.7, 0.45
    outwards = (1 - 2 * poisson) * low**2 + high**2
    outwards *= PRESSURE * MMHG * low * (1 + poisson) / (young * (high**2 - low**2))
    places = (wall.points - CENTRE) @ TURN
    radii = np.linalg.norm(places[:, :2], axis=1)
    inner = (abs(places[:, 2]) < 8) & (radii < RADIUS + THICKNESS / 8)
    radial = np.einsum("ij,ij->i", (moved @ TURN)[:, :2], places[:, :2]) / radii
    assert radial[inner].mean() == pytest.approx(outwards, rel=0.03)
    assert (found / "vessel.inp").read_text().count("*ELEMENT, TYPE=C3D10") == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ccx") is None, reason="CalculiX is not installed")
@pytest.mark.parametrize(("poisson", "apart"), [(0.3, 0.015), (0.45, 0.04)])
def test_calculix_finds_the_same_where_it_is_asked_for(inputs, tmp_path, poisson, apart):
    said, firm = {}, {"material": {"young": 2.7, "poisson": poisson}}
    for solver in ("scanmill", "calculix"):
        (tmp_path / solver).mkdir()
        _, sidecar = run(inputs, tmp_path / solver, solver=solver, **firm)
        said[solver] = sidecar["structures"]["vessel"]
    own, other = said.values()
    assert own.pop("simulation_solver") == "ScanMill"
    assert re.fullmatch(r"CalculiX 2\.\d+", other.pop("simulation_solver"))
    for column, near in (
        ("stress_mean_mpa", 0.01),
        ("stress_p99_mpa", 0.01),
        ("strain_p99", 0.015),
    ):
        assert other[column] == pytest.approx(own[column], rel=near)
    # Where waves of voxels bend the wall, at its free ends above all, elements of displacements alone
    # are too stiff.
    moved = other["displacement_max_mm"] / own["displacement_max_mm"]
    assert 1 - apart < moved < 1.001
    assert other != own


@pytest.mark.slow
def test_what_cannot_be_meshed_is_refused_alone_and_its_surface_kept(inputs, tmp_path):
    found, said = run(inputs, tmp_path, surface="outer", thickness=12.0)
    assert said["status"] == "ok"
    assert said["structures"]["vessel"] == {"simulation_code": "wall-folded"}
    assert [w["code"] for w in said["warnings"]] == ["wall-folded"]
    assert "simulation/vessel-failed.ply is its surface" in said["warnings"][0]["message"]
    assert {path.name for path in found.iterdir()} == {"vessel-failed.ply"}


BONE = {
    "law": "morgan-2003-vertebra",
    "density": {"slope": 0.001, "intercept": 0.05},
    "poisson": 0.3,
}
LOAD = {"held": "inferior", "pressed": "superior", "force": 100}


@pytest.fixture(scope="module")
def organ(tmp_path_factory):
    """An organ with a tumour on it, as segment leaves them; one half of the scan is denser."""
    folder = tmp_path_factory.mktemp("organ")
    whole, inner = Ellipsoid(radii=(14, 11, 16), centre=CENTRE), sphere(5, CENTRE)
    grid = grid_over(whole, (1.0, 1.0, 1.0), LEFT_HANDED)
    inputs = {"labels": folder / "labels.nii.gz", "overlaps": folder / "overlaps"}
    label_map = LabelMap.empty(grid, 2)
    for label, body in ((1, whole), (2, inner)):
        label_map.paint(label, Region.of(mask_of(body, grid)))
    write_label_map(*inputs.values(), label_map, {"bone": 1, "tumour": 2})
    inputs["isotropic"] = folder / "isotropic.nii.gz"
    values = np.full(grid.shape, 150.0, np.float32)
    write_volume(inputs["isotropic"], Volume(values, grid))
    for path in inputs.values():
        write_sidecar(path, RESAMPLED)
    return inputs | {"centrelines": []}


def of_organ(solid):
    return [
        {"name": "bone", "label": 1, "simulate": filled({"solid": solid})},
        {"name": "tumour", "label": 2, "simulate": None},
    ]


def test_an_organ_with_what_lies_in_it_is_meshed(organ, tmp_path):
    asked = {"edge": 3, "parts": {"tumour": {}}, "formats": ["msh", "stl"]}
    found, said = run_of(organ, tmp_path, of_organ(asked))
    assert {path.name for path in found.iterdir()} == {"bone.msh", "bone.stl"}
    for name in ("bone", "tumour"):
        assert said["structures"][name]["mesh_vs_mask_percent"] == pytest.approx(0, abs=2)
    truth = 4 / 3 * np.pi * 14 * 11 * 16
    assert said["structures"]["bone"]["mesh_volume_mm3"] == pytest.approx(truth, rel=0.01)
    assert "stiffness_n_per_mm" not in said["structures"]["bone"]


@pytest.mark.slow
def test_bone_is_as_stiff_as_its_hounsfield_units_say(organ, tmp_path):
    asked = {"edge": 4, "material": BONE, "load": LOAD, "formats": ["vtu", "inp"]}
    asked["parts"] = {"tumour": {"material": {"young": 20, "poisson": 0.3}}}
    found, said = run_of(organ, tmp_path, of_organ(asked))
    told = said["structures"]["bone"]
    mesh = pyvista.read(found / "bone.vtu")
    young, part = mesh.cell_data["young_N_mm2"], mesh.cell_data["part"]
    assert young[part == 0] == pytest.approx(4730 * 0.2**1.56, rel=1e-4)
    share = told["mesh_volume_mm3"], said["structures"]["tumour"]["mesh_volume_mm3"]
    expected = (4730 * 0.2**1.56 * (share[0] - share[1]) + 20 * share[1]) / share[0]
    assert told["young_mean_mpa"] == pytest.approx(expected, rel=1e-3)
    assert told["stiffness_n_per_mm"] > 0 and told["strain_third_p1"] < 0
    deck = (found / "bone.inp").read_text()
    assert "PART_bone_1" in deck and "MATERIAL=PART_tumour" in deck


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"edge": 4, "material": BONE, "load": LOAD | {"depth": 0.001}}, "side-bare"),
        ({"edge": 4, "material": BONE, "load": LOAD, "memory_mb": 1}, "solver-memory"),
    ],
)
def test_an_organ_that_cannot_be_loaded_is_refused_alone(organ, tmp_path, asked, code):
    found, said = run_of(organ, tmp_path, of_organ(asked))
    assert said["status"] == "ok"
    assert said["structures"] == {"bone": {"simulation_code": code}}
    assert {path.name for path in found.iterdir()} == {"bone-failed.ply"}


def put_masks(folder, *bodies):
    """Label maps of bodies on one another, of 1, 2 and so on, on the grid of the first."""
    grid = grid_over(bodies[0], (1.0, 1.0, 1.0), LEFT_HANDED)
    label_map = LabelMap.empty(grid, len(bodies))
    for label, body in enumerate(bodies, start=1):
        label_map.paint(label, Region.of(mask_of(body, grid)))
    inputs = {"labels": folder / "labels.nii.gz", "overlaps": folder / "overlaps"}
    write_label_map(*inputs.values(), label_map, {str(n): n for n in range(1, len(bodies) + 1)})
    inputs["isotropic"] = folder / "isotropic.nii.gz"
    write_volume(inputs["isotropic"], Volume(np.zeros(grid.shape, np.float32), grid))
    for path in inputs.values():
        write_sidecar(path, RESAMPLED)
    return inputs | {"centrelines": []}


def solids(asked, *others):
    first = {"name": "1", "label": 1, "simulate": filled({"solid": asked})}
    return [first, *({"name": name, "label": int(name), "simulate": None} for name in others)]


def test_what_is_too_small_for_its_edges_is_meshed_with_shorter_ones_and_says_so(tmp_path):
    inputs = put_masks(tmp_path, sphere(1.8, CENTRE))
    soft = {"young": 10.0, "poisson": 0.3}
    asked = {"edge": 3.0, "material": soft, "load": LOAD | {"depth": 1.0}}
    _, said = run_of(inputs, tmp_path, solids(asked))
    told = said["structures"]["1"]
    assert told["simulation_edge_mm"] == pytest.approx(2.1)
    assert told["von_mises_mean_mpa"] > 0
    (warning,) = said["warnings"]
    assert (warning["code"], warning["structure"]) == ("simulation-fallback", "1")
    assert "simulated with edges of 2.1 mm, since as asked: every tetra" in warning["message"]


@pytest.mark.parametrize("parts", [("2", "3"), ("3", "2")])
def test_parts_in_parts_are_meshed_whatever_their_order(tmp_path, parts):
    radii = (12, 8, 4)
    inputs = put_masks(tmp_path, *(sphere(radius, CENTRE) for radius in radii))
    asked = {"edge": 4.0, "parts": {part: {} for part in parts}}
    _, said = run_of(inputs, tmp_path, solids(asked, "2", "3"))
    assert said["warnings"] == []
    whole, shell, core = (said["structures"][str(n)] for n in (1, 2, 3))
    for told, (outer, inner) in ((whole, (12, 0)), (shell, (8, 4)), (core, (4, 0))):
        truth = 4 / 3 * np.pi * (outer**3 - inner**3)
        assert told["mesh_volume_mm3"] == pytest.approx(truth, rel=0.08)
        assert told["mesh_vs_mask_percent"] == pytest.approx(0, abs=5)


def test_a_refusal_is_passed_on(tmp_path):
    names = ("labels.nii.gz", "overlaps", "isotropic.nii.gz")
    inputs = {name.partition(".")[0]: put_refused(tmp_path / name) for name in names}
    inputs["centrelines"] = [put_refused(tmp_path / "centrelines")]
    found, said = run(inputs, tmp_path)
    assert_refusal_passed_on(said, found)
