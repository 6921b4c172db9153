"""Scans segmented by atlases on other grids than theirs: made ones, and real hippocampi."""

import numpy as np
import pytest
from bodies import CENTRE, DATA, points_of
from scanmill.fusion.multi_atlas import Atlas, alike, segmented
from scanmill.phantom.warp import random_warp
from scanmill.refusal import Refusal
from scanmill.registration.pyramid import normalised, pyramid
from scanmill.source import read_source
from scanmill.volume_file import Volume
from test_registration import grid_of, scan_of

HIPPOCAMPI = DATA / "msd_hippocampus"
BODIES = DATA / "totalsegmentator"


def organ(grid, back=lambda points: points) -> np.ndarray:
    points = back(points_of(grid).reshape(-1, 3)).reshape(*grid.shape, 3)
    return (np.linalg.norm((points - CENTRE) / (9, 12, 8), axis=-1) < 1).astype(np.uint8)


def shown(grid, back=lambda points: points) -> Volume:
    """A scan in which the organ is brighter than most of what is around."""
    return Volume(scan_of(grid, back).array + np.float32(200) * organ(grid, back), grid)


def atlas_of(kind, seed, amplitude=1.0) -> Atlas:
    warp, grid = random_warp(amplitude=amplitude, wavelength=44.0, seed=seed), grid_of(kind)
    return Atlas.of(shown(grid, warp.inverse), Volume(organ(grid, warp.inverse), grid), 1.2)


def dice(found, truth) -> float:
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())


def test_an_organ_is_found_from_atlases_on_other_grids():
    grid = grid_of("oblique")
    atlases = [atlas_of(kind, n) for n, kind in enumerate(("thick slices", "flipped"))]
    unlike = np.random.default_rng(0).standard_normal(grid.shape)
    nothing = Atlas.of(Volume(unlike, grid), Volume(np.ones(grid.shape, np.uint8), grid), 1.2)
    scan = shown(grid)
    found = segmented(scan, [*atlases, nothing], 2).labels()
    assert dice(found == 1, organ(grid) == 1) > 0.92
    with pytest.raises(Refusal, match="registration-failed"):
        segmented(scan, [nothing], 2)


def test_of_many_atlases_those_most_like_the_scan_have_a_say():
    scan = shown(grid_of("oblique"))
    far, near = atlas_of("thick slices", 2), atlas_of("flipped", 1, amplitude=0.2)
    levels = pyramid(normalised(scan), 1.2)
    first, _ = alike(levels, [far, near])[0]
    assert first is near
    found = segmented(scan, [far, near], 2, most=1).labels()
    assert (found == segmented(scan, [near], 2).labels()).all()
    assert (found != segmented(scan, [far], 2).labels()).any()


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not HIPPOCAMPI.exists(), reason="the shared scans are not here")
def test_a_real_hippocampus_is_found_from_five_others():
    names = sorted(path.name for path in (HIPPOCAMPI / "images").glob("*.nii.gz"))[::22][:6]
    known = []
    for name in names:
        labels = read_source(HIPPOCAMPI / "labels" / name)[0]
        whole = Volume(labels.array.astype(np.uint8), labels.grid)
        known.append((read_source(HIPPOCAMPI / "images" / name)[0], whole))
    scan, truth = known[0]
    atlases = [Atlas.of(image, labels, 1.0) for image, labels in known[1:]]
    found = segmented(scan, atlases, 3).labels()
    assert dice(found == 1, truth.array == 1) > 0.75
    assert dice(found == 2, truth.array == 2) > 0.75
    assert dice(found > 0, truth.array > 0) > 0.82


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not BODIES.exists(), reason="the shared scans are not here")
def test_organs_of_a_long_scan_are_found_from_a_short_one_though_their_origins_mislead():
    """The short scan shows the upper 90 mm of the long one, and its origin says the lower."""
    names = ("example_ct", "example_ct_sm", "example_seg_fast", "example_seg_fast_force_split")
    long, short, labels, truth = (read_source(BODIES / f"{name}.nii.gz")[0] for name in names)
    atlas = Atlas.of(short, Volume(labels.array.astype(np.uint8), labels.grid), 3.0)
    found = segmented(long, [atlas], 118).labels()
    assert not found[:80].any()
    liver, aorta, vertebra = 5, 52, 32
    for label in (liver, aorta, vertebra):
        assert dice(found[82:] == label, truth.array[82:] == label) > 0.93
