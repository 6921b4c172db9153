"""Label maps onto another grid, by depth and with their volumes kept.

Nearest neighbour leaves steps as high as a slice is thick, and linear interpolation of masks erodes
whatever is small or curved. Here every voxel knows its depth, the distance to the nearest voxel of
another label (shape-based interpolation: Raya and Udupa 1990, doi:10.1109/42.52980). A point takes
the label whose surrounding voxels have the largest weighted depth: for two labels that is the sign of
their linearly interpolated signed distance, and any number of labels is done in one pass, without gap
or overlap. The rounding of corners that is left is then undone label by label: each gets the offset
to its depth with which it fills the volume that it had. Own code, since libraries do one label at a
time over whole volumes (25 labels: 25 distance maps) and keep no volume.
"""

import numpy as np

from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_extent import reach, voxels_inside
from scanmill.label_map import count_voxels, weighted_counts
from scanmill.label_volumes import keep_volumes
from scanmill.volume_file import Volume

LARGEST_RANK = 254
BLOCK = 4
MIXED = -1


def resample_labels(labels: Volume, target: Grid) -> np.ndarray:
    """Resample a label map (unsigned integers, 0 is background) onto any grid, [z, y, x].

    The grids may lie in any way to each other; beyond the labels' own grid is background. Each label
    keeps the volume of its voxels inside the target, to within a voxel or as far as voxels
    between labels allow.
    """
    if labels.grid.same_as(target):
        return labels.array
    to_source = np.linalg.inv(labels.grid.axes) @ target.axes
    start = labels.grid.to_index(np.asarray(target.origin))
    offsets, lengths = _search_order(labels.grid.spacing)
    result = np.zeros(target.shape, labels.array.dtype)
    # Zero is unknown, so that memory is only touched where labels meet.
    depth = np.zeros(labels.array.shape, np.uint8)
    low, high = reach(labels, target)
    parts = _parts(to_source)
    blocks = _uniform_blocks(labels.array, int(np.ceil(np.abs(parts).max())))
    between = _interpolate(
        labels.array, depth, blocks, offsets, lengths, to_source, start, parts, low, high, result
    )
    number = int(labels.array.max()) + 1
    kept = voxels_inside(labels, target, number)
    wanted = kept * (labels.grid.voxel_volume / target.voxel_volume)
    # Voxels on the target's edge that reach beyond the labels' block count as whole ones in the map.
    inside = weighted_counts(result, target.coverage(labels.grid), number)
    wanted = wanted * count_voxels(result, number) / np.maximum(inside, 1e-9)
    keep_volumes(result, wanted, *between, scale=max(labels.grid.spacing))
    return result


def _search_order(spacing: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (z, y, x) to neighbours by rising distance, up to a voxel's diagonal, and the distances.

    Voxels of different labels that share an interpolation cell are never further apart than that.
    Distances are in mm, as many as a byte can number.
    """
    step = np.asarray(spacing[::-1])
    diagonal = np.linalg.norm(step) * (1 + 1e-9)
    reach = np.minimum(np.floor(diagonal / step), 15).astype(int)
    offsets = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), -1)
    offsets = offsets.reshape(-1, 3)
    lengths = np.linalg.norm(offsets * step, axis=1)
    near = (lengths > 0) & (lengths <= diagonal)
    order = np.argsort(lengths[near], kind="stable")[:LARGEST_RANK]
    return offsets[near][order], lengths[near][order].astype(np.float32)


def _parts(to_source: np.ndarray) -> np.ndarray:
    """Points (x, y, z), in source voxels from its centre, that stand for a target voxel.

    A point sees two source voxels along each axis: one point is enough up to twice the spacing.
    """
    ratio = np.linalg.norm(to_source, axis=0)
    counts = np.maximum(1, np.ceil(ratio / 2 - 0.01)).astype(int)
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in counts]
    return np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 3) @ to_source.T


@kernel
def _uniform_blocks(labels, margin):  # noqa: ANN001, ANN202
    """The one label of each block of BLOCK voxels a side, and of the layers around it; or MIXED.

    The layers are those that points within the block, and `margin` voxels around, interpolate from.
    """
    depth, height, width = labels.shape
    blocks = np.empty(
        ((depth - 1) // BLOCK + 1, (height - 1) // BLOCK + 1, (width - 1) // BLOCK + 1), np.int32
    )
    differs = np.empty(width, labels.dtype)
    for n in range(blocks.shape[0]):
        z0, z1 = max(0, n * BLOCK - margin), min(depth, (n + 1) * BLOCK + 1 + margin)
        for m in range(blocks.shape[1]):
            y0, y1 = max(0, m * BLOCK - margin), min(height, (m + 1) * BLOCK + 1 + margin)
            # Columns that are not all as their first voxel: whole rows at a time, as processors like.
            first = labels[z0, y0]
            differs[:] = 0
            for z in range(z0, z1):
                for y in range(y0, y1):
                    for x in range(width):
                        differs[x] |= labels[z, y, x] ^ first[x]
            for b in range(blocks.shape[2]):
                x0, x1 = max(0, b * BLOCK - margin), min(width, (b + 1) * BLOCK + 1 + margin)
                blocks[n, m, b] = first[x0]
                for x in range(x0, x1):
                    if differs[x] != 0 or first[x] != first[x0]:
                        blocks[n, m, b] = MIXED
    return blocks


@kernel
def _last_alike(blocks):  # noqa: ANN001, ANN202
    """Of each block, the last one along x up to which all are of its one label."""
    last = np.empty_like(blocks)
    for n in range(blocks.shape[0]):
        for m in range(blocks.shape[1]):
            end = blocks.shape[2] - 1
            for b in range(blocks.shape[2] - 1, -1, -1):
                if blocks[n, m, b] != blocks[n, m, end]:
                    end = b
                last[n, m, b] = end
    return last


@kernel
def _depth_rank(labels, z, y, x, offsets):  # noqa: ANN001, ANN202
    """Which of the offsets is the first that leads to another label."""
    own = labels[z, y, x]
    for n in range(len(offsets)):
        k, j, i = z + offsets[n, 0], y + offsets[n, 1], x + offsets[n, 2]
        if (
            0 <= k < labels.shape[0]
            and 0 <= j < labels.shape[1]
            and 0 <= i < labels.shape[2]
            and labels[k, j, i] != own
        ):
            return n
    return len(offsets) - 1


@kernel
def _cell(point, size, base, upper, part):  # noqa: ANN001, ANN202
    """The two voxels of each axis (x, y, z) around a point, and the upper one's share."""
    for a in range(3):
        n = size[2 - a]
        c = point[a]
        if c < -0.5 or c > n - 0.5:
            return False
        c = min(max(c, 0.0), n - 1.0)
        base[a] = int(c)
        upper[a] = min(base[a] + 1, n - 1)
        part[a] = c - base[a]
    return True


@kernel
def _is_uniform(labels, base, upper, own):  # noqa: ANN001, ANN202
    x0, y0, z0 = base[0], base[1], base[2]
    x1, y1, z1 = upper[0], upper[1], upper[2]
    return (
        labels[z0, y0, x0] == own
        and labels[z0, y0, x1] == own
        and labels[z0, y1, x0] == own
        and labels[z0, y1, x1] == own
        and labels[z1, y0, x0] == own
        and labels[z1, y0, x1] == own
        and labels[z1, y1, x0] == own
        and labels[z1, y1, x1] == own
    )


@kernel
def _vote(labels, depth, offsets, lengths, base, upper, part, seen, votes, distinct):  # noqa: ANN001, ANN202
    """Add the weighted depths of a cell's eight corners to the votes of their labels."""
    for corner in range(8):
        x = upper[0] if corner & 1 else base[0]
        y = upper[1] if corner & 2 else base[1]
        z = upper[2] if corner & 4 else base[2]
        w = part[0] if corner & 1 else 1 - part[0]
        w *= part[1] if corner & 2 else 1 - part[1]
        w *= part[2] if corner & 4 else 1 - part[2]
        if depth[z, y, x] == 0:
            depth[z, y, x] = 1 + _depth_rank(labels, z, y, x, offsets)
        rank = depth[z, y, x] - 1
        label = labels[z, y, x]
        slot = 0
        while slot < distinct and seen[slot] != label:
            slot += 1
        if slot == len(seen):
            continue
        if slot == distinct:
            seen[slot] = label
            votes[slot] = 0.0
            distinct += 1
        votes[slot] += w * lengths[rank]
    return distinct


@kernel
def _leader(seen, votes, distinct, without):  # noqa: ANN001, ANN202
    """The slot with most votes but one; the larger label at a tie; -1 where there is none."""
    best = -1
    for slot in range(distinct):
        if slot != without and (
            best < 0
            or votes[slot] > votes[best]
            or (votes[slot] == votes[best] and seen[slot] > seen[best])
        ):
            best = slot
    return best


@kernel
def _interpolate(labels, depth, blocks, offsets, lengths, matrix, start, parts, low, high, result):  # noqa: ANN001, ANN202
    """Fill `result`; return, for its voxels between labels, where, winner, runner-up and margin."""
    capacity = 1 << 16
    where = np.empty(capacity, np.int64)
    first = np.empty(capacity, result.dtype)
    second = np.empty(capacity, result.dtype)
    margin = np.empty(capacity, np.float32)
    count = 0
    alike = _last_alike(blocks)
    seen = np.empty(32, labels.dtype)
    votes = np.empty(32, np.float64)
    point = np.empty(3, np.float64)
    base = np.empty(3, np.int64)
    upper = np.empty(3, np.int64)
    part = np.empty(3, np.float64)
    last_z, last_y, last_x = labels.shape[0] - 1, labels.shape[1] - 1, labels.shape[2] - 1
    for k in range(low[2], high[2]):
        for j in range(low[1], high[1]):
            row_x = start[0] + matrix[0, 1] * j + matrix[0, 2] * k
            row_y = start[1] + matrix[1, 1] * j + matrix[1, 2] * k
            row_z = start[2] + matrix[2, 1] * j + matrix[2, 2] * k
            passed = low[0]
            for i in range(low[0], high[0]):
                if i < passed:
                    continue
                x = row_x + matrix[0, 0] * i
                y = row_y + matrix[1, 0] * i
                z = row_z + matrix[2, 0] * i
                if min(x, y, z) < -0.5 or x > last_x + 0.5 or y > last_y + 0.5 or z > last_z + 0.5:
                    continue
                x0, y0, z0 = int(max(x, 0.0)), int(max(y, 0.0)), int(max(z, 0.0))
                m, n, b = z0 // BLOCK, y0 // BLOCK, x0 // BLOCK
                whole = blocks[m, n, b]
                if whole != MIXED:
                    # Most voxels lie deep within one label: the row goes on to where it may leave it.
                    passed = i + 1
                    if matrix[0, 0] > 0:
                        end = min((alike[m, n, b] + 1.0) * BLOCK, last_x + 0.5)
                        far = min(i + int((end - x) / matrix[0, 0]), high[0]) - 1
                        y, z = row_y + matrix[1, 0] * far, row_z + matrix[2, 0] * far
                        within = min(y, z) >= -0.5 and y <= last_y + 0.5 and z <= last_z + 0.5
                        if within and (int(max(z, 0.0)) // BLOCK, int(max(y, 0.0)) // BLOCK) == (
                            m,
                            n,
                        ):
                            passed = max(passed, far + 1)
                    # The background is there already, and its memory is left untouched.
                    if whole > 0:
                        result[k, j, i:passed] = whole
                    continue
                x1, y1, z1 = min(x0 + 1, last_x), min(y0 + 1, last_y), min(z0 + 1, last_z)
                own = labels[z0, y0, x0]
                uniform = (
                    labels[z0, y0, x1] == own
                    and labels[z0, y1, x0] == own
                    and labels[z0, y1, x1] == own
                    and labels[z1, y0, x0] == own
                    and labels[z1, y0, x1] == own
                    and labels[z1, y1, x0] == own
                    and labels[z1, y1, x1] == own
                )
                if uniform and len(parts) > 1:
                    for p in range(len(parts)):
                        point[0], point[1], point[2] = x, y, z
                        point += parts[p]
                        if _cell(point, labels.shape, base, upper, part):
                            uniform = uniform and _is_uniform(labels, base, upper, own)
                if uniform:
                    result[k, j, i] = own
                    continue
                distinct = 0
                for p in range(len(parts)):
                    point[0], point[1], point[2] = x, y, z
                    point += parts[p]
                    if _cell(point, labels.shape, base, upper, part):
                        distinct = _vote(
                            labels,
                            depth,
                            offsets,
                            lengths,
                            base,
                            upper,
                            part,
                            seen,
                            votes,
                            distinct,
                        )
                best = _leader(seen, votes, distinct, -1)
                result[k, j, i] = seen[best]
                rival = _leader(seen, votes, distinct, best)
                if rival < 0:
                    continue
                if count == capacity:
                    capacity *= 2
                    where = np.append(where, np.empty(count, np.int64))
                    first = np.append(first, np.empty(count, result.dtype))
                    second = np.append(second, np.empty(count, result.dtype))
                    margin = np.append(margin, np.empty(count, np.float32))
                where[count] = (k * result.shape[1] + j) * result.shape[2] + i
                first[count] = seen[best]
                second[count] = seen[rival]
                margin[count] = (votes[best] - votes[rival]) / len(parts)
                count += 1
    return where[:count], first[:count], second[:count], margin[:count]
