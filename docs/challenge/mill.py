"""What the stages make of a scan: their own functions in their order, without files."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import numpy as np
from scanmill.interval import Estimate
from scanmill.label_map import Doubt, LabelMap, Region
from scanmill.segmentation import Scene
from scanmill.stage import Record
from scanmill.surroundings import neighbours_of
from scanmill.volume_file import Volume
from scanmill.volume_ledger import counted_volume, estimated_volume
from segment import method_of

Result = TypeVar("Result")


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """What a function returns, and the CPU seconds that it took."""
    started = time.process_time()
    result = run()
    return result, time.process_time() - started


@dataclass(frozen=True)
class Found:
    """The label map that a segmentation made, the label of each structure, and what was in doubt."""

    label_map: LabelMap
    labels: dict[str, int]
    doubts: dict[str, Doubt]

    def region(self, name: str) -> Region:
        """The whole region of a structure; empty where it has no voxel."""
        return self.label_map.region(self.labels[name])

    def mask(self, name: str) -> np.ndarray:
        """The same as a mask of the whole grid."""
        return self.region(name).full(self.label_map.grid.shape)


def segmented(
    image: Volume,
    segments: dict[str, dict[str, Any]],
    modality: str = "any",
    supplied: dict[str, Region] | None = None,
) -> Found:
    """What `segment` finds. segments: of each structure of a recipe, in order, how it is found.

    supplied: regions of further structures, which these may refer to.
    """
    known = supplied or {}
    labels = {name: label for label, name in enumerate([*known, *segments], start=1)}
    found = Found(LabelMap.empty(image.grid, len(labels)), labels, {})
    for name, region in known.items():
        found.label_map.paint(labels[name], region)
    scene = Scene(
        grid=image.grid,
        modality=modality,
        image=lambda: image.array,
        label_map=found.label_map,
        labels=labels,
        record=Record(),
        doubts=found.doubts,
    )
    structures = [{"name": name, "segment": segment} for name, segment in segments.items()]
    for method, run in groupby(structures, key=lambda s: s["segment"]["method"]):
        method_of(method)(list(run), scene)
    return found


def rules(*steps: dict[str, Any]) -> dict[str, Any]:
    """How a structure is found: by these steps."""
    return {"method": "rules", "steps": list(steps)}


@dataclass(frozen=True)
class Measured:
    """What is told of a structure's volume.

    truth: its volume, and counted: that of its mask's voxels, mm3. estimate: the volume with its
    interval; None where the structure has no voxel. given: is it in the table, or too uncertain?
    """

    truth: float
    counted: float
    estimate: Estimate | None
    given: bool

    @property
    def mask_off(self) -> float:
        """Error of the mask's volume, %."""
        return 100 * (self.counted / self.truth - 1)

    @property
    def off(self) -> float:
        """Error of the estimate, %."""
        return 100 * (self.estimate.volume / self.truth - 1)

    @property
    def width(self) -> float:
        """Width of the interval, % of the truth."""
        return 100 * (self.estimate.high - self.estimate.low) / self.truth

    @property
    def held(self) -> bool:
        """Does the interval hold the truth?"""
        return self.estimate.low <= self.truth <= self.estimate.high


def measured(found: Found, name: str, scan: Volume, truth: float) -> Measured:
    """A structure's volume as `measure` tells it from the scan as acquired; truth: mm3."""
    region, grid = found.region(name), found.label_map.grid
    if not region.array.any():
        return Measured(truth, 0.0, None, False)
    counted = counted_volume(region, grid, scan.grid)
    label, regions = found.labels[name], found.label_map.regions()
    around = neighbours_of(label, regions, set(found.label_map.covered))
    doubt = found.doubts.get(name)
    estimate = estimated_volume(region, grid, scan, counted, around, doubt)
    return Measured(truth, counted, estimate, not estimate.is_uncertain(scan.grid))


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Twice what two masks share over what both have."""
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))
