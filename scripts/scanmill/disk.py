"""What lies at a path that the user gave."""

import stat
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
