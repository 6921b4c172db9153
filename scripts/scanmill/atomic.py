"""Write so that a reader sees the whole file or none of it, and that only the last writer is read."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Folders of this process for what is not in its place yet, by the folder of the places; `sole_writer`.
_desks: dict[Path, Path] = {}


class SupersededError(Exception):
    """Another writer has taken the place of this one."""


@contextmanager
def sole_writer(folder: Path, name: str) -> Iterator[None]:
    """While the block runs, `replacing` puts into a folder only what its last writer wrote.

    name: of the writer; other names may write there at the same time. A process can
    outlive the Snakemake that started it, and a node that was taken for lost can come back: they must
    not put what was asked for then into the place of what is asked for now. So a writer works in a
    folder of its own, and the next of its name removes that folder: the earlier one ends with
    SupersededError, and what killed ones left is gone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for desk in folder.glob(f".{name}-*"):
        _discard(desk)
    own = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    _desks[folder] = own
    try:
        yield
    except Exception as error:
        if own.exists():
            raise
        raise SupersededError("a later run does this work now") from error
    finally:
        _desks.pop(folder, None)
        shutil.rmtree(own, ignore_errors=True)


def _discard(desk: Path) -> None:
    """Remove a folder at once for who works in it, even where files that are open stay for a while."""
    gone = desk.with_name(f"{desk.name}-gone")
    try:
        desk.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name near `path`; move it into place when the block ends without error.

    The suffix is kept: writers choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder near `path`; put it in the place of `path` when the block ends well."""
    path = Path(path)
    temporary = _temporary(path)
    # In containers a retry has the process id of the job that was killed, and finds its remains.
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=path.parent not in _desks)
    replaced = temporary.with_name(f"{temporary.name}-replaced")
    try:
        yield temporary
        if path.exists():
            path.rename(replaced)
        temporary.replace(path)
    finally:
        shutil.rmtree(replaced, ignore_errors=True)
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    """A name for what will be `path`: on this process's desk, if it has one there, or beside it."""
    if path.parent in _desks:
        return _desks[path.parent] / path.name
    return path.with_name(f".{os.getpid()}-{path.name}")
