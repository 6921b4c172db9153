"""What a job has used of its machine, as the last line of its log.

Snakemake's own benchmarks look at a job now and then: of one that is short, or whose peak is, they see
too little memory.
"""

import re
import resource
import sys
from pathlib import Path
from typing import NamedTuple

LINE = re.compile(
    r"Used (?P<memory_mb>[0-9.]+) MB of memory and (?P<cpu_s>[0-9.]+) s of CPU time\."
)
PEAK = re.compile(r"VmHWM:\s*(\d+) kB")


class Used(NamedTuple):
    """Peak resident memory, MB (of a process and, if that is more, of its children); CPU time, s."""

    memory_mb: float
    cpu_s: float


def so_far() -> Used:
    """What this process, and those that it started and that have ended, have used."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    unit = 1e-6 if sys.platform == "darwin" else 1024e-6
    return Used(max(_peak_bytes(own) * 1e-6, children.ru_maxrss * unit), seconds)


def tell() -> None:
    """Print what this process has used."""
    used = so_far()
    print(f"Used {used.memory_mb:.1f} MB of memory and {used.cpu_s:.2f} s of CPU time.", flush=True)


def told(log: Path) -> Used | None:
    """What the job of a log used, if it got so far as to tell."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    found = LINE.fullmatch(lines[-1]) if lines else None
    return Used(*(float(text) for text in found.groups())) if found else None


def _peak_bytes(own: resource.struct_rusage) -> int:
    # Where there is one, the kernel's own count: `ru_maxrss` knows the parent's memory, too, that a
    # process had until its program began.
    status = Path("/proc/self/status")
    if status.exists() and (found := PEAK.search(status.read_text())):
        return int(found[1]) * 1024
    return own.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
