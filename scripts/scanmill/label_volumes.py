"""Volumes of labels kept through interpolation, by moving what lies between two labels.

Interpolation rounds off corners, so small and curved labels lose volume to their neighbours. Here each
label gets the offset to its depth with which it fills the volume that it had; the boundaries move by
the same distance all around.
"""

import numpy as np

from scanmill.kernel import kernel
from scanmill.label_map import count_voxels

NEWTON_STEPS = 12


def keep_volumes(
    result: np.ndarray,
    wanted: np.ndarray,
    where: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    margin: np.ndarray,
    scale: float,
) -> None:
    """Move voxels between winner and runner-up until each label has its wanted number of voxels.

    wanted: by label, in target voxels. The offsets, mm by label with the background's at zero, are
    found by Newton's method: the voxels within a band of a tie say how counts answer to offsets.
    """
    if where.size == 0:
        return
    flat = result.ravel()
    counts = count_voxels(flat, len(wanted))
    # By rank among the labels in contest: values reach 65535, and the responses are a square matrix.
    contends = np.zeros(len(wanted), bool)
    contends[0] = contends[first] = contends[second] = True
    values, ranks = np.flatnonzero(contends), np.cumsum(contends) - 1
    first, second, wanted, number = ranks[first], ranks[second], wanted[values], len(values)
    settled = counts[values] - np.bincount(first, minlength=number)
    offsets = np.zeros(number)
    best_offsets, best_miss = offsets, np.inf
    present = np.flatnonzero(wanted > 0)
    present = present[present > 0]
    for _ in range(NEWTON_STEPS):
        won, response = _contest(first, second, margin, offsets, 0.05 * scale)
        miss = (wanted - settled - won)[present]
        total = float(np.abs(miss).sum())
        if total < best_miss:
            best_miss, best_offsets = total, offsets.copy()
        if np.abs(miss).max(initial=0) < 1:
            break
        slope = response[np.ix_(present, present)] + np.diag(np.full(len(present), 1e-3))
        step = np.linalg.solve(slope, miss)
        offsets[present] = np.clip(
            offsets[present] + np.clip(step, -0.2 * scale, 0.2 * scale), -scale, scale
        )
    lead = margin + best_offsets[first] - best_offsets[second]
    holder = np.where(lead >= 0, first, second)
    rival = np.where(lead >= 0, second, first)
    missing = wanted - settled - np.bincount(holder, minlength=number)
    # Symmetric bodies tie in groups larger than what is missing. Among equals the order is that of a
    # hash of the place, so that no side of the body is favoured.
    near = np.flatnonzero(np.abs(lead) < 0.25 * scale)
    scatter = (where[near].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    order = near[np.lexsort((scatter, np.abs(lead[near]).round(4)))]
    _hand_over(order, holder, rival, missing)
    flat[where] = values[holder]


@kernel
def _contest(first, second, margin, offsets, band):  # noqa: ANN001, ANN202
    """Voxels that each label wins between labels, and how they change per mm of each offset."""
    number = len(offsets)
    won = np.zeros(number)
    response = np.zeros((number, number))
    for n in range(len(margin)):
        a, b = first[n], second[n]
        lead = margin[n] + offsets[a] - offsets[b]
        won[a if lead >= 0 else b] += 1
        if abs(lead) < band:
            response[a, a] += 1
            response[b, b] += 1
            response[a, b] -= 1
            response[b, a] -= 1
    return won, response / (2 * band)


@kernel
def _hand_over(order, holder, rival, missing):  # noqa: ANN001, ANN202
    """Give voxels in turn to their rival where that lessens the sum of squares of what is missing.

    Squares let a label pass on what a neighbour gave it: to the background, or to another label.
    """
    moves = 1
    while moves > 0:
        moves = 0
        for n in order:
            a, b = holder[n], rival[n]
            # The background has no number to keep.
            gain = 2 * missing[b] - 1 if b > 0 else 0.0
            loss = 2 * missing[a] + 1 if a > 0 else 0.0
            if gain > loss + 1e-6:
                holder[n], rival[n] = b, a
                missing[b] -= 1
                missing[a] += 1
                moves += 1
