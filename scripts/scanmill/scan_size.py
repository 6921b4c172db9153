"""How large scans are, as one header of each tells while a run is planned."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanmill import disk


@dataclass(frozen=True, slots=True)
class ScanSize:
    """A scan as acquired: voxels along x, y and z, and their spacing in mm."""

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]

    def voxels(self, spacing: float | str) -> float:
        """Million voxels on cubic voxels of so many mm (`Grid.isotropic`); `native`: as acquired."""
        if spacing == "native":
            return math.prod(self.size) / 1e6
        sides = zip(self.size, self.spacing, strict=True)
        return math.prod(max(1, math.ceil(n * mm / spacing - 1e-6)) for n, mm in sides) / 1e6


# Of a scan that is not here yet: a large CT.
UNSEEN = ScanSize((512, 512, 600), (0.8, 0.8, 1.0))


def of_scan(path: Path) -> ScanSize:
    """The size of a scan that lies there, a file or a DICOM folder.

    Of a folder, one header tells for all its files. What has no header that can be read, and an
    archive, which would have to be unpacked, is taken for as many cubic millimetres as it has bytes.
    """
    # Imported here: jobs on a cluster find the sizes in their plan, and do not pay for these.
    from scanmill.refusal import Refusal
    from scanmill.source import declared_grid, source_format

    try:
        if source_format(path) == "dicom":
            return _of_dicom(path)
        grid = declared_grid(path)
        return ScanSize(grid.size, grid.spacing)
    except (Refusal, OSError):
        return ScanSize((sum(entry.st_size for _, entry in disk.files(path)), 1, 1), (1, 1, 1))


def of_phantom(described: dict[str, Any]) -> ScanSize:
    """The size of an analytic patient's scan."""
    grid = described["grid"]
    return ScanSize(tuple(grid["size"]), tuple(grid["spacing"]))


def _of_dicom(path: Path) -> ScanSize:
    """By the header of the file of middle size: the smallest and the largest may be none of slices."""
    from scanmill.refusal import Refusal
    from scanmill.source import ARCHIVES
    from scanmill.source.dicom.files import files_in
    from scanmill.source.dicom.headers import read_header

    files = sorted(disk.files(path), key=lambda file: file[1].st_size)
    if not files:
        raise Refusal("dicom-empty", "there is no file")
    middle = files[len(files) // 2][0]
    if middle.name.lower().endswith(ARCHIVES):
        raise Refusal("dicom-empty", "what an archive holds is not looked at")
    (file,) = files_in(middle)
    header = read_header(file)
    if header is None:
        raise Refusal("dicom-empty", "a file is none of DICOM")
    told = header.values
    planes = len(files) * (told.get("NumberOfFrames") or 1)
    between = told.get("SpacingBetweenSlices") or told.get("SliceThickness") or 1.0
    rows, columns = told.get("Rows") or 1, told.get("Columns") or 1
    # What only the frames' own groups tell is taken for 1 mm.
    along_y, along_x = _pair(told.get("PixelSpacing"))
    return ScanSize((columns, rows, planes), (along_x, along_y, abs(between)))


def _pair(spacing: Sequence[float] | None) -> tuple[float, float]:
    return (spacing[0], spacing[1]) if isinstance(spacing, tuple) and min(spacing) > 0 else (1, 1)
