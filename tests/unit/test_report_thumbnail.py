"""The small picture of a case: what it shows lies where it is, and a page can hold thousands."""

import io

import numpy as np
import pytest
from PIL import Image
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.report.picture import visible
from scanmill.report.png import indexed_png
from scanmill.report.thumbnail import BYTES, LONGEST, resized, rim, thumbnail
from scanmill.report.window import Window

GREY = Window(0, 255, "all")
GREEN, RED = "#33cc55", "#ff3b30"
STRUCTURES = [
    {"name": "right", "label": 1, "colour": GREEN},
    {"name": "left", "label": 2, "colour": RED},
]
# A grid that runs from left to right and from the back to the front.
FLIPPED = (-1, 0, 0, 0, -1, 0, 0, 0, 1)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def columns(picture: np.ndarray, colour: str) -> np.ndarray:
    """The columns in which pixels of a colour are."""
    own = np.array(list(bytes.fromhex(visible(colour)[1:])))
    return np.unique(np.nonzero((picture == own).all(axis=-1))[1])


def scene(direction) -> tuple[np.ndarray, LabelMap]:
    """A body from right to left in which one structure lies on either side; LPS mm."""
    grid = Grid((90, 50, 5), (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), direction)
    index = np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), axis=-1)
    x = grid.to_physical(index)[..., 0].transpose(2, 1, 0)
    middle = x.mean()
    labels = LabelMap.empty(grid, 2)
    body = np.abs(index[..., 1] - 25).transpose(2, 1, 0) < 10
    # The patient's left is where x is larger.
    labels.paint(1, Region.of(body & (np.abs(x - middle + 20) < 10)))
    labels.paint(2, Region.of(body & (np.abs(x - middle - 20) < 10)))
    return np.full(grid.shape, 100.0), labels


@pytest.mark.parametrize("direction", [(1, 0, 0, 0, 1, 0, 0, 0, 1), FLIPPED])
def test_the_patients_right_is_on_the_left_and_outlines_have_their_colours(direction):
    image, labels = scene(direction)
    picture = pixels(thumbnail(image, labels, STRUCTURES, GREY))
    assert max(picture.shape[:2]) == LONGEST
    right, left = columns(picture, GREEN), columns(picture, RED)
    assert len(right) > 20 and len(left) > 20 and right.max() < left.min()
    grey = picture[(picture == picture[..., :1]).all(axis=-1)][:, 0]
    assert np.median(grey) == pytest.approx(100, abs=3)


def test_noise_gets_fewer_shades_and_no_picture_is_large():
    image, labels = scene(FLIPPED)
    random = np.random.default_rng(4)
    noisy = random.uniform(0, 255, image.shape)
    plain, rough = (thumbnail(i, labels, STRUCTURES, GREY) for i in (image, noisy))
    assert len(plain) < len(rough) <= BYTES
    assert rough == thumbnail(noisy, labels, STRUCTURES, GREY)


def test_without_a_structure_the_whole_slice_is_shown():
    image, labels = scene(FLIPPED)
    picture = pixels(thumbnail(image, LabelMap.empty(labels.grid, 2), STRUCTURES, GREY))
    assert picture.shape[:2] == (round(LONGEST * 50 / 90), LONGEST)
    assert (picture == picture[0, 0, 0]).all()


def test_a_smaller_picture_has_means_and_a_larger_one_lies_between():
    plane = np.arange(24.0).reshape(4, 6)
    assert resized(plane, (4, 6)) == pytest.approx(plane)
    larger = resized(plane, (12, 18))
    assert larger.min() == 0 and larger.max() == 23
    assert larger[4:8, 6:12].mean() == pytest.approx(plane[1:3, 2:4].mean(), abs=0.5)
    assert resized(plane, (2, 3)).mean() == pytest.approx(plane.mean())
    flat = np.full((7, 9), 5.0)
    assert resized(flat, (3, 20)) == pytest.approx(np.full((3, 20), 5.0))


def test_the_rim_of_a_mask_is_within_it():
    mask = np.zeros((9, 10), bool)
    mask[1:8, 2:10] = True
    inside = np.zeros_like(mask)
    inside[3:6, 4:8] = True
    assert (rim(mask) == (mask & ~inside)).all()


def test_a_picture_of_indices_is_read_back_by_others_as_it_was():
    random = np.random.default_rng(3)
    indices = random.integers(0, 7, (37, 53)).astype(np.uint8)
    palette = random.integers(0, 256, (7, 3))
    read = Image.open(io.BytesIO(indexed_png(indices, palette)))
    assert read.mode == "P" and (np.asarray(read.convert("RGB")) == palette[indices]).all()
