"""Validate: the user's own recipes on digital twins of their measured scans, against the truth.

    python scripts/validate.py twins FOLDER [--scans SHEET] [--configfile FILE] [--twins 5] [--seeds 3]
    snakemake --directory FOLDER --config scans=scans.tsv --cores 2
    python scripts/validate.py errors FOLDER [--scans SHEET] [--configfile FILE] [--readme FILE]

Run where the cohort was run: its results are read from ./results. In FOLDER: twins/ and scans.tsv, a
cohort of scans whose true measures are known; its results; errors.csv, each quantity of each twin
against the truth; summary.csv, summary.md and errors.svg. A README's table is written anew.
"""

import argparse
import csv
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from scanmill import settings
from scanmill.atomic import replacing
from scanmill.problem import SettingsError
from scanmill.validation import comparison, summary
from scanmill.validation.cases import Case, chosen, measured
from scanmill.validation.page import challenge_table, page, with_table
from scanmill.validation.plot import svg
from scanmill.validation.twin_files import (
    TRUTH,
    TWINS,
    most_twins,
    read_truth,
    write_sheet,
    write_twins,
)

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path("results")
FIGURE = "errors.svg"


def main(arguments: Sequence[str] | None = None) -> None:
    """Make twins, or compare what was measured on them."""
    asked = _parser().parse_args(arguments)
    asked_for = _settings(asked)
    cases = measured(asked_for, RESULTS, asked.folder)
    if not cases:
        raise SystemExit(_why_none(asked_for))
    with ProcessPoolExecutor(asked.cores) as pool:
        if asked.what == "twins":
            write_all_twins(chosen(cases, asked.twins), asked.seeds, asked.folder, pool)
        else:
            errors = write_errors({case.name: case for case in cases}, asked.folder, pool)
            if asked.readme:
                text = asked.readme.read_text(encoding="utf-8")
                _write_text(asked.readme, with_table(text, challenge_table(errors)))


def write_all_twins(
    cases: Sequence[Case], draws: int, folder: Path, pool: ProcessPoolExecutor
) -> None:
    """Write twins of each case, `draws` like its scan and one for each challenge, and their sheet."""
    numbers = [1 + n * most_twins(draws) for n in range(len(cases))]
    write = partial(write_twins, draws=draws, folder=folder)
    rows = [row for part in pool.map(write, cases, numbers) for row in part]
    write_sheet(folder / "scans.tsv", rows)
    print(f"{len(rows)} twins of {len(cases)} cases: {folder / 'scans.tsv'}")


def write_errors(
    cases: dict[str, Case], folder: Path, pool: ProcessPoolExecutor
) -> list[comparison.Row]:
    """Write tables, page and picture of what the twins' measurements are off; the rows of errors."""
    rows = _measurements(folder / "results/cohort/measurements.csv")
    truths = [read_truth(folder / TWINS / twin / TRUTH) for twin in rows]
    for twin, truth in zip(rows, truths, strict=True):
        case = cases.get(truth["twin_of"])
        if case is None or {s["name"] for s in case.recipe.structures} != set(rows[twin]):
            raise SystemExit(
                f"The results or the recipe of {truth['twin_of']} have changed since its twins were "
                "measured: run the cohort, make the twins anew and measure them."
            )
    origins = [cases[truth["twin_of"]] for truth in truths]
    compare = partial(errors_of_twin, folder=folder)
    parts = pool.map(compare, rows, rows.values(), truths, origins)
    errors = [row for part in parts for row in part]
    short = summary.summarised(errors)
    _write_table(folder / "errors.csv", comparison.COLUMNS, errors)
    _write_table(folder / "summary.csv", summary.COLUMNS, short)
    _write_text(folder / FIGURE, svg(errors))
    _write_text(folder / "summary.md", page(short, errors, truths, FIGURE))
    print(f"Errors of {len(rows)} twins: {folder / 'summary.md'}")
    return errors


def errors_of_twin(
    twin: str, rows: dict[str, Any], truth: dict[str, Any], case: Case, folder: Path
) -> list[dict[str, Any]]:
    """The rows of one twin in errors.csv."""
    labels = {s["name"]: s["label"] for s in case.recipe.structures}
    found = {n: s for n, s in case.surfaces().items() if rows[n]["status"] == "ok"}
    dice = comparison.dice_of(folder / "results" / "cases" / twin, found, labels)
    return comparison.errors_of(truth, rows, dice)


def _measurements(path: Path) -> dict[str, dict[str, Any]]:
    """The rows of the twins' cohort table, by twin and structure."""
    if not path.exists():
        raise SystemExit("The twins have not been measured yet: run snakemake on them first.")
    rows: dict[str, dict[str, Any]] = {}
    with open(path, newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            rows.setdefault(row["case"], {})[row["structure"]] = row
    return rows


def _why_none(asked: settings.Settings) -> str:
    """Why no case can have twins."""
    scans = [name for name, row in asked.scans.items() if row.role == "scan"]
    if any((RESULTS / "cases" / name / "surfaces.json").exists() for name in scans):
        return (
            "No case of this sheet has a measured structure: results/cohort/cases.tsv says why each "
            "was refused. A twin is made of what was found in a case."
        )
    return "No case of this sheet has results here: run the cohort first, with the same sheet."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("twins", "errors"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scans", help="the sheet of the cohort, as in its config")
    parser.add_argument("--configfile", type=Path, help="the config that the cohort was run with")
    parser.add_argument("--readme", type=Path, help="a README whose marked table is written anew")
    parser.add_argument("--twins", type=_count, default=5, help="how many cases get twins")
    parser.add_argument(
        "--seeds", type=_count, default=3, help="how many twins like its scan each case gets"
    )
    parser.add_argument("--cores", type=_count, default=2)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} was found; a number from 1 on would be right")
    return int(text)


def _settings(asked: argparse.Namespace) -> settings.Settings:
    config = {}
    if asked.configfile:
        config = yaml.safe_load(asked.configfile.read_text(encoding="utf-8"))
    if asked.scans:
        config["scans"] = asked.scans
    try:
        return settings.load(config, ROOT, Path.cwd())
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, columns, lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({key: _text(value) for key, value in row.items()})


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _text(value: Any) -> Any:
    return f"{value:.10g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main()
