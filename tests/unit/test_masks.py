"""Masks of a case before they are meshed: in one piece, blurred, and what they share."""

import numpy as np
import pytest
from bodies import CENTRE, grid_over, mask_of
from scanmill.label_map import LabelMap, Region
from scanmill.phantom.body import Capsule, sphere
from scanmill.refusal import Refusal
from scanmill.simulation.masks import Masks
from scanmill.surface_measures import volume

BALL = sphere(9, CENTRE)
GRID = grid_over(BALL, (1.0, 1.0, 1.0), margin=8)
WHOLE = mask_of(BALL, GRID)


def masks_of(**masks) -> Masks:
    names = {name: label for label, name in enumerate(masks, start=1)}
    label_map = LabelMap.empty(GRID, len(names))
    for name, mask in masks.items():
        label_map.paint(names[name], Region.of(mask))
    return Masks.of(label_map, names)


def test_what_smaller_parts_have_is_not_a_larger_ones():
    inner, innermost = (mask_of(sphere(r, CENTRE), GRID) for r in (6, 3))
    masks = masks_of(whole=WHOLE, inner=inner, innermost=innermost)
    assert masks.smallest_first(["whole", "inner", "lost", "innermost"]) == [
        "innermost",
        "inner",
        "whole",
    ]
    assert masks.volume("inner", []) == inner.sum()
    assert masks.volume("inner", ["innermost"]) == (inner & ~innermost).sum()


def test_the_largest_piece_of_structures_together_is_kept():
    touching, apart = WHOLE.copy(), WHOLE.copy()
    half = np.indices(GRID.shape)[2] < GRID.shape[2] // 2
    apart[:] = False
    apart[1:3, 1:3, 1:3] = True
    masks = masks_of(one=(WHOLE & half) | apart, other=touching & ~half)
    piece, share = masks.in_one_piece("one", "other")
    assert share == pytest.approx(8 / (WHOLE.sum() + 8))
    assert piece.volume("one", []) == (WHOLE & half).sum()
    assert piece.volume("other", []) == masks.volume("other", [])
    again, share = piece.in_one_piece("one", "other")
    assert again is piece and share == 0
    assert "one" not in masks_of(one=apart, other=WHOLE).in_one_piece("one", "other")[0]


def test_a_blurred_mask_has_as_much_volume_and_no_crease():
    aside = np.array([5.9, 0, 0])
    balls = [mask_of(sphere(6, tuple(CENTRE + way * aside)), GRID) for way in (1, -1)]
    masks = masks_of(both=balls[0] | balls[1])
    sharp, smooth = (each.surface("both") for each in (masks, masks.blurred(1.0)))
    assert volume(smooth) == pytest.approx(volume(sharp), rel=0.01)
    waists = []
    for found in (sharp, smooth):
        off = found.points - CENTRE
        waists.append(np.linalg.norm(off[abs(off[:, 0]) < 0.6], axis=1).min())
    assert waists[1] > waists[0] + 0.3


def test_a_blur_that_would_break_what_is_thin_is_refused():
    both = [mask_of(sphere(5, (*CENTRE[:2], CENTRE[2] + off)), GRID) for off in (-9, 9)]
    neck = mask_of(Capsule(radius=0.9, length=18, centre=CENTRE), GRID)
    with pytest.raises(Refusal, match=r"part-lost: a blur by .* would break the mask"):
        masks_of(thin=both[0] | both[1] | neck).blurred(1.5).surface("thin")
