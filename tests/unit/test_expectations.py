"""What a recipe expects of scans: each expectation that is not met is told, with what was found."""

import numpy as np
import pytest
from bodies import DIRECTIONS
from scanmill.expectations import length, tilt, unexpected
from scanmill.grid import Grid
from scanmill.phantom.description import turned
from scanmill.volume_file import Volume

SIZE, SPACING = (40, 44, 30), (1.0, 1.5, 4.0)


def scan(direction=DIRECTIONS["xyz+++"], noise=20.0) -> Volume:
    grid = Grid(SIZE, SPACING, (3.0, -8.0, 20.0), tuple(np.ravel(direction)))
    image = np.random.default_rng(0).normal(40, noise, grid.shape)
    return Volume(image.astype(np.float32), grid)


@pytest.mark.parametrize(
    ("key", "met", "not_met", "code", "told"),
    [
        ("slice_spacing", 4.0, 3.9, "scan-coarse", "voxels are 4 mm long; at most 3.9"),
        ("length", 120, 121, "scan-short", "the scan has 120 mm from foot to head; at least 121"),
        ("noise", 23, 17, "scan-noisy", "at most 17"),
        ("tilt", 0, 0, None, ""),
    ],
)
def test_what_is_not_as_expected_is_told(key, met, not_met, code, told):
    assert list(unexpected(scan(), {key: met})) == []
    found = dict(unexpected(scan(), {key: not_met}))
    assert list(found) == ([code] if code else [])
    assert told in "".join(found.values())


def test_a_tilt_is_the_largest_of_the_three_axes_whatever_their_order_and_flips():
    order = np.reshape(DIRECTIONS["zxy-+-"], (3, 3))
    volume = scan(turned((12.0, 0.0, 0.0)) @ order)
    assert tilt(volume.grid) == pytest.approx(12)
    assert [code for code, _ in unexpected(volume, {"tilt": 11.9})] == ["scan-tilted"]
    assert list(unexpected(volume, {"tilt": 12.1})) == []


def test_the_length_is_that_along_the_axis_nearest_to_the_patient_s_own():
    first = Grid(SIZE, SPACING, direction=tuple(np.ravel(DIRECTIONS["zxy-+-"])))
    axis = first.axial_axis
    assert axis != 2 and length(first) == SIZE[axis] * SPACING[axis]


def test_nothing_is_told_where_nothing_is_expected():
    assert list(unexpected(scan(noise=500), {})) == []
