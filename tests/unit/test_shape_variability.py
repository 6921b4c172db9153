"""How shapes vary over a cohort: modes that are known, and one case that is unlike the others."""

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, grid_over, mask_of
from scanmill.label_map import LabelMap, Region
from scanmill.phantom.body import Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.refusal import Refusal
from scanmill.shape_model.of_cohort import (
    FINEST,
    carried_over,
    exemplar,
    lengths,
    most_usual,
    whole,
)
from scanmill.shape_model.variability import variability

USUAL = np.array([20.0, 13.0, 10.0])
POSE = tuple(turned((20, -35, 50)).ravel().tolist())


def directions(count=400):
    """Points all over the unit sphere, and their opposites."""
    ways = np.random.default_rng(3).standard_normal((count, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return np.concatenate([ways, -ways])


def ellipsoids(longer, ways):
    """Corresponding points of ellipsoids whose first half axis is so many mm longer, anywhere."""
    random = np.random.default_rng(4)
    shapes = []
    for extra in longer:
        turn = turned(tuple(random.uniform(-30, 30, 3).tolist()))
        shapes.append(
            ways * (USUAL + np.array([extra, 0, 0])) @ turn.T + random.uniform(-50, 50, 3)
        )
    return np.stack(shapes)


def test_one_way_of_varying_is_one_mode_of_that_variance():
    ways, longer = directions(), np.random.default_rng(5).normal(0, 2, 30)
    found = variability(ellipsoids(longer, ways))
    assert len(found.modes.modes) == 1 and found.first_part == pytest.approx(100)
    variance = longer.var(ddof=1) * (ways[:, 0] ** 2).mean()
    assert found.compactness == pytest.approx(variance, rel=1e-2)
    # What is told exactly, but for the turns that are taken off.
    assert found.generalisation < 0.01 and found.far.max() < 0.05
    # Shapes by chance lie between cases of the same law.
    assert 0 < found.specificity < 0.5


def test_a_bump_that_no_other_case_has_is_what_others_do_not_tell():
    ways, random = directions(), np.random.default_rng(6)
    shapes = ellipsoids(random.normal(0, 2, 30), ways)
    shapes += random.normal(0, 0.1, shapes.shape)
    # A fourteenth of the surface.
    near = ways @ np.array([0.0, 0.0, 1.0]) > 0.86
    middle = shapes[11].mean(axis=0)
    shapes[11][near] = middle + 1.5 * (shapes[11][near] - middle)
    found = variability(shapes)
    others = np.delete(np.arange(30), 11)
    assert found.errors[11] > 1.5 * found.errors[others].max()
    assert 3 < found.far[11] < 6 and found.far[others].max() < 1


def test_shapes_of_masks_on_any_grid_correspond_and_what_is_another_organ_does_not():
    random = np.random.default_rng(8)
    kinds = list(DIRECTIONS.values())
    regions = []
    for n, extra in enumerate(random.normal(0, 2, 6)):
        body = Ellipsoid(
            radii=tuple(USUAL + np.array([extra, 0, 0])), centre=tuple(CENTRE), rotation=POSE
        )
        grid = grid_over(body, [(1.5, 1.5, 1.5), (1.2, 1.2, 2.2)][n % 2], kinds[7 * n], 3.0)
        regions.append((Region.of(mask_of(body, grid)), grid))
    reference = exemplar(*regions[most_usual([lengths(*region) for region in regions])])
    surface, carried = carried_over(reference, (exemplar(*region) for region in regions))
    found = variability(np.stack(carried))
    assert found.first_part > 80 and found.generalisation < 0.7
    assert surface.triangles.max() < len(carried[0])
    ball = sphere(4.0, CENTRE)
    grid = grid_over(ball, (0.5, 0.5, 0.5), kinds[0], 2.0)
    pieces = np.zeros(grid.shape, bool)
    pieces[1:4, 1:4, 1:4] = pieces[-4:-1, -4:-1, -4:-1] = True
    _, (lost,) = carried_over(reference, iter([exemplar(Region.of(pieces), grid)]))
    assert isinstance(lost, Refusal) and lost.code == "registration-failed"


def test_lengths_are_those_of_the_body_however_its_grid_lies():
    body = Ellipsoid(radii=(30.0, 20.0, 10.0), centre=tuple(CENTRE), rotation=POSE)
    for spacing, kind in (((1.0, 1.0, 1.0), "zxy-+-"), ((0.9, 0.9, 2.0), "oblique left-handed")):
        grid = grid_over(body, spacing, DIRECTIONS[kind], 3.0)
        # Of a solid ellipsoid the standard deviation is half axis / sqrt 5.
        found = np.exp(lengths(Region.of(mask_of(body, grid)), grid)) * np.sqrt(5)
        assert found == pytest.approx([10, 20, 30], rel=0.02)


def test_the_edge_of_the_scan_leaves_a_structure_out_and_fine_voxels_become_as_few_as_of_use():
    body = sphere(30.0, CENTRE)
    grid = grid_over(body, (0.5, 0.5, 0.5), DIRECTIONS["zxy-+-"], 3.0)
    mask = mask_of(body, grid)
    assert (
        whole(
            LabelMap(
                mask[:-20].astype(np.uint8),
                grid.crop((0, 0, 0), (*grid.size[:2], grid.size[2] - 20)),
            ),
            1,
        )
        is None
    )
    region = whole(LabelMap(mask.astype(np.uint8), grid), 1)
    found = exemplar(region, grid)
    assert max(found.mask.grid.spacing) == pytest.approx(60 / FINEST, rel=0.02)
    assert found.volume == pytest.approx(body.volume, rel=2e-3)
