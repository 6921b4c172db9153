"""Check: the cases of the cohort against each other, for those that cannot be right.

In: the cohort's measurements.csv and provenance.json, and what each case's measurements.json says of
structures that touch. Out: flags.csv, a row a finding, by case in the order of the sheet; flags.json
says what the columns mean. Cases are compared with those of the same recipe.
"""

import csv
import json
from pathlib import Path
from typing import Any

from scanmill import cohort, used
from scanmill.atomic import sole_writer
from scanmill.checks.cases import COLUMNS, Cases, Row
from scanmill.checks.columns import FLAGS
from scanmill.checks.flags import flags_of
from scanmill.sidecar import read_sidecar
from scanmill.stage import print_to


def check(
    measurements: Path,
    provenance: Path,
    cases: list[Path],
    flags: Path,
    dictionary: Path,
) -> None:
    """Write the flags of the cohort, and what their columns mean.

    cases: measurements of each case, with their sidecars beside them.
    """
    known = json.loads(provenance.read_text(encoding="utf-8"))
    contacts = {path.parent.name: read_sidecar(path).get("contacts", {}) for path in cases}
    with cohort.table_of(flags, list(FLAGS), ",") as table:
        for group in groups(measurements, known, contacts):
            for flag in flags_of(group, known["inputs"]):
                table.writerow({key: _text(value) for key, value in flag.items()})
    cohort.write_dictionary(dictionary, FLAGS, [])


def groups(
    measurements: Path, provenance: dict[str, Any], contacts: dict[str, dict[str, Any]]
) -> list[Cases]:
    """The cases by recipe. contacts: of each case, by name."""
    rows: dict[str, dict[str, dict[str, Row]]] = {name: {} for name in provenance["recipes"]}
    with open(measurements, encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            recipe = provenance["sheet"][row["case"]]["recipe"]
            kept = {column: row[column] for column in COLUMNS}
            rows[recipe].setdefault(row["case"], {})[row["structure"]] = kept
    return [
        Cases(recipe["modality"], recipe["structures"], rows[name], contacts)
        for name, recipe in provenance["recipes"].items()
    ]


def _text(value: str | float) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print_to(snakemake.log[0])
    outputs = {name: Path(path) for name, path in snakemake.output.items()}
    with sole_writer(outputs["flags"].parent, "check"):
        check(
            Path(snakemake.input.measurements),
            Path(snakemake.input.provenance),
            [Path(path) for path in snakemake.input.cases],
            **outputs,
        )
    used.tell()
