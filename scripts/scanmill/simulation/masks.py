"""The masks of a case's structures, and their smooth surfaces."""

import numpy as np

from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.surface import Surface, boundaries, surface_of

# Of the windowed sinc: of those tried, the one that keeps volumes and takes the steps of voxels away.
PASS_BAND = 0.01


class Masks:
    """The whole masks of structures, covered parts included, by name. names: to labels."""

    def __init__(self, label_map: LabelMap, names: dict[str, int]) -> None:
        regions = label_map.regions()
        self.grid = label_map.grid
        self._regions = {name: regions[label] for name, label in names.items() if label in regions}

    def __contains__(self, name: str) -> bool:
        return name in self._regions

    def volume(self, name: str) -> float:
        """Of its voxels, mm3."""
        return self._regions[name].count() * self.grid.voxel_volume

    def surface(self, *names: str) -> Surface:
        """The smooth, closed surface of some structures as one, LPS mm; empty ones add nothing."""
        chosen = [self._regions[name] for name in names if name in self]
        starts, stops = (
            np.array([[getattr(s, end) for s in r.box] for r in chosen])
            for end in ("start", "stop")
        )
        low, high = starts.min(axis=0), stops.max(axis=0)
        mask = np.zeros(high - low, bool)
        for region in chosen:
            _paint(mask, region, low)
        return surface_of_mask(mask, self.grid.crop(tuple(low[::-1]), mask.shape[::-1]))


def surface_of_mask(mask: np.ndarray, grid: Grid) -> Surface:
    """The smooth, closed surface of a mask [z, y, x], LPS mm."""
    mesh, _ = boundaries(mask.astype(np.uint8), grid, PASS_BAND)
    return surface_of(mesh, 1, grid)


def _paint(mask: np.ndarray, region: Region, low: np.ndarray) -> None:
    box = tuple(slice(s.start - n, s.stop - n) for s, n in zip(region.box, low, strict=True))
    mask[box] |= region.array
