"""Where the frames of a multi-frame segmentation lie: one even stack of planes, proven.

Attributes: DICOM PS3.3, C.7.6.16 (functional groups). Planes may be missing, since empty ones need not
be stored; the distance of planes is therefore what the object states, where it does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.geometry import check_spacing, grid_of, is_rounding
from scanmill.source.layout import MAX_SIDE
from scanmill.source.segments.segment import LARGEST_BOX

# Frames of several segments on one plane are at one height to this, mm, after the rounding in files.
SAME_PLANE = 0.01
# How many times its thickness a plane may be from the next, where their spacing is not stated.
MOST_APART = 1.5


@dataclass(frozen=True)
class Frames:
    """grid: of the stack. layers: of each frame, in the object's order, its index along grid z."""

    grid: Grid
    layers: np.ndarray


def groups_of(dataset: Dataset, sequence: str) -> Iterator[Dataset]:
    """The item of a functional group, for each frame: its own, or the one that all share."""
    shared = _first(_first(dataset, "SharedFunctionalGroupsSequence") or Dataset(), sequence)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        group = _first(frame, sequence) or shared
        if group is None:
            raise Refusal(
                "geometry-missing",
                f"a frame of the supplied segmentation has no {sequence}; it cannot be placed",
            )
        yield group


def stack_of(dataset: Dataset) -> Frames:
    """The stack that the frames are on. Raises Refusal where it is not one and even."""
    positions = _stacked(dataset, "PlanePositionSequence", "ImagePositionPatient", 3)
    cosines = _stacked(dataset, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacings = _stacked(dataset, "PixelMeasuresSequence", "PixelSpacing", 2)
    if len(positions) != int(dataset.get("NumberOfFrames") or 1):
        raise Refusal("labels-unreadable", "frames of the supplied segmentation are not described")
    if not all(np.isfinite(part).all() for part in (positions, cosines, spacings)):
        raise Refusal("geometry-invalid", "a frame of the segmentation lies nowhere")
    if np.abs(cosines - cosines[0]).max() > 1e-4 or np.ptp(spacings, axis=0).max() > 1e-4:
        raise Refusal(
            "labels-unreadable",
            "the frames of the segmentation differ in direction or pixel spacing",
        )
    row, column = cosines[0, :3], cosines[0, 3:]
    normal = np.cross(row, column)
    if not np.allclose([np.linalg.norm(v) for v in (row, column, normal)], 1, atol=1e-3):
        raise Refusal("geometry-invalid", "the frames' axes are not unit vectors at right angles")
    between_rows, between_columns = (float(x) for x in spacings[0])
    check_spacing((between_columns, between_rows, 1.0))
    heights = (positions - positions[0]) @ normal
    lowest = positions[np.argmin(heights)]
    heights = heights - heights.min()
    pixel = min(between_rows, between_columns)
    drift = positions - lowest - np.outer(heights, normal)
    if not is_rounding(drift, pixel):
        raise Refusal(
            "labels-unreadable", "the frames of the segmentation are shifted against each other"
        )
    step = _step(dataset, heights)
    layers = np.rint(heights / step).astype(int)
    if not is_rounding(heights - step * layers, step):
        raise Refusal(
            "labels-unreadable",
            f"the frames of the segmentation are not on planes {step:.4g} mm apart",
        )
    size = (int(dataset.Columns), int(dataset.Rows), int(layers.max()) + 1)
    if min(size) < 1 or max(size) > MAX_SIDE or np.prod(size, dtype=float) > LARGEST_BOX:
        raise Refusal(
            "data-oversized",
            f"the segmentation spans {size[0]} x {size[1]} x {size[2]} voxels; at most "
            f"{LARGEST_BOX} are accepted, and {MAX_SIDE} along an axis",
        )
    axes = np.column_stack([row * between_columns, column * between_rows, normal * step])
    return Frames(grid_of(size, axes, lowest, (between_columns, between_rows, step)), layers)


def _step(dataset: Dataset, heights: np.ndarray) -> float:
    """The distance of planes: as stated, else the smallest there is, else the slices' thickness.

    Where it is not stated and planes are much further apart than thick, planes between them may be
    empty, or there may be none: Refusal.
    """
    measures = next(groups_of(dataset, "PixelMeasuresSequence"))
    thickness = float(measures.get("SliceThickness") or 0)
    step = abs(float(measures.get("SpacingBetweenSlices") or 0))
    gaps = np.diff(np.sort(heights))
    gaps = gaps[gaps > SAME_PLANE]
    if not step and gaps.size:
        # More digits from the whole stack than from one gap.
        step = float(heights.max() / np.rint(heights.max() / gaps.min()))
        if thickness and step > MOST_APART * thickness:
            raise Refusal(
                "geometry-missing",
                f"the segmentation's planes are {step:.4g} mm apart and {thickness:.4g} mm thick, and "
                "it does not state their spacing: whether planes between them are empty is unknown",
            )
    step = step or thickness
    if not step:
        raise Refusal(
            "geometry-missing", "the segmentation is one plane and does not say how thick it is"
        )
    check_spacing((1.0, 1.0, step))
    return step


def _stacked(dataset: Dataset, sequence: str, keyword: str, count: int) -> np.ndarray:
    rows = []
    for group in groups_of(dataset, sequence):
        values = group.get(keyword)
        if values is None or len(values) != count:
            raise Refusal(
                "geometry-missing", f"a frame of the segmentation does not state its {keyword}"
            )
        rows.append([float(x) for x in values])
    if not rows:
        raise Refusal("geometry-missing", "the segmentation does not say where its frames lie")
    return np.array(rows)


def _first(dataset: Dataset, sequence: str) -> Dataset | None:
    items = dataset.get(sequence)
    return items[0] if items else None
