"""The stage simulate: from a mask of voxels to the stress in a wall, whose mean is known."""

import numpy as np
import pytest
import pyvista
from bodies import CENTRE, grid_over, mask_of
from centreline import centreline
from earlier import LEFT_HANDED, OK, assert_refusal_passed_on, put_refused
from mesh import mesh
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import write_label_map
from scanmill.phantom.body import Capsule
from scanmill.phantom.description import turned
from scanmill.recipe_simulation import filled
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.simulation.vessel import MMHG
from scanmill.stage import run_stage
from simulate import simulate

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
    meshed = {"surfaces": folder / "surfaces", "model": folder / "model.glb"}
    structure = {"name": "vessel", "label": 3, "colour": "#ff0000", "triangles": None}
    parameters = {"structures": [structure], "formats": ["ply"], "pass_band": 0.01}
    run_stage("mesh", mesh, inputs, meshed, parameters)
    found = {"centrelines": folder / "centrelines"}
    parameters = {"structures": [{"name": "vessel", "label": 3, "centreline": True}]}
    surfaces = {"surfaces": meshed["surfaces"]}
    run_stage("centreline", centreline, inputs | surfaces, found, parameters)
    return inputs | found


def run(inputs, folder, **changes):
    found = folder / "simulation"
    asked = filled(SIMULATE | changes)
    parameters = {"structures": [{"name": "vessel", "label": 3, "simulate": asked}]}
    parameters |= {"pressures": {"systolic": PRESSURE}}
    run_stage("simulate", simulate, inputs, {"simulation": found}, parameters)
    return found, read_sidecar(found)


@pytest.mark.slow
def test_the_mean_stress_of_a_tube_is_that_of_laplace(inputs, tmp_path):
    found, said = run(inputs, tmp_path)
    told = said["structures"]["vessel"]
    expected = PRESSURE * MMHG * RADIUS / THICKNESS
    assert told["stress_mean_mpa"] == pytest.approx(expected, rel=0.01)
    assert told["stress_p99_mpa"] == pytest.approx(expected, rel=0.03)
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
def test_what_cannot_be_meshed_is_refused_alone_and_its_surface_kept(inputs, tmp_path):
    found, said = run(inputs, tmp_path, surface="outer", thickness=12.0)
    assert said["status"] == "ok"
    assert said["structures"]["vessel"] == {"simulation_code": "wall-folded"}
    assert [w["code"] for w in said["warnings"]] == ["wall-folded"]
    assert {path.name for path in found.iterdir()} == {"vessel-failed.ply"}


def test_a_refusal_is_passed_on(tmp_path):
    names = ("labels.nii.gz", "overlaps", "centrelines")
    inputs = {name.partition(".")[0]: put_refused(tmp_path / name) for name in names}
    found, said = run(inputs, tmp_path)
    assert_refusal_passed_on(said, found)
