"""Compare: the cohort's volumes against references, and subjects with themselves at the next timepoint.

In: the cohort's measurements.csv. Out, each where the sheet gives cause: agreement.csv, limits of
agreement and intraclass correlations of each structure; changes.csv, how the volume of each structure
changed from one timepoint of a subject to the next, and whether chance explains it. agreement.json and
changes.json say what the columns mean.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scanmill import change, cohort, visits
from scanmill.agreement.cohort import agreement_rows
from scanmill.agreement.columns import AGREEMENT
from scanmill.atomic import sole_writer
from scanmill.stage import print_to

Row = dict[str, str | float]


def compare(measurements: Path, sheet: dict[str, dict[str, Any]], outputs: dict[str, Path]) -> None:
    """Write the tables that are asked for, of `agreement` and `changes`, and their dictionaries.

    sheet: what may be told of each row (`Row.told`) and its recipe's name, by case.
    """
    with open(measurements, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if "agreement" in outputs:
        recipes = {case: row["recipe"] for case, row in sheet.items()}
        _write(outputs, "agreement", AGREEMENT, agreement_rows(rows, recipes))
    if "changes" in outputs:
        _write(outputs, "changes", change.CHANGES, changes(rows, sheet))


def changes(rows: list[dict[str, str]], sheet: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """How each structure of each subject changed from one timepoint to the next."""
    of_case: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        of_case.setdefault(row["case"], {})[row["structure"]] = row
    for subject, before, after in visits.pairs(sheet):
        times = [sheet[case]["extra"][visits.TIMEPOINT] for case in (before, after)]
        said = {
            "subject": subject,
            "recipe": sheet[before]["recipe"],
            "case_before": before,
            "case_after": after,
            "timepoint_before": times[0],
            "timepoint_after": times[1],
            "elapsed": visits.elapsed(*times),
        }
        for structure, row in of_case[before].items():
            yield said | {"structure": structure} | _changed(row, of_case[after][structure])


def _changed(before: dict[str, str], after: dict[str, str]) -> Row:
    volumes = change.Volume.of(before), change.Volume.of(after)
    if None in volumes:
        codes = {"code_before": before["code"], "code_after": after["code"]}
        return {"status": change.REFUSED} | codes
    return {"status": change.MEASURED} | change.change(*volumes)


def _write(outputs: dict[str, Path], name: str, columns: dict, rows: Iterator[Row]) -> None:
    cohort.write_found(outputs[name], columns, rows)
    cohort.write_dictionary(outputs[f"{name}_dictionary"], columns, [])


if __name__ == "__main__":
    print_to(snakemake.log[0])
    outputs = {name: Path(path) for name, path in snakemake.output.items()}
    with sole_writer(Path(snakemake.input.measurements).parent, "compare"):
        compare(Path(snakemake.input.measurements), snakemake.params.sheet, outputs)
