"""Whether another attempt at a case can end better than the one before.

Snakemake repeats whatever fails, with more memory and time. What ended by an exception of its own would
end by it again: the next attempt sees the note that it left, and fails at once. What was killed leaves
none.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from scanmill.sidecar import Damaged

# Of memory there is more in the next attempt; disks and networks may be back; and a damaged result is
# made anew, where all of a case is one job.
PASSING = (MemoryError, OSError, Damaged)
# What Snakemake writes on the command lines of the Snakemakes that it starts in jobs.
IN_A_JOB = b"\0--mode\0remote\0"


def begin(attempt: int, note: Path) -> None:
    """Start an attempt; ends the process if the one before crashed. note: of the case."""
    if attempt == 1:
        note.unlink(missing_ok=True)
    elif note.exists():
        sys.exit(f"{note.read_text()}\nThis would happen again, and was not tried again.")


def crashed(error: BaseException, said: str, note: Path) -> None:
    """Note what was said of the exception that ended a stage, if another attempt would raise it."""
    if not isinstance(error, PASSING):
        note.write_text(said)


def give_way() -> None:
    """End at once, and with this process the Snakemakes of the Slurm job that it is of, if of one.

    To be called where a later run does the same work: they would take what that run has written for
    the remains of what failed here, and remove it. They are killed, since Slurm might no longer know
    the job, and asks before it kills.
    """
    job = os.environ.get("SLURM_JOB_ID", "")
    for process in Path("/proc").glob("[0-9]*"):
        # Not all that is of the job: Snakemake may have been started by hand in an interactive one.
        with suppress(OSError):
            of_job = f"SLURM_JOB_ID={job}".encode() in (process / "environ").read_bytes().split(
                b"\0"
            )
            if of_job and IN_A_JOB in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
