"""The file of voxels that a detached header names."""

import math
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from scanmill.grid import Size
from scanmill.refusal import Refusal


def beside(header: Path, name: str) -> Path:
    """The path of the voxels' file: in the header's folder or below it, wherever that is moved to.

    Raises Refusal `header-invalid` where the name leads elsewhere (what a header says must not make
    ScanMill open any file of the machine), and `data-missing` where nothing is there.
    """
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise Refusal(
            "header-invalid",
            "the header names a file of voxels outside its own folder; put both in one folder and "
            "name the file alone",
        )
    path = header.parent / windows.as_posix() if "\\" in name else header.parent / posix
    if "\0" in name or not path.is_file():
        raise Refusal(
            "data-missing", "the file of voxels that the header names is not beside the header"
        )
    return path


def voxels_at_end(path: Path, size: Size, dtype: np.dtype) -> int:
    """Where voxels begin that end their file, in bytes. Refuses a file that is too short."""
    start = path.stat().st_size - math.prod(size) * dtype.itemsize
    if start < 0:
        raise Refusal("data-truncated", "the file of voxels is shorter than the header declares")
    return start
