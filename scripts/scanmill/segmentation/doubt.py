"""What a method is not sure of: the least and the most of each structure that it would not rule out.

Rules: the same steps, with every window narrower, or wider, by what one tissue varies by around the
structure; that is noise and texture alike, of which either may carry a voxel over a threshold. Methods
that know how likely each voxel is: those that are so by more than SURE, or than 1 - SURE. A structure
that is built from others has their doubt too.

Own code: tools that segment by rules know no doubt, and what networks, atlases and random walks call a
chance is for `docs/challenges.py` and `docs/atlases.py` to judge, which tell what intervals hold.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from scanmill.kernel import kernel
from scanmill.label_map import Doubt, Region
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, Structure
from scanmill.segmentation.regions import around, cut, widen

# How likely a voxel is of what is surely the structure; 1 less this, of what it perhaps is.
SURE = 0.7
# Methods whose steps begin with what is not in doubt, and the steps by which doubt comes in.
BEGIN_SURE, LEANING = ("labels", "rules"), ("window", "inside", "outside", "apart", "touching")
# Edge of the blocks that a tissue's variation is told from, voxels, and which part of one it must fill.
BLOCK, FILLED = 6, 0.25
# Steps through voxels' faces from the boundary: partial volume comes this far; farther out than the
# others is no neighbour.
BLURRED, FARTHEST = 2, 8
RegionOf = Callable[[Structure, Scene], Region]


def doubt_of(
    structure: Structure, region: Region, scene: Scene, region_of: RegionOf
) -> Doubt | None:
    """What may be less or more of a structure than the region that was found; None where nothing may.

    region_of: gives the structure's region in a scene that leans to less or to more.
    """
    if not _may_lean(structure["segment"]):
        return None
    leeway = 0.0
    if any("window" in step for step in structure["segment"].get("steps", [])):
        leeway = variation(scene.image(), widen(region, (FARTHEST,) * 3, scene.grid))
    less, more = (
        _leaning(structure, scene.that_leans(lean, leeway), region_of) for lean in (-1, 1)
    )
    if less is region and more is region:
        return None
    box = around([region.box, more.box])
    likely = cut(region, box)
    surely, perhaps = likely & cut(less, box), likely | cut(more, box)
    if (surely == perhaps).all():
        return None
    return Doubt(Region(box, surely), Region(box, perhaps))


def _may_lean(way: dict[str, Any]) -> bool:
    """Can a structure be less or more than what was found? way: how it is segmented."""
    leaning = (step for step in way.get("steps", []) if not step.keys().isdisjoint(LEANING))
    return way["method"] not in BEGIN_SURE or any(leaning)


def _leaning(structure: Structure, scene: Scene, region_of: RegionOf) -> Region:
    """Empty where nothing is left of the structure, or of one that it is built from."""
    try:
        return region_of(structure, scene)
    except Refusal:
        return Region((slice(0, 0),) * 3, np.zeros((0, 0, 0), bool))


def variation(image: np.ndarray, region: Region) -> float:
    """Standard deviation of one tissue around a region, noise and texture alike, units of the image.

    image: [z, y, x]. That of the quieter side of the boundary, off the means of small blocks, since
    several tissues may lie on the other; 0 where neither side is large enough to tell.
    """
    variances = _variances(image[region.box], region.array, _steps(region.array))
    known = [side[side >= 0] for side in variances]
    return min((float(np.sqrt(np.median(side))) for side in known if side.size), default=0.0)


@kernel
def _steps(mask):  # noqa: ANN001, ANN202
    """Steps through voxels' faces to the other side of the boundary, from 1, at most FARTHEST."""
    steps = np.full(mask.shape, FARTHEST, np.uint8)
    last = np.array(mask.shape) - 1
    for towards in (-1, 1):
        for k in range(mask.shape[0]):
            z = k if towards < 0 else last[0] - k
            for j in range(mask.shape[1]):
                y = j if towards < 0 else last[1] - j
                for i in range(mask.shape[2]):
                    x = i if towards < 0 else last[2] - i
                    for axis in range(3):
                        w = z + towards if axis == 0 else z
                        v = y + towards if axis == 1 else y
                        u = x + towards if axis == 2 else x
                        if min(w, v, u) < 0 or w > last[0] or v > last[1] or u > last[2]:
                            continue
                        if mask[w, v, u] != mask[z, y, x]:
                            steps[z, y, x] = 1
                            steps[w, v, u] = 1
                        elif steps[w, v, u] + 1 < steps[z, y, x]:
                            steps[z, y, x] = steps[w, v, u] + 1
    return steps


@kernel
def _variances(image, mask, steps):  # noqa: ANN001, ANN202
    """Of each block, around and inside: the variance off its mean; -1 where it has too few voxels."""
    shape = image.shape
    down, along, deep = shape[0] // BLOCK + 1, shape[1] // BLOCK + 1, shape[2] // BLOCK + 1
    variances = np.full((2, down * along * deep), -1.0)
    for block in range(down * along * deep):
        z, y, x = block // (along * deep), block // deep % along, block % deep
        number, total, squares = np.zeros(2), np.zeros(2), np.zeros(2)
        for w in range(z * BLOCK, min((z + 1) * BLOCK, shape[0])):
            for v in range(y * BLOCK, min((y + 1) * BLOCK, shape[1])):
                for u in range(x * BLOCK, min((x + 1) * BLOCK, shape[2])):
                    far = steps[w, v, u] >= FARTHEST and not mask[w, v, u]
                    if steps[w, v, u] > BLURRED and not far:
                        side = int(mask[w, v, u])
                        value = float(image[w, v, u])
                        number[side] += 1
                        total[side] += value
                        squares[side] += value * value
        for side in range(2):
            if number[side] >= FILLED * BLOCK**3:
                spread = squares[side] - total[side] ** 2 / number[side]
                variances[side, block] = max(spread, 0.0) / (number[side] - 1)
    return variances
