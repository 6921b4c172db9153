"""Analytic patients: their truth against other mathematics, their scans against their truth."""

import hashlib
import json
from math import pi
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from phantom import phantom
from scanmill.grid import Grid
from scanmill.phantom.body import Aneurysm, Box, Capsule, Cylinder, Ellipsoid, Torus, sphere
from scanmill.phantom.composition import disjoint, nested, subtract, unite
from scanmill.phantom.description import body_of, grid_of, patient_of, turned
from scanmill.phantom.noise import add_noise
from scanmill.phantom.patient import Patient, Structure
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import (
    field_of_view,
    majority,
    occupancy,
    signal,
    visible_occupancy,
)
from scanmill.volume_file import read_volume
from scipy.integrate import dblquad
from scipy.special import ellipe

CENTRE = (31.0, -12.5, 103.0)
TILT = tuple(turned((20, -35, 50)).ravel())
POSE = {"centre": CENTRE, "rotation": TILT}
BODIES = {
    "sphere": sphere(9, CENTRE),
    "ellipsoid": Ellipsoid(radii=(12, 7, 9), **POSE),
    "cylinder": Cylinder(radii=(8, 5), length=18, **POSE),
    "capsule": Capsule(radius=5, length=22, **POSE),
    "torus": Torus(ring=9, tube=4, **POSE),
    "box": Box(size=(13, 8, 17), **POSE),
    "aneurysm": Aneurysm(radius=4, bulge=8, length=24, **POSE),
}
COHORT = yaml.safe_load(
    (Path(__file__).parents[2] / "config" / "phantoms.yaml").read_text(encoding="utf-8")
)


def grid_around(centre, axes="LPS", turn=(0, 0, 0), spacing=(1.1, 0.9, 1.6), reach=22.0, shift=0.0):
    """A block of at least `reach` mm around a point, its voxels shifted by `shift` mm."""
    return grid_of(
        {
            "size": [int(np.ceil(2 * reach / s)) for s in spacing],
            "spacing": list(spacing),
            "centre": [x + shift for x in centre],
            "axes": axes,
            "turn": turn,
        }
    )


def rendered_volume(body, grid):
    return occupancy(body, grid).sum(dtype=float) / SAMPLES * grid.voxel_volume


def rendered_centroid(body, grid):
    filled = occupancy(body, grid).astype(float)
    points = grid.to_physical(np.argwhere(filled)[:, ::-1])
    return np.average(points, axis=0, weights=filled[filled > 0])


# Measures in closed form against independent formulas.


def test_area_of_an_ellipsoid_is_the_integral_over_its_surface():
    a, b, c = 12.0, 7.0, 9.0

    def element(v, u):
        normal = (
            b * c * np.sin(u) ** 2 * np.cos(v),
            a * c * np.sin(u) ** 2 * np.sin(v),
            a * b * np.sin(u) * np.cos(u),
        )
        return np.linalg.norm(normal)

    octant, _ = dblquad(element, 0, pi / 2, 0, pi / 2, epsrel=1e-9)
    assert Ellipsoid(radii=(a, b, c)).area == pytest.approx(8 * octant, rel=1e-7)


def test_area_of_an_elliptic_cylinder_has_the_perimeter_of_the_ellipse():
    perimeter = 4 * 2 * ellipe(1 - 1 / 4)  # 4 a E(e^2), Legendre's form
    body = Cylinder(radii=(2, 1), length=3)
    assert body.area == pytest.approx(perimeter * 3 + 2 * pi * 2, rel=1e-12)


@pytest.mark.parametrize(
    ("body", "volume", "area"),
    [
        (sphere(3), 36 * pi, 36 * pi),
        (Cylinder(radii=(2, 2), length=5), 20 * pi, 28 * pi),
        (Capsule(radius=3, length=6), 36 * pi, 36 * pi),
        (Capsule(radius=1, length=5), 3 * pi + 4 / 3 * pi, 10 * pi),
        (Torus(ring=5, tube=2), 40 * pi**2, 40 * pi**2),
        (Box(size=(1, 2, 3)), 6, 22),
    ],
)
def test_measures_of_textbook_bodies(body, volume, area):
    assert body.volume == pytest.approx(volume, rel=1e-12)
    assert body.area == pytest.approx(area, rel=1e-12)


def test_measures_of_an_aneurysm_are_those_of_a_solid_of_revolution():
    body = Aneurysm(radius=4, bulge=8, length=24)
    z = np.linspace(-12, 12, 2_000_001)
    profile = np.maximum(4, np.sqrt(np.maximum(64 - z * z, 0)))
    assert body.volume == pytest.approx(pi * np.trapezoid(profile**2, z), rel=1e-9)
    wall = np.hypot(np.diff(z), np.diff(profile)) * (profile[1:] + profile[:-1])
    assert body.area == pytest.approx(pi * wall.sum() + 2 * pi * 16, rel=1e-6)


# `distance` is what proofs and rendering stand on.


@pytest.mark.parametrize("name", BODIES)
def test_distance_never_promises_more_room_than_there_is(name):
    body = BODIES[name]
    random = np.random.default_rng(7)
    points = CENTRE + random.uniform(-20, 20, (300, 3))
    promised = body.distance(points)
    directions = random.normal(size=(200, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    just_within = points[:, None] + directions * (np.abs(promised) * 0.999)[:, None, None]
    signs = np.sign(body.distance(just_within.reshape(-1, 3))).reshape(300, 200)
    assert (promised < 0).any() and (promised > 0).any()
    assert (signs == np.sign(promised)[:, None]).all()


@pytest.mark.parametrize("name", BODIES)
def test_bounds_hold_the_body_and_no_axis_is_twice_too_wide(name):
    body = BODIES[name]
    low, high = body.bounds()
    points = CENTRE + np.random.default_rng(8).uniform(-25, 25, (200_000, 3))
    inside = points[body.distance(points) < 0]
    assert (inside > low).all() and (inside < high).all()
    assert (np.ptp(inside, axis=0) > 0.5 * (high - low)).all()


# Rendering.


@pytest.mark.parametrize("name", BODIES)
def test_rendered_volume_and_centroid_are_the_exact_ones(name):
    body, grid = BODIES[name], grid_around(CENTRE, shift=0.37)
    assert rendered_volume(body, grid) == pytest.approx(body.volume, rel=1e-3)
    assert rendered_centroid(body, grid) == pytest.approx(body.centroid, abs=0.01)


def test_rendering_converges_to_the_exact_volume():
    body = unite([sphere(9, CENTRE), Torus(ring=15, tube=3, centre=CENTRE)])
    errors = [
        abs(
            rendered_volume(body, grid_around(CENTRE, spacing=(s, s, s), shift=0.2)) / body.volume
            - 1
        )
        for s in (4.0, 1.0)
    ]
    assert errors[1] < 1e-4
    assert errors[1] < errors[0] / 4


def test_a_face_along_the_grid_is_resolved_far_below_a_voxel():
    grid = Grid((20, 20, 20), (1.0, 1.0, 1.0), (5.0, -3.0, 8.0))
    for width in (7.13, 7.37, 7.81):
        body = Box(size=(width, 8, 8), centre=(14.5, 6.5, 17.5))
        assert rendered_volume(body, grid) == pytest.approx(body.volume, rel=2 / SAMPLES / width)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(BODIES)),
    axes=st.sampled_from(["LPS", "RAS", "PIL", "SLA", "AIR"]),
    turn=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.8, 2.2)] * 3),
    shift=st.floats(-1, 1),
)
def test_any_grid_shows_the_same_body(name, axes, turn, spacing, shift):
    body = BODIES[name]
    grid = grid_around(CENTRE, axes, turn, spacing, shift=shift)
    assert rendered_volume(body, grid) == pytest.approx(body.volume, rel=4e-3)
    assert rendered_centroid(body, grid) == pytest.approx(body.centroid, abs=0.05)


def test_a_flipped_and_permuted_grid_holds_the_same_voxels():
    body = BODIES["ellipsoid"]
    straight = grid_around(CENTRE, spacing=(1.0, 1.0, 1.0), shift=0.3)
    permuted = grid_around(CENTRE, "PIL", spacing=(1.0, 1.0, 1.0), shift=0.3)
    # x -> P, y -> I, z -> L: [z, y, x] of the one is [y reversed, x, z] of the other.
    same = occupancy(body, permuted).transpose(1, 2, 0)[::-1]
    apart = same.astype(int) - occupancy(body, straight)
    # The sampling lattice turns with the grid, so voxels that the surface crosses differ a little.
    assert np.abs(apart).max() < 0.1 * SAMPLES
    assert abs(apart.sum()) < 1e-3 * same.sum(dtype=int)


def test_a_body_beyond_the_grid_is_cut_at_its_edge():
    grid = Grid((10, 12, 14), (1.0, 1.0, 1.0), (2.0, 3.0, 4.0))
    everywhere = occupancy(sphere(100, (6, 8, 10)), grid)
    assert (everywhere == SAMPLES).all()
    assert not occupancy(sphere(3, (60, 8, 10)), grid).any()
    half = occupancy(sphere(4, (1.5, 8.5, 10.5)), grid).sum(dtype=float) / SAMPLES
    assert half == pytest.approx(sphere(4).volume / 2, rel=5e-3)


# Compositions and patients.


def test_measures_of_a_composition_are_exact():
    left, right = sphere(4, (-5, 1, 2)), sphere(2, (7, 1, 2))
    both = unite([left, right])
    assert both.volume == pytest.approx(4 / 3 * pi * (64 + 8))
    assert both.area == pytest.approx(4 * pi * (16 + 4))
    assert both.centroid == pytest.approx([(-5 * 64 + 7 * 8) / 72, 1, 2])
    shell = subtract(Box(size=(30, 20, 20), centre=(0, 1, 2)), [left, right])
    assert shell.volume == pytest.approx(12_000 - both.volume)
    assert shell.area == pytest.approx(3_200 + both.area)
    grid = grid_around((0, 1, 2), turn=(10, 20, 30))
    assert rendered_volume(shell, grid) == pytest.approx(shell.volume, rel=1e-3)
    assert rendered_centroid(shell, grid) == pytest.approx(shell.centroid, abs=0.01)


def test_bodies_that_cross_or_touch_are_refused():
    for apart in (0, 3, 9.9, 10):
        with pytest.raises(ValueError, match="touch or overlap"):
            unite([sphere(5), sphere(5, (apart, 0, 0))])
    with pytest.raises(ValueError, match="not wholly inside"):
        subtract(sphere(5), [sphere(2, (3.01, 0, 0))])
    with pytest.raises(ValueError, match="touch or overlap"):
        subtract(sphere(9), [sphere(3, (2, 0, 0)), sphere(3, (-2, 0, 0))])


def test_boxes_that_share_a_face_are_not_disjoint():
    box = Box(size=(5, 5, 5), rotation=TILT)
    along = np.reshape(TILT, (3, 3))[:, 0]
    assert not disjoint(box, Box(size=(5, 5, 5), rotation=TILT, centre=tuple(5 * along)))
    assert disjoint(box, Box(size=(5, 5, 5), rotation=TILT, centre=tuple(5.2 * along)))


def test_a_ball_fits_through_a_ring_without_touching():
    ring = Torus(ring=10, tube=3)
    assert disjoint(sphere(6.8), ring)
    assert not disjoint(sphere(7.1), ring)
    assert not nested(sphere(6.8), ring)


@settings(max_examples=60, deadline=None)
@given(
    radius=st.floats(1, 6),
    offset=st.tuples(*[st.floats(-9, 9)] * 3),
    turn=st.tuples(*[st.floats(-180, 180)] * 3),
)
def test_what_is_proved_about_a_ball_and_a_box_is_true(radius, offset, turn):
    box = Box(size=(12, 8, 10), rotation=tuple(turned(turn).ravel()))
    ball = sphere(radius, offset)
    gap = float(box.distance(np.array([offset]))[0])
    if disjoint(ball, box):
        assert gap > radius
    elif gap > radius + 0.3:
        pytest.fail("a clear gap was not proved")
    if nested(ball, box):
        assert gap < -radius
    elif gap < -radius - 0.3:
        pytest.fail("a clear nesting was not proved")


def head():
    """A head of three layers with two bodies in the inner one, one of which holds a third."""
    return Patient(
        [
            Structure("scalp", 1, 100, sphere(18, CENTRE)),
            Structure("brain", 2, 300, Ellipsoid(radii=(15, 16, 14), **POSE)),
            Structure("lesion", 7, 700, sphere(6, (36, -16, 105))),
            Structure("core", 9, 50, sphere(3, (37, -16, 105))),
            Structure("cyst", 4, 20, sphere(4, (22, -9, 101))),
        ],
        background=0,
    )


def test_what_is_visible_of_each_structure_is_exact():
    patient = head()
    volumes = {s["name"]: s["volume_mm3"] for s in patient.truth()}
    ball = 4 / 3 * pi
    assert volumes["lesion"] == pytest.approx(ball * (216 - 27))
    assert volumes["brain"] == pytest.approx(ball * (15 * 16 * 14 - 216 - 64))
    assert sum(volumes.values()) == pytest.approx(ball * 18**3)
    grid = grid_around(CENTRE, "PIL", (7, -11, 15))
    visible = visible_occupancy(patient, grid)
    for filled, entry in zip(visible, patient.truth(), strict=True):
        volume = filled.sum(dtype=float) / SAMPLES * grid.voxel_volume
        assert volume == pytest.approx(entry["volume_mm3"], rel=2e-3)
    whole = patient.truth()[2]
    assert whole["whole_volume_mm3"] == pytest.approx(ball * 216)
    assert whole["area_mm2"] == pytest.approx(4 * pi * (36 + 9))
    # The hole lies off centre, so what is left balances on the other side of it.
    assert whole["centroid_mm"][0] == pytest.approx(36 - 27 / (216 - 27))


def test_signal_is_the_mean_of_the_tissues_in_each_voxel():
    patient, grid = head(), grid_around(CENTRE)
    visible = visible_occupancy(patient, grid)
    image = signal(patient, visible)
    expected = sum(
        s["volume_mm3"] * t.intensity
        for s, t in zip(patient.truth(), patient.structures, strict=True)
    )
    assert image.sum() * grid.voxel_volume == pytest.approx(expected, rel=1e-3)
    assert image[0, 0, 0] == 0
    x, y, z = np.rint(grid.to_index(np.array((37.0, -16.0, 105.0)))).astype(int)
    assert image[z, y, x] == pytest.approx(50)


def test_label_map_has_the_structure_that_fills_most_of_the_voxel():
    patient, grid = head(), grid_around(CENTRE, "RAS", spacing=(1.0, 1.0, 1.0))
    visible = visible_occupancy(patient, grid)
    labels = majority(patient, visible)
    assert set(np.unique(labels)) == {0, 1, 2, 4, 7, 9}
    fractions = visible / SAMPLES
    for index, structure in enumerate(patient.structures):
        assert (labels[fractions[index] > 0.5] == structure.label).all()
    assert (labels[fractions.sum(axis=0) < 0.5] == 0).all()
    truth = {s["label"]: s for s in patient.truth()}
    assert np.count_nonzero(labels == 7) == pytest.approx(truth[7]["volume_mm3"], rel=0.05)
    lesion = grid.to_physical(np.argwhere(labels == 7)[:, ::-1]).mean(axis=0)
    assert lesion == pytest.approx(truth[7]["centroid_mm"], abs=0.2)


def test_a_patient_without_exact_volumes_is_refused():
    big, small = sphere(9), sphere(4, (2, 0, 0))
    with pytest.raises(ValueError, match="neither inside"):
        Patient([Structure("a", 1, 0, big), Structure("b", 2, 0, sphere(4, (7, 0, 0)))], 0)
    with pytest.raises(ValueError, match="neither inside"):
        Patient([Structure("a", 1, 0, small), Structure("b", 2, 0, big)], 0)
    for name, label in (("a", 2), ("b", 1)):
        with pytest.raises(ValueError, match="share"):
            Patient([Structure("a", 1, 0, big), Structure(name, label, 0, small)], 0)


def test_a_structure_that_leaves_the_field_of_view_is_refused():
    grid = grid_around(CENTRE, reach=17)
    with pytest.raises(ValueError, match="'scalp' is not wholly within"):
        visible_occupancy(head(), grid)


# Noise.


def test_noise_of_a_ct_is_gaussian_about_the_signal():
    noisy = add_noise(np.full((60, 60, 60), -73.4), "CT", 12, seed=3)
    assert noisy.dtype == np.int16
    assert noisy.mean() == pytest.approx(-73.4, abs=5 * 12 / 60**1.5)
    # Rounding to whole HU adds the variance of a unit-wide box, 1/12.
    assert noisy.std() == pytest.approx(np.sqrt(144 + 1 / 12), rel=5 / np.sqrt(2 * 60**3))


@pytest.mark.parametrize("amplitude", [0.0, 30.0, 600.0])
def test_noise_of_an_mr_is_rician(amplitude):
    sigma = 20.0
    noisy = add_noise(np.full((60, 60, 60), amplitude), "MR", sigma, seed=4)
    # Second moment of Rice's distribution: A^2 + 2 sigma^2; rounding adds 1/12.
    assert np.mean(noisy.astype(float) ** 2) == pytest.approx(
        amplitude**2 + 2 * sigma**2 + 1 / 12, rel=0.01
    )
    if amplitude == 0:
        assert noisy.mean() == pytest.approx(sigma * np.sqrt(pi / 2), rel=0.01)
    assert noisy.min() >= 0


def test_noise_depends_on_its_seed_alone():
    image = np.zeros((5, 6, 7))
    first = add_noise(image, "CT", 12, seed=1)
    assert (add_noise(image, "CT", 12, seed=1) == first).all()
    assert (add_noise(image, "CT", 12, seed=2) != first).any()


def test_a_modality_without_a_noise_model_is_not_given_another_ones():
    with pytest.raises(KeyError):
        add_noise(np.zeros((2, 2, 2)), "PET", 12, seed=1)


def test_intensities_beyond_int16_do_not_wrap():
    noisy = add_noise(np.array([[[40_000.0, -40_000.0]]]), "CT", 0, seed=1)
    assert noisy.ravel().tolist() == [32_767, -32_768]


# Descriptions and the example cohort.


def test_a_turn_is_right_handed_about_the_lps_axes_x_then_y_then_z():
    assert turned((90, 0, 0)) @ (0, 1, 0) == pytest.approx([0, 0, 1])
    assert turned((0, 90, 0)) @ (0, 0, 1) == pytest.approx([1, 0, 0])
    assert turned((0, 0, 90)) @ (1, 0, 0) == pytest.approx([0, 1, 0])
    assert turned((90, 0, 90)) @ (0, 1, 0) == pytest.approx([0, 0, 1])


def test_grid_of_a_description_has_its_middle_and_its_axes():
    grid = grid_around(CENTRE, "PIL", spacing=(1.0, 2.0, 3.0))
    assert grid.to_physical((np.array(grid.size) - 1) / 2) == pytest.approx(CENTRE)
    assert pytest.approx(np.array([[0, 1, 0], [0, 0, -2], [3, 0, 0]])) == grid.axes.T


def test_bodies_of_a_description_are_counted_from_its_position():
    capsule = {"capsule": {"radius": 2, "length": 9, "centre": [1, 2, 3], "turn": [90, 0, 0]}}
    body = body_of(capsule, (10, 20, 30))
    assert body.centroid == pytest.approx([11, 22, 33])
    assert body.bounds()[1] - body.centroid == pytest.approx([2, 4.5, 2])
    ring = body_of(
        {"difference": [{"sphere": {"radius": 5}}, {"sphere": {"radius": 3}}]}, (0, 0, 0)
    )
    assert ring.volume == pytest.approx(4 / 3 * pi * (125 - 27))
    with pytest.raises(ValueError, match="'cube' is no shape"):
        body_of({"cube": {"size": 3}}, (0, 0, 0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: sphere(0),
        lambda: Box(size=(1, -1, 1)),
        lambda: Capsule(radius=3, length=5),
        lambda: Torus(ring=2, tube=2),
        lambda: Aneurysm(radius=3, bulge=2, length=9),
        lambda: Aneurysm(radius=1, bulge=5, length=9),
        lambda: Box(size=(1, 1, 1), rotation=(2, 0, 0, 0, 1, 0, 0, 0, 1)),
    ],
)
def test_sizes_that_make_no_solid_are_refused(make):
    with pytest.raises(ValueError):
        make()


@pytest.mark.parametrize("name", COHORT)
def test_patients_of_the_example_cohort_are_exact_and_in_view(name):
    patient, grid = patient_of(COHORT[name]), grid_of(COHORT[name]["grid"])
    for structure in patient.structures:
        assert nested(structure.body, field_of_view(grid)), structure.name


def test_the_script_writes_scan_labels_and_truth_the_same_bytes_twice(tmp_path):
    description = COHORT["mr-sagittal"]
    digests = []
    for run in ("a", "b"):
        paths = [tmp_path / run / name for name in ("scan.nii.gz", "labels.nii.gz", "truth.json")]
        phantom(description, *paths)
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths])
    assert digests[0] == digests[1]
    scan, labels = read_volume(paths[0]), read_volume(paths[1])
    assert scan.grid.same_as(labels.grid) and scan.grid.same_as(grid_of(description["grid"]))
    truth = json.loads(paths[2].read_text())["structures"]
    assert [s["label"] for s in truth] == [1, 2, 3, 4, 5, 6]
    brain = next(s for s in truth if s["name"] == "brain")
    mask = labels.array == brain["label"]
    assert mask.sum() * labels.grid.voxel_volume == pytest.approx(brain["volume_mm3"], rel=0.01)
    centroid = labels.grid.to_physical(np.argwhere(mask)[:, ::-1]).mean(axis=0)
    assert centroid == pytest.approx(brain["centroid_mm"], abs=0.1)
    assert np.median(scan.array[mask]) == pytest.approx(620, abs=1)


def test_a_truncated_scan_ends_early(tmp_path):
    paths = [tmp_path / name for name in ("scan.nii.gz", "labels.nii.gz", "truth.json")]
    phantom(COHORT["mr-truncated"], *paths)
    with pytest.raises(EOFError):
        read_volume(paths[0])
    assert read_volume(paths[1]).array.max() == 3
