"""Whether another attempt at a case can end better than the one before.

Snakemake repeats whatever fails, with more memory and time. What ended by an exception of its own would
end by it again: the next attempt sees the note that it left, and fails at once. What was killed leaves
none.
"""

import sys
from pathlib import Path

from scanmill.sidecar import Damaged

# Of memory there is more in the next attempt; disks and networks may be back; and a damaged result is
# made anew, where all of a case is one job.
PASSING = (MemoryError, OSError, Damaged)


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
