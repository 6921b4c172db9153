"""The workflow as a user runs it: one command, in a folder of its own."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = ("Snakefile", "config", "envs", "profiles", "report", "rules", "scripts")
# These tell of the run itself: seconds, memory and the command.
OF_THE_RUN = {"cohort/cases.tsv", "cohort/provenance.json", "cohort/report.html"}


def snakemake(folder: Path, *arguments: str, root: Path = ROOT, cores: int = 2, snakefile=None):
    """Run it in a folder, and return what it printed and its exit code."""
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), "--cores", str(cores)]
    command += ["--snakefile", str(snakefile or root / "Snakefile"), *arguments]
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def mill(folder: Path, *arguments: str, **where) -> Path:
    """Run it, as one that must succeed, and return its results."""
    folder.mkdir(parents=True, exist_ok=True)
    done = snakemake(folder, *arguments, **where)
    assert done.returncode == 0, done.stdout
    return folder / "results"


def planned(folder: Path, *arguments: str, root: Path = ROOT) -> dict[str, int]:
    """What a run would do: the number of jobs of each rule."""
    done = snakemake(folder, "--dry-run", "--quiet", "reason", *arguments, root=root)
    assert done.returncode == 0, done.stdout
    counts = {}
    for line in done.stdout.partition("Job stats:")[2].partition("total")[0].splitlines():
        words = line.split()
        if len(words) == 2 and words[1].isdigit():
            counts[words[0]] = int(words[1])
    assert counts or "Nothing to be done" in done.stdout, done.stdout
    return counts


def copied(folder: Path) -> Path:
    """A copy of the workflow, to change, as far as a run needs it."""
    folder.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    return folder


def asked(folder: Path, copy: Path, *arguments: str) -> dict[str, list[tuple[int, int]]]:
    """Memory (MB) and time (minutes) that the jobs of each rule ask for, as a dry run prints them.

    copy: of the workflow, which is changed: Snakemake prints a message in the place of resources.
    """
    for rule in (copy / "rules").glob("*.smk"):
        rule.write_text(re.sub(r" {4}message:\n {8}.*\n", "", rule.read_text()))
    done = snakemake(folder, "--dry-run", *arguments, root=copy)
    found: dict[str, list[tuple[int, int]]] = {}
    for rule, said in re.findall(r"rule (\w+):.*?resources: (.*?)\n", done.stdout, re.DOTALL):
        told = dict(pair.split("=") for pair in said.split(", "))
        if "mem_mb" in told:
            found.setdefault(rule, []).append((int(told["mem_mb"]), int(told["runtime"])))
    return found


def rows(table: Path) -> list[dict[str, str]]:
    """The rows of a table of the cohort, .csv or .tsv."""
    with open(table, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if table.suffix == ".tsv" else ","))


def contents(results: Path) -> dict[str, bytes]:
    """Every file of the results but those that tell of the run, by relative name."""
    files = {p.relative_to(results).as_posix(): p for p in results.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name not in OF_THE_RUN}
