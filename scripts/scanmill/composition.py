"""Label maps whose surfaces are 2-manifold: voxels of a label that touch only by an edge or a corner.

Where two voxels of a label meet only along an edge, or only at a corner, its surface pinches itself and
is no manifold, whatever builds it. Such places are repaired in the map, before the surface, so that
neighbours still share one boundary (well-composedness: Latecki 1997, doi:10.1023/A:1008272007336).
Own code: published repairs are for one label, by growing it.
"""

import numpy as np

from scanmill.kernel import kernel

SWEEPS = 60


def _manifold_table() -> np.ndarray:
    """For each set of a cube's eight voxels: do it and its complement each hang together by faces?

    Bit n of the index is the voxel at (x, y, z) = (n & 1, n >> 1 & 1, n >> 2).
    """

    def hangs_together(corners: set[int]) -> bool:
        if not corners:
            return True
        reached, front = set(), {min(corners)}
        while front:
            reached |= front
            front = {c ^ bit for c in front for bit in (1, 2, 4)} & corners - reached
        return reached == corners

    sets = [{n for n in range(8) if index >> n & 1} for index in range(256)]
    return np.array([hangs_together(s) and hangs_together(set(range(8)) - s) for s in sets])


MANIFOLD = _manifold_table()


def make_well_composed(labels: np.ndarray) -> tuple[int, int]:
    """Repair a label map in place, [z, y, x], its border being background.

    Returns how many changes were made, and how many pinches are left. Each change gives a voxel of a
    pinched cube the label of another of its voxels and lessens the number of pinches of all labels
    together; out of dead ends help sweeps that may leave that number as it is, and at last giving a
    growing block to its commonest label.
    """
    changed = 0
    left = 0
    for sweep in range(SWEEPS):
        moves, left = _sweep(labels, MANIFOLD, 1 if sweep % 2 == 0 else 0, sweep)
        changed += moves
        if moves == 0 and left == 0:
            break
    return changed, left


@kernel
def _pinches(labels, z, y, x, table):  # noqa: ANN001, ANN202
    """Number of labels whose boundary is pinched within the cube that begins at a voxel."""
    count = 0
    done = 0
    for n in range(8):
        if done >> n & 1:
            continue
        own = labels[z + (n >> 2), y + (n >> 1 & 1), x + (n & 1)]
        index = 0
        for m in range(8):
            if labels[z + (m >> 2), y + (m >> 1 & 1), x + (m & 1)] == own:
                index |= 1 << m
        done |= index
        if own != 0 and not table[index]:
            count += 1
    return count


@kernel
def _pinches_around(labels, z, y, x, table):  # noqa: ANN001, ANN202
    count = 0
    for k in range(z - 1, z + 1):
        for j in range(y - 1, y + 1):
            for i in range(x - 1, x + 1):
                count += _pinches(labels, k, j, i, table)
    return count


@kernel
def _find_mixed(labels, z, y, mixed):  # noqa: ANN001, ANN202
    """Note which cubes of a row hold several labels: the whole row at once, as processors like."""
    a, b, c, d = labels[z, y], labels[z, y + 1], labels[z + 1, y], labels[z + 1, y + 1]
    for x in range(len(mixed)):
        here = (a[x] ^ b[x]) | (a[x] ^ c[x]) | (a[x] ^ d[x])
        there = (a[x] ^ b[x + 1]) | (a[x] ^ c[x + 1]) | (a[x] ^ d[x + 1])
        mixed[x] = here | there | (a[x] ^ a[x + 1])


@kernel
def _sweep(labels, table, least_gain, turn):  # noqa: ANN001, ANN202
    """Go through all cubes once; at each pinch make the best change of one voxel, if one helps."""
    moves = 0
    left = 0
    depth, height, width = labels.shape
    mixed = np.empty(width - 1, labels.dtype)
    for z in range(depth - 1):
        for y in range(height - 1):
            _find_mixed(labels, z, y, mixed)
            for x in range(width - 1):
                if mixed[x] == 0:
                    continue
                own = labels[z, y, x]
                if _pinches(labels, z, y, x, table) == 0:
                    continue
                best_gain = least_gain - 1
                best = (0, 0, 0)
                best_label = own
                for m in range(8):
                    # Sideways moves begin elsewhere at each turn, or they would undo each other.
                    n = (m + turn * 3 + x + y + z) & 7
                    k, j, i = z + (n >> 2), y + (n >> 1 & 1), x + (n & 1)
                    if k in (0, depth - 1) or j in (0, height - 1) or i in (0, width - 1):
                        continue
                    old = labels[k, j, i]
                    before = _pinches_around(labels, k, j, i, table)
                    for c in range(8):
                        new = labels[z + (c >> 2), y + (c >> 1 & 1), x + (c & 1)]
                        if new == old:
                            continue
                        labels[k, j, i] = new
                        gain = before - _pinches_around(labels, k, j, i, table)
                        labels[k, j, i] = old
                        if gain > best_gain:
                            best_gain, best, best_label = gain, (k, j, i), new
                if best_gain >= least_gain:
                    labels[best] = best_label
                    moves += 1
                else:
                    left += 1
                    if turn % 3 == 2:
                        moves += _flatten(labels, z, y, x, turn // 9)
                _find_mixed(labels, z, y, mixed)
    return moves, left


@kernel
def _flatten(labels, z, y, x, margin):  # noqa: ANN001, ANN202
    """Give a cube, and a margin around it, to the commonest label there; return how many change."""
    depth, height, width = labels.shape
    block = labels[
        max(z - margin, 1) : min(z + 2 + margin, depth - 1),
        max(y - margin, 1) : min(y + 2 + margin, height - 1),
        max(x - margin, 1) : min(x + 2 + margin, width - 1),
    ]
    commonest, most = 0, 0
    for own in block.flat:
        count = 0
        for other in block.flat:
            count += own == other
        if count > most:
            commonest, most = own, count
    block[:] = commonest
    return block.size - most
