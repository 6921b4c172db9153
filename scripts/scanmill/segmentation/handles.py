"""The step that leaves each component of a region a ball in topology: no handle, and no cavity.

A component (or what surrounds it) grows again, deepest voxels first, by such voxels alone as change no
topology: what would close a loop is left out, where it is thinnest. Kriegeskorte and Goebel 2001,
doi:10.1006/nimg.2001.0831; voxels that change none: Malandain and Bertrand 1992,
doi:10.1109/ICPR.1992.201950. Own code, since no maintained package has it.
"""

import heapq

import cc3d
import numpy as np

from scanmill.kernel import kernel
from scanmill.label_map import Region
from scanmill.segmentation import Scene
from scanmill.segmentation.components import FACES
from scanmill.segmentation.regions import tight, widen

# What becomes of a voxel: it cannot be taken, it can be, it is queued, it is taken.
NEVER, FREE, QUEUED, TAKEN = range(4)


def handles(region: Region, what: str, scene: Scene) -> Region:
    """Leave each component without handles: `cut` where thinnest, or `fill` what they go around.

    A handle is cut through by a sheet of voxels, or its tunnel closed by one at its narrowest. Cavities
    are opened to the outside by a cut, or filled.
    """
    # Imported here: most cases do without it, and every job pays for its imports.
    from scipy import ndimage

    wide = widen(region, (1, 1, 1), scene.grid)
    components, _ = cc3d.connected_components(wide.array, connectivity=FACES, return_N=True)
    spacing = scene.grid.spacing[::-1]
    kept = np.zeros(components.shape, bool)
    for number, box in enumerate(ndimage.find_objects(components), 1):
        # Beyond the scan's border there is background too.
        own = np.pad(components[box] == number, 1)
        if what == "cut":
            depth = ndimage.distance_transform_edt(own, sampling=spacing)
            places = np.where(own, FREE, NEVER).astype(np.uint8)
            first = np.unravel_index(depth.argmax(), depth.shape)
            own = _grown(places, depth, np.array([first]), True)
        else:
            depth = ndimage.distance_transform_edt(~own, sampling=spacing)
            places = np.where(own, NEVER, FREE).astype(np.uint8)
            border = np.ones(own.shape, bool)
            border[1:-1, 1:-1, 1:-1] = False
            own = ~_grown(places, depth, np.argwhere(border), False)
        kept[box] |= own[1:-1, 1:-1, 1:-1]
    return tight(Region(wide.box, kept))


@kernel
def _grown(places, depth, first, by_faces):  # noqa: ANN001, ANN202
    """What grows from the first voxels, a ball or a shell, over the free ones; its topology stays.

    by_faces: is what grows joined through faces alone, or through edges and corners too? The rest of
    space is joined in the other way.
    """
    shape = np.array(places.shape)
    heap = [(0.0, 0)]
    heap.clear()
    for n in range(len(first)):
        z, y, x = first[n]
        places[z, y, x] = TAKEN
    for n in range(len(first)):
        _queue(places, depth, heap, first[n, 0], first[n, 1], first[n, 2])
    while len(heap) > 0:
        _, at = heapq.heappop(heap)
        z, y, x = at // (shape[1] * shape[2]), at // shape[2] % shape[1], at % shape[2]
        if _is_simple(places, z, y, x, by_faces):
            places[z, y, x] = TAKEN
            _queue(places, depth, heap, z, y, x)
        else:
            # What is taken around it later may change that.
            places[z, y, x] = FREE
    return places == TAKEN


@kernel
def _queue(places, depth, heap, z, y, x):  # noqa: ANN001, ANN202
    """Queue the free neighbours of a voxel, the deepest to be first."""
    depths, height, width = places.shape
    for w in range(max(z - 1, 0), min(z + 2, depths)):
        for v in range(max(y - 1, 0), min(y + 2, height)):
            for u in range(max(x - 1, 0), min(x + 2, width)):
                if places[w, v, u] == FREE:
                    places[w, v, u] = QUEUED
                    heapq.heappush(heap, (-depth[w, v, u], (w * height + v) * width + u))


@kernel
def _is_simple(places, z, y, x, by_faces):  # noqa: ANN001, ANN202
    """Does taking a voxel leave the topology as it is, both of what is taken and of the rest?

    Around it, what is joined through corners must be one piece; what is joined through faces alone
    must be one piece among those that share a face with it, within its faces' and edges' neighbours.
    """
    taken = np.zeros(27, np.bool_)
    depths, height, width = places.shape
    for n in range(27):
        w, v, u = z + n // 9 - 1, y + n // 3 % 3 - 1, x + n % 3 - 1
        if 0 <= w < depths and 0 <= v < height and 0 <= u < width:
            taken[n] = places[w, v, u] == TAKEN
        else:
            taken[n] = not by_faces
    return _pieces(taken == by_faces, True) == 1 and _pieces(taken != by_faces, False) == 1


@kernel
def _pieces(mask, by_faces):  # noqa: ANN001, ANN202
    """The pieces of a mask of 27 around its middle, without the middle; by faces: see `_is_simple`."""
    left = mask.copy()
    left[13] = False
    stack = np.empty(27, np.int64)
    count = 0
    for n in range(27):
        if by_faces and _steps_apart(n, 13) == 3:
            left[n] = False
    for n in range(27):
        if not left[n] or (by_faces and _steps_apart(n, 13) != 1):
            continue
        count += 1
        left[n] = False
        stack[0] = n
        size = 1
        while size > 0:
            size -= 1
            here = stack[size]
            for m in range(27):
                if left[m] and (_steps_apart(here, m) == 1 if by_faces else _touch(here, m)):
                    left[m] = False
                    stack[size] = m
                    size += 1
    return count


@kernel
def _steps_apart(n, m):  # noqa: ANN001, ANN202
    return abs(n // 9 - m // 9) + abs(n // 3 % 3 - m // 3 % 3) + abs(n % 3 - m % 3)


@kernel
def _touch(n, m):  # noqa: ANN001, ANN202
    return max(abs(n // 9 - m // 9), abs(n // 3 % 3 - m // 3 % 3), abs(n % 3 - m % 3)) == 1
