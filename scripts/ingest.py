"""Ingest: the scan as acquired, in the one format and frame that every later stage reads.

In: a scan as the sheet names it: NIfTI, NRRD, MetaImage, or a folder of one DICOM series.
Out: `volume.nii.gz`, the same voxels in measured values (HU, for CT) on the same grid, LPS mm; only
voxels and geometry are carried over, so no patient's identity is.
"""

from pathlib import Path

from scanmill.frame_of_reference import seal
from scanmill.source import read_source, source_format
from scanmill.stage import Record, run_job
from scanmill.volume_file import write_volume


def ingest(
    record: Record,
    scan: list[Path],
    volume: Path,
    allow_uneven: bool = False,
    wanted_series: str = "",
    wanted_volume: str = "",
) -> None:
    """Read a scan, note what it is, and write it as a volume.

    scan: its file or folder; after a detached header, the file of voxels that it names. allow_uneven:
    whether DICOM slices at uneven distances are resampled. wanted_series, wanted_volume: as in the
    sheet, for DICOM that holds several.
    """
    read, notes = read_source(scan[0], wanted_series, wanted_volume, allow_uneven)
    for code, message in notes:
        record.warn(code, message)
    record.grid = read.grid
    record.details["source"] = {
        "format": source_format(scan[0]),
        "voxel_type": read.array.dtype.name,
        "size": list(read.grid.size),
    }
    if read.frame_of_reference:
        record.details["frame_of_reference"] = seal(read.frame_of_reference, read.array)
    write_volume(volume, read)


if __name__ == "__main__":
    run_job(snakemake, ingest)
