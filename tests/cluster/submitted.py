"""Cohorts that are run on Slurm, and what it says of their jobs."""

import subprocess
import sys
import time
from pathlib import Path

from mill import ROOT

SECONDS = 600
# So that tests need not wait: the shipped profile looks after its jobs when real ones may have ended.
SOONER = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "20")


def command(folder: Path, *arguments: str, root: Path = ROOT) -> list[str]:
    """Snakemake with the profile for Slurm, as a user of the cluster types it."""
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")),
        *("--workflow-profile", str(root / "profiles" / "slurm"), "--directory", str(folder)),
        *("--configfile", str(folder / "config.yaml"), *SOONER, *arguments),
    ]


def on_slurm(folder: Path, *arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess:
    """Run a cohort on the cluster, and return what was printed and the exit code."""
    return subprocess.run(
        command(folder, *arguments, root=root),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(ready) -> None:
    end = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(1)


def group_of(job: dict[str, str]) -> str:
    """`case` for a job of a whole case, otherwise the rule; by the comment that Snakemake gives it."""
    return job["Comment"].removeprefix("group_").removeprefix("rule_").split("_")[0]


def from_cases(jobs: list[dict[str, str]]) -> list[dict[str, str]]:
    return [job for job in jobs if "." not in job["JobID"] and group_of(job) == "case"]


def megabytes(said: str) -> float:
    """Slurm's memory, such as 1225M or 325176K."""
    return float(said[:-1]) * {"K": 1 / 1024, "M": 1, "G": 1024}[said[-1]] if said else 0.0


def minutes(said: str) -> int:
    """Slurm's time, such as 00:22:00."""
    hours, minutes, _ = said.split(":")
    return 60 * int(hours) + int(minutes)
