"""The shape model: modes that are known, robust fits and completions, on grids of any direction."""

import numpy as np
import pytest
from bodies import BODIES, CENTRE, DIRECTIONS, OBLIQUE, grid_over, mask_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.phantom.body import Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.refusal import Refusal
from scanmill.shape_model.building import build
from scanmill.shape_model.completion import complete
from scanmill.shape_model.correspondence import Exemplar, enclosed, outward, template
from scanmill.shape_model.fit import fit, mahalanobis, residual
from scanmill.shape_model.modes import Modes, procrustes
from scanmill.shape_model.signed_distance import SignedDistance, steps_of

LEFT_HANDED = OBLIQUE["oblique left-handed"]
POSE = tuple(turned((20, -35, 50)).ravel().tolist())
USUAL = np.array([20.0, 13.0, 10.0])


def ellipsoid(radii, shift=(0.0, 0.0, 0.0)) -> Ellipsoid:
    """One of a family, turned as all are."""
    centre = tuple(np.add(CENTRE, shift).tolist())
    return Ellipsoid(radii=tuple(float(r) for r in radii), centre=centre, rotation=POSE)


def family(count: int, seed: int) -> list[Ellipsoid]:
    """Ellipsoids whose radii vary by two laws: the first longer by 3 mm, the others wider by 1."""
    random = np.random.default_rng(seed)
    first, second = random.standard_normal((2, count))
    radii = USUAL + np.outer(first, [3, 0, 0]) + np.outer(second, [0, 1, 1])
    return [ellipsoid(r, random.uniform(-9, 9, 3)) for r in radii]


def whole(body, spacing=(1.5, 1.5, 1.5), direction=LEFT_HANDED, margin=3.0):
    grid = grid_over(body, spacing, direction, margin)
    return mask_of(body, grid), grid


def exemplar(body, spacing=(1.5, 1.5, 1.5), direction=LEFT_HANDED) -> Exemplar:
    mask, grid = whole(body, spacing, direction)
    return Exemplar.of(Region.of(mask), grid)


@pytest.fixture(scope="module")
def model():
    """Of ten ellipsoids, each on a grid of another direction and spacing."""
    directions = list(DIRECTIONS.values())
    spacings = [(1.5, 1.5, 1.5), (1.0, 1.0, 2.0), (1.3, 1.9, 1.2)]
    bodies = family(10, seed=2)
    made = [exemplar(b, spacings[n % 3], directions[5 * n]) for n, b in enumerate(bodies)]
    built, lost = build(made)
    assert lost == 0
    return built


@pytest.mark.parametrize("kind", ["zxy-+-", "oblique left-handed"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 2.0)])
def test_distances_are_those_of_physical_space(kind, spacing):
    mask, grid = whole(sphere(14, CENTRE), spacing, DIRECTIONS[kind], margin=6.0)
    distance = SignedDistance.of(mask, grid, np.ones_like(mask))
    ways = np.random.default_rng(0).standard_normal((2000, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    for beyond in (-4.0, 3.0):
        points = CENTRE + (14 + beyond) * ways
        off = distance.at(points) - beyond
        # Steps bring a surface nearer to what is far from it, by less than half a voxel.
        assert np.abs(off).mean() < 0.5 * np.mean(spacing)
        slopes = distance.slopes(points)
        assert ((slopes * ways).sum(axis=1) / np.linalg.norm(slopes, axis=1)).mean() > 0.97


def test_what_is_not_seen_bounds_nothing():
    mask, grid = whole(sphere(12, CENTRE), (1.0, 1.0, 1.0), margin=5.0)
    seen = np.ones_like(mask)
    seen[:, :, : grid.size[0] // 2] = False
    shown = mask & seen
    depth = steps_of(shown, grid, seen)
    whole_depth = steps_of(mask, grid, np.ones_like(mask))
    deep = shown.copy()
    deep[:, :, : grid.size[0] // 2 + 3] = False
    # Where the half that is seen has the nearest surface, nothing changes.
    assert depth[deep].min() < whole_depth[deep].min() + 1
    middle = tuple(n // 2 for n in grid.shape)
    assert depth[middle] == pytest.approx(-12, abs=1)


def test_a_surface_has_the_volume_and_the_area_of_its_body():
    body = BODIES["ellipsoid"]
    surface = template(exemplar(body, (1.0, 1.0, 1.0)))
    assert enclosed(surface.points, surface.triangles) == pytest.approx(body.volume, rel=0.01)
    faces = outward(surface.points, surface.triangles)
    assert np.linalg.norm(faces, axis=1).sum() == pytest.approx(body.area, rel=0.02)
    assert np.abs(faces.sum(axis=0)).max() < 1e-6 * body.area
    assert 700 < len(surface.points) < 3000


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(*[st.floats(-60, 60)] * 3),
    st.tuples(*[st.floats(-300, 300)] * 3),
    st.integers(0, 1000),
)
def test_modes_do_not_depend_on_where_shapes_lie(degrees, shift, seed):
    random = np.random.default_rng(seed)
    usual, way = random.normal(0, 10, (40, 3)), random.normal(0, 1, (40, 3))
    shapes = usual + np.outer(random.normal(0, 1, 6), way).reshape(6, 40, 3)
    moved = shapes @ turned(degrees).T + shift
    modes, others = Modes.of(shapes), Modes.of(moved)
    assert np.allclose(others.mean, modes.mean @ turned(degrees).T, atol=1e-6)
    sizes = [np.linalg.norm(m.modes[0]) for m in (modes, others)]
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-6)


def test_turned_and_shifted_copies_have_no_modes_but_one_mean():
    random = np.random.default_rng(3)
    usual = random.normal(0, 10, (50, 3))
    copies = [
        usual @ turned(random.uniform(-40, 40, 3)).T + random.normal(0, 99, 3) for _ in "abcd"
    ]
    aligned = procrustes(np.stack(copies))
    assert np.abs(aligned - aligned[0]).max() < 1e-3


def test_the_modes_of_a_family_of_ellipsoids_are_recovered(model):
    """Two laws made them: two modes hold nearly all, along the axes that they stretch."""
    axes = np.reshape(POSE, (3, 3))
    mean = model.modes.mean @ axes
    sizes = (np.linalg.norm(model.modes.modes, axis=(1, 2)) ** 2) / len(mean)
    assert sizes[:2].sum() > 0.95 * sizes.sum()
    first = model.modes.modes[0] @ axes
    # The first stretches along x: displacements that grow with x, and none across.
    slope = (first[:, 0] * mean[:, 0]).sum() / (mean[:, 0] ** 2).sum()
    radii = np.array([b.radii for b in family(10, seed=2)])
    assert abs(slope) * USUAL[0] == pytest.approx(radii[:, 0].std(ddof=1), rel=0.15)
    assert (first[:, 0] ** 2).sum() > 0.9 * (first**2).sum()
    assert np.ptp(mean, axis=0) / 2 == pytest.approx(radii.mean(axis=0), rel=0.04)


@pytest.mark.parametrize("kind", ["zxy-+-", "oblique", "oblique coronal"])
def test_a_fit_finds_a_new_shape_in_another_place(model, kind):
    body = ellipsoid((23, 14, 11), shift=(40, -25, 60))
    found = fit(
        model.modes,
        model.triangles,
        exemplar(body, (1.2, 1.2, 1.2), DIRECTIONS[kind]).distance,
        model.noise,
    )
    assert np.abs(body.distance(found.points)).mean() < 0.3
    assert enclosed(found.points, model.triangles) == pytest.approx(body.volume, rel=0.03)
    assert residual(found) < 0.5 and found.trusted > 0.9


def test_a_fit_does_not_follow_outliers(model):
    """Boundaries that are wrong for about a third of the surface."""
    body = ellipsoid((23, 14, 11))
    mask, grid = whole(body, (1.2, 1.2, 1.2), margin=12.0)
    plain = fit(model.modes, model.triangles, exemplar(body).distance, model.noise)
    spoiled, around = mask.copy(), plain.points[::80]
    for n, place in enumerate(around):
        spoiled[mask_of(sphere(4.5, tuple(place.tolist())), grid)] = n % 2 == 0
    found = fit(
        model.modes,
        model.triangles,
        SignedDistance.of(spoiled, grid, np.ones_like(mask)),
        model.noise,
    )
    nearest = np.linalg.norm(plain.points[:, None] - around, axis=2).min(axis=1)
    assert (nearest < 4.5).mean() > 0.3
    # Of the two modes that made the family.
    assert np.abs(found.coefficients - plain.coefficients)[:2].max() < 0.3
    assert enclosed(found.points, model.triangles) == pytest.approx(body.volume, rel=0.04)


def cut(mask, grid, axis, part, low) -> tuple[np.ndarray, Grid]:
    """What a scan shows that ends within the body: `part` of it along an axis is beyond the end."""
    others = tuple(a for a in range(3) if a != axis)
    grown = np.cumsum(mask.sum(axis=others)) / mask.sum()
    box = [slice(None)] * 3
    box[axis] = (
        slice(int(np.searchsorted(grown, part)), None)
        if low
        else slice(0, int(np.searchsorted(grown, 1 - part)) + 1)
    )
    kept = np.ascontiguousarray(mask[tuple(box)])
    start = tuple(s.start or 0 for s in box[::-1])
    return kept, grid.crop(start, kept.shape[::-1])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("low", [True, False])
def test_what_the_scan_cuts_off_is_completed(model, axis, low):
    body = ellipsoid((23, 14, 11))
    mask, grid = whole(body, (1.2, 1.2, 1.2), OBLIQUE["oblique"])
    kept, shown = cut(mask, grid, axis, 0.25, low)
    plain = kept.sum() * grid.voxel_volume
    assert plain < 0.82 * body.volume
    found = complete(model, Region.of(kept), shown, np.ones_like(kept), None)
    assert found.volume == pytest.approx(body.volume, rel=0.04)
    assert found.unseen == pytest.approx(found.volume - plain, rel=0.03)
    # What is seen stays as it was found.
    assert (found.region.full(kept.shape) != kept).mean() < 0.002
    half = model.half_interval(found.sd)
    assert abs(found.volume - body.volume) < half < 0.25 * body.volume


def test_what_is_hidden_in_marked_voxels_is_filled_in(model):
    body = ellipsoid((23, 14, 11))
    mask, grid = whole(body, (1.2, 1.2, 1.2))
    seen = np.ones_like(mask)
    seen[: grid.shape[0] // 2, grid.shape[1] // 2 :] = False
    found = complete(model, Region.of(mask & seen), grid, seen, None)
    assert (mask & ~seen).sum() > 0.15 * mask.sum()
    assert found.volume == pytest.approx(body.volume, rel=0.04)
    painted = found.region.full(mask.shape)
    assert 2 * (painted & mask).sum() / (painted.sum() + mask.sum()) > 0.97


def test_a_leak_is_dropped_and_a_good_mask_left_nearly_as_it_was(model):
    body = ellipsoid((23, 14, 11))
    mask, grid = whole(body, (1.2, 1.2, 1.2), margin=16.0)
    seen = np.ones_like(mask)
    kept = complete(model, Region.of(mask), grid, seen, None)
    changed = (kept.region.full(mask.shape) != mask).sum()
    assert changed < 0.01 * mask.sum()
    end = tuple((np.add(CENTRE, 24 * np.reshape(POSE, (3, 3))[:, 0])).tolist())
    leaked = mask | mask_of(sphere(8, end), grid)
    assert leaked.sum() > 1.08 * mask.sum()
    found = complete(model, Region.of(leaked), grid, seen, None).region.full(mask.shape)
    assert (found & ~mask).sum() < 0.3 * (leaked & ~mask).sum()


def test_tolerance_says_how_far_the_boundary_may_lie_from_the_models(model):
    body = ellipsoid((23, 14, 11))
    mask, grid = whole(body, (1.2, 1.2, 1.2), margin=16.0)
    end = tuple((np.add(CENTRE, 24 * np.reshape(POSE, (3, 3))[:, 0])).tolist())
    leaked, seen = mask | mask_of(sphere(8, end), grid), np.ones_like(mask)
    volumes = [complete(model, Region.of(leaked), grid, seen, mm).volume for mm in (2.0, 60.0)]
    assert volumes[0] < 1.05 * body.volume
    assert volumes[1] == pytest.approx(leaked.sum() * grid.voxel_volume, rel=0.01)


def test_an_unusual_shape_is_told_from_a_usual_one(model):
    distances = []
    for radii in (USUAL, (32, 13, 10), (20, 18, 18)):
        found = fit(model.modes, model.triangles, exemplar(ellipsoid(radii)).distance, model.noise)
        distances.append(mahalanobis(found))
    usual, longer, wider = (model.percentile(d) for d in distances)
    assert usual < 50 and longer > 95 and wider > 99


def test_what_another_body_shows_is_refused(model):
    mask, grid = whole(sphere(60, CENTRE), (3.0, 3.0, 3.0))
    with pytest.raises(Refusal, match="shape-lost"):
        complete(model, Region.of(mask), grid, np.ones_like(mask), None)


def test_what_hardly_shows_is_refused(model):
    mask, grid = whole(sphere(12, CENTRE))
    with pytest.raises(Refusal, match="shape-lost: no voxel"):
        complete(model, Region.of(mask), grid, ~mask, None)
    one = np.zeros_like(mask)
    one[tuple(n // 2 for n in mask.shape)] = True
    with pytest.raises(Refusal, match="shape-lost"):
        complete(model, Region.of(one), grid, np.ones_like(mask), None)


def test_too_few_atlases_make_no_model():
    with pytest.raises(Refusal, match="shape-missing: 2 atlases"):
        build([exemplar(body) for body in family(2, seed=1)])


def test_the_same_atlases_make_the_same_model():
    made = [exemplar(body, (2.0, 2.0, 2.0)) for body in family(5, seed=4)]
    one, other = build(made)[0], build(made)[0]
    assert one.modes.modes.tobytes() == other.modes.modes.tobytes()
    assert one.distances.tobytes() == other.distances.tobytes()
