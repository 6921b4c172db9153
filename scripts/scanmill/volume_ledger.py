"""The ledger of a structure's volumes: supplied, of its mask, its surface and the best estimate."""

from typing import Any

import numpy as np

from scanmill.grid import Grid
from scanmill.interval import Estimate, count_of, doubted, volume_of
from scanmill.label_map import Doubt, Region, weighted_counts
from scanmill.stage import Record
from scanmill.surroundings import Neighbours
from scanmill.volume_file import Volume

Cell = str | int | float | bool

# Column of a difference: the volume, and what it is compared with.
STEPS = {
    "isotropic_vs_supplied_percent": ("mask_volume_mm3", "supplied_volume_mm3"),
    "surface_vs_isotropic_percent": ("surface_volume_mm3", "morph_vol_approx"),
}
AGAINST_THE_BEST = {
    "supplied_vs_volume_percent": ("supplied_volume_mm3", "volume_mm3"),
    "mask_vs_volume_percent": ("mask_volume_mm3", "volume_mm3"),
    "surface_vs_volume_percent": ("surface_volume_mm3", "volume_mm3"),
}


def supplied_volume(name: str, segmented: dict[str, Any]) -> dict[str, Cell]:
    """The volume, mm3, of the label that was supplied, if one was.

    segmented: the sidecar of the label map.
    """
    supplied = segmented.get("supplied_volume_mm3", {})
    return {"supplied_volume_mm3": supplied[name]} if name in supplied else {}


def counted_volume(region: Region, grid: Grid, scan: Grid) -> float:
    """Volume of a mask's voxels, those on the edge of the scan by the part in it, mm3."""
    layers = grid.coverage(scan)
    inside = tuple(w[s] for w, s in zip(layers, region.box[::-1], strict=True))
    voxels = weighted_counts(region.array.view(np.uint8), inside, 2)[1]
    return float(voxels) * grid.voxel_volume


def estimated_volume(
    region: Region,
    grid: Grid,
    scan: Volume,
    counted: float,
    neighbours: Neighbours | None,
    doubt: Doubt | None,
) -> Estimate:
    """The volume of a structure, by its image and by the doubt of the method that found it.

    As `interval.volume_of`; counted: volume of the region, mm3. neighbours: None for a structure that
    ends at no boundary which the image could show.
    """

    def told(region: Region, counted: float) -> Estimate:
        if neighbours is None:
            return count_of(region, grid, scan.grid, counted)
        return volume_of(region, grid, scan, counted, neighbours)

    estimate = told(region, counted)
    if doubt is None:
        return estimate
    others = (doubt.surely, doubt.perhaps)
    return doubted(estimate, [told(o, counted_volume(o, grid, scan.grid)) for o in others])


def told_volume(
    record: Record, name: str, estimate: Estimate, counted: float, scan: Grid
) -> dict[str, Cell]:
    """The volume and its interval; of one that is in too much doubt no volume, but why.

    counted: volume of the mask, mm3. scan: the grid as acquired.
    """
    found: dict[str, Cell] = {
        "volume_method": estimate.method,
        "volume_low_mm3": estimate.low,
        "volume_high_mm3": estimate.high,
        "smallest_detectable_change_mm3": estimate.smallest_detectable_change,
    }
    if estimate.is_small(scan):
        message = "below a radius of 2.5 voxels of the scan volumes may be off by 2 % on average"
        record.warn("volume-small", message, name)
    if not estimate.low <= counted <= estimate.high:
        message = (
            "the image shows another boundary than the mask: "
            f"{estimate.low:.4g} to {estimate.high:.4g} mm3, where the mask has {counted:.4g}; look "
            "which of the two is meant"
        )
        record.warn("volume-disputed", message, name)
    if not estimate.is_uncertain(scan):
        return found | {"volume_mm3": estimate.volume}
    reason = (
        f"the volume lies between {estimate.low:.4g} and {estimate.high:.4g} mm3: the structure is too "
        "small or too faint in this scan, or for the method that found it; finer voxels, more contrast "
        "or another method would be right"
    )
    record.warn("volume-uncertain", reason, name)
    return found | {"stage": "measure", "code": "volume-uncertain", "reason": reason}


def differences(row: dict[str, Cell]) -> dict[str, Cell]:
    """What two steps changed, and each volume of the ledger against the best estimate, %."""
    found: dict[str, Cell] = {}
    for column, (volume, other) in (STEPS | AGAINST_THE_BEST).items():
        if row.get(volume) and row.get(other):
            found[column] = round(100 * (row[volume] / row[other] - 1), 6)
    return found


def check_ledger(record: Record, name: str, row: dict[str, Cell], limit: float) -> None:
    """Warn of a structure with a volume farther from the best estimate than the limit, %."""
    apart = {column: row[column] for column in AGAINST_THE_BEST if column in row}
    beyond = [f"{column} is {d:+.1f}" for column, d in apart.items() if abs(d) > limit]
    if beyond:
        message = f"{', '.join(beyond)}; the recipe's ledger_limit is {limit:g}"
        record.warn("ledger", message, name)
