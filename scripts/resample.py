"""Resample: the scan onto cubic voxels.

In: volume.nii.gz, as acquired. Out: isotropic.nii.gz, voxels of `spacing` mm with the scan's own
directions, values cubic between those scanned where the grid is finer and averaged where it is
coarser; with `native`, the scan's own grid. Metal, bias field and noise are corrected before, on the
scan's own grid, as the recipe says. unsmoothed.nii.gz, the same but for the noise, for intensities to
be measured on: the same file where noise is not smoothed. artefacts.nii.gz, on the same grid: where
the image cannot be believed, and why (`MARKS`).
"""

import os
import shutil
from pathlib import Path

from scanmill.atomic import replacing
from scanmill.corrections.artefacts import Examination, examine_ct, examine_mr, onto
from scanmill.corrections.intensities import correct as correct_intensities
from scanmill.expectations import unexpected
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
    unsmoothed: Path,
    artefacts: Path,
    spacing: float | str,
    modality: str,
    correct: dict[str, str],
    expect: dict[str, float],
) -> None:
    """Write the isotropic image, with noise and without, and its marks.

    spacing: mm, or `native`. modality: CT, MR or any. correct: metal, bias and noise (`Recipe`).
    expect: what is expected of the scan (`unexpected`).
    """
    scan = read_volume(volume)
    for code, message in unexpected(scan, expect):
        record.warn(code, message)
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
    examined = _examined(record, scan, "any" if reason else modality, correct["metal"])
    write_volume(artefacts, Volume(onto(examined.marks, scan.grid, target), target))
    # Half the size of the scan, and not needed while the scan is corrected and resampled.
    examined.marks = None
    corrected = correct_intensities(
        Volume(examined.image, scan.grid), modality, correct["bias"], correct["noise"]
    )
    for code, message in corrected.warnings:
        record.warn(code, message)
    record.details["corrections"] = corrected.said
    write_volume(isotropic, resample_image(corrected.shown, target))
    if corrected.measured is corrected.shown:
        _link(isotropic, unsmoothed)
    else:
        write_volume(unsmoothed, resample_image(corrected.measured, target))


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


def _link(path: Path, other: Path) -> None:
    """Make `other` the same file; where the file system cannot, a copy."""
    with replacing(other) as temporary:
        try:
            os.link(path, temporary)
        except OSError:
            shutil.copyfile(path, temporary)


if __name__ == "__main__":
    run_job(snakemake, resample)
