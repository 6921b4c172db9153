"""A label map on disk: labels.nii.gz, and overlaps/<structure>.nii.gz for what is covered in it."""

from pathlib import Path

import numpy as np

from scanmill.atomic import replacing_folder
from scanmill.label_map import LabelMap, Region
from scanmill.volume_file import Volume, read_volume, write_volume


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
