"""Which slices of a case are shown: through the whole scan, through each structure, and as acquired."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.report.picture import Outline, Picture, around, cropped, outline, picture
from scanmill.report.view import View, views
from scanmill.report.window import Window, of_structure
from scanmill.volume_file import Volume

# Pixels of the longer side of pictures: of whole slices; of structures, whose pictures share PIXELS.
LONGEST, SHORTEST, PIXELS = 320, 96, 3e6
# Around a structure, of its length; and the sides of its picture, mm.
MARGIN, LEAST = 0.25, 50.0
RED = "#ff3b30"


@dataclass
class Shown:
    """A structure that has a voxel, and the slices in which it is largest."""

    name: str
    pictures: list[Picture]


def overview(
    image: np.ndarray, label_map: LabelMap, structures: list[dict], window: Window
) -> list[Picture]:
    """One whole slice of each view, which crosses most structures, with the outlines of all."""
    regions = label_map.regions()
    found = []
    for view in views(label_map.grid):
        index = fullest(view, regions)
        drawn = picture(view, image, index, window, LONGEST)
        drawn.outlines = outlines(view, index, regions, structures)
        found.append(drawn)
    return found


def fullest(view: View, regions: dict[int, Region]) -> int:
    """The middle one of the slices that cross most structures."""
    counts = np.zeros(view.slices, int)
    for region in regions.values():
        counts[region.box[2 - view.across]] += 1
    most = np.flatnonzero(counts == counts.max())
    return int(most[len(most) // 2])


def outlines(
    view: View, index: int, regions: dict[int, Region], structures: list[dict]
) -> list[Outline]:
    """The outlines of the structures that a slice crosses."""
    return [
        outline(structure["name"], structure["colour"], mask, view.pixel)
        for structure, mask in crossed(view, index, regions, structures)
    ]


def crossed(
    view: View, index: int, regions: dict[int, Region], structures: list[dict]
) -> Iterator[tuple[dict, np.ndarray]]:
    """The structures that a slice crosses, each with its mask in it, as a picture, bool."""
    for structure in structures:
        region = regions.get(structure["label"])
        if region is not None and _crosses(view, index, region):
            mask = section(view, index, region)
            if mask.any():
                yield structure, mask


def section(view: View, index: int, region: Region) -> np.ndarray:
    """A region in a slice of its grid, as a picture, bool."""
    axis = 2 - view.across
    plane = np.zeros([n for k, n in enumerate(view.grid.shape) if k != axis], bool)
    place = tuple(part for k, part in enumerate(region.box) if k != axis)
    plane[place] = np.take(region.array, index - region.box[axis].start, axis=axis)
    return view.turned(plane)


def of_structures(
    image: np.ndarray, label_map: LabelMap, structures: list[dict], window: Window
) -> list[Shown]:
    """Three slices through each structure that has a voxel. window: of the whole scan."""
    regions = label_map.regions()
    longest = int(np.clip(np.sqrt(PIXELS / (3 * max(1, len(regions)))), SHORTEST, LONGEST))
    found = []
    for structure in structures:
        region = regions.get(structure["label"])
        if region is not None:
            own = of_structure(image[region.box][region.array], window)
            pictures = [
                _through(view, image, region, structure, own, longest)
                for view in views(label_map.grid)
            ]
            found.append(Shown(structure["name"], pictures))
    return found


def at_same_places(
    image: Volume, shown: list[Picture], grid: Grid, window: Window
) -> list[Picture]:
    """Slices of another image nearest to those that are shown of a grid's."""
    found = []
    for view, own, there in zip(views(grid), views(image.grid), shown, strict=True):
        index = (np.asarray(grid.size) - 1) / 2
        index[view.across] = there.slice - 1
        place = own.slice_of(grid.to_physical(index))
        found.append(picture(own, image.array, place, window, LONGEST))
    return found


def of_marks(image: np.ndarray, marks: np.ndarray, grid: Grid, window: Window) -> list[Picture]:
    """The slice of each view in which most voxels are marked as artefacts, outlined."""
    found = []
    for view in views(grid):
        axis = 2 - view.across
        counts = np.count_nonzero(marks, axis=tuple(k for k in range(3) if k != axis))
        index = int(np.argmax(counts))
        drawn = picture(view, image, index, window, LONGEST)
        drawn.outlines = [outline("artefacts", RED, view.cut(marks, index) > 0, view.pixel)]
        found.append(drawn)
    return found


def _through(
    view: View, image: np.ndarray, region: Region, structure: dict, window: Window, longest: int
) -> Picture:
    axis = 2 - view.across
    areas = region.array.sum(axis=tuple(k for k in range(3) if k != axis))
    index = region.box[axis].start + int(np.argmax(areas))
    mask = section(view, index, region)
    crop = around(mask, view.pixel, MARGIN, LEAST)
    drawn = cropped(view, view.cut(image, index), index, window, crop, longest)
    drawn.outlines = [outline(structure["name"], structure["colour"], mask, view.pixel)]
    return drawn


def _crosses(view: View, index: int, region: Region) -> bool:
    part = region.box[2 - view.across]
    return part.start <= index < part.stop
