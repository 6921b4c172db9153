"""A label map on disk: labels.nii.gz; overlaps/<structure>.nii.gz for what is covered in it.

doubts/<structure>.nii.gz is what the method that found the structure was not sure of.
"""

from pathlib import Path

import numpy as np

from scanmill.atomic import replacing_folder
from scanmill.grid import Grid
from scanmill.label_map import Doubt, LabelMap, Region
from scanmill.volume_file import Volume, read_volume, write_volume

# Of a voxel in a file of doubts.
PERHAPS, SURELY = 1, 2


def write_label_map(
    labels: Path, overlaps: Path, label_map: LabelMap, names: dict[str, int]
) -> None:
    """Write a label map and the whole masks of its covered structures. names: structure to label."""
    with replacing_folder(overlaps) as folder:
        for name, label in names.items():
            if label in label_map.covered:
                mask = label_map.covered[label].full(label_map.grid.shape).astype(np.uint8)
                write_volume(folder / f"{name}.nii.gz", Volume(mask, label_map.grid))
    write_volume(labels, Volume(label_map.array, label_map.grid))


def read_label_map(labels: Path, overlaps: Path, names: dict[str, int]) -> LabelMap:
    """Read what `write_label_map` wrote. names: structure to label."""
    volume = read_volume(labels)
    covered = {
        names[path.name.removesuffix(".nii.gz")]: Region.of(read_volume(path).array > 0)
        for path in sorted(overlaps.glob("[!.]*.nii.gz"))
    }
    return LabelMap(volume.array, volume.grid, covered)


def write_doubts(folder: Path, doubts: dict[str, Doubt], grid: Grid) -> None:
    """Write what methods were not sure of, each structure on the part of the grid that it may be in.

    Voxels are PERHAPS, SURELY or 0 for neither.
    """
    with replacing_folder(folder) as temporary:
        for name, doubt in doubts.items():
            box = doubt.perhaps.box
            own = grid.crop(tuple(s.start for s in box[::-1]), doubt.perhaps.array.shape[::-1])
            values = np.where(doubt.surely.array, SURELY, PERHAPS) * doubt.perhaps.array
            write_volume(temporary / f"{name}.nii.gz", Volume(values.astype(np.uint8), own))


def find_doubt(folder: Path, name: str, grid: Grid) -> Doubt | None:
    """What `write_doubts` wrote of a structure, on the whole grid; None where there was no doubt."""
    path = folder / f"{name}.nii.gz"
    if not path.exists():
        return None
    volume = read_volume(path)
    start = np.rint(grid.to_index(np.asarray(volume.grid.origin))).astype(int)[::-1]
    box = tuple(slice(s, s + n) for s, n in zip(start.tolist(), volume.array.shape, strict=True))
    return Doubt(Region(box, volume.array == SURELY), Region(box, volume.array > 0))
