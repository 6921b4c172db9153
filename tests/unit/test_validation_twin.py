"""Twins: tissues, blur and noise as they were in the scan, on grids that are turned and moved."""

import numpy as np
import pytest
from bodies import DIRECTIONS
from scanmill.grid import Grid
from scanmill.noise_level import NoiseLevel, noise_level
from scanmill.phantom.noise import rician
from scanmill.surface import Surface
from scanmill.surface_measures import centroid, volume
from scanmill.validation import challenges
from scanmill.validation import twin as twins
from scanmill.validation.air import held_air
from scanmill.validation.coverage import coverages
from scanmill.validation.scanner import blur_of, blurred, noisy, placed_anew, thicker
from scanmill.validation.truth import ideal_labels, ideal_masks, truth_of
from scanmill.volume_file import Volume
from test_validation_coverage import TRIANGLES, block

TURN = DIRECTIONS["oblique left-handed"]
GRID = Grid((48, 44, 26), (1.2, 1.2, 2.4), (-31.0, 212.0, -99.0), tuple(TURN.ravel().tolist()))
MIDDLE = GRID.to_physical((np.array(GRID.size) - 1) / 2)
ORGAN = block((30, 26, 32), MIDDLE, (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
TUMOUR = block((12, 12, 14), np.add(MIDDLE, (2.0, -3.0, 1.0)))
AIR, LIVER, LESION, SIGMA = -900.0, 60.0, 180.0, 15.0


def scanned(sd=SIGMA, seed=1):
    """The organ and its tumour as a noisy scan; the organ has a ramp of intensity along z."""
    organ, tumour = coverages([ORGAN, TUMOUR], GRID)
    image = np.full(GRID.shape, AIR)
    ramp = LIVER + 2.0 * (np.arange(GRID.size[2]) - GRID.size[2] / 2)[:, None, None]
    image[organ.box] += organ.visible * (ramp[organ.box[0]] - AIR)
    image[tumour.box] += tumour.visible * (LESION - AIR)
    noise = np.random.default_rng(seed).normal(0, sd, GRID.shape)
    return Volume(np.rint(image + noise).astype(np.int16), GRID)


@pytest.fixture(scope="module")
def model():
    return twins.model_of(scanned(), {"organ": ORGAN, "tumour": TUMOUR}, "CT")


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_a_new_grid_lies_within_the_scan_and_loses_little(direction):
    scan = Grid(
        (60, 50, 20), (0.8, 0.8, 5.0), (-70.0, 31.0, 12.0), tuple(direction.ravel().tolist())
    )
    for seed in range(5):
        grid = placed_anew(scan, np.random.default_rng(seed))
        ends = (
            np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * grid.size - 0.5
        )
        index = scan.to_index(grid.to_physical(ends))
        assert (index > -0.5 - 1e-6).all() and (index < np.array(scan.size) - 0.5 + 1e-6).all()
        assert (np.array(grid.size) >= np.array(scan.size) - 4).all()
        assert grid.spacing == scan.spacing
        turn = grid.axes @ np.linalg.inv(scan.axes)
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
        angle = np.arccos((np.trace(turn) - 1) / 2)
        assert np.deg2rad(0.1) < angle <= np.deg2rad(2)
        assert not scan.same_as(grid)


def test_a_twin_has_each_tissue_where_its_surface_lies(model):
    twin = twins.twin_of(model, [3, 1])
    grid = twin.image.grid
    image = twin.image.array
    tumour = twin.covered["tumour"]
    inside = tumour.visible > 0.999
    # What takes the noise away takes some of a small tumour's contrast to the organ of 120.
    assert twin.means["tumour"] == pytest.approx(LESION, abs=9)
    assert image[tumour.box][inside].mean() == pytest.approx(twin.means["tumour"], abs=2)
    assert twin.covered["organ"].volume(grid) == pytest.approx(volume(ORGAN), rel=2e-3)
    outside = np.ones(grid.shape, bool)
    outside[twin.covered["organ"].box] = twin.covered["organ"].whole == 0
    assert image[outside].mean() == pytest.approx(AIR, abs=2)


def test_the_slow_changes_within_a_tissue_stay_where_they_were_in_space():
    model = twins.model_of(scanned(sd=0), {"organ": ORGAN, "tumour": TUMOUR}, "CT")
    twin = twins.twin_of(model, [3, 1])
    grid, image, organ = twin.image.grid, twin.image.array, twin.covered["organ"]
    z, y, x = np.nonzero(organ.visible > 0.999)
    start = [s.start for s in organ.box[::-1]]
    at = GRID.to_index(grid.to_physical(np.stack([x, y, z], 1) + start))[:, 2]
    # Near its ends the field has nothing to go on.
    central = np.abs(at - GRID.size[2] / 2) < 4
    values = image[organ.box][z, y, x]
    slope, middle = np.polyfit((at - GRID.size[2] / 2)[central], values[central], 1)
    assert (slope, middle) == pytest.approx((2.0, LIVER), rel=0.05)


def test_a_voxel_across_an_edge_holds_its_share_of_both_tissues():
    model = twins.model_of(scanned(sd=0), {"organ": ORGAN, "tumour": TUMOUR}, "CT")
    assert model.blur == (0, 0, 0)
    twin = twins.twin_of(model, [5, 1])
    tumour = twin.covered["tumour"]
    organ = twin.covered["organ"]
    around = np.zeros(twin.image.grid.shape)
    around[organ.box] = organ.visible
    mixed = (tumour.visible > 0.1) & (around[tumour.box] > 0.1)
    share = tumour.visible[mixed]
    image = twin.image.array[tumour.box][mixed]
    slope, base = np.polyfit(share, image, 1)
    assert base == pytest.approx(LIVER, abs=10) and base + slope == pytest.approx(LESION, abs=10)


def test_noise_is_that_of_the_scan_and_twice_that_where_asked(model):
    assert model.noise.sd == noise_level(scanned().array, GRID.spacing).sd
    for challenge, times in (("", 1), (challenges.NOISE, 2)):
        twin = twins.twin_of(model, [3, 1], challenge)
        tumour = twin.covered["tumour"]
        found = twin.image.array[tumour.box][tumour.visible > 0.999].std()
        assert found == pytest.approx(times * model.noise.sd, rel=0.08)


@pytest.mark.parametrize("correlation", [(0.0, 0.0), (0.6, 0.3)])
def test_noise_correlates_as_asked(correlation):
    asked = NoiseLevel(10.0, "gaussian", *correlation)
    image = noisy(np.zeros((60, 60, 60)), asked, (1.0, 1.0, 3.0), np.random.default_rng(2))
    assert image.std() == pytest.approx(10, rel=1e-3)
    along = [(image.take(range(1, 60), a) * image.take(range(59), a)).mean() / 100 for a in (2, 0)]
    assert along == pytest.approx(correlation, abs=0.03)


def test_rician_noise_is_not_added_twice_to_what_it_has_raised():
    signal = np.repeat([0.0, 10.0, 30.0, 100.0], 40**3).reshape(160, 40, 40)
    mean = rician(signal, 10.0, np.random.default_rng(1)).reshape(4, -1).mean(axis=1)
    again = np.repeat(mean, 40**3).reshape(160, 40, 40)
    asked = NoiseLevel(10.0, "rician", 0.0, 0.0)
    found = (
        noisy(again, asked, (1.0, 1.0, 1.0), np.random.default_rng(3)).reshape(4, -1).mean(axis=1)
    )
    assert found == pytest.approx(mean, rel=0.01)


def test_the_blur_of_a_scan_is_found_in_plane_and_across():
    sharp = np.zeros((40, 40, 40))
    sharp[10:30, 12:28, 9:31] = 100
    edges = np.abs(blurred(sharp, (2, 2, 2)) - sharp) > 1
    scan = blurred(sharp, (0.9, 0.9, 0.5)) + np.random.default_rng(1).normal(0, 2, sharp.shape)
    assert blur_of(scan, sharp, edges, (1.0, 1.0, 2.0)) == (0.9, 0.9, 0.5)
    # The coarsest axis may be any.
    assert blur_of(scan.transpose(2, 1, 0), sharp.transpose(2, 1, 0), edges.transpose(2, 1, 0),
                   (2.0, 1.0, 1.0)) == (0.5, 0.9, 0.9)  # fmt: skip


def test_thick_slices_average_what_thin_ones_hold(model):
    thin, thick = (twins.twin_of(model, [4, 1], d) for d in ("", challenges.SLICES))
    assert thick.image.grid.spacing == (1.2, 1.2, pytest.approx(7.2))
    assert thick.image.grid.size[2] == thin.image.grid.size[2] // 3
    assert thick.covered["organ"].volume(thick.image.grid) == pytest.approx(volume(ORGAN), rel=3e-3)
    centres = [
        t.image.grid.to_physical((np.array(t.image.grid.size) - 1) / 2) for t in (thin, thick)
    ]
    np.testing.assert_allclose(*centres, atol=1e-9)


def test_thicker_takes_the_coarsest_axis():
    assert thicker(Grid((9, 30, 30), (4.0, 1.0, 1.0)), 3).size == (3, 30, 30)


def test_a_bias_field_shades_by_as_much_as_it_says(model):
    plain, biased = (twins.twin_of(model, [6, 1], d) for d in ("", challenges.BIAS))
    air = plain.image.array < -700
    ratio = biased.image.array[air] / plain.image.array[air]
    assert 0.55 < ratio.min() < 0.75 and 1.25 < ratio.max() < 1.45


def held(air, lung, direction):
    """A body of 60 HU that holds a block of air, and a lung: scan, what both fill, the air as drawn."""
    grid = Grid(
        (50, 46, 40), (1.1, 1.1, 1.6), (40.0, -90.0, 7.0), tuple(direction.ravel().tolist())
    )
    middle = grid.to_physical((np.array(grid.size) - 1) / 2)
    turned = ((10, 1, 2), direction @ TURN), ((-11, 0, -3), direction)
    places = [(np.add(middle, direction @ offset), turn.ravel()) for offset, turn in turned]
    blocks = {
        "body": block((42, 40, 50), middle, direction.ravel()),
        "air": block(air, *places[0]),
        "lung": block(lung, *places[1]),
    }
    covered = dict(zip(blocks, coverages(list(blocks.values()), grid), strict=True))
    image = np.full(grid.shape, -1000.0)
    for name, hu in (("body", 60), ("air", -990), ("lung", -850)):
        part = covered[name]
        image[part.box] += part.visible * (hu + 1000)
    return Volume(image, grid), [covered["body"], covered["lung"]], blocks["air"]


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_air_that_a_body_holds_has_its_own_surface_and_a_lung_keeps_its_own(direction):
    scan, covered, drawn = held((13, 12, 16), (12, 20, 22), direction)
    surface = held_air(scan, covered)
    # Corners are cut off a little, as they are where a scan is drawn at half contrast.
    assert volume(surface) == pytest.approx(13 * 12 * 16, rel=0.06)
    assert centroid(surface) == pytest.approx(centroid(drawn), abs=0.1)


def test_no_air_no_surface():
    scan, covered, _ = held((13, 12, 16), (12, 20, 22), np.eye(3))
    assert held_air(Volume(np.maximum(scan.array, -300), scan.grid), covered) is None


def test_the_rim_of_air_in_a_twin_is_no_wider_than_in_the_scan():
    scan, *_ = held((13, 12, 16), (12, 20, 22), np.eye(3))
    body = block((42, 40, 50), scan.grid.to_physical((np.array(scan.grid.size) - 1) / 2))
    middle = np.s_[6:-6, 8:-8, 30:-8]
    told = {}
    for modality in ("CT", "MR"):
        model = twins.model_of(scan, {"body": body}, modality)
        image = twins.twin_of(model, [3, 1]).image.array[middle]
        told[modality] = int(((image > -900) & (image < -100)).sum())
    rim = scan.array[middle]
    assert told["CT"] <= 1.1 * ((rim > -900) & (rim < -100)).sum() < 0.9 * told["MR"]


def test_large_voxels_average_what_small_ones_hold(model):
    small, large = (twins.twin_of(model, [4, 1], c) for c in ("", challenges.VOXELS))
    assert large.image.grid.spacing == pytest.approx((2.4, 2.4, 4.8))
    assert large.image.grid.size == tuple(n // 2 for n in small.image.grid.size)
    assert large.covered["organ"].volume(large.image.grid) == pytest.approx(volume(ORGAN), rel=3e-3)


def test_motion_makes_ghosts_and_leaves_the_anatomy_where_it_is(model):
    still, moved = (twins.twin_of(model, [4, 1], c) for c in ("", challenges.MOTION))
    assert moved.image.grid == still.image.grid and moved.means == still.means
    signal = np.zeros(model.grid.shape)
    signal[5:-5, 12:-12, 12:-12] = 100
    ghosts = challenges.spoiled(signal, model.grid, challenges.MOTION, np.random.default_rng(1))
    assert ghosts[12, 2:8, 20].max() > 2 and ghosts[12, 20, 2:8].max() < 1e-6


@pytest.mark.parametrize("turn", ["xyz+++", "zyx-+-", "yzx+--", "oblique coronal"])
def test_a_rod_of_steel_lies_along_the_patient_in_the_middle_of_the_body(turn):
    frame = tuple(DIRECTIONS[turn].ravel().tolist())
    grid = Grid((36, 40, 44), (2.0, 1.5, 1.8), (9.0, -50.0, 3.0), frame)
    middle = grid.to_physical(np.array([18, 21, 22]))
    (body,) = coverages([block((50, 40, 44), middle)], grid)
    water = np.full(grid.shape, -1000.0)
    water[body.box] += 1000 * body.whole
    scan = challenges.spoiled(water, grid, challenges.METAL, np.random.default_rng(1))
    bright = np.argwhere(scan > 2500)[:, ::-1]
    assert grid.to_physical(bright).mean(axis=0) == pytest.approx(middle, abs=1.5)
    along, step = bright[:, grid.axial_axis], grid.spacing[grid.axial_axis]
    assert np.ptp(along) * step == pytest.approx(challenges.ROD_LENGTH - step, abs=step)
    # Streaks: only in the slices of the rod, and there in a good part of them.
    wrong = np.moveaxis(np.abs(scan - water) > 20, 2 - grid.axial_axis, 0)
    hit = np.unique(along)
    assert 0.02 < wrong[hit].mean() < 0.5
    assert not np.delete(wrong, hit, 0).any()


def test_each_modality_has_its_challenges():
    assert challenges.possible(GRID, "CT", 5.0) == ["noise", "voxels", "slices", "metal"]
    assert challenges.possible(GRID, "MR", 0.0) == ["voxels", "slices", "bias", "motion"]
    # Few layers cannot be made fewer.
    flat = Grid((48, 44, 9), GRID.spacing)
    assert challenges.possible(flat, "any", 5.0) == ["noise"]


def test_the_same_seed_gives_the_same_twin(model):
    one, two, other = (twins.twin_of(model, seed).image for seed in ([7, 1], [7, 1], [7, 2]))
    assert one.grid == two.grid and one.array.tobytes() == two.array.tobytes()
    assert not one.grid.same_as(other.grid)


def test_truth_is_the_polyhedrons_where_it_is_whole_and_its_part_where_it_is_cut():
    (covered,) = coverages([ORGAN], GRID)
    truth = truth_of(ORGAN, covered, GRID)
    assert truth["volume"] == pytest.approx(30 * 26 * 32)
    assert truth["area"] == pytest.approx(2 * (30 * 26 + 26 * 32 + 30 * 32))
    assert truth["diameter"] == pytest.approx(np.sqrt(30**2 + 26**2 + 32**2))
    assert [truth[f"centroid_{a}"] for a in "xyz"] == pytest.approx(MIDDLE)
    # A slab through the middle of the grid keeps what lies in it, and no area.
    cut = GRID.crop((0, 0, 8), (48, 44, 9))
    along = np.array([0, 0, 1])
    slab = Surface(
        (MIDDLE + ((block((20, 20, 400)).points) @ np.reshape(GRID.direction, (3, 3)).T)), TRIANGLES
    )
    (covered,) = coverages([slab], cut)
    assert truth_of(slab, covered, cut) == {"volume": pytest.approx(20 * 20 * 9 * 2.4, rel=5e-3)}
    away = Surface(slab.points + 1e4 * along, TRIANGLES)
    (covered,) = coverages([away], cut)
    assert truth_of(away, covered, cut) == {}


def test_a_perfect_observer_sees_what_fills_most_of_a_voxel():
    grid = Grid((4, 1, 1), (1.0, 1.0, 1.0))
    pair = {
        "one": block((1.7, 1, 1), (0.45, 0, 0)),
        "two": block((1.6, 1, 1), (2.1, 0, 0)),
    }
    assert ideal_labels(pair, {"one": 5, "two": 300}, grid).tolist() == [[[5, 5, 300, 0]]]
    masks = ideal_masks(list(pair.values()), grid)
    assert [m.ravel().tolist() for m in masks] == [[1, 1, 0, 0], [0, 0, 1, 0]]
