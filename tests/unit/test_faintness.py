"""Where a surface lies in the image's noise, it is said to; on anisotropic and oblique grids."""

import numpy as np
import pytest
from bodies import DIRECTIONS, points_of
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.segmentation import Scene, seeded
from scanmill.segmentation.faintness import faint_share
from scanmill.stage import Record

CENTRE = np.array([-120.0, 41.0, 77.0])
NOISE = 10.0


@pytest.fixture(
    params=[("xyz+++", (1.0, 1.0, 1.0)), ("zxy-+-", (0.9, 0.9, 2.0)), ("oblique", (1.0, 1.2, 1.5))]
)
def grid(request):
    name, spacing = request.param
    size = tuple(int(n) for n in np.ceil(48.0 / np.array(spacing)))
    direction = tuple(DIRECTIONS[name].ravel().tolist())
    return Grid((1, 1, 1), spacing, tuple(CENTRE.tolist()), direction).concentric(size, spacing)


def ball(grid, radius, offset=(0, 0, 0)):
    return ((points_of(grid) - CENTRE - offset) ** 2).sum(-1) <= radius**2


def scan(grid, *bright):
    """Noise, and more by so much in each mask."""
    image = np.random.default_rng(5).normal(0, NOISE, grid.shape)
    for mask, contrast in bright:
        image += contrast * mask
    return image


def test_a_surface_that_the_scan_shows_is_not_faint_and_one_in_noise_is(grid):
    body = ball(grid, 12)
    found = Region.of(body)
    assert faint_share(found, scan(grid, (body, 4 * NOISE)), None, grid) == 0
    assert faint_share(found, scan(grid), None, grid) > 0.95
    # A constant more, or another unit, is the same scan.
    once = scan(grid, (body, 1.2 * NOISE))
    share = faint_share(found, once, None, grid)
    assert 0 < share < 0.6
    assert faint_share(found, 500 + 3 * once, None, grid) == pytest.approx(share, abs=0.02)


def test_the_part_that_lies_against_its_like_is_faint(grid):
    body, towards = ball(grid, 12), points_of(grid) - CENTRE
    alike = (towards[..., 1] > 6) & ~body
    share = faint_share(Region.of(body), scan(grid, (body | alike, 5 * NOISE)), None, grid)
    # The cap of a ball of radius 12 beyond a height of 6 is a quarter of its surface.
    assert share == pytest.approx(0.25, abs=0.08)


def test_walls_are_not_judged(grid):
    body, half = ball(grid, 12), points_of(grid)[..., 0] > CENTRE[0]
    image = scan(grid, (body & half, 5 * NOISE))
    assert faint_share(Region.of(body), image, None, grid) == pytest.approx(0.5, abs=0.1)
    only = Region.of(half)
    assert faint_share(Region.of(body & half), image, only, grid) < 0.02
    assert faint_share(Region.of(half), image, only, grid) == 0


@pytest.mark.parametrize(("contrast", "warned"), [(6 * NOISE, False), (0.4 * NOISE, True)])
def test_what_grew_where_nothing_is_shown_is_warned_of(grid, contrast, warned):
    image = scan(grid, (ball(grid, 9), contrast))
    scene = Scene(grid, "any", lambda: image, LabelMap.empty(grid, 1), {"tumour": 1}, Record())
    segment = {"method": "seeded", "seeds": [CENTRE.tolist()], "radius": 4.0, "reach": 14.0}
    segment |= {"inside": None, "steps": []}
    seeded.segment([{"name": "tumour", "segment": segment}], scene)
    found = [(w["code"], w["structure"]) for w in scene.record.warnings]
    assert found == ([("seeded-faint", "tumour")] if warned else [])
