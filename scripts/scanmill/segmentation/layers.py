"""Masks packed into label maps: those of neighbours into one, so that no gap opens between them.

Label maps are brought onto a grid as a whole; masks that overlap cannot share one.
"""

import numpy as np

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.segments.segment import LARGEST_BOX, Mask
from scanmill.volume_file import Volume


def layered(masks: dict[str, Mask]) -> list[tuple[Volume, dict[str, int]]]:
    """As few label maps as take the masks whole, each with the values of its structures.

    masks: by structure. Each map covers its masks and a rim of background, and no more. Raises Refusal
    where masks of one lattice lie too far apart for any map.
    """
    lattices = list({id(mask.lattice): mask.lattice for mask in masks.values()}.values())
    found = []
    for lattice in lattices:
        alike = {name: mask for name, mask in masks.items() if mask.lattice is lattice}
        found += _packed(alike, lattice)
    return found


def _packed(masks: dict[str, Mask], lattice: Grid) -> list[tuple[Volume, dict[str, int]]]:
    sizes = {name: np.array(mask.array.shape[::-1]) for name, mask in masks.items()}
    low = np.min([mask.start for mask in masks.values()], axis=0) - 1
    high = np.max([mask.start + sizes[name] for name, mask in masks.items()], axis=0) + 1
    size = tuple((high - low).tolist())
    if np.prod(size, dtype=float) > LARGEST_BOX:
        raise Refusal(
            "labels-unreadable",
            f"the supplied labels span {size[0]} x {size[1]} x {size[2]} voxels; up to "
            f"{LARGEST_BOX} are accepted",
        )
    grid = lattice.crop(tuple(low.tolist()), size)
    layers: list[tuple[Volume, dict[str, int]]] = []
    for name, mask in masks.items():
        first = np.asarray(mask.start) - low
        box = tuple(slice(a, a + n) for a, n in zip(first[::-1], mask.array.shape, strict=True))
        free = (layer for layer in layers if not layer[0].array[box][mask.array].any())
        layer = next(free, None)
        if layer is None:
            layer = Volume(np.zeros(grid.shape, np.min_scalar_type(len(masks))), grid), {}
            layers.append(layer)
        volume, values = layer
        values[name] = len(values) + 1
        volume.array[box][mask.array] = values[name]
    return layers
