"""Structures by rules: what is painted, what is said of the empty ones, and real CTs."""

import os
from pathlib import Path

import numpy as np
import pytest
from scanmill import recipe
from scanmill.grid import Grid
from scanmill.label_map import LabelMap
from scanmill.refusal import Refusal
from scanmill.resampling import resample_image
from scanmill.segmentation import Scene, rules
from scanmill.source import read_source
from scanmill.stage import Record
from scanmill.volume_file import Volume

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SCANMILL_DATA", ROOT.parent / "shared" / "data"))
RECIPES = ROOT / "config" / "recipes"
LUNGS = range(10, 15)
BONES = [*range(25, 51), *range(69, 79), 91, *range(92, 117)]


def structure(name, *steps):
    return {"name": name, "segment": {"method": "rules", "steps": list(steps)}}


def scene_of(grid, image, structures, modality="CT") -> Scene:
    labels = {s["name"]: s.get("label", n) for n, s in enumerate(structures, 1)}
    label_map = LabelMap.empty(grid, max(labels.values()))
    return Scene(grid, modality, lambda: image, label_map, labels, Record(grid))


def test_structures_are_painted_in_order_and_empty_ones_explained():
    grid = Grid((8, 6, 4), (1.0, 2.0, 3.0), (-40.0, 12.0, 700.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))
    image = np.full(grid.shape, -1000.0)
    image[1:3, 1:5, 1:7] = 40
    image[1:3, 2:4, 2:5] = 400
    structures = [
        structure("body", {"window": [0, None]}),
        structure("bone", {"inside": "body"}, {"window": [300, None]}),
        structure("metal", {"inside": "body"}, {"window": [2000, None]}),
        structure("halo", {"touching": "metal"}),
        structure("rest", {"inside": "body"}, {"outside": ["bone", "metal"]}),
    ]
    scene = scene_of(grid, image, structures)
    rules.segment(structures, scene)
    assert np.array_equal(scene.label_map.array == 2, image == 400)
    assert np.array_equal(scene.label_map.array == 5, image == 40)
    assert np.array_equal(scene.label_map.region(1).full(grid.shape), image > 0)
    said = scene.record.details["structures"]
    assert {name: (s["status"], s["code"]) for name, s in said.items()} == {
        "metal": ("refused", "structure-empty"),
        "halo": ("refused", "structure-skipped"),
    }
    assert "metal" in said["halo"]["reason"]


def test_a_scan_that_is_not_hounsfield_refuses_the_case():
    grid = Grid((60, 60, 60), (2.0, 2.0, 2.0), (1.0, 2.0, 3.0))
    image = np.arange(60**3, dtype=np.float32).reshape(grid.shape) % 256
    structures = [structure("body", {"window": [0, None]})]
    with pytest.raises(Refusal, match="not-hounsfield"):
        rules.segment(structures, scene_of(grid, image, structures))


def chest(direction) -> tuple[Grid, np.ndarray]:
    """A chest of cylinders at 3 mm: fat, muscle, two lungs, spine, trachea and main bronchi.

    Bowel gas lies below the lungs, a table behind the back.
    """
    size = np.array([100, 80, 90])
    direction = np.asarray(direction, float)
    origin = np.array([20.0, -31.0, 655.0]) - direction @ ((size - 1) * 1.5)
    grid = Grid(
        tuple(int(n) for n in size), (3.0, 3.0, 3.0), tuple(origin), tuple(direction.ravel())
    )
    z, y, x = np.indices(grid.shape)
    place = grid.to_physical(np.stack([x, y, z], -1)) - [20.0, -31.0, 655.0]
    left, back, up = np.moveaxis(place, -1, 0)

    def tube(centre, radii):
        return ((left - centre[0]) / radii[0]) ** 2 + ((back - centre[1]) / radii[1]) ** 2 <= 1

    image = np.full(grid.shape, -1000.0)
    image[tube((0, 0), (140, 95))] = -100
    image[tube((0, 0), (125, 80))] = 45
    for side in (-1, 1):
        image[tube((side * 65, 0), (42, 60)) & (up > -50)] = -800
    image[tube((0, 60), (16, 14))] = 350
    image[(np.hypot(left, back + 10) <= 9) & (up > 10)] = -1000
    bronchus = (np.hypot(back + 10, up - 10 + 0.5 * np.abs(left)) <= 7.5) & (np.abs(left) <= 36)
    image[bronchus] = -1000
    image[((place - [60, -20, -95]) ** 2).sum(-1) <= 25**2] = -1000
    image[(back > 100) & (back < 104)] = -200
    noise = np.random.default_rng(7).normal(0, 15, image.shape)
    return grid, (image + noise).astype(np.float32)


def segmented(name, volume_grid, image):
    """The recipe's structures on an image, resampled to the recipe's spacing."""
    wanted = recipe.load(RECIPES / f"{name}.yaml")
    target = volume_grid.isotropic(wanted.spacing)
    resampled = resample_image(Volume(image, volume_grid), target)
    scene = scene_of(target, resampled.array, wanted.structures, wanted.modality)
    rules.segment(wanted.structures, scene)
    return scene


def millilitres(scene, name) -> float:
    return scene.label_map.region(scene.labels[name]).count() * scene.grid.voxel_volume / 1000


DIRECTIONS = {"plain": np.eye(3), "flipped": np.diag([-1, -1, 1]), "feet-up": np.diag([1, 1, -1])}


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS.keys())
def test_ct_body_on_a_chest_of_known_volumes(direction):
    scene = segmented("ct-body", *chest(direction))
    assert "structures" not in scene.record.details
    length = 90 * 3.0
    assert millilitres(scene, "body") == pytest.approx(np.pi * 140 * 95 * length / 1e3, rel=0.02)
    lungs = 2 * np.pi * 42 * 60 * (length / 2 + 50) / 1e3
    assert millilitres(scene, "lungs") == pytest.approx(lungs, rel=0.06)
    # 130 HU lies below halfway from muscle to this bone: half a millimetre more.
    assert millilitres(scene, "bone") == pytest.approx(np.pi * 16 * 14 * length / 1e3, rel=0.1)
    trachea = np.pi * 81 * (length / 2 - 10) / 1e3
    assert trachea * 0.8 < millilitres(scene, "airways") < trachea * 1.6
    fat = np.pi * (140 * 95 - 125 * 80) * length / 1e3
    assert millilitres(scene, "fat") == pytest.approx(fat, rel=0.15)
    bowel = scene.grid.to_index(np.array([80.0, -51.0, 560.0]))
    x, y, z = np.rint(bowel).astype(int)
    assert scene.label_map.array[z, y, x] == scene.labels["body"]


def test_without_a_chest_lungs_and_airways_are_empty_and_bowel_gas_is_neither():
    grid, image = chest(np.eye(3))
    below = grid.crop((0, 0, 0), (100, 80, 26))
    scene = segmented("ct-body", below, image[:26])
    said = scene.record.details["structures"]
    assert set(said) == {"lungs", "airways"}
    assert millilitres(scene, "body") > 2000


def test_bone_is_the_skull_and_not_the_brain_in_it():
    grid = Grid((70, 80, 60), (3.0, 3.0, 3.0), (-100.0, -140.0, 900.0))
    z, y, x = np.indices(grid.shape)
    place = grid.to_physical(np.stack([x, y, z], -1)) - grid.to_physical([35, 40, 25])
    radius = np.linalg.norm(place, axis=-1)
    image = np.where(radius <= 90, 20.0, -1000.0)
    skull = (radius <= 84) & (radius > 75)
    skull &= ~((np.hypot(place[..., 0], place[..., 1]) <= 15) & (place[..., 2] < 0))  # foramen
    image[skull] = 900
    scene = segmented("ct-body", grid, image.astype(np.float32))
    # At 3 mm, dense bone blooms past 130 HU by a millimetre on both faces.
    assert 1 < millilitres(scene, "bone") / (skull.sum() * 0.027) < 1.45
    assert millilitres(scene, "soft-tissue") > 4 / 3 * np.pi * 7.5**3 * 0.9


def test_ct_chest_finds_a_lung_that_the_field_of_view_cuts_open():
    grid, image = chest(np.eye(3))
    grid, image = grid.crop((0, 0, 0), (73, 80, 90)), image[:, :, :73].copy()
    assert millilitres(segmented("ct-body", grid, image), "lungs") < 1600
    scene = segmented("ct-chest", grid, image)
    assert millilitres(scene, "lungs") > 2000
    assert millilitres(scene, "airways") > 10


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "totalsegmentator").is_dir(), reason="the real scans are absent")
@pytest.mark.parametrize(
    ("scan", "labels", "bone_dice"),
    [
        ("example_ct.nii.gz", "example_seg_fast_force_split.nii.gz", 0.82),
        ("example_ct_sm.nii.gz", "example_seg.nii.gz", 0.73),
    ],
)
def test_real_abdomen_agrees_with_totalsegmentator(scan, labels, bone_dice):
    volume, _ = read_source(DATA / "totalsegmentator" / scan)
    reference, _ = read_source(DATA / "totalsegmentator" / labels)
    scene = segmented("ct-body", volume.grid, volume.array.astype(np.float32))
    # 3 mm to 1.5 mm is two voxels for one, so the reference is repeated, not interpolated.
    truth = reference.array.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    assert reference.grid.isotropic(1.5).same_as(scene.grid)
    for name, ids, least in (("lungs", LUNGS, 0.92), ("bone", BONES, bone_dice)):
        found = scene.label_map.region(scene.labels[name]).full(scene.grid.shape)
        assert dice(found, np.isin(truth, list(ids))) > least
    assert scene.record.details["structures"]["airways"]["code"] == "structure-empty"


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "oblique_misc").is_dir(), reason="the real scans are absent")
@pytest.mark.parametrize("scan", ["CT_pitch.nii.gz", "LIDC2.mha"])
def test_real_8_bit_ct_is_refused(scan):
    volume, _ = read_source(DATA / "oblique_misc" / scan)
    with pytest.raises(Refusal, match="not-hounsfield"):
        segmented("ct-body", volume.grid, volume.array.astype(np.float32))
