"""What lies at a path that the user gave."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

FILE = "file"
FOLDER = "folder"


def kind(path: Path) -> str:
    """`file`, `folder`, or why the path is neither."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return "does not exist"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if stat.S_ISREG(mode):
        return FILE
    return FOLDER if stat.S_ISDIR(mode) else "is neither a file nor a folder"


def ending(kind: str) -> str:
    """The end of a sentence that begins with a path of that kind."""
    return f"is a {kind}" if kind in (FILE, FOLDER) else kind


def walk(
    folder: Path, on_error: Callable[[OSError], None] | None = None
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Like `os.walk`, through links too, and into each folder once, whatever links lead to it.

    on_error: what to do about a folder that cannot be listed; it is left out where this is None.
    """
    seen: set[str] = set()
    for root, folders, names in os.walk(folder, onerror=on_error, followlinks=True):
        place = os.path.realpath(root)
        if place in seen:
            folders.clear()
        else:
            seen.add(place)
            yield Path(root), folders, names


def files(path: Path) -> list[tuple[Path, os.stat_result]]:
    """A file, or those of a folder and its subfolders in order, with what the disk says of each.

    What may not be looked at is left out: the stage that reads it refuses it.
    """
    found = sorted(root / name for root, _, names in walk(path) for name in names) or [path]
    told = ((file, _told(file)) for file in found)
    return [(file, entry) for file, entry in told if entry and stat.S_ISREG(entry.st_mode)]


def _told(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
