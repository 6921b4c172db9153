"""Groups: how groups of the cohort differ in what was measured, as the config asks.

In: the cohort's measurements.csv. Out: groups.csv, a row for each structure, quantity and group, with
adjusted differences, effect sizes, their 95 % intervals and corrected p; groups.json, what its columns
mean; groups_left_out.csv, which cases are in no model, and why; groups.html, the same as a page.
"""

import csv
from pathlib import Path
from typing import Any

from scanmill import cohort
from scanmill.atomic import replacing, sole_writer
from scanmill.group_comparison.columns import GROUPS, LEFT_OUT
from scanmill.group_comparison.page import page
from scanmill.group_comparison.question import Question
from scanmill.group_comparison.samples import table_of
from scanmill.group_comparison.table import compared
from scanmill.stage import print_to


def groups(
    measurements: Path,
    outputs: dict[str, Path],
    sheet: dict[str, dict[str, Any]],
    structures: dict[str, list[str]],
    question: Question,
) -> None:
    """Write the comparison: `groups`, `dictionary`, `left_out` and `page`.

    sheet: what may be told of each row (`Row.told`) and its recipe's name, by case. structures: of each
    recipe, by its name.
    """
    with open(measurements, encoding="utf-8", newline="") as stream:
        table = table_of(csv.DictReader(stream), question)
    found = compared(question, sheet, structures, table)
    cohort.write_found(outputs["groups"], GROUPS, found.rows)
    cohort.write_found(outputs["left_out"], LEFT_OUT, found.left)
    cohort.write_dictionary(outputs["dictionary"], GROUPS, [])
    with replacing(outputs["page"]) as temporary:
        temporary.write_text(page(question, found), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    print_to(snakemake.log[0])
    outputs = {name: Path(path) for name, path in snakemake.output.items()}
    with sole_writer(outputs["groups"].parent, "groups"):
        groups(
            Path(snakemake.input.measurements),
            outputs,
            snakemake.params.sheet,
            snakemake.params.structures,
            snakemake.params.question,
        )
