"""Collect: all cases into one table, with its dictionary, and how each case ended.

In: every case's measurements.csv and sidecars, and its agreement.csv where it has a reference. Out, in
results/cohort: measurements.csv, one row per structure of each case, refused cases included;
measurements.json, what each column means; cases.tsv, status, seconds and peak memory per case and
stage; provenance.json, what the numbers depend on, for the run to be reproduced. On request
measurements.parquet, the table with types.
"""

from pathlib import Path
from typing import Any

from scanmill import cohort, provenance, used
from scanmill.agreement.columns import REFERENCE
from scanmill.atomic import sole_writer
from scanmill.columns import COLUMNS, STATE, distance_columns
from scanmill.sidecar import checksum, remove_damaged
from scanmill.stage import print_to
from scanmill.staleness import left_over, stale_stages


def collect(
    measurements: list[Path],
    tables: dict[str, Path],
    sheet: dict[str, dict[str, Any]],
    recipes: dict[str, dict[str, Any]],
    settings: dict[str, Any],
    libraries: dict[str, str],
    benchmarks: Path,
) -> None:
    """Write the cohort's tables: `measurements`, `dictionary`, `cases`, `provenance` (and `parquet`).

    measurements: of each case, in its folder. sheet: what may be told of each row (`Row.told`) and its
    recipe's name, by case; the rows that are no atlases in the order of the measurements. recipes: by
    the name that rows have. settings: of the config. libraries: fingerprints of the stages' code.
    benchmarks: the folder of Snakemake's benchmark files. Raises Damaged (`remove_damaged`).
    """
    cases = {case: row for case, row in sheet.items() if row["role"] == "scan"}
    folders = {case: path.parent for case, path in zip(cases, measurements, strict=True)}
    referred = [case for case, row in cases.items() if "reference" in row]
    compared = [folders[case] / cohort.RESULTS["agreement"] for case in referred]
    for path in (*measurements, *compared):
        remove_damaged(path, checksum(path))
    structures = {case: recipes[row["recipe"]]["structures"] for case, row in cases.items()}
    stages = {
        case: cohort.stages_of(row, structures[case], settings) for case, row in cases.items()
    }
    sidecars = {
        case: cohort.read_sidecars(folder, stages[case]) for case, folder in folders.items()
    }
    extra = list(dict.fromkeys(column for case in cases.values() for column in case["extra"]))
    asked = distance_columns([s for recipe in recipes.values() for s in recipe["structures"]])
    columns = COLUMNS | asked | (REFERENCE if referred else {})
    header = [*STATE, *extra, *(column for column in columns if column not in STATE)]
    with cohort.table_of(tables["measurements"], header, ",") as rows:
        for case, described in cases.items():
            for row in cohort.rows_of(case, structures[case], folders[case], sidecars[case]):
                rows.writerow(row | described["extra"])
    cohort.write_dictionary(tables["dictionary"], columns, extra)
    stale = {
        case: stale_stages(sidecars[case], recipes[row["recipe"]], settings, libraries)
        for case, row in cases.items()
    }
    left = left_over(measurements[0].parents[1], sheet)
    cohort.write_cases(tables["cases"], cases, extra, sidecars, benchmarks, stale, left)
    for case in (case for case in sheet if case not in cases):
        folder = measurements[0].parent.with_name(case)
        sidecars[case] = cohort.read_sidecars(folder, provenance.READING)
    provenance.write_provenance(tables["provenance"], sheet, recipes, settings, sidecars)
    if "parquet" in tables:
        cohort.write_parquet(tables["parquet"], tables["measurements"], columns, extra)


if __name__ == "__main__":
    print_to(snakemake.log[0])
    tables = {name: Path(path) for name, path in snakemake.output.items()}
    with sole_writer(tables["measurements"].parent, "collect"):
        collect(
            [Path(path) for path in snakemake.input.measurements],
            tables,
            snakemake.params.sheet,
            snakemake.params.recipes,
            snakemake.params.settings,
            snakemake.params.libraries,
            Path(snakemake.params.benchmarks),
        )
    used.tell()
