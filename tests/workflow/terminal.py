"""A run as a person sees it: in a terminal of 80 columns."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from mill import ROOT

COLUMNS = 80
ERASED = "\r\x1b[K"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def command(folder: Path, *arguments: str, root: Path = ROOT) -> list[str]:
    """As `make run` has it, in a folder."""
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), "--cores", "2"]
    return [*command, "--snakefile", str(root / "Snakefile"), "--logger", "scanmill", *arguments]


def environment(root: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(root / "scripts")}


def in_terminal(folder: Path, *arguments: str, root: Path = ROOT) -> tuple[str, int]:
    """What a terminal is sent, and the exit code."""
    keyboard, screen = pty.openpty()
    width = {"COLUMNS": str(COLUMNS), "TERM": "xterm"}
    process = subprocess.Popen(
        command(folder, *arguments, root=root),
        cwd=folder,
        env=environment(root) | width,
        stdin=screen,
        stdout=screen,
        stderr=screen,
    )
    os.close(screen)
    sent = b""
    try:
        while part := os.read(keyboard, 65536):
            sent += part
    except OSError:
        pass  # So Linux says that nobody has the terminal open any more.
    os.close(keyboard)
    return sent.decode(), process.wait()


def without_terminal(folder: Path, *arguments: str, root: Path = ROOT) -> tuple[str, int]:
    """What is printed to a file or a pipe, and the exit code."""
    done = subprocess.run(
        command(folder, *arguments, root=root),
        cwd=folder,
        env=environment(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout, done.returncode


def rewritten(sent: str) -> list[str]:
    """The lines that were drawn to be rewritten, in order."""
    return [part for part in sent.split(ERASED)[1:] if part and "\n" not in part]


def left(sent: str) -> list[str]:
    """What is on the screen in the end, line by line, without colours."""
    lines = COLOUR.sub("", sent).replace("\r\n", "\n").split("\n")
    return [line.rpartition(ERASED)[2] for line in lines]


def status(folder: Path) -> list[str]:
    """What `make status` says of a folder."""
    command = [sys.executable, str(ROOT / "scripts" / "status.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
