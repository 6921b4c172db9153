"""Volumes of analytic structures in scans of every orientation, and their 95 % intervals."""

import numpy as np
import pytest
from bodies import DIRECTIONS, OBLIQUE, grid_over, mask_of, points_of
from scanmill.interval import FITTED_BOX, intervals, volume_of
from scanmill.label_map import Region
from scanmill.phantom.body import Box, Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.phantom.point_spread import LATTICE, SAMPLES, Profile, offsets
from scanmill.phantom.rendering import occupancy
from scanmill.surroundings import Neighbours, scene_of
from scanmill.volume_file import Volume

CENTRE = (31.37, -112.71, 402.93)
POSE = {"centre": CENTRE, "rotation": tuple(turned((20, -35, 50)).ravel())}
SOME = {name: DIRECTIONS[name] for name in ("xyz+++", "xyz---", "yxz-++", *OBLIQUE)}


def scanned(body, spacing=(1.0, 1.0, 1.0), direction=None, noise=0.05, seed=0, points=LATTICE):
    """A scan of signal 1 in a body and 0 around it, with noise."""
    grid = grid_over(body, spacing, direction, margin=6 * max(spacing))
    signal = occupancy(body, grid, points) / SAMPLES
    noisy = signal + noise * np.random.default_rng(seed).standard_normal(grid.shape)
    return Volume(noisy.astype(np.float32), grid)


def estimated(body, scan, moved=0.0):
    """The estimate with a mask whose boundary lies `moved` mm outside the body's, on cubic voxels."""
    cubic = scan.grid.isotropic(min(scan.grid.spacing))
    z, y, x = np.indices(cubic.shape)
    points = cubic.to_physical(np.stack([x, y, z], axis=-1).reshape(-1, 3))
    region = Region.of((body.distance(points) < moved).reshape(cubic.shape))
    counted = region.count() * cubic.voxel_volume
    return volume_of(region, cubic, scan, counted), counted


@pytest.mark.parametrize("direction", SOME)
@pytest.mark.parametrize("longer", [-1.2, 1.2])
def test_thick_slices_do_not_say_where_a_body_ends_along_them(direction, longer):
    """The mask of a ball ends a third of a slice too early or too late at either end."""
    ball, spacing = sphere(4.5, CENTRE), (0.8, 0.8, 4.0)
    for seed in range(3):
        scan = scanned(ball, spacing, SOME[direction], noise=0.1, seed=seed)
        rotation = tuple(np.ravel(SOME[direction]))
        mask = Ellipsoid(radii=(4.5, 4.5, 4.5 + longer), centre=CENTRE, rotation=rotation)
        found, counted = estimated(mask, scan)
        assert counted / ball.volume == pytest.approx(1 + longer / 4.5, abs=0.03)
        assert found.method == "fit"
        assert found.low - 0.03 * ball.volume < ball.volume < found.high + 0.03 * ball.volume
        # A quarter of the volume is wrong in the mask.
        assert abs(found.volume - ball.volume) < 0.5 * abs(counted - ball.volume)


def test_a_boundary_that_no_voxel_feels_leaves_the_doubt_of_the_mask():
    """Voxels of a scan so coarse that a small body's place is nowhere felt but in its own."""
    ball = sphere(1.5, CENTRE)
    scan = scanned(ball, (6.0, 6.0, 6.0), noise=0.05)
    own = scan.grid.isotropic(0.5)
    region = Region.of(mask_of(ball, own))
    found = volume_of(region, own, scan, region.count() * own.voxel_volume)
    assert np.isfinite([found.volume, found.low, found.high]).all()
    assert found.high - found.low > found.volume
    assert found.is_uncertain(scan.grid)


@pytest.mark.parametrize("direction", SOME)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 3.0)])
def test_a_mask_half_a_voxel_off_is_put_right_in_any_orientation(direction, spacing):
    body = Ellipsoid(radii=(6.0, 4.5, 5.5), **POSE)
    scan = scanned(body, spacing, SOME[direction])
    for moved in (-0.4, 0.4):
        found, counted = estimated(body, scan, moved)
        assert found.method == "fit"
        assert abs(counted / body.volume - 1) > 0.15
        assert found.volume == pytest.approx(body.volume, rel=0.025)
        assert abs(found.volume - body.volume) < 3 * found.sd


def test_a_blurred_small_sphere_is_unbiased():
    errors = []
    points = offsets([Profile(1.0, 1.2)] * 3, (1.0, 1.0, 1.0))
    for seed in range(12):
        shift = np.random.default_rng(seed).uniform(-0.5, 0.5, 3)
        body = sphere(2.5, tuple(np.add(CENTRE, shift)))
        found, _ = estimated(body, scanned(body, noise=0.1, seed=seed, points=points))
        errors.append(found.volume / body.volume - 1)
    assert abs(np.mean(errors)) < 0.05


def test_intervals_hold_the_truth_as_often_as_they_say():
    held = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        body = Ellipsoid(
            radii=tuple(random.uniform(2.5, 6, 3)),
            **POSE | {"centre": tuple(CENTRE + random.random(3))},
        )
        scan = scanned(
            body, (1.0, 1.0, random.uniform(1, 4)), noise=random.uniform(0.05, 0.4), seed=seed
        )
        found, _ = estimated(body, scan, random.uniform(-0.4, 0.4))
        held += found.low <= body.volume <= found.high
    # Of 40 intervals of 95 %, fewer than 34 hold the truth in 0.3 % of trials.
    assert held >= 34


@pytest.mark.parametrize("direction", ["xyz+++", "oblique left-handed"])
def test_a_large_structure_is_told_from_local_fractions(direction):
    body = Ellipsoid(radii=(16.0, 12.0, 14.0), **POSE)
    scan = scanned(body, direction=DIRECTIONS[direction], noise=0.1)
    # A surrounding that varies: four fifths of the contrast from one side to the other.
    scan.array += np.linspace(-0.4, 0.4, scan.array.shape[2], dtype=np.float32)
    found, counted = estimated(body, scan, 0.4)
    assert found.method == "fractions"
    assert counted > 1.05 * body.volume
    assert found.volume == pytest.approx(body.volume, rel=0.01)
    assert found.low < body.volume < found.high


def test_the_order_of_axes_does_not_matter():
    body = Ellipsoid(radii=(5.0, 3.5, 4.5), **POSE)
    scan = scanned(body)
    mask = mask_of(body, scan.grid)
    volumes = []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        image = np.ascontiguousarray(scan.array.transpose(order))
        # The array's axes are z, y, x; the grid's x, y, z.
        axes = [2 - order[2 - a] for a in range(3)]
        grid = type(scan.grid)(
            tuple(scan.grid.size[a] for a in axes),
            scan.grid.spacing,
            scan.grid.origin,
            tuple(np.reshape(scan.grid.direction, (3, 3))[:, axes].ravel().tolist()),
        )
        region = Region.of(np.ascontiguousarray(mask.transpose(order)))
        volumes.append(volume_of(region, grid, Volume(image, grid), 1.0).volume)
    assert volumes[1:] == pytest.approx(volumes[:1] * 2, rel=1e-4)


def test_where_the_image_shows_nothing_voxels_are_counted():
    body = sphere(4, CENTRE)
    scan = scanned(body)
    noise = np.random.default_rng(1).standard_normal(scan.array.shape).astype(np.float32)
    for image in (np.zeros_like(scan.array), noise):
        found, counted = estimated(body, Volume(image, scan.grid))
        assert found.method == "count" and found.volume == counted
        assert found.low < 0.85 * counted and found.high > 1.15 * counted


@pytest.mark.parametrize("direction", ["xyz+++", "oblique left-handed"])
def test_of_what_the_scan_cuts_the_part_in_it_is_told(direction):
    body = sphere(10, CENTRE)
    scan = scanned(body, direction=DIRECTIONS[direction])
    start = scan.grid.size[0] // 2
    size = (scan.grid.size[0] - start, *scan.grid.size[1:])
    cut = Volume(scan.array[:, :, start:].copy(), scan.grid.crop((start, 0, 0), size))
    # The cap beyond the outer face of the first voxels, by its height.
    first = cut.grid.to_physical((-0.5, 0, 0))
    height = 10 - (first - CENTRE) @ np.reshape(cut.grid.direction, (3, 3))[:, 0]
    truth = np.pi * height**2 * (3 * 10 - height) / 3
    found, counted = estimated(body, cut, 0.4)
    assert found.method == "fractions"
    assert counted > 1.08 * truth
    assert found.volume == pytest.approx(truth, rel=0.02)
    assert found.low < truth < found.high


def within(body, grid):
    return Region.of(mask_of(body, grid))


def told(mask, scan, neighbours):
    region = Region.of(mask)
    counted = region.count() * scan.grid.voxel_volume
    return volume_of(region, scan.grid, scan, counted, neighbours)


@pytest.mark.parametrize("direction", ["xyz+++", "oblique left-handed"])
def test_a_neighbour_of_the_same_signal_leaves_the_mask_and_its_doubt_there(direction):
    body = Box(size=(30.0, 26.0, 24.0), **POSE)
    turn = np.reshape(POSE["rotation"], (3, 3))
    beside = Box(size=(30.0, 26.0, 24.0), **POSE | {"centre": tuple(CENTRE + turn[:, 0] * 30)})
    both = Box(size=(60.0, 26.0, 24.0), **POSE | {"centre": tuple(CENTRE + turn[:, 0] * 15)})
    scan = scanned(both, direction=DIRECTIONS[direction])
    mask, other = mask_of(body, scan.grid), mask_of(beside, scan.grid)
    hidden = told(mask, scan, Neighbours([Region.of(other)]))
    scan.array[other] = scan.array[other] + 2
    shown = told(mask, scan, Neighbours([Region.of(other)]))
    assert hidden.method == shown.method == "fractions"
    # A sixth of the boundary, in doubt by COUNTED voxels.
    assert hidden.sd > 0.25 * 26 * 24 > 1.3 * shown.sd
    for found in (hidden, shown):
        assert found.low < body.volume < found.high
        assert found.volume == pytest.approx(body.volume, rel=0.02)


def test_two_known_neighbours_of_opposite_signals_are_both_followed():
    body = Ellipsoid(radii=(13.0, 11.0, 12.0), **POSE)
    scan = scanned(body, direction=DIRECTIONS["oblique"], noise=0.1)
    grid = scan.grid
    side = points_of(grid) @ np.array([0.6, 0.0, 0.8])
    bright = Region.of((side > np.median(side)) & ~mask_of(body, grid))
    fills = occupancy(body, grid) / SAMPLES
    scan.array += ((side > np.median(side)) * 2 * (1 - fills)).astype(np.float32)
    mask = body.distance(points_of(grid).reshape(-1, 3)).reshape(grid.shape) < 0.3
    found = told(mask, scan, Neighbours([bright]))
    assert found.method == "fractions"
    assert np.count_nonzero(mask) * grid.voxel_volume > 1.05 * body.volume
    assert found.low < body.volume < found.high
    assert found.volume == pytest.approx(body.volume, rel=0.015)


def test_an_organ_that_holds_a_lesion_is_told_by_its_own_tissue():
    organ = Ellipsoid(radii=(16.0, 12.0, 14.0), **POSE)
    lesion = sphere(6, tuple(np.add(CENTRE, (4.0, 0.0, 1.0))))
    scan = scanned(organ, direction=DIRECTIONS["oblique"], noise=0.1)
    scan.array += (2 * occupancy(lesion, scan.grid) / SAMPLES).astype(np.float32)
    points = points_of(scan.grid).reshape(-1, 3)
    mask = (organ.distance(points) < 0.4).reshape(scan.grid.shape)
    found = told(mask, scan, Neighbours(above=[within(lesion, scan.grid)]))
    assert found.method == "fractions"
    assert np.count_nonzero(mask) * scan.grid.voxel_volume > 1.05 * organ.volume
    assert found.low < organ.volume < found.high
    assert found.volume == pytest.approx(organ.volume, rel=0.015)


@pytest.mark.parametrize("direction", ["xyz+++", "xyz+--", "oblique left-handed"])
def test_flat_ends_halfway_through_a_slice_are_no_whole_slices(direction):
    """The mask's own voxels, half as thick, tell where the ends are; slices' centres do not."""
    grid = grid_over(Box(size=(44.0, 44.0, 50.0), **POSE), (1.0, 1.0, 2.0), DIRECTIONS[direction])
    cubic = grid.isotropic(1.0)
    z, y, x = (n // 2 for n in cubic.shape)
    mask = np.zeros(cubic.shape, bool)
    mask[z - 14 : z + 15, y - 15 : y + 15, x - 15 : x + 15] = True
    region = Region.of(mask)
    signal = np.zeros(grid.shape, np.float32)
    scene = scene_of(region, cubic, Neighbours(), grid, 4)
    signal[scene.box] = scene.filled(np.arange(scene.inside.size)).reshape(scene.inside.shape)
    noise = 0.05 * np.random.default_rng(3).standard_normal(grid.shape)
    scan = Volume((signal + noise).astype(np.float32), grid)
    counted = region.count() * cubic.voxel_volume
    found = volume_of(region, cubic, scan, counted)
    assert found.method == "fractions" and region.count() == 30 * 30 * 29
    assert found.volume == pytest.approx(counted, rel=0.003)


def test_a_body_of_layers_that_holds_organs_is_counted():
    """Where its outermost layer is thinner than a voxel, no voxel shows the signal of its edge."""
    body = Ellipsoid(radii=(18.0, 16.0, 17.0), **POSE)
    organ = sphere(9, CENTRE)
    scan = scanned(body, direction=DIRECTIONS["oblique"])
    side = points_of(scan.grid) @ np.array([0.6, 0.0, 0.8])
    layered = np.where(side > np.median(side), 1.0, 0.8)
    scan = Volume((scan.array * layered).astype(np.float32), scan.grid)
    mask = mask_of(body, scan.grid)
    assert told(mask, scan, Neighbours()).method == "fractions"
    found = told(mask, scan, Neighbours(above=[within(organ, scan.grid)]))
    assert found.method == "count" and found.low < body.volume < found.high


def test_one_voxel_is_no_measurement():
    scan = scanned(sphere(0.6, CENTRE), noise=0.5)
    mask = np.zeros(scan.grid.shape, bool)
    mask[tuple(n // 2 for n in mask.shape)] = True
    found = volume_of(Region.of(mask), scan.grid, scan, 1.0)
    assert found.is_uncertain(scan.grid) and found.is_small(scan.grid)


def test_lengths_area_and_mean_have_intervals_that_hold_their_values():
    body = sphere(5, CENTRE)
    scan = scanned(body)
    found, _ = estimated(body, scan, 0.4)
    region = Region.of(mask_of(body, scan.grid))
    # As a mask that is 0.4 mm too large gives them.
    measured = {
        "axial_long_mm": 10.8,
        "axial_short_mm": 10.8,
        "morph_diam": 10.8,
        "surface_area_mm2": 4 * np.pi * 5.4**2,
        "stat_mean": 0.95,
    }
    given = intervals(measured, found, region, scan.grid, scan.grid)
    truth = {"axial_long": 10, "axial_short": 10, "morph_diam": 10, "surface_area": 4 * np.pi * 25}
    for name, unit in (
        ("axial_long", "_mm"),
        ("axial_short", "_mm"),
        ("morph_diam", ""),
        ("surface_area", "_mm2"),
    ):
        assert given[f"{name}_low{unit}"] < truth[name] < given[f"{name}_high{unit}"]
        assert given[f"{name}_high{unit}"] >= measured[name + unit]
    assert given["stat_mean_low"] <= 0.95 <= given["stat_mean_high"]


def test_fragments_strewn_over_a_scan_are_not_fitted_as_one_body():
    """Two balls far apart: a body of both would be sought in a box of all that lies between them."""
    balls = [sphere(4, np.add(CENTRE, (side, side, side))) for side in (-22, 22)]
    grid = grid_over(sphere(30, CENTRE), margin=6)
    inside = [occupancy(ball, grid) / SAMPLES for ball in balls]
    noise = 0.05 * np.random.default_rng(0).standard_normal(grid.shape)
    scan = Volume((sum(inside) + noise).astype(np.float32), grid)
    region = Region.of(sum(inside) > 0.5)
    assert region.array.size > FITTED_BOX
    found = volume_of(region, grid, scan, region.count() * grid.voxel_volume)
    assert found.method == "fractions"
    assert found.low < 2 * balls[0].volume < found.high
