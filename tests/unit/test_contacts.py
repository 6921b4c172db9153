"""Which structures touch and how much, on grids of any axes and spacing."""

import numpy as np
import pytest
from scanmill.contacts import contacts
from scanmill.grid import Grid

NAMES = {"left": 3, "right": 7}


def two_boxes():
    """A box of 6 x 4 x 2 voxels along x, y, z, parted into halves that touch on 4 x 2 faces."""
    labels = np.zeros((8, 8, 10), np.uint8)
    labels[3:5, 2:6, 2:5] = 3
    labels[3:5, 2:6, 5:8] = 7
    return labels


def test_the_part_of_a_boundary_is_that_of_areas_in_mm2():
    labels = two_boxes()
    found = contacts(labels, Grid(labels.shape[::-1], (1.0, 2.0, 3.0)), NAMES)
    # Of each half: two faces of 4 x 2 voxels of 2 x 3 mm, two of 3 x 2 of 1 x 3, two of 3 x 4 of 1 x 2.
    touching, whole = 8 * 6, 2 * 8 * 6 + 2 * 6 * 3 + 2 * 12 * 2
    for one, other in (("left", "right"), ("right", "left")):
        assert found[one] == pytest.approx(
            {other: touching / whole, "outside": 1 - touching / whole}
        )


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_another_order_of_axes_finds_the_same(axes):
    labels, spacing = two_boxes(), (1.0, 2.0, 3.0)
    usual = contacts(labels, Grid(labels.shape[::-1], spacing), NAMES)
    turned = np.ascontiguousarray(labels.transpose(axes)[::-1, :, ::-1])
    along = tuple(spacing[::-1][a] for a in axes)[::-1]
    found = contacts(turned, Grid(turned.shape[::-1], along), NAMES)
    assert {name: pytest.approx(parts) for name, parts in usual.items()} == found


def test_what_is_not_named_is_outside_and_what_is_not_there_has_no_boundary():
    labels = two_boxes()
    found = contacts(labels, Grid(labels.shape[::-1], (1.0, 1.0, 1.0)), {"left": 3, "none": 9})
    assert found == {"left": {"outside": pytest.approx(1.0)}}
