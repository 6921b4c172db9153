"""File systems that are small, full or cannot be written."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Callable[..., None]]:
    """A file system in memory, where this process may mount one; called with options, it changes."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")

    def change(*options: str) -> None:
        command = ["mount", "-o", ",".join(("remount", *options)), str(folder)]
        subprocess.run(command, check=True)

    try:
        yield change
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(file: Path) -> None:
    """Take all the space that is left where the file will lie."""
    with suppress(OSError), open(file, "wb", buffering=0) as stream:
        while stream.write(bytes(4096)):
            pass
