"""Reproduce: a finished run done once more elsewhere, from its provenance, and compared file by file.

    python scripts/reproduce.py RESULTS [--scans FOLDER] [--to FOLDER] [--cores 2]

In: the results of a run; its inputs, by their checksums: where the run's cards say, which lie in
sources/ beside its results, or below FOLDER, whatever they are called there. Out, in the other folder:
a run of its own, and reproduction.tsv: each file of either run, identical, differs (how), missing or
new. The exit status is 0 where all files are identical. Another code or lock is told, and counts by
what it does to the results.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scanmill import lineage
from scanmill.cohort import table_of
from scanmill.reproduction import comparison, folder
from scanmill.reproduction.conditions import changes
from scanmill.reproduction.inputs import Search

TABLE = "reproduction.tsv"
SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Do a run again and compare; the exit status."""
    asked = _parser().parse_args(arguments)
    provenance = read_provenance(asked.results)
    for change in changes(provenance):
        print(change, flush=True)
    prepare(provenance, asked)
    run(asked.to, asked.cores)
    rows = list(comparison.compared(asked.results, asked.to / "results", provenance["sheet"]))
    with table_of(asked.to / TABLE, comparison.COLUMNS, "\t") as table:
        table.writerows(rows)
    print(summary(rows, asked.to / TABLE))
    return int(any(row["status"] != comparison.IDENTICAL for row in rows))


def read_provenance(results: Path) -> dict[str, Any]:
    """The provenance of a run, from which it can be done again."""
    path = results / "cohort" / "provenance.json"
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no JSON"
        raise SystemExit(
            f"{path} cannot be read ({why}); the results of a finished run would be right"
        ) from None
    if "sheet" not in provenance:
        raise SystemExit(
            f"{path} is of an earlier ScanMill, which cannot be reproduced from it alone"
        )
    return provenance


def prepare(provenance: dict[str, Any], asked: argparse.Namespace) -> None:
    """Write what the run is done again from, in a folder of its own."""
    if asked.to.resolve() == asked.results.resolve().parent:
        raise SystemExit("The run would be done over itself; --to another folder would be right")
    results = asked.results.absolute()
    shapes = results / "cohort" / "shapes"
    search = Search(provenance, results.parent / "sources", asked.scans, shapes)
    texts = folder.contents(provenance, search)
    links = folder.known_shapes(provenance, search)
    if search.missing:
        raise SystemExit("\n".join(search.missing))
    try:
        folder.write(asked.to, texts, links)
    except FileExistsError as error:
        raise SystemExit(f"{asked.to}: {error}") from None


def run(place: Path, cores: int) -> None:
    """Run the mill in a folder."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(lineage.ROOT / "Snakefile")]
    command += ["--directory", str(place), "--cores", str(cores)]
    command += ["--configfile", str(place / folder.CONFIG)]
    if subprocess.run(command).returncode:
        raise SystemExit("The run could not be done again: the messages above say why")


def summary(rows: list[dict[str, str]], table: Path) -> str:
    """How many files are identical, and which are not."""
    counts = Counter(row["status"] for row in rows)
    told = ", ".join(f"{counts[s]} {s}" for s in comparison.STATUSES if counts[s])
    others = [row for row in rows if row["status"] != comparison.IDENTICAL]
    lines = [
        f"  {row['file']} {row['status']}: {row['how']}".rstrip(": ") for row in others[:SHOWN]
    ]
    more = [f"  and {len(others) - SHOWN} more"] if len(others) > SHOWN else []
    return "\n".join([f"{len(rows)} files: {told}. Table: {table}", *lines, *more])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="the folder results/ of a finished run")
    parser.add_argument("--scans", type=Path, help="a folder below which its inputs lie now")
    parser.add_argument("--to", type=Path, default=Path("reproduced"), help="where to run it again")
    parser.add_argument("--cores", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
