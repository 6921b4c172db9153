"""Resample: the scan onto cubic voxels.

In: volume.nii.gz, as acquired. Out: isotropic.nii.gz, voxels of `spacing` mm with the scan's own
directions, values linear where the grid is finer and averaged where it is coarser; with `native`, the
scan's own grid.
"""

from pathlib import Path

from scanmill.hounsfield import doubt
from scanmill.refusal import Refusal
from scanmill.resampling import resample_image
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.volume_file import read_volume, write_volume

LARGEST_VOXELS = 2**31


def resample(
    record: Record, volume: Path, isotropic: Path, spacing: float | str, modality: str
) -> None:
    """Write the isotropic image. spacing: mm, or `native`. modality: CT, MR or any."""
    scan = read_volume(volume)
    target = scan.grid if spacing == "native" else scan.grid.isotropic(spacing)
    voxels = target.size[0] * target.size[1] * target.size[2]
    if voxels > LARGEST_VOXELS:
        raise Refusal(
            "data-oversized",
            f"at {spacing} mm the scan would have {voxels} voxels; up to {LARGEST_VOXELS} are "
            "accepted: a larger spacing in the recipe would be right",
        )
    reason = doubt(scan.array, scan.grid) if modality == "CT" else None
    if reason:
        record.warn("not-hounsfield", reason)
    record.grid = target
    record.details["native_spacing_mm"] = list(scan.grid.spacing)
    record.details["native_size"] = list(scan.grid.size)
    ingested = read_sidecar(volume)
    if "frame_of_reference" in ingested:
        record.details["frame_of_reference"] = ingested["frame_of_reference"]
    write_volume(isotropic, resample_image(scan, target))


if __name__ == "__main__":
    run_job(snakemake, resample)
