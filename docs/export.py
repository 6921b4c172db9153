"""What independent readers make of exported objects, as a Markdown table.

    python docs/export.py

Each mask is written on four grids as a segment and as contours. dcmqi reads the segments, plastimatch
fills the contours on the source's slices; the numbers are the overlap (Dice) with the mask. Where a
reader is neither on the PATH nor in the folder SCANMILL_READERS, its cells say so. The last column
counts the errors that dciodvfy finds in a grid's objects.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "unit")]
from export_samples import (  # noqa: E402
    GRIDS,
    dice,
    errors_of,
    found_on,
    masks_on,
    read_by_dcmqi,
    read_by_plastimatch,
    reader,
    source_on,
    structure,
    write_series,
)
from scanmill.export.identity import Original  # noqa: E402
from scanmill.export.instance import write_object  # noqa: E402
from scanmill.export.segmentation_object import binary_segmentation  # noqa: E402
from scanmill.export.structure_set import structure_set  # noqa: E402
from scanmill.grid import Grid  # noqa: E402


def main() -> None:
    """Print the table."""
    found = {}
    for name, grid in GRIDS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = _read_back(Path(folder), grid)
    print("| mask | " + " | ".join(f"{grid}: SEG, RTSTRUCT" for grid in GRIDS) + " |")
    print("|---|" + "---|" * len(GRIDS))
    for n, mask in enumerate(masks_on(GRIDS["axial"])):
        cells = [f"{seg[n]}, {contours[n]}" for seg, contours, _ in found.values()]
        print(f"| {mask} | " + " | ".join(cells) + " |")
    print("| errors of dciodvfy | " + " | ".join(errors for _, _, errors in found.values()) + " |")


def _read_back(folder: Path, grid: Grid) -> tuple[list[str], list[str], str]:
    """Overlaps of all masks as segments and as contours, and the number of errors."""
    masks = list(masks_on(grid).values())
    structures = [structure(f"mask-{n}", mask) for n, mask in enumerate(masks)]
    source = source_on(grid, Original())
    seg, contours, series = folder / "seg.dcm", folder / "rtstruct.dcm", folder / "series"
    write_object(seg, binary_segmentation(structures, source))
    write_object(contours, structure_set(structures, source))
    write_series(series, found_on(grid))
    segments = _overlaps(
        "segimage2itkimage", masks, lambda: read_by_dcmqi(seg, grid, _made(folder / "a"))
    )
    filled = _overlaps(
        "plastimatch",
        masks,
        lambda: read_by_plastimatch(contours, series, grid, _made(folder / "b")),
    )
    errors = "no dciodvfy"
    if reader("dciodvfy"):
        errors = str(len(errors_of(seg)) + len(errors_of(contours)))
    return segments, filled, errors


def _overlaps(
    program: str, masks: list[np.ndarray], read: Callable[[], list[np.ndarray]]
) -> list[str]:
    if not reader(program):
        return [f"no {program}"] * len(masks)
    return [f"{dice(mask, back):.4f}" for mask, back in zip(masks, read(), strict=True)]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
