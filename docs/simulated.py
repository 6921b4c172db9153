"""A cohort of a document, run, and what was simulated of its cases as a Markdown table."""

import csv
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill import used  # noqa: E402


def run(folder: Path, rows: Iterable[tuple[str | Path, ...]]) -> dict[str, dict[str, str]]:
    """Run a cohort in a folder; the rows of its table, of one structure each, by case.

    rows: of its sheet, case, scan, labels and recipe.
    """
    with open(folder / "scans.tsv", "w") as sheet:
        sheet.write("case\tscan\tlabels\trecipe\n")
        sheet.writelines("\t".join(map(str, row)) + "\n" for row in rows)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", "--quiet", "all"]
    command += ["--config", "scans=scans.tsv", "report=false"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    with open(folder / "results" / "cohort" / "measurements.csv", newline="") as stream:
        return {row["case"]: row for row in csv.DictReader(stream)}


def tell(folder: Path, found: dict[str, dict[str, str]], what: str, told: tuple[str, ...]) -> None:
    """Print columns of the cases, and what simulating them took by their logs. what: the cases are."""
    print(f"| {what} | {' | '.join(told)} | CPU, s | MB |\n|{'---|' * (len(told) + 3)}")
    for case, row in found.items():
        cells = " | ".join(
            f"{float(row[key]):.4g}" if "." in row[key] else row[key] for key in told
        )
        took = used.told(folder / "logs" / case / "simulate.log")
        print(f"| {case} | {cells} | {np.round(took.cpu_s)} | {np.round(took.memory_mb)} |")
