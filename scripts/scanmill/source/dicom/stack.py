"""Proof that image planes are one regular stack, and the grid that they lie on.

Places are those of DICOM PS3.3, C.7.6.2 (image plane): LPS mm, of the centre of a plane's first pixel.
Order and spacing come from the positions along the planes' normal alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.dicom.frames import Frame, triple
from scanmill.source.geometry import STACK_LIMIT, check_spacing, grid_of, is_rounding
from scanmill.source.layout import Note, size_of

# Two headings of one plane: above the rounding of cosines to five digits, below 0.01 degrees.
PARALLEL = 1e-4
STEEPEST = 45.0  # degrees of a gantry; scanners reach 30


@dataclass(frozen=True)
class Stack:
    """Planes in order, and the grid of the volume that they make.

    heights: mm along the normal from the first plane. shifts: [n, 2], in-plane displacement (x, y) in
    pixels from straight above the first plane. on_slices: whether plane k is slice k of the grid.
    first_pixel: pixel (x, y) of an unshifted plane where the grid begins.
    """

    frames: tuple[Frame, ...]
    grid: Grid
    heights: np.ndarray
    shifts: np.ndarray
    on_slices: bool
    first_pixel: tuple[int, int]
    notes: tuple[Note, ...]


def normal_of(frame: Frame) -> np.ndarray:
    """The unit normal of a plane. Raises Refusal where its direction cosines are impossible."""
    row, column = np.reshape(triple(frame, "ImageOrientationPatient", 6), (2, 3))
    lengths = [np.linalg.norm(row), np.linalg.norm(column)]
    if not np.allclose(lengths, 1, atol=1e-3) or abs(row @ column) > 1e-3:
        raise Refusal(
            "geometry-invalid",
            "the slices' direction cosines are not of length 1 and at right angles",
        )
    return np.cross(row, column)


def is_regular(frames: Sequence[Frame], normal: np.ndarray) -> bool:
    """Whether planes are evenly spaced along a normal, none of them twice."""
    if len(frames) < 2:
        return False
    heights = np.sort(positions_of(frames) @ normal)
    step = (heights[-1] - heights[0]) / (len(heights) - 1)
    return bool(
        step > 0 and is_rounding(heights - heights[0] - step * np.arange(len(heights)), step)
    )


def positions_of(frames: Sequence[Frame]) -> np.ndarray:
    """LPS mm of each plane's first pixel, [n, 3]."""
    return np.array([triple(frame, "ImagePositionPatient") for frame in frames])


def stack_of(frames: Sequence[Frame], allow_uneven: bool) -> Stack:
    """The stack that planes of one size and orientation make. Raises Refusal where it is none.

    allow_uneven: whether unevenly spaced planes may be resampled.
    """
    cosines = np.array([triple(frame, "ImageOrientationPatient", 6) for frame in frames])
    normal = normal_of(frames[0])
    if np.abs(cosines - cosines[0]).max() > PARALLEL:
        raise Refusal("dicom-irregular", "the slices are not parallel to each other")
    between_rows, between_columns = triple(frames[0], "PixelSpacing", 2)
    check_spacing((between_columns, between_rows, 1.0))
    columns, rows = frames[0].values.get("Columns"), frames[0].values.get("Rows")
    size = size_of([columns, rows, len(frames)])
    unordered = positions_of(frames)
    order = np.argsort(unordered @ normal, kind="stable")
    frames, positions = tuple(frames[k] for k in order), unordered[order]
    heights = (positions - positions[0]) @ normal
    step, even = _step(heights, allow_uneven)
    in_plane = np.reshape(cosines[0], (2, 3))
    shifts = (positions - positions[0] - np.outer(heights, normal)) @ in_plane.T
    tilt = _tilt(frames[0], heights, shifts, min(between_columns, between_rows))
    shifts /= [between_columns, between_rows]
    notes = [] if even else [_resampled(heights, step)]
    first, many = (0, 0), size[:2]
    if tilt is not None:
        notes.append(_corrected(tilt))
        low = np.floor(shifts.min(axis=0) + STACK_LIMIT)
        high = np.ceil(shifts.max(axis=0) - STACK_LIMIT)
        first, many = (int(low[0]), int(low[1])), np.add(size[:2], (high - low)).astype(int)
    notes += _gap_notes(frames, step) if even else []
    slices = round(heights[-1] / step) + 1
    row, column = in_plane
    axes = np.column_stack([row * between_columns, column * between_rows, normal * step])
    origin = positions[0] + axes[:, :2] @ first
    spacing = (float(between_columns), float(between_rows), step)
    grid = grid_of(size_of([*many, slices]), axes, origin, spacing)
    on_slices = even and tilt is None
    return Stack(frames, grid, heights, shifts, on_slices, first, tuple(notes))


def _step(heights: np.ndarray, allow_uneven: bool) -> tuple[float, bool]:
    """The distance in mm of the grid's slices, and whether it is that of all planes."""
    step = float(f"{heights[-1] / (len(heights) - 1):.7g}")
    gaps = np.diff(heights)
    if not gaps.min() > STACK_LIMIT * gaps.max():
        raise Refusal(
            "dicom-irregular",
            "several slices lie at one place, with different pixels, and nothing tells them apart; "
            "give one volume alone",
        )
    if is_rounding(heights - step * np.arange(len(heights)), step):
        return step, True
    if not allow_uneven:
        raise Refusal("dicom-irregular", _uneven(gaps))
    return float(heights[-1] / np.ceil(heights[-1] / gaps.min() - STACK_LIMIT)), False


def _uneven(gaps: np.ndarray) -> str:
    least = np.median(gaps)
    multiples = np.rint(gaps / least)
    if np.abs(gaps - multiples * least).max() <= STACK_LIMIT * least:
        missing = int((multiples - 1).sum())
        return (
            f"the slices are {gaps.min():.4g} mm apart but for gaps of up to {gaps.max():.4g} mm: "
            f"{missing} are missing; give the whole series"
        )
    return (
        f"the slices are {gaps.min():.4g} to {gaps.max():.4g} mm apart: some are missing, or their "
        "spacing varies; one even stack is needed"
    )


def _tilt(frame: Frame, heights: np.ndarray, drift: np.ndarray, pixel: float) -> float | None:
    """The angle in degrees by which a gantry was tilted; None where the planes are straight.

    drift: in-plane displacement (x, y), mm. pixel: its shorter side, mm. Raises Refusal where planes
    are displaced otherwise: positions that no scanner would have made may well be wrong.
    """
    if is_rounding(drift, pixel):
        return None
    slope = heights @ drift / (heights @ heights)
    is_sheared = is_rounding(drift - np.outer(heights, slope), pixel)
    angle = float(np.degrees(np.arctan(np.linalg.norm(slope))))
    # GantryDetectorTilt is not asked: its sign varies, and after a correction it often stays.
    if frame.kind != "CT" or not is_sheared or angle > STEEPEST:
        raise Refusal(
            "dicom-irregular",
            f"the slices are shifted in their plane by up to {np.abs(drift).max():.4g} mm against "
            "each other, and not as by a tilted CT gantry; a stack along its normal is needed",
        )
    return angle


def _corrected(angle: float) -> Note:
    return (
        "tilt-corrected",
        f"The slices were acquired at a tilt of {angle:.2f} degrees: they were moved in their plane, "
        "by linear interpolation, onto a grid of right angles.",
    )


def _resampled(heights: np.ndarray, step: float) -> Note:
    gaps = np.diff(heights)
    return (
        "slices-resampled",
        f"The slices are {gaps.min():.4g} to {gaps.max():.4g} mm apart: they were resampled, by "
        f"linear interpolation, to {step:.4g} mm.",
    )


def _gap_notes(frames: Sequence[Frame], step: float) -> list[Note]:
    between = frames[0].values.get("SpacingBetweenSlices")
    thickness = frames[0].values.get("SliceThickness")
    between = abs(between) if isinstance(between, float) else 0.0
    thickness = thickness if isinstance(thickness, float) else 0.0
    if between and abs(between - step) > STACK_LIMIT * step:
        times = step / between
        gap_is_meant = thickness and abs(thickness + between - step) <= STACK_LIMIT * step
        if round(times) > 1 and abs(times - round(times)) <= STACK_LIMIT and not gap_is_meant:
            raise Refusal(
                "dicom-irregular",
                f"the slices are {step:.4g} mm apart, {round(times)} times the {between:.4g} mm that "
                "their headers say: slices are missing, or one of the two is wrong",
            )
        return [
            (
                "spacing-disagrees",
                f"The headers say that slices are {between:.4g} mm apart; by their positions, which "
                f"were used, it is {step:.4g} mm.",
            )
        ]
    if not between and thickness and step > 1.5 * thickness:
        return [
            (
                "slices-apart",
                f"The slices are {thickness:.4g} mm thick and {step:.4g} mm apart: some may be "
                "missing.",
            )
        ]
    return []
