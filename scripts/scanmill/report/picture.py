"""One slice of a scan as a picture in millimetres: its pixels, outlines, sides and scale."""

from dataclasses import dataclass, field

import numpy as np
from contourpy import contour_generator

from scanmill.report.png import data_url
from scanmill.report.view import View
from scanmill.report.window import Window

# Lengths of a scale bar, mm, and the largest part of the picture that it may take.
BARS = (1, 2, 5, 10, 20, 50, 100)
BAR_SHARE = 0.4

# Luminance, of 255, that an outline has at least, or it would not be seen on a dark scan.
LUMINANCE = 130
REC_601 = (0.299, 0.587, 0.114)

# Of a picture in mm: left, top, width, height.
Frame = tuple[float, float, float, float]


@dataclass
class Outline:
    """A structure's outline. path: of an SVG, in mm of the whole slice's picture."""

    name: str
    colour: str
    path: str


@dataclass
class Picture:
    """What a template needs to draw a slice. frame: the part of the slice that is shown, mm.

    image: a data URL, drawn at `placed`. slice: its number, from 1, of how many. bar: mm.
    """

    view: str
    slice: int
    slices: int
    frame: Frame
    placed: Frame
    image: str
    window: str
    marks: dict[str, str]
    bar: int
    outlines: list[Outline] = field(default_factory=list)


@dataclass(frozen=True)
class Crop:
    """Part of a slice's picture, in pixels: rows and columns from first to past the last."""

    top: int
    bottom: int
    left: int
    right: int

    def frame(self, pixel: tuple[float, float]) -> Frame:
        """The part in mm; pixel: width and height of one."""
        width, height = self.right - self.left, self.bottom - self.top
        return self.left * pixel[0], self.top * pixel[1], width * pixel[0], height * pixel[1]


def whole(view: View) -> Crop:
    """All of a slice."""
    return Crop(0, view.grid.size[view.down], 0, view.grid.size[view.right])


def around(mask: np.ndarray, pixel: tuple[float, float], margin: float, least: float) -> Crop:
    """The part of a slice about a mask, a picture; no side is less than half the other.

    margin: of the mask's length, to each side. least: of the part's sides, mm.
    """
    ends = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] + [0, 1] for axis in (1, 0)]
    sizes = [(end[1] - end[0]) * step for end, step in zip(ends, pixel[::-1], strict=True)]
    least = max(least, (0.5 + margin) * max(sizes))
    parts: list[int] = []
    for (low, high), size, step, of in zip(ends, sizes, pixel[::-1], mask.shape, strict=True):
        room = int(np.ceil(max(margin * size, (least - size) / 2) / step))
        parts += [max(0, int(low) - room), min(of, int(high) + room)]
    return Crop(*parts)


def picture(view: View, array: np.ndarray, index: int, window: Window, longest: int) -> Picture:
    """A whole slice of an image [z, y, x]; longest: pixels of its longer side, at most."""
    return cropped(view, view.cut(array, index), index, window, whole(view), longest)


def cropped(
    view: View, plane: np.ndarray, index: int, window: Window, crop: Crop, longest: int
) -> Picture:
    """Part of a slice, of which `plane` is the picture of all."""
    shown = plane[crop.top : crop.bottom, crop.left : crop.right]
    step = -(-max(shown.shape) // longest)
    grey = window.grey(_coarser(shown, step))
    frame = crop.frame(view.pixel)
    placed = (
        *frame[:2],
        grey.shape[1] * step * view.pixel[0],
        grey.shape[0] * step * view.pixel[1],
    )
    fitting = [bar for bar in BARS if bar <= BAR_SHARE * frame[2]]
    bar = max(fitting, default=BARS[0])
    number = index + 1
    image = data_url(grey)
    return Picture(
        view.name, number, view.slices, frame, placed, image, window.text, view.marks(), bar
    )


def _coarser(plane: np.ndarray, step: int) -> np.ndarray:
    """Means of squares of `step` pixels; the last row and column go on beyond the edge."""
    if step == 1:
        return plane
    room = [(0, -n % step) for n in plane.shape]
    full = np.pad(plane.astype(np.float32), room, mode="edge")
    rows, columns = full.shape
    return full.reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))


def outline(name: str, colour: str, mask: np.ndarray, pixel: tuple[float, float]) -> Outline:
    """The outline of a mask, a slice's picture, halfway between its pixels and those around it."""
    lines = contour_generator(z=np.pad(mask, 1).astype(np.float32)).lines(0.5)
    digits = 1 if min(pixel) >= 0.8 else 2
    # Pixels are places of their centres, and there is one of padding.
    paths = [np.round((line - 0.5) * pixel, digits) for line in lines]
    return Outline(name, visible(colour), "".join(_path(points) for points in paths))


def visible(colour: str) -> str:
    """A colour, #rrggbb, with as much white as it needs to be seen on a dark scan."""
    parts = np.array(list(bytes.fromhex(colour.removeprefix("#"))), float)
    luminance = float(parts @ REC_601)
    white = max(0.0, (LUMINANCE - luminance) / (255 - luminance)) if luminance < 255 else 0.0
    return "#" + np.rint(parts + white * (255 - parts)).astype(np.uint8).tobytes().hex()


def _path(points: np.ndarray) -> str:
    closed = "Z" if (points[0] == points[-1]).all() else ""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + closed
