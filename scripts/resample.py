"""Resample: the scan onto cubic voxels.

In: volume.nii.gz, as acquired. Out: isotropic.nii.gz, voxels of `spacing` mm with the scan's own
directions, values linear where the grid is finer and averaged where it is coarser; with `native`, the
scan's own grid. artefacts.nii.gz, on the same grid: where the image cannot be believed, and why
(`MARKS`).
"""

from pathlib import Path

from scanmill.corrections.artefacts import Examination, examine_ct, examine_mr, onto
from scanmill.hounsfield import doubt
from scanmill.refusal import Refusal
from scanmill.resampling import resample_image
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.volume_file import Volume, read_volume, write_volume

LARGEST_VOXELS = 2**31


def resample(
    record: Record,
    volume: Path,
    isotropic: Path,
    artefacts: Path,
    spacing: float | str,
    modality: str,
    metal: str,
) -> None:
    """Write the isotropic image and its marks.

    spacing: mm, or `native`. modality: CT, MR or any. metal: off, mark or inpaint.
    """
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
    examined = _examined(record, scan, "any" if reason else modality, metal)
    write_volume(artefacts, Volume(onto(examined.marks, scan.grid, target), target))
    write_volume(isotropic, resample_image(Volume(examined.image, scan.grid), target))


def _examined(record: Record, scan: Volume, modality: str, metal: str) -> Examination:
    """Look for artefacts, and say what was found; without a known modality, for none."""
    if modality == "CT":
        examined = examine_ct(scan, metal)
    elif modality == "MR":
        examined = examine_mr(scan)
    else:
        examined = Examination(scan.array)
    for code, message in examined.warnings:
        record.warn(code, message)
    record.details["artefacts"] = examined.said
    return examined


if __name__ == "__main__":
    run_job(snakemake, resample)
