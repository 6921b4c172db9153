"""A coloured surface as a picture, seen from one side of the patient, in millimetres.

Own code, with NumPy: what a graphics library draws depends on its driver, and pages are the same bytes
everywhere.
"""

from dataclasses import dataclass, field

import numpy as np

from scanmill.report.picture import BAR_SHARE, BARS, Frame, Outline
from scanmill.report.png import indexed_data_url

# Pixels of a picture's longer side; of what it shows, what is left free on each side, and how long the
# shorter side is at least, for what is written beside it.
PIXELS, MARGIN, LEAST = 640, 0.08, 0.85
# Colours of stress, from none to most: viridis by Smith and van der Walt, 2015, CC0; and that of what
# has none.
COLOURS = np.array(
    [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ]
)
CLASSES, GREY = 24, (150, 150, 150)
# From faces that are seen from the side to those seen from where the light is, of their colour.
SHADES, DARKEST = 10, 0.65
# The light, as seen: from the left, above and before.
LIGHT = np.array([-0.4, -0.5, -1.0]) / np.linalg.norm([-0.4, -0.5, -1.0])
# So many places of triangles at once.
AT_ONCE = 500_000


@dataclass(frozen=True)
class Side:
    """Where a picture is seen from.

    axes: rows, LPS: to the right, down and away. marks: of the picture's edges.
    """

    name: str
    axes: np.ndarray
    marks: dict[str, str]


RIGHT_LEFT, LEFT_RIGHT = {"left": "R", "right": "L"}, {"left": "L", "right": "R"}
HEAD_FEET, FRONT_BACK = {"top": "S", "bottom": "I"}, {"top": "A", "bottom": "P"}
# Opposite ones, by the axis that they look along: x, y and z of LPS.
SIDES = (
    (
        Side("from the left", np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]]),
             {"left": "A", "right": "P"} | HEAD_FEET),
        Side("from the right", np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]]),
             {"left": "P", "right": "A"} | HEAD_FEET),
    ),
    (
        Side("from the front", np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
             RIGHT_LEFT | HEAD_FEET),
        Side("from the back", np.array([[-1, 0, 0], [0, 0, -1], [0, -1, 0]]),
             LEFT_RIGHT | HEAD_FEET),
    ),
    (
        Side("from the feet", np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
             RIGHT_LEFT | FRONT_BACK),
        Side("from the head", np.array([[-1, 0, 0], [0, 1, 0], [0, 0, -1]]),
             LEFT_RIGHT | FRONT_BACK),
    ),
)  # fmt: skip


def broadest(points: np.ndarray) -> tuple[Side, Side]:
    """The two sides from which points [n, 3], LPS mm, are least deep."""
    return SIDES[int(np.ptp(points, axis=0).argmin())]


@dataclass(frozen=True)
class Shape:
    """A surface. points: [n, 3], LPS mm. triangles: [t, 3]. classes: [t], of CLASSES; -1 for grey."""

    points: np.ndarray
    triangles: np.ndarray
    classes: np.ndarray


@dataclass
class ShapePicture:
    """What a template needs to draw a surface. frame: mm. bar: mm. labels: x, y (mm) and text."""

    name: str
    frame: Frame
    image: str
    marks: dict[str, str]
    bar: int
    outlines: list[Outline] = field(default_factory=list)
    labels: list[tuple[float, float, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Canvas:
    """A picture's place. side: that it is seen from. low: of its left upper corner, mm along the axes.

    size: width and height, mm. pixel: mm.
    """

    side: Side
    low: np.ndarray
    size: np.ndarray
    pixel: float

    @classmethod
    def around(cls, points: np.ndarray, side: Side) -> "Canvas":
        """One that shows points [n, 3], LPS mm."""
        places = points @ side.axes[:2].T
        low, high = places.min(axis=0), places.max(axis=0)
        longest = (high - low).max()
        size = np.maximum(high - low, LEAST * longest) + 2 * MARGIN * longest
        return cls(side, (low + high - size) / 2, size, float(size.max() / PIXELS))

    def places(self, points: np.ndarray) -> np.ndarray:
        """Where points [n, 3] are in the picture: mm to the right and down, and away, [n, 3]."""
        return points @ self.side.axes.T - [*self.low, 0.0]

    def picture(self, name: str, shape: Shape) -> ShapePicture:
        """The picture of a surface."""
        fitting = [bar for bar in BARS if bar <= BAR_SHARE * self.size[0]]
        image = indexed_data_url(self.drawn(shape), palette())
        frame = (0.0, 0.0, *self.size.tolist())
        return ShapePicture(name, frame, image, self.side.marks, max(fitting, default=1))

    def drawn(self, shape: Shape) -> np.ndarray:
        """Of each pixel, [row, column], the colour of `palette` that is nearest to the eye, uint8."""
        columns, rows = np.ceil(self.size / self.pixel).astype(int)
        seen = np.zeros(rows * columns, np.uint8)
        depths = np.full(rows * columns, np.inf)
        corners = self.places(shape.points)[shape.triangles] / self.pixel
        colours = _colours(corners, shape.classes)
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
        # Places no farther apart than a pixel; triangles with as many are done together.
        steps = 2 ** np.ceil(np.log2(np.maximum(longest, 1))).astype(int)
        for number in np.unique(steps):
            weights = _lattice(number)
            own = np.flatnonzero(steps == number)
            for some in np.array_split(own, -(-len(own) * len(weights) // AT_ONCE)):
                places = (weights @ corners[some]).reshape(-1, 3)
                pixels = places[:, :2].astype(int) @ [1, columns]
                values = np.repeat(colours[some], len(weights))
                nearer = np.flatnonzero(places[:, 2] < depths[pixels])
                # The last that is put into a pixel stays: the nearest.
                order = nearer[np.argsort(-places[nearer, 2], kind="stable")]
                seen[pixels[order]], depths[pixels[order]] = values[order], places[order, 2]
        return seen.reshape(rows, columns)


def palette() -> np.ndarray:
    """Black, then the shades of grey, then those of each class, [n, RGB]."""
    light = np.linspace(DARKEST, 1, SHADES)[None, :, None]
    shaded = np.concatenate(([GREY], scale()))[:, None] * light
    return np.rint(np.concatenate((np.zeros((1, 3)), shaded.reshape(-1, 3)))).astype(np.uint8)


def scale() -> np.ndarray:
    """The colours of the classes, [CLASSES, RGB]."""
    places = np.linspace(0, len(COLOURS) - 1, CLASSES)
    known = np.arange(len(COLOURS))
    return np.stack([np.interp(places, known, part) for part in COLOURS.T], axis=1)


def _colours(corners: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The colours [t] of triangles [t, 3, 3], both of whose sides may be seen."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    towards = np.where(normals[:, 2:] > 0, -normals, normals)
    shade = np.clip(towards @ LIGHT * SHADES, 0, SHADES - 1).astype(int)
    return (1 + (classes + 1) * SHADES + shade).astype(np.uint8)


def _lattice(steps: int) -> np.ndarray:
    """Barycentric places [k, 3] in a triangle, of so many steps along a side."""
    first, second = (n.ravel() for n in np.indices((steps + 1, steps + 1)))
    inside = first + second <= steps
    first, second = first[inside], second[inside]
    return np.stack([steps - first - second, first, second], axis=1) / steps
