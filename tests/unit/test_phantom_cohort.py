"""Patients and specimens by chance: exact, in view, different from each other, the same again."""

from itertools import islice

import numpy as np
import pytest
import yaml
from scanmill.phantom.anatomy import ANATOMIES, Variation
from scanmill.phantom.cohort import patient, patients
from scanmill.phantom.composition import disjoint, nested
from scanmill.phantom.description import body_of, grid_of, patient_of
from scanmill.phantom.fields import bias_field
from scanmill.phantom.patient import Patient, Structure, Texture
from scanmill.phantom.rendering import visible_occupancy
from scanmill.phantom.scanning import scan_of, texture
from scanmill.phantom.specimen import CONTRAST, SHAPES, specimen, specimens

COARSE = (4.0, 4.0, 6.0)


def fraction_error(scan, entry):
    """How far the voxels of a label are from the truth, of the volume."""
    mask = scan.labels.array == entry["label"]
    return mask.sum() * scan.labels.grid.voxel_volume / entry["volume_mm3"] - 1


@pytest.mark.parametrize("kind", ANATOMIES)
def test_a_random_patient_is_scanned_as_it_is(kind):
    description = next(patients(kind, 1, 5, COARSE, variability=1.0))
    scan = scan_of(description)
    assert {s["label"] for s in scan.truth} == set(np.unique(scan.labels.array)) - {0}
    whole = scan.truth[0]
    assert fraction_error(scan, whole) == pytest.approx(0, abs=0.02)
    mask = scan.labels.array == whole["label"]
    centroid = scan.labels.grid.to_physical(np.argwhere(mask)[:, ::-1]).mean(axis=0)
    assert centroid == pytest.approx(whole["centroid_mm"], abs=0.7)
    # What is written to YAML comes back as it was.
    assert yaml.safe_load(yaml.safe_dump(description)) == description


@pytest.mark.parametrize("kind", ANATOMIES)
def test_the_usual_anatomy_is_proved_without_a_second_try(kind):
    vary = Variation(np.random.default_rng(0), 0.0, 30.0)
    organs = ANATOMIES[kind][2](vary)
    bodies = [body_of(body, (5.0, 6.0, 7.0)) for _, _, body in organs]
    for n, later in enumerate(bodies):
        assert all(disjoint(later, b) or nested(later, b) for b in bodies[:n]), organs[n][0]


def test_patients_differ_and_come_again():
    first = list(patients("head", 3, seed=11))
    assert first == list(patients("head", 3, seed=11))
    assert list(patients("head", 3, seed=12)) != first
    tumours = [s["body"] for d in first for s in d["structures"] if s["name"] == "tumour"]
    assert len({body_of(body, (0, 0, 0)).volume for body in tumours}) == 3
    means = [[s["intensity"] for s in d["structures"]] for d in first]
    assert means[0] != means[1]
    assert len({(d["grid"]["axes"], *d["grid"]["turn"]) for d in first}) == 3


def test_without_variability_only_pose_and_noise_differ():
    one, other = patients("head", 2, seed=3, variability=0.0)
    without = [
        [{k: v for k, v in s.items() if k != "texture"} for s in d["structures"]]
        for d in (one, other)
    ]
    assert without[0] == without[1]
    assert one["warp"]["amplitude"] == 0
    assert one["position"] != other["position"]


@pytest.mark.parametrize("contrast", [-25.0, 15.0])
def test_a_tumour_differs_from_its_organ_by_the_contrast(contrast):
    description = patient("abdomen", 4, COARSE, 0.7, contrast, 10.0)
    means = {s["name"]: s["intensity"] for s in description["structures"]}
    assert means["liver-tumour"] - means["liver"] == pytest.approx(contrast)
    assert means["kidney-tumour"] - means["kidney-left"] == pytest.approx(contrast)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spacing", [(0.8, 0.8, 0.8), (0.7, 0.9, 3.5)])
def test_a_specimen_has_the_volume_of_its_ball(shape, spacing):
    description = specimen(shape, 7.0, 5.0, spacing, seed=6)
    scan = scan_of(description)
    ball = 4 / 3 * np.pi * 7**3 * np.prod(spacing)
    assert scan.truth[0]["volume_mm3"] == pytest.approx(ball, rel=1e-3)
    # A clear margin of background around it, on each side.
    border = np.ones(scan.labels.array.shape, bool)
    border[4:-4, 4:-4, 4:-4] = False
    assert not scan.labels.array[border].any()
    mask = scan.labels.array > 0
    image = scan.image.array.astype(float)
    assert image[mask].mean() - image[border].mean() == pytest.approx(CONTRAST, rel=0.12)
    assert image[border].std() == pytest.approx(CONTRAST / 5, rel=0.05)


def test_specimens_are_of_every_shape_size_and_spacing():
    made = list(specimens(60, seed=2, modality="MR"))
    assert made[:5] == list(islice(specimens(60, seed=2, modality="MR"), 5))
    assert {d["structures"][0]["name"] for d in made} == set(SHAPES)
    ratios = [d["grid"]["spacing"][2] / d["grid"]["spacing"][0] for d in made]
    cnr = [CONTRAST / d["noise"]["sigma"] for d in made]
    for found, low, high in ((ratios, 1, 5), (cnr, 1, 20)):
        assert low <= min(found) < 1.3 * low and 0.7 * high < max(found) <= high
    # Anywhere between the voxels, not at their centres.
    off = [
        (grid_of(d["grid"]).to_index(np.array(d["position"])) % 1)
        for d in made
        if d["structures"][0]["name"] != "lobed"
    ]
    assert np.std(off, axis=0) == pytest.approx(np.full(3, 12**-0.5), abs=0.08)


def described(**more):
    """A ball in a ball, on an oblique grid."""
    ball = {"sphere": {"radius": 14}}
    core = {"sphere": {"radius": 6, "centre": [4, 0, 1]}}
    return {
        "modality": "CT",
        "grid": {
            "size": [40, 36, 24],
            "spacing": [1.0, 1.1, 1.6],
            "centre": [50, -80, 30],
            "axes": "RAS",
            "turn": [10, 5, -20],
        },
        "noise": {"sigma": 0, "seed": 1},
        "background": -100,
        "position": [50.3, -80.2, 30.1],
        "structures": [
            {"name": "organ", "label": 1, "intensity": 100, "body": ball},
            {"name": "core", "label": 2, "intensity": 200, "body": core},
        ],
    } | more


def test_texture_varies_within_its_own_structure_only():
    base = described()
    plain, seeded = patient_of(base), base["structures"]
    structures = [
        Structure("organ", 1, 100, plain.structures[0].body, Texture(12.0, 2.5, 7)),
        plain.structures[1],
    ]
    grid = grid_of(base["grid"])
    labels = scan_of(base).labels.array
    visible = visible_occupancy(plain, grid)
    added = texture(Patient(structures, -100), visible, grid)
    assert added[visible[0] == 251].std() == pytest.approx(12, rel=0.15)
    assert (added[visible[0] == 0] == 0).all()
    seeded[0]["texture"] = {"sd": 12.0, "length": 2.5, "seed": 7}
    textured = scan_of(base).image.array
    assert textured == pytest.approx(np.rint(scan_of(described()).image.array + added), abs=1.01)
    assert (scan_of(base).labels.array == labels).all()


def test_bias_multiplies_the_signal():
    plain, biased = (scan_of(described(**d)) for d in ({}, {"bias": {"amplitude": 0.4, "seed": 9}}))
    field = bias_field(plain.image.grid, 0.4, 9)
    inside = plain.image.array == 200
    assert biased.image.array[inside] == pytest.approx(200 * field[inside], abs=1.25)


def test_artefacts_are_added_in_their_order():
    circle = {"circle": {"diameter": 30, "padding": -2000}}
    ring = {"ring": {"radius": 17, "width": 6, "amplitude": 50}}
    cut, ringed = (
        scan_of(described(artefacts=order)).image.array.min()
        for order in ([ring, circle], [circle, ring])
    )
    assert (cut, ringed) == (-2000, -2000)
    last = scan_of(described(artefacts=[circle, ring])).image.array
    first = scan_of(described(artefacts=[ring, circle])).image.array
    assert -1950 in last and -1950 not in first
    table = {
        "table": {"body": {"box": {"size": [30, 4, 30], "centre": [0, 17, 0]}}, "intensity": 7}
    }
    assert np.count_nonzero(scan_of(described(artefacts=[table])).image.array == 7) > 500


def test_kernel_noise_and_metal_take_the_place_of_white_noise():
    kernel = scan_of(described(noise={"sigma": 9, "seed": 1, "peak": 0.3})).image.array
    flat = scan_of(described()).image.array
    assert (kernel - flat).std() == pytest.approx(9, rel=0.03)
    screw = {"capsule": {"radius": 1.5, "length": 12, "centre": [-7, 0, 0], "turn": [90, 0, 0]}}
    metal = {"material": "titanium", "photons": 1e6, "seed": 4, "body": screw}
    spoiled = scan_of(described(metal=metal))
    assert (spoiled.misleading == (np.abs(spoiled.image.array - flat) > 40)).mean() > 0.999
    assert spoiled.misleading.any() and not scan_of(described()).misleading.any()
    assert (spoiled.labels.array == scan_of(described()).labels.array).all()
