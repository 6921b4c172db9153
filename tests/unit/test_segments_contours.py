"""Contours to masks: pixels by their centres, planes by their places, the rest by shape."""

import numpy as np
import pytest
from bodies import DIRECTIONS, OBLIQUE, grid_over, mask_of, points_of
from hypothesis import given
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.phantom.body import sphere
from scanmill.phantom.description import turned
from scanmill.refusal import Refusal
from scanmill.source.segments.contour_mask import mask_of as mask_of_contours
from scanmill.source.segments.raster import draw
from segment_samples import circle, contours_of, keyhole, sphere_contours

CENTRE = np.array([31.3, -112.7, 402.9])
BALL = sphere(20.0, tuple(CENTRE))
SPACING = (0.8, 0.9, 2.5)
SOME = ["xyz+++", "yxz-+-", "zxy+--", *OBLIQUE]


def scan(direction="oblique", spacing=SPACING) -> Grid:
    return grid_over(BALL, spacing, DIRECTIONS[direction], margin=12)


def drawn(*contours, shape=(24, 26)):
    parts = [np.asarray(contour, float) for contour in contours]
    bounds = np.cumsum([0, *(len(part) for part in parts)])
    planes = np.zeros(len(parts), np.int64)
    mask, crossing = draw(np.concatenate(parts), bounds, planes, (1, *shape))
    return mask[0], crossing


def full(mask, grid) -> np.ndarray:
    """A mask of the grid's own lattice, on the grid."""
    assert mask.lattice.same_as(grid)
    result = np.zeros(grid.shape, bool)
    box = tuple(slice(a, a + n) for a, n in zip(mask.start[::-1], mask.array.shape, strict=True))
    result[box] = mask.array
    return result


def volume(mask) -> float:
    return float(mask.array.sum() * mask.lattice.voxel_volume)


def centroid(mask) -> np.ndarray:
    index = np.argwhere(mask.array)[:, ::-1].mean(axis=0) + mask.start
    return mask.lattice.to_physical(index)


def dice(one, other) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def turns_inside(points, shape) -> np.ndarray:
    """Even-odd by the parity of crossings of a ray to the left of every pixel's centre."""
    v, u = np.indices(shape)
    odd = np.zeros(shape, bool)
    for (u0, v0), (u1, v1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if v0 != v1:
            cut = u0 + (v - v0) * (u1 - u0) / (v1 - v0)
            odd ^= (np.minimum(v0, v1) <= v) & (v < np.maximum(v0, v1)) & (cut <= u)
    return odd


CORNERS = st.lists(
    st.tuples(st.integers(0, 25 * 8191), st.integers(0, 23 * 8191)), min_size=3, max_size=12
)


@given(CORNERS)
def test_a_pixel_is_inside_where_its_centre_is(corners):
    points = np.array(corners) / 8192
    mask, _ = drawn(points)
    expected = turns_inside(points, mask.shape)
    # Where an edge passes a centre within a rounding error, either side is right.
    assert np.count_nonzero(mask != expected) <= 1


@given(st.floats(3, 10), st.floats(11, 13), st.floats(11, 13), st.floats(0, 1))
def test_the_area_is_the_polygons(radius, u, v, turn):
    angles = 2 * np.pi * (np.arange(7) / 7 + turn)
    points = np.stack([u + radius * np.cos(angles), v + radius * np.sin(angles)], axis=1)
    mask, crossing = drawn(points)
    area = 3.5 * radius**2 * np.sin(2 * np.pi / 7)
    # Each unit of outline is wrong by a fraction of a pixel at random: far less than this.
    assert mask.sum() == pytest.approx(area, abs=1.5 * np.sqrt(2 * np.pi * radius))
    assert crossing == 0


@pytest.mark.parametrize("flip", [1, -1])
def test_edges_through_centres_keep_the_area(flip):
    square = np.array([(3, 4), (10, 4), (10, 9), (3, 9)], float)[::flip]
    for noise in (0.0, 2e-5, -2e-5):
        mask, _ = drawn(square + noise)
        assert mask.sum() == 35
        assert mask[4, 3] and not mask[9, 3] and not mask[4, 10]


def test_edges_between_pixels_give_back_the_pixels():
    mask, _ = drawn([(2.5, 3.5), (9.5, 3.5), (9.5, 12.5), (2.5, 12.5)])
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 12, 3, 9)


def test_a_keyhole_and_a_hole_are_one_and_its_channel_leaves_no_gap():
    plane = np.eye(3)[:2]
    outer = circle(np.array([12.2, 11.4, 0]), 10, *plane, count=40)[:, :2]
    inner = circle(np.array([12.0, 11.9, 0]), 4, *plane, count=24)[:, :2]
    ring, _ = drawn(keyhole(outer, inner))
    for contours in ((outer, inner), (inner, outer), (outer[::-1], inner)):
        holed, crossing = drawn(*contours)
        assert np.array_equal(holed, ring)
        assert crossing == 0
    assert ring.sum() == drawn(outer)[0].sum() - drawn(inner)[0].sum()
    island, crossing = drawn(outer, inner, inner * 0.4 + np.array([12, 11.9]) * 0.6)
    assert island[12, 12] and crossing == 0 and island.sum() > ring.sum()


def test_pieces_are_joined_and_crossing_ones_are_counted():
    square = np.array([(2.5, 2.5), (8.5, 2.5), (8.5, 8.5), (2.5, 8.5)])
    mask, crossing = drawn(square, square + np.array([10, 0]), square + np.array([6, 0]))
    assert mask.sum() == 3 * 36 - 2 * 12 and crossing == 1
    apart, crossing = drawn(square, square + np.array([6, 0]))
    assert apart.sum() == 72 and crossing == 0


@pytest.mark.parametrize("direction", SOME)
def test_a_sphere_on_the_scans_slices(direction):
    grid = scan(direction)
    mask, notes = mask_of_contours(contours_of(sphere_contours(CENTRE, 20, grid)), grid)
    assert notes == []
    assert dice(full(mask, grid), mask_of(BALL, grid)) > 0.998
    assert volume(mask) == pytest.approx(BALL.volume, rel=0.01)


@pytest.mark.parametrize("as_keyhole", [True, False])
@pytest.mark.parametrize("direction", SOME[::2])
def test_a_cavity_and_a_piece_apart(direction, as_keyhole):
    grid = scan(direction)
    u, v, _ = np.reshape(grid.direction, (3, 3)).T
    parts = []
    inner = sphere_contours(CENTRE + 2 * u, 9, grid)
    outer = sphere_contours(CENTRE, 20, grid)
    normal = np.cross(u, v)
    for contour in outer:
        held = [c for c in inner if abs((c[0] - contour[0]) @ normal) < 1e-6]
        parts += [keyhole(contour, held[0])] if held and as_keyhole else [contour, *held]
    small = sphere_contours(CENTRE + 26 * u, 4, grid)
    mask, notes = mask_of_contours(contours_of(parts + small), grid)
    assert notes == []
    points = points_of(grid).reshape(-1, 3)
    distance = [np.linalg.norm(points - CENTRE - shift * u, axis=1) for shift in (0, 2, 26)]
    truth = ((distance[0] < 20) & (distance[1] >= 9)) | (distance[2] < 4)
    assert dice(full(mask, grid), truth.reshape(grid.shape)) > 0.995


@pytest.mark.parametrize("direction", SOME)
@pytest.mark.parametrize("every", [2, 3])
def test_slices_left_out_in_drawing_are_filled_by_shape(direction, every):
    grid = scan(direction, (0.8, 0.9, 1.25))
    layers = np.arange(1, grid.size[2], every)
    mask, notes = mask_of_contours(contours_of(sphere_contours(CENTRE, 20, grid, layers)), grid)
    assert [code for code, _ in notes] == ["contours-interpolated"]
    assert dice(full(mask, grid), mask_of(BALL, grid)) > 0.98
    # Straight from circle to circle, and no cap beyond the last one: some volume is lost.
    assert volume(mask) == pytest.approx(BALL.volume, rel={2: 0.02, 3: 0.04}[every])


def test_one_slice_left_out_is_filled_and_a_real_gap_is_not():
    grid = scan()
    contours = sphere_contours(CENTRE, 20, grid)
    without_one = contours[:5] + contours[6:]
    mask, notes = mask_of_contours(contours_of(without_one), grid)
    assert [code for code, _ in notes] == ["contours-interpolated"]
    assert volume(mask) == pytest.approx(BALL.volume, rel=0.02)
    two_pieces = contours[:4] + contours[9:]
    mask, notes = mask_of_contours(contours_of(two_pieces), grid)
    assert [code for code, _ in notes] == ["contours-apart"]
    filled = mask.array.any(axis=(1, 2))
    assert filled.sum() == len(two_pieces) and not filled[4:9].any()


@pytest.mark.parametrize("direction", SOME)
@pytest.mark.parametrize(("first", "step"), [(0.4, 1.0), (0.1, 0.6), (0.25, 1.7)])
def test_planes_between_the_scans_slices(direction, first, step):
    grid = scan(direction)
    layers = np.arange(first, grid.size[2], step)
    mask, notes = mask_of_contours(contours_of(sphere_contours(CENTRE, 20, grid, layers)), grid)
    assert [code for code, _ in notes] == ["contours-interpolated"]
    assert mask.lattice.spacing[2] == pytest.approx(step * 2.5)
    assert volume(mask) == pytest.approx(BALL.volume, rel=0.02)
    assert centroid(mask) == pytest.approx(CENTRE, abs=0.3)


def test_uneven_planes():
    grid = scan()
    rng = np.random.default_rng(5)
    layers = np.arange(0, grid.size[2], 0.9) + rng.uniform(
        -0.25, 0.25, int(np.ceil(grid.size[2] / 0.9))
    )
    mask, notes = mask_of_contours(contours_of(sphere_contours(CENTRE, 20, grid, layers)), grid)
    assert "unevenly" in notes[0][1]
    assert volume(mask) == pytest.approx(BALL.volume, rel=0.04)
    assert centroid(mask) == pytest.approx(CENTRE, abs=0.5)


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("direction", SOME)
def test_contours_across_the_scans_slices(direction, axes):
    grid = scan(direction)
    across = np.reshape(grid.direction, (3, 3))[:, axes]
    planes = grid_over(BALL, (1, 1, 2.0), across, margin=5)
    mask, _ = mask_of_contours(contours_of(sphere_contours(CENTRE, 20, planes)), grid)
    assert volume(mask) == pytest.approx(BALL.volume, rel=0.01)
    assert centroid(mask) == pytest.approx(CENTRE, abs=0.2)
    assert abs(np.reshape(mask.lattice.direction, (3, 3))[:, 2] @ across[:, 2]) > 0.999


@given(st.tuples(*[st.floats(-180, 180)] * 3))
def test_contours_of_any_normal(angles):
    grid = scan()
    planes = grid_over(BALL, (1, 1, 2.0), turned(angles), margin=5)
    mask, _ = mask_of_contours(contours_of(sphere_contours(CENTRE, 20, planes)), grid)
    assert volume(mask) == pytest.approx(BALL.volume, rel=0.02)
    assert centroid(mask) == pytest.approx(CENTRE, abs=0.3)


@pytest.mark.parametrize("layer", [7, 7.3])
def test_one_contour_stands_for_one_slice(layer):
    grid = scan()
    u, v, normal = np.reshape(grid.direction, (3, 3)).T
    height = (grid.to_physical(np.array([0, 0, layer])) - CENTRE) @ normal
    contour = circle(CENTRE + height * normal, 12, u, v)
    mask, notes = mask_of_contours(contours_of([contour]), grid)
    assert notes == []
    assert volume(mask) == pytest.approx(np.pi * 12**2 * 2.5, rel=0.01)


def test_contours_may_leave_the_scan():
    grid = scan()
    part = grid.crop((45, 40, 15), (20, 20, 6))
    mask, _ = mask_of_contours(contours_of(sphere_contours(CENTRE, 20, grid)), part)
    assert min(mask.start) < 0
    assert volume(mask) == pytest.approx(BALL.volume, rel=0.01)
    assert centroid(mask) == pytest.approx(CENTRE, abs=0.2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c, n: [c[0] + np.linspace(0, 3, len(c[0]))[:, None] ** 2 * n, *c[1:]], "not flat"),
        (lambda c, n: [c[3], c[3] + 40 * n], "40 mm apart"),
        (lambda c, n: [c[5], c[5] + 17.5 * n, c[5] + 35 * n], "17.5 mm apart"),
        (lambda c, n: [c[3] + k * 0.09 * n for k in range(4)], "twentieth"),
        (lambda c, n: [c[3], c[3] + [[90000, 0, 0]] - n * (n[0] * 90000)], "span"),
    ],
)
def test_contours_that_cannot_be_trusted_are_refused(change, words):
    grid = scan()
    normal = np.reshape(grid.direction, (3, 3))[:, 2]
    parts = change(sphere_contours(CENTRE, 20, grid), normal)
    with pytest.raises(Refusal, match=words) as refusal:
        mask_of_contours(contours_of(parts), grid)
    assert refusal.value.code == "labels-unreadable"


def test_a_contour_without_area_is_no_structure():
    grid = scan()
    line = CENTRE + np.outer([0, 1, 2, 3], [1.0, 2.0, 3.0])
    with pytest.raises(Refusal) as refusal:
        mask_of_contours(contours_of([line]), grid)
    assert refusal.value.code == "structure-empty"
