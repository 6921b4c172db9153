"""Structures grown from seeds, on grids that are flipped, oblique, anisotropic and shifted."""

import numpy as np
import pytest
from scanmill.label_map import Region
from scanmill.refusal import Refusal
from scanmill.seed_file import Seed
from scanmill.segmentation import Scene, seeded
from scanmill.segmentation.seed_voxels import seeds_of
from test_steps import CENTRE, EVERY_GRID, GRIDS, ball, scene_of

RADIUS = 9.0
OFF = np.array([3.0, -4.0, 2.0])
NOISE = 12.0
PLAIN = GRIDS["plain"]


def structure(name="tumour", **segment) -> dict:
    defaults = {"seeds": "file", "radius": 0.0, "reach": 20.0, "inside": None, "steps": []}
    return {"name": name, "segment": {"method": "seeded"} | defaults | segment}


def seed(name="tumour", offset=OFF, radius=3.0) -> Seed:
    return Seed(name, tuple(CENTRE + offset), radius)


def noisy(grid, *parts, number=0) -> np.ndarray:
    """An image of tissues, each a mask and an intensity, over a background of 0, with noise."""
    image = np.random.default_rng(number).normal(0, NOISE, grid.shape)
    for mask, intensity in parts:
        image[mask] += intensity
    return image.astype(np.float32)


def grown(grid, image, structures, seeds, modality="any", **known) -> Scene:
    scene = scene_of(grid, image, modality, **known)
    scene.labels |= {s["name"]: n for n, s in enumerate(structures, len(known) + 1)}
    scene.seeds = seeds
    seeded.segment(structures, scene)
    return scene


def found(scene, name="tumour") -> np.ndarray:
    return scene.label_map.region(scene.labels[name]).full(scene.grid.shape)


def refusal(scene, name="tumour") -> dict:
    return scene.record.details["structures"][name]


def dice(mask, truth) -> float:
    return 2 * (mask & truth).sum() / (mask.sum() + truth.sum())


@EVERY_GRID
def test_a_ball_is_found_from_one_seed_on_any_grid(grid):
    truth = ball(grid, RADIUS, OFF)
    scene = grown(grid, noisy(grid, (truth, 60)), [structure()], [seed()])
    assert dice(found(scene), truth) > 0.93


@EVERY_GRID
def test_two_that_touch_and_look_alike_part_halfway(grid):
    """Without an edge between them, walks from each reach as far."""
    apart = np.array([10.0, 0, 0])
    image = noisy(grid, (ball(grid, 8, -apart / 2) | ball(grid, 8, apart / 2), 80))
    structures = [structure("one"), structure("two")]
    scene = grown(grid, image, structures, [seed("one", -apart / 2), seed("two", apart / 2)])
    one, two = found(scene, "one"), found(scene, "two")
    assert not (one & two).any()
    assert dice(one | two, ball(grid, 8, -apart / 2) | ball(grid, 8, apart / 2)) > 0.9
    assert one.sum() == pytest.approx(two.sum(), rel=0.15)


def test_a_rival_keeps_what_would_leak():
    truth, other = ball(PLAIN, 8, (-8, 0, 0)), ball(PLAIN, 7, (7, 0, 0))
    image = noisy(PLAIN, (truth, 80), (other, 80))
    one = [seed(offset=(-8, 0, 0))]
    alone = grown(PLAIN, image, [structure()], one)
    for rival in ("background", "background-7"):
        kept = grown(PLAIN, image, [structure()], [*one, seed(rival, (7, 0, 0), 3)])
        assert dice(found(kept), truth) > 0.9 > dice(found(alone), truth)


def test_the_walk_ends_at_the_structure_that_it_is_inside_of():
    organ = ball(PLAIN, 12)
    truth = ball(PLAIN, RADIUS, (8, 0, 0)) & organ
    image = noisy(PLAIN, (ball(PLAIN, 14), 100), (ball(PLAIN, RADIUS, (8, 0, 0)), 60))
    scene = grown(
        PLAIN, image, [structure(inside="organ", reach=10.0)], [seed(offset=(5, 0, 0))], organ=organ
    )
    assert not (found(scene) & ~organ).any()
    # No rim of it is lost to what lies beyond.
    assert dice(found(scene), truth) > 0.93


def test_a_structure_is_refined_from_the_core_of_another():
    truth = ball(PLAIN, 10)
    rough = ball(PLAIN, 10, (2, -1.5, 1))
    scene = grown(
        PLAIN, noisy(PLAIN, (truth, 60)), [structure(seeds="rough", reach=8.0)], [], rough=rough
    )
    assert dice(found(scene), truth) > 0.97 > 0.9 > dice(rough, truth)


def test_a_structure_may_grow_from_one_that_grew_before():
    truth, inner = ball(PLAIN, 12), ball(PLAIN, 5)
    image = noisy(PLAIN, (truth, 100), (inner, 100))
    filled = [{"fill": "holes"}]
    structures = [structure("organ", steps=filled), structure(inside="organ", reach=7.0)]
    seeds = [seed("organ", (-8, 0, 0), 2), seed("organ", (0, 8, 0), 2), seed(offset=(0, 0, 0))]
    scene = grown(PLAIN, image, structures, seeds)
    # The tumour's seeds are no rivals of the organ that it lies in.
    assert dice(found(scene, "organ") | found(scene), truth) > 0.93
    assert dice(found(scene), inner) > 0.85


def test_steps_clean_up_and_look_alikes_apart_are_not_taken():
    image = noisy(PLAIN, (ball(PLAIN, 6), 100), (ball(PLAIN, 3, (14, 0, 0)), 100))
    image[ball(PLAIN, 1.5)] = 0
    points = [np.add(CENTRE, (side * 3, 0, 0)).tolist() for side in (-1, 1)]
    steps = [{"fill": "holes"}]
    own = structure(seeds=points, radius=1.5, steps=steps)
    scene = grown(PLAIN, image, [own], [])
    assert found(scene)[ball(PLAIN, 1.5)].all()
    assert not (found(scene) & ball(PLAIN, 3, (14, 0, 0))).any()


def test_a_scan_without_noise_is_found_as_it_is():
    truth = ball(PLAIN, RADIUS, OFF)
    scene = grown(PLAIN, np.where(truth, 40, 30).astype(np.int16), [structure()], [seed()])
    np.testing.assert_array_equal(found(scene), truth)


def test_the_same_seeds_give_the_same_voxels_in_any_order():
    truth = ball(PLAIN, RADIUS, OFF)
    image = noisy(PLAIN, (truth, 15))
    seeds = [seed(offset=np.add(OFF, (k, 0, -k)), radius=1) for k in (-4, 0, 3)]
    one, other = (grown(PLAIN, image, [structure()], s) for s in (seeds, seeds[::-1]))
    np.testing.assert_array_equal(found(one), found(other))


@EVERY_GRID
def test_a_seed_is_a_ball_in_mm_and_at_least_a_voxel(grid):
    scene = scene_of(grid)
    scene.seeds = [seed("tumour", (0.3, 0.2, -0.4), 5.0)]
    mask = seeds_of(structure(), scene).full(grid.shape)
    np.testing.assert_array_equal(mask, ball(grid, 5.0, (0.3, 0.2, -0.4)))
    scene.seeds = [seed("tumour", (0.3, 0.2, -0.4), None)]
    assert seeds_of(structure(), scene).count() == 1


@pytest.mark.parametrize(
    "points, code, said",
    [
        ([], "seeds-missing", "the sheet's seeds have none of this structure"),
        (
            [np.add(CENTRE, (0, 0, 99))],
            "seeds-outside",
            "1 of 1 seeds lie outside the scan; LPS mm",
        ),
        ([CENTRE * (-1, -1, 1)], "seeds-outside", "1 of 1 seeds lie outside the scan, and none wo"),
        ([CENTRE, CENTRE * (-1, -1, 1)], "seeds-outside", "1 of 2 seeds lie outside the scan; LP"),
    ],
)
def test_seeds_that_cannot_be_are_refused(points, code, said):
    seeds = [Seed("tumour", tuple(point), 2.0) for point in points]
    scene = grown(PLAIN, noisy(PLAIN), [structure()], seeds)
    assert refusal(scene)["code"] == code and refusal(scene)["reason"].startswith(said)


@EVERY_GRID
def test_in_ct_seeds_in_the_air_around_the_patient_are_refused_and_airways_found(grid):
    body, airway = ball(grid, 17), ball(grid, 6, (4, 0, 2))
    image = noisy(grid, (~body | airway, -1000))
    lost = grown(grid, image, [structure()], [seed(offset=(0, 18.5, 0), radius=None)], "CT")
    assert refusal(lost)["code"] == "seeds-outside"
    assert refusal(lost)["reason"].startswith("1 of 1 seeds lie in the air around the patient")
    own = structure(reach=10.0)
    scene = grown(grid, image, [own], [seed(offset=(4, 0, 2), radius=2.0)], "CT")
    assert dice(found(scene), airway) > 0.97


def test_seeds_of_two_in_one_voxel_are_refused_and_others_grow():
    truth = ball(PLAIN, 6, (-10, 0, 0))
    image = noisy(PLAIN, (truth, 80))
    seeds = [seed("one"), seed("two", np.add(OFF, (2, 0, 0))), seed("three", (-10, 0, 0))]
    names = ("one", "two", "three")
    scene = grown(PLAIN, image, [structure(name, reach=12.0) for name in names], seeds)
    assert refusal(scene, "one")["code"] == refusal(scene, "two")["code"] == "seeds-conflict"
    assert dice(found(scene, "three"), truth) > 0.9


def test_seeds_outside_the_structure_around_are_refused():
    own = structure(inside="organ")
    scene = grown(PLAIN, noisy(PLAIN), [own], [seed()], organ=ball(PLAIN, 5))
    assert refusal(scene)["code"] == "seed-misses"


def test_a_reach_beyond_all_there_is_is_refused():
    scene = grown(PLAIN, noisy(PLAIN), [structure(reach=99.0)], [seed()])
    assert refusal(scene)["code"] == "seeds-unbounded"


def test_a_structure_too_thin_for_its_reach_is_refused():
    own = structure(seeds="thin")
    scene = grown(PLAIN, noisy(PLAIN), [own], [], thin=ball(PLAIN, 4))
    assert refusal(scene)["code"] == "seeds-missing"


def test_a_recipe_for_ct_refuses_what_are_no_hounsfield_units():
    grid = PLAIN.concentric((110, 110, 110), PLAIN.spacing)
    with pytest.raises(Refusal, match="not-hounsfield"):
        grown(grid, np.zeros(grid.shape), [structure()], [seed()], modality="CT")


def test_what_is_painted_lies_on_what_was_found_before():
    organ = ball(PLAIN, 14)
    truth = ball(PLAIN, 7)
    image = noisy(PLAIN, (organ, 100), (truth, 60))
    scene = grown(
        PLAIN, image, [structure(inside="organ", reach=9.0)], [seed(offset=(0, 0, 0))], organ=organ
    )
    assert isinstance(scene.label_map.covered[1], Region)
    np.testing.assert_array_equal(scene.label_map.region(1).full(PLAIN.shape), organ)
