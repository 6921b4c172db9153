"""What methods are not sure of: tissues' variation, windows that give way, and chains of structures."""

from types import SimpleNamespace

import numpy as np
import pytest
from bodies import DIRECTIONS, OBLIQUE, grid_over, mask_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.interval import volume_of
from scanmill.label_map import Doubt, LabelMap, Region
from scanmill.label_map_files import find_doubt, write_doubts
from scanmill.phantom.body import sphere
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.rendering import occupancy
from scanmill.segmentation import Scene
from scanmill.segmentation import rules as by_rules
from scanmill.segmentation.doubt import LEANING, variation
from scanmill.segmentation.steps import STEPS, apply
from scanmill.stage import Record
from scanmill.surroundings import ALONE
from scanmill.volume_file import Volume
from scanmill.volume_ledger import counted_volume, estimated_volume

CENTRE = (31.37, -112.71, 402.93)
SOME = {name: DIRECTIONS[name] for name in ("xyz+++", "yxz-++", *OBLIQUE)}
RADIUS = 12.0
EVERY_STEP = {
    "window": [5, None],
    "inside": "other",
    "outside": "other",
    "apart": {"from": "other", "mm": 2},
    "side": "left",
    "touching": "other",
    "erode": 1,
    "dilate": 1,
    "margin": 1,
    "open": 1,
    "close": 1,
    "fill": "holes",
    "cavities": 0,
    "handles": "cut",
    "largest": 1,
    "seeds": [CENTRE],
    "minimum_ml": 0.1,
    "drop": "border",
}


def scanned(contrast, noise, spacing=(1.0, 1.0, 1.0), direction=None, seed=0) -> Volume:
    """A ball that is brighter than what surrounds it by `contrast`."""
    body = sphere(RADIUS, CENTRE)
    grid = grid_over(body, spacing, direction, margin=14)
    signal = contrast * (occupancy(body, grid) / SAMPLES)
    noisy = signal + noise * np.random.default_rng(seed).standard_normal(grid.shape)
    return Volume(noisy.astype(np.float32), grid)


def scene_over(scan: Volume, *names: str) -> Scene:
    labels = {name: label for label, name in enumerate(names, 1)}
    return Scene(
        grid=scan.grid,
        modality="any",
        image=lambda: scan.array,
        label_map=LabelMap.empty(scan.grid, len(labels)),
        labels=labels,
        record=Record(),
    )


def found(scene: Scene, **steps) -> dict[str, Doubt]:
    structures = [
        {"name": name, "segment": {"method": "rules", "steps": own}} for name, own in steps.items()
    ]
    by_rules.segment(structures, scene)
    return scene.doubts


def volume(region: Region, scene: Scene) -> float:
    return region.count() * scene.grid.voxel_volume


@pytest.mark.parametrize("direction", SOME)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 1.6)])
def test_a_tissue_varies_by_the_noise_of_its_quieter_side(direction, spacing):
    scan = scanned(1000, 10, spacing, SOME[direction])
    mask = mask_of(sphere(RADIUS, CENTRE), scan.grid)
    everywhere = tuple(slice(0, n) for n in mask.shape)
    louder = scan.array + np.where(
        mask, 50 * np.random.default_rng(1).standard_normal(mask.shape), 0
    )
    for image in (scan.array, louder):
        assert variation(image, Region(everywhere, mask)) == pytest.approx(10, rel=0.08)


def test_a_region_too_small_to_tell_varies_by_nothing():
    grid = grid_over(sphere(2, CENTRE))
    nothing = np.ones((3, 3, 3), bool)
    box = (slice(0, 3),) * 3
    assert variation(np.random.default_rng(0).random(grid.shape), Region(box, nothing)) == 0


@given(contrast=st.floats(0.5, 20), seed=st.integers(0, 99), inside=st.booleans())
@settings(max_examples=15, deadline=None)
def test_what_is_surely_so_is_likely_and_what_is_likely_is_perhaps_so(contrast, seed, inside):
    scan = scanned(contrast, 1, seed=seed)
    scene = scene_over(scan, "ball", "more")
    more = [{"inside": "ball"}] if inside else [{"outside": "ball"}, {"largest": 1}]
    doubts = found(scene, ball=[{"window": [contrast / 2, None]}, {"largest": 1}], more=more)
    for name, doubt in doubts.items():
        likely = scene.label_map.region(scene.labels[name]).full(scene.grid.shape)
        surely, perhaps = (r.full(scene.grid.shape) for r in (doubt.surely, doubt.perhaps))
        assert (surely <= likely).all()
        assert (likely <= perhaps).all()


def test_a_faint_structure_is_in_doubt_and_a_clear_one_is_not():
    widths = []
    for contrast in (3, 30):
        scan = scanned(contrast, 1)
        scene = scene_over(scan, "ball")
        doubt = found(scene, ball=[{"window": [contrast / 2, None]}, {"largest": 1}])["ball"]
        least, most = volume(doubt.surely, scene), volume(doubt.perhaps, scene)
        widths.append((most - least) / (4 / 3 * np.pi * RADIUS**3))
    assert widths[0] > 0.5
    # Partial volume alone: a thirtieth of a voxel to either side.
    assert widths[1] == pytest.approx(2 / 30 * 3 / RADIUS, rel=0.5)


def test_a_structure_without_window_or_doubtful_origin_is_not_in_doubt():
    scan = scanned(20, 1)
    scene = scene_over(scan, "all", "rest")
    assert found(scene, all=[{"largest": 1}], rest=[{"inside": "all"}, {"erode": 3}]) == {}


@pytest.mark.parametrize("name", STEPS)
def test_doubt_comes_in_by_just_the_steps_that_ask_for_it(name):
    asked = set()

    class Watched(Scene):
        def __getattribute__(self, what):
            if what in {"lean", "leeway", "region", "opposite", "doubts"}:
                asked.add(what)
            return super().__getattribute__(what)

    scan = scanned(20, 1)
    scene = scene_over(scan, "ball", "other")
    scene.label_map.paint(2, Region.of(scan.array > 10))
    watched = Watched(**vars(scene))
    watched.midline = SimpleNamespace(is_left=lambda box, grid: scan.array[box] > 10)
    asked.clear()
    apply([{name: EVERY_STEP[name]}], Region.of(scan.array > 10), watched)
    assert bool(asked) == (name in LEANING)


def test_what_is_taken_away_from_leaves_the_more_the_less_it_is():
    scan = scanned(3, 1)
    scene = scene_over(scan, "ball", "around")
    window = [{"window": [1.5, None]}, {"largest": 1}]
    doubts = found(scene, ball=window, around=[{"outside": "ball"}])
    all_ = scene.grid.voxel_volume * np.prod(scene.grid.size)
    least, most = (volume(r, scene) for r in (doubts["ball"].surely, doubts["ball"].perhaps))
    assert volume(doubts["around"].surely, scene) == pytest.approx(all_ - most)
    assert volume(doubts["around"].perhaps, scene) == pytest.approx(all_ - least)


def test_a_structure_of_which_nothing_is_sure_may_be_empty():
    scan = scanned(1, 1)
    scene = scene_over(scan, "ball", "core")
    # The ball's voxels at this threshold are those that noise lifts over it.
    doubts = found(scene, ball=[{"window": [4.2, None]}], core=[{"inside": "ball"}])
    assert doubts["ball"].surely.count() == 0
    assert doubts["core"].surely.count() == 0
    assert doubts["core"].perhaps.count() > scene.label_map.region(2).count() > 0


@pytest.mark.parametrize("direction", SOME)
def test_doubts_lie_where_they_were_when_read_again(direction, tmp_path):
    scan = scanned(3, 1, (0.8, 0.8, 1.6), SOME[direction])
    scene = scene_over(scan, "ball", "other")
    doubts = found(scene, ball=[{"window": [1.5, None]}, {"largest": 1}])
    write_doubts(tmp_path / "doubts", doubts, scan.grid)
    assert find_doubt(tmp_path / "doubts", "other", scan.grid) is None
    read = find_doubt(tmp_path / "doubts", "ball", scan.grid)
    for one, other in zip(vars(doubts["ball"]).values(), vars(read).values(), strict=True):
        np.testing.assert_array_equal(one.full(scan.grid.shape), other.full(scan.grid.shape))


@pytest.mark.parametrize("direction", SOME)
def test_the_interval_holds_what_the_method_would_not_rule_out(direction):
    """A clear ball is told alike from masks a little smaller and larger; a wrong lobe is not undone."""
    scan = scanned(20, 1, (0.9, 0.9, 1.2), SOME[direction])
    body = sphere(RADIUS, CENTRE)
    grid = scan.grid

    def of_radius(radius: float) -> Region:
        return Region.of(mask_of(sphere(radius, CENTRE), grid))

    def told(doubt: Doubt | None):
        region = of_radius(RADIUS)
        counted = counted_volume(region, grid, grid)
        return estimated_volume(region, grid, scan, counted, ALONE, doubt)

    alone = told(None)
    assert alone == volume_of(
        of_radius(RADIUS), grid, scan, counted_volume(of_radius(RADIUS), grid, grid)
    )
    near = told(Doubt(of_radius(RADIUS - 0.4), of_radius(RADIUS + 0.4)))
    assert near.low <= body.volume <= near.high
    assert near.high - near.low < 0.06 * body.volume
    assert near.volume == alone.volume
    far = told(Doubt(of_radius(RADIUS - 5), of_radius(RADIUS)))
    assert far.low < sphere(RADIUS - 4, CENTRE).volume
    assert far.high >= alone.high
    assert far.shift_sd > 3 * alone.shift_sd
    assert far.doubted


def test_a_count_of_what_may_as_well_be_half_is_no_measurement():
    """A ball in noise alone: by its mask a number of voxels, but not if the method doubts the mask."""
    scan = scanned(0, 1)
    grid = scan.grid
    whole, half = (Region.of(mask_of(sphere(r, CENTRE), grid)) for r in (12, 5))
    counted = counted_volume(whole, grid, grid)
    for doubt, uncertain in ((None, False), (Doubt(half, whole), True)):
        told = estimated_volume(whole, grid, scan, counted, None, doubt)
        assert told.method == "count" and told.volume == counted
        assert told.is_uncertain(grid) == uncertain
