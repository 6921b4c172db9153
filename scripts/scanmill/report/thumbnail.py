"""A case at a glance: one small picture of a slice with outlines, for the cohort's page."""

import numpy as np

from scanmill.label_map import LabelMap
from scanmill.report.figures import crossed, fullest
from scanmill.report.picture import around, visible, whole
from scanmill.report.png import indexed_png
from scanmill.report.view import views
from scanmill.report.window import Window

# Pixels of the longer side.
LONGEST = 128
# Pixels of an outline: it is shown smaller.
THICK = 2
# Around the structures of the slice, of their length; and the least sides, mm.
MARGIN, LEAST = 0.08, 40.0
# Thousands of them lie on a page. Noise does not compress: it gets fewer shades of grey.
BYTES, SHADES = 8192, (48, 24, 12, 6)
COLOURS = 256 - SHADES[0]


def thumbnail(
    image: np.ndarray, label_map: LabelMap, structures: list[dict], window: Window
) -> bytes:
    """The axial slice that crosses most structures, about these, as a PNG with their outlines.

    image: [z, y, x] on the label map's grid. structures: name, label and colour of each; a later one
    is drawn on an earlier one. The view is the same for all cases, so that one that differs is seen.
    """
    view = views(label_map.grid)[0]
    regions = label_map.regions()
    index = fullest(view, regions)
    found = list(crossed(view, index, regions, structures))
    union = np.any([mask for _, mask in found], axis=0)
    crop = around(union, view.pixel, MARGIN, LEAST) if found else whole(view)
    part = slice(crop.top, crop.bottom), slice(crop.left, crop.right)
    _, _, width, height = crop.frame(view.pixel)
    finer = LONGEST / max(width, height)
    shape = max(1, round(height * finer)), max(1, round(width * finer))
    grey = window.grey(resized(view.cut(image, index)[part], shape))
    colours = list(dict.fromkeys(structure["colour"] for structure, _ in found))[:COLOURS]
    drawn = np.zeros(shape, np.uint8)
    for structure, mask in found:
        if structure["colour"] in colours:
            edge = rim(resized(mask[part], shape) > 0.5)
            drawn[edge] = 1 + colours.index(structure["colour"])
    for shades in SHADES:
        made = _indexed(grey, drawn, colours, shades)
        if len(made) <= BYTES:
            break
    return made


def resized(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A picture of another size: linear between pixels, and the mean of many that become one."""
    for axis, size in enumerate(shape):
        scale = plane.shape[axis] / size
        places = (np.arange(size) + 0.5) * scale - 0.5
        apart = np.abs(places[:, None] - np.arange(plane.shape[axis]))
        weights = np.maximum(0, 1 - apart / max(1, scale))
        weights /= weights.sum(axis=1, keepdims=True)
        plane = np.moveaxis(np.tensordot(weights, plane, (1, axis)), 0, axis)
    return plane


def rim(mask: np.ndarray) -> np.ndarray:
    """The pixels of a mask, bool, at its edge, THICK of them deep."""
    inside = mask
    for _ in range(THICK):
        wide = np.pad(inside, 1)
        inside = inside & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return mask & ~inside


def _indexed(grey: np.ndarray, drawn: np.ndarray, colours: list[str], shades: int) -> bytes:
    """The picture with so many shades of grey. drawn: the number of each pixel's colour, 0 for none."""
    ramp = np.repeat(np.rint(np.linspace(0, 255, shades))[:, None], 3, axis=1)
    bright = [list(bytes.fromhex(visible(colour)[1:])) for colour in colours]
    indices = np.rint(grey * ((shades - 1) / 255)).astype(np.uint8)
    indices = np.where(drawn > 0, drawn + np.uint8(shades - 1), indices)
    return indexed_png(indices.astype(np.uint8), np.array([*ramp.tolist(), *bright]))
