"""Outlines enclose exactly the squares of a mask's pixels, holes and all."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scanmill.export.outlines import outlines
from scipy.ndimage import label

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9))


def filled(pieces, shape, at=(0.0, 0.0)):
    """How many pieces each pixel lies in, by the even-odd rule, at an offset from its centre."""
    y, x = np.indices(shape) + np.reshape(at, (2, 1, 1))
    count = np.zeros(shape, int)
    for points in pieces:
        crossings = np.zeros(shape, int)
        for (x1, y1), y2 in zip(points, np.roll(points[:, 1], -1), strict=True):
            if y1 != y2:
                crossings += ((y1 > y) != (y2 > y)) & (x < x1)
        count += crossings % 2
    return count


def areas(pieces):
    return [
        abs(np.sum(p[:, 0] * np.roll(p[:, 1], -1) - p[:, 1] * np.roll(p[:, 0], -1))) / 2
        for p in pieces
    ]


@settings(max_examples=300, deadline=None)
@given(MASKS, st.tuples(*[st.floats(-0.49, 0.49)] * 2))
def test_a_pixel_lies_in_one_piece_if_it_is_of_the_mask_and_in_none_if_not(mask, at):
    assert np.array_equal(filled(outlines(mask), mask.shape, at), mask)


@settings(max_examples=200, deadline=None)
@given(MASKS)
def test_each_piece_has_the_area_of_its_pixels(mask):
    pieces, number = label(mask)
    expected = sorted(np.bincount(pieces.ravel(), minlength=number + 1)[1:])
    assert sorted(areas(outlines(mask))) == expected


@settings(max_examples=200, deadline=None)
@given(MASKS)
def test_points_lie_on_corners_of_pixels_and_none_is_on_a_straight_way(mask):
    for points in outlines(mask):
        assert np.array_equal(points % 1, np.full_like(points, 0.5))
        ways = np.roll(points, -1, axis=0) - points
        assert (np.count_nonzero(ways, axis=1) == 1).all()
        along = np.sign(ways)
        straight = (along == np.roll(along, 1, axis=0)).all(axis=1)
        assert not straight.any()


def test_a_square_has_four_points_on_its_outer_edge():
    mask = np.zeros((6, 7), bool)
    mask[2:4, 1:5] = True
    (points,) = outlines(mask)
    assert points.tolist() == [[0.5, 1.5], [4.5, 1.5], [4.5, 3.5], [0.5, 3.5]]


def test_a_hole_is_joined_by_a_channel_of_no_width():
    mask = np.ones((5, 5), bool)
    mask[2, 2] = False
    (points,) = outlines(mask)
    # The square, the hole, and the two ends of the channel once more.
    assert len(points) == 4 + 4 + 2
    assert areas([points]) == [24]


def test_no_pixel_no_outline():
    assert outlines(np.zeros((4, 4), bool)) == []
