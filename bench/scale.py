"""What it costs to plan a cohort: CPU seconds and memory of a dry run, by the number of cases.

Usage: python bench/scale.py FOLDER [SIZE ...] [--batches N] [--ways WAY ...]. The scans are stubs:
planning looks whether they are there, and for their size. Beside ScanMill's workflow, whole and as the
first of N batches, one of empty rules is planned that has as many jobs and files: what Snakemake itself
takes. Prints a table.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCAN = b"NRRD0004\n"
CONFIG = "scans: scans.tsv\nrecipe: ct-body\n"
# Files that each stage of a case takes from the stages before it, and makes.
STAGES = {
    "ingest": ([], 2),
    "resample": (["ingest"], 6),
    "segment": (["resample"], 4),
    "mesh": (["segment"], 4),
    "measure": (["ingest", "resample", "segment", "mesh"], 2),
}


def write_cohort(folder: Path, size: int) -> None:
    """A sheet of so many cases, each with a scan that planning only looks at."""
    (folder / "scans").mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)
    with open(folder / "scans.tsv", "w", encoding="utf-8") as sheet:
        sheet.write("case\tscan\n")
        for number in range(size):
            (folder / "scans" / f"{number}.nrrd").write_bytes(SCAN)
            sheet.write(f"case-{number}\tscans/{number}.nrrd\n")


def write_plain(path: Path, size: int) -> None:
    """A workflow of empty rules with as many jobs, inputs and outputs."""
    made = {s: [f"cases/{{case}}/{s}.{n}" for n in range(n)] for s, (_, n) in STAGES.items()}
    rules = [f"CASES = range({size})", "rule all:\n    input: 'collected'"]
    rules.append(
        f"rule collect:\n    input: expand({made['measure']}, case=CASES)\n    output: 'collected'"
    )
    for stage, (before, _) in STAGES.items():
        taken = [file for other in before for file in made[other]]
        rules.append(f"rule {stage}:\n    input: {taken}\n    output: {made[stage]}\n    shell: ''")
    path.write_text("\n".join(rules) + "\n")


def planned(folder: Path, *arguments: str) -> tuple[float, float]:
    """CPU seconds and peak memory (MB) of a dry run, in a process that is asked for both."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    command += ["--dry-run", "--quiet", "all", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=folder, **quiet)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Plan cohorts of each size in each way, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sizes", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--ways", nargs="+", choices=("whole", "batch", "empty"))
    asked = parser.parse_args()
    own = ("--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml")
    ways = {
        "whole": own,
        "batch": (*own, "--batch", f"collect=1/{asked.batches}"),
        "empty": ("--snakefile", "plain.smk"),
    }
    chosen = asked.ways or list(ways)
    print(f"| cases | {' | '.join(chosen)} |\n|---{'|---' * len(chosen)}|")
    for size in asked.sizes:
        folder = asked.folder.absolute() / f"{size}-cases"
        write_cohort(folder, size)
        write_plain(folder / "plain.smk", size)
        costs = [planned(folder, *ways[way]) for way in chosen]
        cells = " | ".join(f"{seconds:.0f} s, {memory:.0f} MB" for seconds, memory in costs)
        print(f"| {size} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
