"""Runs that something happens to while they work, in a copy of the workflow that waits if told to."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import planted
from mill import copied

SECONDS = 600
# In the copy, something happens before this line of mesh: it says who it is and waits, as long as the
# file is there that a variable names.
FIRST_LINE = '    names = {s["name"]: s["label"] for s in structures}\n'
WAITING = """    import os, time
    held = Path(os.environ.get("HELD", "no such file"))
    if held.exists():
        held.with_suffix(".pid").write_text(str(os.getpid()))
        while held.exists():
            time.sleep(0.1)
"""


def spoiled_copy(folder: Path, lines: str) -> Path:
    """A copy of the workflow whose mesh does what these lines say first."""
    copy = copied(folder)
    script = copy / "scripts" / "mesh.py"
    text = script.read_text()
    assert text.count(FIRST_LINE) == 1
    script.write_text(text.replace(FIRST_LINE, lines + FIRST_LINE))
    return copy


def waiting_copy(folder: Path) -> Path:
    """A copy of the workflow, whose results are those of the original."""
    return spoiled_copy(folder, WAITING)


def write_cohort(folder: Path) -> Path:
    """A sheet of one small scan, its recipe and a config; returns the folder."""
    folder.mkdir()
    planted.write_itk(folder / "one.nrrd", planted.scan()[0])
    (folder / "recipe.yaml").write_text(planted.recipe())
    (folder / "config.yaml").write_text("scans: scans.tsv\nrecipe: recipe.yaml\n")
    (folder / "scans.tsv").write_text("case\tscan\none\tone.nrrd\n")
    return folder


class Run:
    """A run whose mesh waits."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.held = folder.with_suffix(".held")
        self.held.touch()
        self._pid = self.held.with_suffix(".pid")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
        command += ["--directory", str(folder), "--cores", "2", "--configfile", "config.yaml"]
        with open(folder.with_suffix(".out"), "w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | {"HELD": str(self.held)},
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=heed_interrupts,
            )
        wait_for(lambda: self._pid.exists() and self._pid.read_text())
        self.job = int(self._pid.read_text())

    def interrupt(self) -> None:
        """As Ctrl-C does in a terminal: Snakemake and all that it started."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Wait for Snakemake, and return its exit code."""
        return self.process.wait(SECONDS)


def heed_interrupts() -> None:
    """Also where the tests are run in the background of a shell, which has them ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def interrupted(folder: Path, root: Path):
    """A run that waits in its mesh; nothing of it is left afterwards."""
    run = Run(folder, root)
    try:
        yield run
    finally:
        run.held.unlink(missing_ok=True)
        with suppress(ProcessLookupError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait(SECONDS)


def wait_for(ready) -> None:
    end = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Whether it runs; what ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
