"""Ghosts of motion in an MR: copies of the body that lie beside it along the phase-encoding axis."""

import cc3d
import fill_voids
import numpy as np

# Four times the largest of clean scans, 0.27 %; the American College of Radiology accepts a phantom's
# scan up to 5 % as it is counted here (Phantom Test Guidance, percent signal ghosting).
SUSPECT_PERCENT = 1.0
# Air and body are told apart at this part of the way to the body's signal, and air nearer to the body
# than this many voxels is left out, as are the outermost voxels.
BODY_PART, MARGIN = 0.15, 4
# Brighter pieces are tissue if they are so large against the largest: a ghost is fainter.
LEAST_PIECE = 0.03
# Voxels by which bright pieces are opened, and those that are joined have a side in common.
OPENED, SIDES = 2, 4
# Fewer voxels of air beside the body say nothing.
LEAST_PART = 0.02


def ghosting(image: np.ndarray, across: int) -> float | None:
    """How much brighter the air beside the body is along one axis than along the other, % of the body.

    image: MR, [z, y, x]. across: the axis of the array that the slices lie across. None where there is
    too little air beside the body to tell, or where air was set to one value.
    """
    image = np.moveaxis(image, across, 0)
    middle = image[len(image) // 4 : max(len(image) // 4 + 1, len(image) * 3 // 4)]
    beside: list[list[np.ndarray]] = [[], []]
    signal = []
    for slice_ in middle.astype(np.float64):
        body = _body(slice_)
        if not body.any():
            continue
        signal.append(np.median(slice_[body]))
        grown = _grown(body, MARGIN)
        shadows = [np.broadcast_to(grown.any(axis=a, keepdims=True), body.shape) for a in (0, 1)]
        inner = (slice(MARGIN, -MARGIN),) * 2
        for axis in (0, 1):
            clear = shadows[axis] & ~shadows[1 - axis]
            beside[axis].append(slice_[inner][clear[inner]])
    if not signal:
        return None
    air = [np.concatenate(parts) for parts in beside]
    least = LEAST_PART * middle.size
    if any(len(values) < least or values.std() == 0 for values in air):
        return None
    # Half of no noise is padding: means of what is left would say more than there is.
    if any((values == values.min()).mean() > 0.5 for values in air):
        return None
    return float(100 * abs(air[0].mean() - air[1].mean()) / np.mean(signal))


def _body(slice_: np.ndarray) -> np.ndarray:
    """All large bright pieces, arms beside the trunk as well, without holes."""
    bright = slice_ > BODY_PART * np.percentile(slice_, 99)
    # What is outside the slice is dark.
    eroded = ~_grown(np.pad(~bright, OPENED, constant_values=True), OPENED)
    opened = _grown(eroded, OPENED)[OPENED:-OPENED, OPENED:-OPENED]
    pieces = cc3d.connected_components(opened, connectivity=SIDES)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    chosen = sizes >= LEAST_PIECE * sizes.max(initial=1)
    return fill_voids.fill(chosen[pieces])


def _grown(mask: np.ndarray, steps: int) -> np.ndarray:
    """A mask [y, x] with what is within so many steps from pixel to pixel through their sides.

    SciPy's takes no less time, and its import as long as all else that is done to a small MR.
    """
    for _ in range(steps):
        before, mask = mask, mask.copy()
        mask[1:] |= before[:-1]
        mask[:-1] |= before[1:]
        mask[:, 1:] |= before[:, :-1]
        mask[:, :-1] |= before[:, 1:]
    return mask
