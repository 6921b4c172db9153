"""The midline of real torsos: paired organs and bones lie on their sides of it, vertebrae on it."""

import json

import numpy as np
import pytest
from bodies import DATA
from scanmill.grid import Grid
from scanmill.midline import Midline, find
from scanmill.phantom.description import turned
from scanmill.refusal import Refusal
from scanmill.source import read_source
from scanmill.volume_file import Volume

TORSOS, HEAD = DATA / "totalsegmentator", DATA / "atlas_multilabel"
SCANS = {
    "large CT": ("ct", "seg_fast_force_split", "CT", "total"),
    "small CT": ("ct_sm", "seg", "CT", "total"),
    "MR": ("mr_sm", "seg_mr", "MR", "total_mr"),
}
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not TORSOS.is_dir(), reason="no real scans here"),
]


def read(name: str) -> Volume:
    return read_source(TORSOS / f"example_{name}.nii.gz")[0]


def places(labels: Volume, kind: str, ends: str) -> np.ndarray:
    """LPS mm of the voxels of the classes whose names have such an end or beginning."""
    names = json.loads((TORSOS / "class_map.json").read_text())[kind]
    values = [int(v) for v, name in names.items() if name.startswith(ends) or name.endswith(ends)]
    return labels.grid.to_physical(np.argwhere(np.isin(labels.array, values))[:, ::-1])


def left_of(found: Midline, points: np.ndarray) -> np.ndarray:
    return points @ found.normal - found.offset


@pytest.mark.parametrize("scan", SCANS)
def test_paired_organs_lie_on_their_sides_and_vertebrae_between(scan):
    name, labels, modality, kind = SCANS[scan]
    image, known = read(name), read(labels)
    found = find(image.array, image.grid, modality)
    left, right = (left_of(found, places(known, kind, side)) for side in ("_left", "_right"))
    assert ((left > 0).sum() + (right <= 0).sum()) / (left.size + right.size) > 0.998
    assert abs(left_of(found, places(known, kind, "vertebrae")).mean()) < 2


@pytest.mark.skipif(not HEAD.is_dir(), reason="no real head here")
def test_the_paired_regions_of_a_brain_lie_on_their_sides():
    image, known = (read_source(HEAD / f"{name}.nii.gz")[0] for name in ("ch2", "aal"))
    found = find(image.array, image.grid, "MR")
    lines = [line.split() for line in (HEAD / "aal.nii.txt").read_text().splitlines()]
    right, wrong = 0, 0
    for side, sign in (("_L", 1), ("_R", -1)):
        values = [int(words[0]) for words in lines if len(words) > 2 and words[1].endswith(side)]
        voxels = np.argwhere(np.isin(known.array, values))[:, ::-1]
        there = sign * left_of(found, known.grid.to_physical(voxels)) > 0
        right, wrong = right + there.sum(), wrong + (~there).sum()
    assert right / (right + wrong) > 0.99


def test_a_patient_who_is_turned_and_off_centre_has_the_same_midline():
    image, known = read("ct_sm"), read("seg")
    turn = turned((5.0, -7.0, 12.0))
    grid = image.grid
    origin = turn @ np.asarray(grid.origin) + (90.0, -40.0, 700.0)
    direction = tuple((turn @ np.reshape(grid.direction, (3, 3))).ravel().tolist())
    moved = Grid(grid.size, grid.spacing, tuple(origin.tolist()), direction)
    found = find(image.array, moved, "CT")
    straight = find(image.array, grid, "CT")
    assert np.dot(turn @ straight.normal, found.normal) > np.cos(np.deg2rad(2))
    lefts = left_of(found, places(Volume(known.array, moved), "total", "_left"))
    assert (lefts > 0).mean() > 0.998


@pytest.mark.parametrize("part", [slice(0, 61), slice(61, None)])
def test_half_a_torso_has_no_midline(part):
    image = read("ct")
    half = image.array[:, :, part]
    grid = image.grid.crop((part.start, 0, 0), half.shape[::-1])
    with pytest.raises(Refusal, match="midline-unclear"):
        find(half, grid, "CT")
