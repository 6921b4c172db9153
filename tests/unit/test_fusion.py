"""Label fusion: alike errors do not add up, silence is no vote, and the target's own look counts."""

import numpy as np
import pytest
from bodies import CENTRE, OBLIQUE, points_of, turned_array
from scanmill.fusion import joint
from scanmill.fusion.candidate import Candidate, Part, Posterior, majority
from scanmill.fusion.intensities import sharpened
from scanmill.fusion.joint import _solved, fuse
from scanmill.grid import Grid
from scanmill.registration.transform import Transform
from scanmill.volume_file import Volume
from scipy.ndimage import gaussian_filter

SHAPE = (30, 32, 34)
MIDDLE = np.array([15.0, 16.0, 17.0])


def case(shift=(0, 0, 0), seed=0) -> tuple[np.ndarray, np.ndarray]:
    """The image, [z, y, x], and the labels of a ball with a cap, moved by voxels (z, y, x)."""
    index = np.moveaxis(np.indices(SHAPE), 0, -1) - MIDDLE - shift
    ball = np.linalg.norm(index, axis=-1) < 8
    labels = np.where(ball, np.where(index[..., 0] > 2, 2, 1), 0).astype(np.uint8)
    clean = gaussian_filter(np.array([0.1, 0.9, 0.5])[labels], 0.7)
    noise = 0.04 * np.random.default_rng(seed).standard_normal(SHAPE)
    return (clean + noise).astype(np.float32), labels


def candidate(shift=(0, 0, 0), seed=0, inside=None) -> Candidate:
    image, labels = case(shift, seed)
    return Candidate(image, labels, np.ones(SHAPE, bool) if inside is None else inside)


def dice(found, truth) -> float:
    return min(
        2 * ((found == n) & (truth == n)).sum() / ((found == n).sum() + (truth == n).sum())
        for n in (1, 2)
    )


def fractions(posterior: Posterior) -> np.ndarray:
    """Of the background and of each label, on the whole grid, [k, z, y, x]."""
    whole = np.zeros((len(posterior.parts) + 1, *SHAPE), np.float32)
    whole[0] = posterior.background()
    for label, part in enumerate(posterior.parts, 1):
        whole[label][part.box] = part.fractions
    return whole


WHOLE = (slice(0, 30), slice(0, 32), slice(0, 34))
WRONG = (0, 4, -3)


def several() -> list[Candidate]:
    """Three atlases that err alike, and two that fit."""
    wrong = [candidate(WRONG, seed) for seed in (1, 2, 3)]
    return [*wrong, candidate((1, 0, 0), 4), candidate((0, -1, 0), 5)]


def test_atlases_that_err_alike_do_not_outvote_those_that_fit():
    image, truth = case(seed=9)
    candidates = several()
    found = fuse(image, candidates, 3)
    plain = majority(candidates, 3)
    assert dice(plain.labels(), truth) < 0.75
    assert dice(found.labels(), truth) > 0.9


def test_fractions_are_parts_of_one():
    found = fuse(case(seed=9)[0], several(), 3)
    whole = fractions(found)
    assert whole.dtype == np.float32
    assert whole.min() >= 0
    assert whole.sum(axis=0) == pytest.approx(1, abs=1e-5)
    assert ((whole > 0.05) & (whole < 0.95)).any()


def test_where_there_is_only_noise_no_atlas_moves_to_fit():
    """Two of four atlases end a layer later; none reaches farther, but to fit, each would anywhere."""
    end = np.arange(SHAPE[2])[None, None]
    images = 0.02 * np.random.default_rng(3).standard_normal((5, *SHAPE)).astype(np.float32)
    labels = [np.broadcast_to(end < n, SHAPE).astype(np.uint8) for n in (17, 17, 18, 18)]
    inside = np.ones(SHAPE, bool)
    candidates = [Candidate(i, n, inside) for i, n in zip(images[1:], labels, strict=True)]
    known = fractions(fuse(images[0], candidates, 2))[1]
    assert (known[..., :17] == 1).all()
    assert (known[..., 18:] == 0).all()
    assert ((known[..., 17] > 0) & (known[..., 17] < 1)).any()


def test_unanimous_atlases_are_followed():
    candidates = [candidate(seed=seed) for seed in range(3)]
    found = fuse(case((2, 2, 2), seed=9)[0], candidates, 3)
    assert (found.labels() == candidates[0].labels).all()
    assert set(np.unique(fractions(found))) == {0, 1}


def test_the_order_of_the_axes_does_not_matter():
    image, _ = case(seed=9)
    candidates = several()
    plain = fuse(image, candidates, 3).labels()

    def turned(array):
        return np.ascontiguousarray(array.transpose(2, 0, 1)[:, ::-1])

    other = [Candidate(turned(c.image), turned(c.labels), turned(c.inside)) for c in candidates]
    found = fuse(turned(image), other, 3).labels()
    # Where two moves fit a patch alike, the first is taken.
    assert (found != turned(plain)).mean() < 1e-3


def test_the_scale_of_the_intensities_does_not_matter():
    image, _ = case(seed=9)
    candidates = several()
    plain = fuse(image, candidates, 3)
    for c in candidates:
        c.image = 1.7 * c.image - 0.2
    assert (fuse(image, candidates, 3).labels() != plain.labels()).mean() < 2e-3


@pytest.mark.parametrize(
    "method", [majority, lambda candidates, count: fuse(case(seed=9)[0], candidates, count)]
)
def test_an_atlas_says_nothing_where_it_does_not_reach(method):
    _, truth = case(seed=9)
    half = np.zeros(SHAPE, bool)
    half[:, :16] = True
    cut = [candidate(seed=seed, inside=half) for seed in (1, 2, 3)]
    for c in cut:
        c.labels = np.where(half, c.labels, 0)
        c.image = np.where(half, c.image, 0)
    whole = candidate(seed=4)
    found = method([*cut, whole], 3)
    assert dice(found.labels(), truth) > 0.95
    assert dice(majority(cut, 3).labels(), truth) < 0.8


def test_where_no_atlas_reaches_all_is_background():
    nowhere = candidate(inside=np.zeros(SHAPE, bool))
    found = fuse(case()[0], [nowhere], 3)
    assert (found.labels() == 0).all()


def test_weights_solve_their_equations():
    random = np.random.default_rng(3)
    root = random.standard_normal((6, 9))
    matrix = root @ root.T + np.eye(6)
    truth = np.linalg.solve(matrix, np.ones(6))
    assert _solved(matrix.copy()) == pytest.approx(truth, rel=1e-9)


def doubtful(shift) -> Posterior:
    _, labels = case(shift)
    parts = np.stack([gaussian_filter((labels == n).astype(np.float32), 1.5) for n in range(3)])
    parts = np.maximum(parts, 1e-9)
    return Posterior(SHAPE, [Part(WHOLE, part) for part in (parts / parts.sum(axis=0))[1:]])


def test_the_look_of_the_target_moves_a_boundary_to_its_edge():
    image, truth = case(seed=9)
    prior = doubtful((0, 2, 0))
    found = sharpened(prior, image)
    assert dice(prior.labels(), truth) < 0.85
    assert dice(found.labels(), truth) > 0.9
    assert fractions(found).sum(axis=0) == pytest.approx(1, abs=1e-5)


def test_what_is_certain_stays_and_a_constant_image_says_nothing():
    image, labels = case(seed=9)
    sure = [Part(WHOLE, (labels == n).astype(np.float32)) for n in (1, 2)]
    assert (sharpened(Posterior(SHAPE, sure), image).labels() == labels).all()
    prior = doubtful((0, 1, 0))
    found = sharpened(prior, np.ones(SHAPE, np.float32))
    assert fractions(found) == pytest.approx(fractions(prior), abs=1e-5)


def test_the_box_that_a_label_is_kept_in_does_not_matter():
    image, _ = case(seed=9)
    wide = fuse(image, several(), 3)
    parts = [Part(WHOLE, whole) for whole in fractions(wide)[1:]]
    assert max(part.fractions.size for part in wide.parts) < 0.5 * np.prod(SHAPE)
    expected = sharpened(Posterior(SHAPE, parts), image)
    assert fractions(sharpened(wide, image)) == pytest.approx(fractions(expected), abs=1e-5)


def test_a_large_scan_is_fused_in_pieces(monkeypatch):
    image, _ = case(seed=9)
    whole = fuse(image, several(), 3)
    monkeypatch.setattr(joint, "PIECE", 20000)
    found = fuse(image, several(), 3)
    assert fractions(found) == pytest.approx(fractions(whole), abs=1e-5)


def test_a_label_that_no_atlas_has_is_nowhere_and_one_at_the_border_is_found():
    image, labels = case((-10, -11, 12), seed=9)
    atlases = [candidate((-10 + n, -11, 12 - n), n) for n in range(3)]
    assert labels[0].any() and labels[:, 0].any() and labels[:, :, -1].any()
    found = fuse(image, atlases, 5)
    assert [part.fractions.size for part in found.parts[2:]] == [0, 0]
    assert dice(found.labels(), labels) > 0.9
    assert not (sharpened(found, image).labels() > 2).any()


def test_a_candidate_lies_on_the_grid_of_the_target():
    direction = tuple(np.ravel(OBLIQUE["oblique left-handed"]).tolist())
    grid = Grid((30, 26, 22), (1.0, 1.2, 1.4), CENTRE, direction)
    points = points_of(grid)
    ball = np.linalg.norm(points - points[11, 13, 15], axis=-1) < 7
    image = Volume(ball.astype(np.float32), grid)
    atlas = [
        Volume(*turned_array(array, grid, (1, 2, 0), (True, False, True)))
        for array in (image.array, ball.astype(np.uint8))
    ]
    still = Transform(np.eye(4), grid, np.zeros((*grid.shape, 3), np.float32))
    found = Candidate.of(still, *atlas, image)
    assert found.inside.all()
    assert (found.labels == ball).all()
    assert found.image == pytest.approx(image.array, abs=1e-4)
    assert atlas[0].grid.size != grid.size
