"""Structures grown from seeds by random walks: each voxel is of the one that a walk reaches first.

Walks end at the seeds of the structure, at those of others, and beyond the structure's reach. First
walks go by edges alone; what they find tells the intensities of each structure and of the background,
which are the prior of the next walks, and so on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cc3d
import numpy as np

from scanmill.hounsfield import doubt
from scanmill.label_map import Box, Region
from scanmill.refusal import Refusal
from scanmill.seed_file import BACKGROUND
from scanmill.segmentation import Scene, Structure, faintness
from scanmill.segmentation.components import FACES
from scanmill.segmentation.densities import Densities
from scanmill.segmentation.doubt import SURE
from scanmill.segmentation.painting import paint_each
from scanmill.segmentation.random_walk import ELSEWHERE, FREE, SEED, WALL, Walk, local_noise
from scanmill.segmentation.regions import around, cut, needed, widen
from scanmill.segmentation.seed_voxels import background_of, seeds_of
from scanmill.segmentation.steps import apply, dilate

# Walks with a prior, after the first without; further ones change Dice by less than 0.01.
ROUNDS = 3
# Of voxels, intensities that nothing known has are the background's.
UNKNOWN = 1e-6


@dataclass
class Growth:
    """One structure as it grows.

    box: of the grid, where it is looked for. walk: in the box. seeds: mask of the box. noise: standard
    deviation there, units of the image. chance: how likely each of the walk's voxels is of it.
    """

    box: Box
    walk: Walk
    seeds: np.ndarray
    noise: float
    chance: np.ndarray

    def known(self) -> np.ndarray:
        """How likely each voxel of the box is of the structure, float32 [z, y, x]."""
        known = self.seeds.astype(np.float32)
        known[self.walk.free] = self.chance
        return known


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint each structure as it grows from its seeds, cleaned up by its steps.

    Structures that follow each other compete for voxels, unless one refers to the other. Raises Refusal
    `not-hounsfield` where a recipe for CT meets other intensities.
    """
    if scene.modality == "CT":
        reason = doubt(scene.image(), scene.grid)
        if reason:
            raise Refusal("not-hounsfield", reason)
    for rivals in _rivals(structures):
        _paint(rivals, scene)


def _rivals(structures: list[Structure]) -> Iterator[list[Structure]]:
    """The structures in groups of which none refers to another of its group."""
    group: list[Structure] = []
    for structure in structures:
        segment = structure["segment"]
        if {segment["seeds"] if isinstance(segment["seeds"], str) else None, segment["inside"]} & {
            rival["name"] for rival in group
        }:
            yield group
            group = []
        group.append(structure)
    yield group


def _paint(rivals: list[Structure], scene: Scene) -> None:
    refusals: dict[str, Refusal] = {}
    growths: dict[str, Growth] = {}
    seeds: dict[str, Region] = {}
    for structure in rivals:
        try:
            seeds[structure["name"]] = seeds_of(structure, scene)
        except Refusal as refusal:
            refusals[structure["name"]] = refusal
    background = background_of(scene)
    if background.array.any():
        # It grows as the others do, and is not painted.
        reach = max(structure["segment"]["reach"] for structure in rivals)
        rivals = [*rivals, {"name": BACKGROUND, "segment": {"reach": reach, "inside": None}}]
        seeds[BACKGROUND] = background
    for structure in rivals:
        name = structure["name"]
        if name in seeds:
            others = [region for other, region in seeds.items() if other != name]
            try:
                growths[name] = _begun(structure, seeds[name], others, scene)
            except Refusal as refusal:
                refusals[name] = refusal
    found = _grown(growths, scene) if growths else {}

    def region_of(structure: Structure, scene: Scene) -> Region:
        name = structure["name"]
        if name in refusals:
            raise refusals[name]
        region = found[scene.lean][name]
        if scene.lean == 0:
            faintness.warn(structure, region, scene)
        return apply(structure["segment"]["steps"], region, scene)

    paint_each([s for s in rivals if s["name"] != BACKGROUND], scene, region_of)


def _begun(structure: Structure, seeds: Region, others: list[Region], scene: Scene) -> Growth:
    """The walk of a structure by edges alone. others: the seeds of what is not the structure."""
    segment = structure["segment"]
    near = widen(dilate(seeds, segment["reach"], scene), (1, 1, 1), scene.grid)
    own = cut(seeds, near.box)
    places = np.where(near.array, FREE, ELSEWHERE).astype(np.uint8)
    for other in others:
        barred = cut(other, near.box)
        if (barred & own).any():
            raise Refusal(
                "seeds-conflict",
                f"{np.count_nonzero(barred & own)} voxels are seeds of this structure and of another "
                "or the background; seeds farther apart or smaller would be right",
            )
        places[barred] = ELSEWHERE
    places[own] = SEED
    if segment["inside"]:
        around = cut(needed(segment["inside"], scene), near.box)
        if (own & ~around).any():
            raise Refusal(
                "seed-misses",
                f"{np.count_nonzero(own & ~around)} of {np.count_nonzero(own)} voxels of seeds lie "
                f"outside '{segment['inside']}'; seeds within it would be right",
            )
        places[~around] = WALL
    if not (places == ELSEWHERE).any():
        raise Refusal(
            "seeds-unbounded",
            f"all that there is lies within the reach of {segment['reach']:g} mm; a smaller reach, "
            "or seeds of the background, would be right",
        )
    image = scene.image()[near.box]
    noise = local_noise(image, places == FREE)
    walk = Walk.over(image, places, noise, scene.grid.spacing)
    chance = walk.probabilities(None, np.zeros(len(walk.totals)))
    # Along the axis that interpolation has smoothed least.
    return Growth(near.box, walk, own, max(noise), chance)


def _grown(growths: dict[str, Growth], scene: Scene) -> dict[int, dict[str, Region]]:
    """The regions of structures after all walks, by the scene's lean and by name."""
    box = around([growth.box for growth in growths.values()])
    for _ in range(ROUNDS):
        _walk_again(list(growths.values()), box, scene.image()[box])
    claims = _claims(list(growths.values()), box)
    found: dict[int, dict[str, Region]] = {lean: {} for lean in (-1, 0, 1)}
    for number, (name, growth) in enumerate(growths.items(), 1):
        known = growth.known()
        mine = claims[_within(growth.box, box)] == number
        for lean, mask in ((-1, known > SURE), (0, mine), (1, known > 1 - SURE)):
            found[lean][name] = Region(growth.box, _joined(mask | growth.seeds, growth.seeds))
    return found


def _walk_again(growths: list[Growth], box: Box, image: np.ndarray) -> None:
    """Walk with a prior of what the last walks tell of intensities and place. box: of all growths."""
    left = np.maximum(1 - _taken(growths, box), 0)
    walked = np.zeros(image.shape, bool)
    for growth in growths:
        walked[_within(growth.box, box)] |= growth.walk.free
    scale = Densities.over(image[walked], min(growth.noise for growth in growths))
    bins = scale.bins(image)
    around = scale.density(bins[walked], left[walked]) + UNKNOWN
    # The last walk knew the intensities too: for a prior, half of its evidence is counted.
    total = around[bins] * np.sqrt(left)
    likely = []
    for growth in growths:
        inner, free = _within(growth.box, box), growth.walk.free
        known = free | growth.seeds
        density = scale.density(bins[inner][known], growth.known()[known])
        likely.append(density[bins[inner][free]] * np.sqrt(growth.chance))
        total[inner][free] += likely[-1]
    for growth, own in zip(growths, likely, strict=True):
        all_ = total[_within(growth.box, box)][growth.walk.free]
        prior = own / np.maximum(all_, UNKNOWN * UNKNOWN)
        growth.chance = growth.walk.probabilities(prior, growth.chance)


def _taken(growths: list[Growth], box: Box) -> np.ndarray:
    """How likely each voxel of the box is of any structure."""
    taken = np.zeros([part.stop - part.start for part in box], np.float32)
    for growth in growths:
        taken[_within(growth.box, box)] += growth.known()
    return taken


def _claims(growths: list[Growth], box: Box) -> np.ndarray:
    """Which structure, from 1, or 0 for the background, each voxel of the box is most likely of."""
    best = 1 - _taken(growths, box)
    claims = np.zeros(best.shape, np.uint16)
    for number, growth in enumerate(growths, 1):
        inner, known = _within(growth.box, box), growth.known()
        claims[inner][known > best[inner]] = number
        best[inner] = np.maximum(best[inner], known)
    return claims


def _joined(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The components of a mask that hold a seed: what only looks alike is no part of a structure."""
    components = cc3d.connected_components(mask, connectivity=FACES)
    return np.isin(components, np.unique(components[seeds]))


def _within(inner: Box, outer: Box) -> Box:
    """Where a box lies in another that holds it."""
    return tuple(
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(inner, outer, strict=True)
    )
