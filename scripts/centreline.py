"""Centreline: the course of each vessel that the recipe asks it of, and what lies across it.

In: labels.nii.gz with overlaps/, and the sidecar of the isotropic scan. Out:
centrelines/<structure>.csv, a row for each point of each branch, and centrelines/<structure>.vtp, the
same as curves; LPS mm. What the table tells of a vessel as a whole is in the sidecar.
"""

import csv
from pathlib import Path
from typing import Any

import cc3d
from scanmill.atomic import replacing_folder
from scanmill.centreline.course import courses_of
from scanmill.centreline.curve_file import COLUMNS, rows_of, write_curves
from scanmill.centreline.summary import summary
from scanmill.centreline.tree import ways_of
from scanmill.label_map import Region
from scanmill.label_map_files import read_label_map
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.surface import surface_of_mask


def centreline(
    record: Record,
    labels: Path,
    overlaps: Path,
    isotropic: Path,
    centrelines: Path,
    structures: list[dict[str, Any]],
) -> None:
    """Write the courses. structures: name, label of all, and whether a centreline is asked for.

    A structure that is no longer than wide has none, which is warned of.
    """
    names = {s["name"]: s["label"] for s in structures}
    label_map = read_label_map(labels, overlaps, names)
    grid = record.grid = label_map.grid
    slices = max(read_sidecar(isotropic)["native_spacing_mm"])
    record.details["structures"] = said = {}
    with replacing_folder(centrelines) as folder:
        for name in (s["name"] for s in structures if s["centreline"]):
            whole = label_map.region(names[name])
            if not whole.count():
                continue
            region = _one_piece(whole, name, record)
            # Smoother than surfaces/, whose steps and noise would be in what is the largest diameter.
            box = grid.crop(tuple(s.start for s in region.box[::-1]), region.array.shape[::-1])
            surface = surface_of_mask(region.array, box, slices)
            courses = courses_of(ways_of(region, grid), surface, min(grid.spacing))
            if not courses:
                message = "the structure is not longer than wide; it has no centreline"
                record.warn("centreline-short", message, name)
                continue
            said[name] = summary(courses)
            with open(folder / f"{name}.csv", "w", newline="") as stream:
                table = csv.writer(stream, lineterminator="\n")
                table.writerow(COLUMNS)
                table.writerows(rows_of(courses))
            write_curves(folder / f"{name}.vtp", courses)


def _one_piece(region: Region, name: str, record: Record) -> Region:
    """The largest piece of a structure."""
    number = cc3d.connected_components(region.array, return_N=True)[1]
    if number == 1:
        return region
    largest = cc3d.largest_k(region.array, k=1).astype(bool)
    message = f"the structure is of {number} pieces; the centreline is of the largest"
    record.warn("centreline-pieces", message, name)
    return Region(region.box, largest)


if __name__ == "__main__":
    run_job(snakemake, centreline)
