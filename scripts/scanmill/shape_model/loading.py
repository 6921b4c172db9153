"""Where the shapes of another cohort lie that cases are held against, and whether they can be."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from scanmill import disk
from scanmill.problem import shown

# The arrays that a file of a shape holds; lengths in mm.
ARRAYS = frozenset(
    {
        "mean_mm",
        "modes_mm",
        "triangles",
        "errors_mm",
        "far_mm",
        "specificity_mm",
        "surface_mm",
        "mask",
        "spacing_mm",
        "origin_mm",
        "direction",
    }
)
OWN = Path("results", "cohort", "shapes")


def path_of(folder: Path, recipe: str, structure: str) -> Path:
    """Where the shape of a recipe's structure lies below a folder of shapes, if it is there."""
    return folder / recipe / structure / "shape.npz"


def faults(folder: Path, working_dir: Path, compared: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What keeps cases from being held against the shapes in a folder, as sentences.

    working_dir: of the run. compared: recipe and structure of each shape that recipes compare.
    """
    kind = disk.kind(folder)
    if kind != disk.FOLDER:
        yield (
            f"{str(folder)!r} {disk.ending(kind)}; the folder results/cohort/shapes of another run "
            "would be right"
        )
        return
    if folder.resolve() == (working_dir / OWN).resolve():
        yield f"{str(folder)!r} is where this run writes its own; that of another run would be right"
        return
    wanted = [path_of(folder, *names) for names in compared]
    found = [path for path in wanted if path.exists()]
    if not wanted:
        yield (
            "no recipe of the sheet compares shapes; 'shape_check: true' of a structure would be right"
        )
    elif not found:
        yield (
            f"{str(folder)!r} has none of the shapes that the recipes compare; "
            f"{shown(str(wanted[0].relative_to(folder)))} there would be right"
        )
    for path in (path for path in found if not holds_shape(path)):
        yield f"{str(path)!r} holds no shape; what the rule vary of another run wrote would be right"


def holds_shape(path: Path) -> bool:
    """Does a file hold a shape, by the names of what is in it?"""
    try:
        with zipfile.ZipFile(path) as parts:
            return {f"{name}.npy" for name in ARRAYS} == {*parts.namelist()}
    except (zipfile.BadZipFile, OSError):
        return False
