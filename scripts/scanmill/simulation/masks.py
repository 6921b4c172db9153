"""The masks of a case's structures, and their smooth surfaces."""

from dataclasses import dataclass, replace

import cc3d
import numpy as np
from scipy.ndimage import gaussian_filter

from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.refusal import Refusal
from scanmill.surface import Surface, surface_of_mask

# Of its voxels, what a blur may change of a mask.
CHANGED = 0.05


@dataclass(frozen=True)
class Masks:
    """The whole masks of structures, covered parts included, by name.

    blur: of masks before surfaces are made of them, a standard deviation in voxels. slices: mm between
    the scan's, whose waves surfaces are smoothed against.
    """

    grid: Grid
    regions: dict[str, Region]
    blur: float = 0.0
    slices: float = 0.0

    @classmethod
    def of(cls, label_map: LabelMap, names: dict[str, int]) -> "Masks":
        """Those of a label map. names: to labels."""
        found = label_map.regions()
        own = {name: found[label] for name, label in names.items() if label in found}
        return cls(label_map.grid, own)

    def __contains__(self, name: str) -> bool:
        return name in self.regions

    def volume(self, name: str, without: list[str]) -> float:
        """Of the voxels of a structure that are not of others, mm3."""
        together = np.count_nonzero(self._painted((name, *without))[0])
        others = np.count_nonzero(self._painted(tuple(without))[0]) if without else 0
        return int(together - others) * self.grid.voxel_volume

    def blurred(self, blur: float) -> "Masks":
        """The same, whose surfaces are of blurred masks of as many voxels."""
        return replace(self, blur=blur)

    def smallest_first(self, names: list[str]) -> list[str]:
        """Those of some structures that have voxels, in the order of these."""
        return sorted((n for n in names if n in self), key=lambda n: self.regions[n].count())

    def in_one_piece(self, *names: str) -> tuple["Masks", float]:
        """These without what lies apart from the largest piece of some of them.

        And which part of the voxels of these that is.
        """
        mask, low = self._painted(names)
        largest = cc3d.largest_k(mask, k=1).astype(bool)
        apart = 1 - np.count_nonzero(largest) / np.count_nonzero(mask)
        if not apart:
            return self, 0.0
        kept = {name: _within(self.regions[name], largest, low) for name in names if name in self}
        regions = self.regions | kept
        return replace(self, regions={n: r for n, r in regions.items() if r.array.any()}), apart

    def surface(self, *names: str) -> Surface:
        """The smooth, closed surface of some structures as one, LPS mm; empty ones add nothing.

        Raises Refusal where a blur would change the mask much, or break it.
        """
        mask, low = self._painted(names)
        if self.blur:
            mask = _blurred(mask, self.blur)
        grid = self.grid.crop(tuple(low[::-1]), mask.shape[::-1])
        return surface_of_mask(mask, grid, self.slices)

    def _painted(self, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """The mask of some structures, cropped, and the first of its voxels in the grid, [z, y, x]."""
        chosen = [self.regions[name] for name in names if name in self]
        starts, stops = (
            np.array([[getattr(s, end) for s in r.box] for r in chosen])
            for end in ("start", "stop")
        )
        low, high = starts.min(axis=0), stops.max(axis=0)
        mask = np.zeros(high - low, bool)
        for region in chosen:
            mask[_box(region, low)] |= region.array
        return mask, low


def _blurred(mask: np.ndarray, blur: float) -> np.ndarray:
    """A mask of as many voxels whose surface is bent less."""
    values = gaussian_filter(mask.astype(np.float32), blur, mode="constant")
    number = np.count_nonzero(mask)
    found = values >= np.partition(values, -number, axis=None)[-number]
    changed = np.count_nonzero(found != mask) / number
    if changed > CHANGED or _pieces(found) != _pieces(mask):
        text = (
            f"a blur by {blur:g} voxel would break the mask, or change {CHANGED:.0%} of its voxels"
        )
        raise Refusal("part-lost", text)
    return found


def _pieces(mask: np.ndarray) -> int:
    return int(cc3d.connected_components(mask, return_N=True)[1])


def _within(region: Region, mask: np.ndarray, low: np.ndarray) -> Region:
    """What of a region lies in a mask whose first voxel is the grid's voxel `low`."""
    return Region(region.box, region.array & mask[_box(region, low)])


def _box(region: Region, low: np.ndarray) -> tuple[slice, ...]:
    return tuple(slice(s.start - n, s.stop - n) for s, n in zip(region.box, low, strict=True))
