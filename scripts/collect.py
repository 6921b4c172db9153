"""Collect: all cases into one table, with its dictionary, and how each case ended.

In: every case's measurements.csv and sidecars. Out, in results/cohort: measurements.csv, one row per
structure of each case, refused cases included; measurements.json, what each column means; cases.tsv,
status, seconds and peak memory per case and stage; provenance.json, what the numbers depend on. On
request measurements.parquet, the table with types.
"""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing
from scanmill.columns import CASE_COLUMNS, COLUMNS, STAGES, STATE
from scanmill.sidecar import checksum, read_sidecar, write_json
from scanmill.stage import print_to

RESULTS = dict(
    zip(
        STAGES,
        ("volume.nii.gz", "isotropic.nii.gz", "labels.nii.gz", "surfaces", "measurements.csv"),
        strict=True,
    )
)


def collect(
    measurements: list[Path],
    lock: Path,
    tables: dict[str, Path],
    cases: dict[str, dict[str, Any]],
    recipes: dict[str, dict[str, Any]],
    settings: dict[str, Any],
    benchmarks: Path,
) -> None:
    """Write the cohort's tables: `measurements`, `dictionary`, `cases`, `provenance` (and `parquet`).

    measurements: of each case, in its folder. cases: recipe and further columns of the sheet, by case
    and in the same order. recipes: by the name that cases have. settings: of the config. benchmarks:
    the folder of Snakemake's benchmark files.
    """
    folders = {case: path.parent for case, path in zip(cases, measurements, strict=True)}
    sidecars = {case: _sidecars(folder) for case, folder in folders.items()}
    extra = list(dict.fromkeys(column for case in cases.values() for column in case["extra"]))
    columns = [*STATE, *extra, *(column for column in COLUMNS if column not in STATE)]
    with _table(tables["measurements"], columns, ",") as rows:
        for case, described in cases.items():
            structures = recipes[described["recipe"]]["structures"]
            for row in _rows(case, structures, folders[case], sidecars[case]["measure"]):
                rows.writerow(row | described["extra"])
    _write_dictionary(tables["dictionary"], extra)
    _write_cases(tables["cases"], cases, extra, sidecars, benchmarks)
    _write_provenance(tables["provenance"], lock, recipes, settings, sidecars)
    if "parquet" in tables:
        _write_parquet(tables["parquet"], tables["measurements"], extra)


def _sidecars(folder: Path) -> dict[str, dict[str, Any]]:
    return {stage: read_sidecar(folder / result) for stage, result in RESULTS.items()}


@contextmanager
def _table(path: Path, columns: list[str], delimiter: str) -> Iterator[csv.DictWriter]:
    """A writer of rows; columns that a row lacks stay empty. The file appears when all are written."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        rows = csv.DictWriter(stream, columns, delimiter=delimiter, lineterminator="\n")
        rows.writeheader()
        yield rows


def _rows(
    case: str, structures: list[dict[str, Any]], folder: Path, said: dict[str, Any]
) -> Iterator[dict[str, str]]:
    """A case's rows; for a refused case one per structure of its recipe, with the reason."""
    if said["status"] == "ok":
        with open(folder / RESULTS["measure"], encoding="utf-8", newline="") as stream:
            yield from csv.DictReader(stream)
        return
    why = {key: said[key] for key in ("status", "stage", "code", "reason")}
    for structure in structures:
        yield {"case": case, "structure": structure["name"], "label": structure["label"]} | why


def _write_dictionary(path: Path, extra: list[str]) -> None:
    described = {name: column._asdict() for name, column in COLUMNS.items()}
    carried = {name: {"meaning": "As in the sheet", "source": "sheet"} for name in extra}
    write_json(path, described | carried)


def _write_cases(
    path: Path,
    cases: dict[str, dict[str, Any]],
    extra: list[str],
    sidecars: dict[str, dict[str, dict[str, Any]]],
    benchmarks: Path,
) -> None:
    columns = [*CASE_COLUMNS, *extra]
    with _table(path, columns, "\t") as rows:
        for case, described in cases.items():
            said = sidecars[case]
            row = {key: said["measure"][key] for key in ("status", "stage", "code", "reason")}
            if row["status"] == "ok":
                row["stage"] = ""
            codes = {w["code"] for sidecar in said.values() for w in sidecar["warnings"]}
            row |= {"case": case, "recipe": described["recipe"]}
            row |= {"warnings": " ".join(sorted(codes))} | described["extra"]
            for stage in STAGES:
                row[f"{stage}_status"] = said[stage]["status"]
                row |= _cost(benchmarks / case / f"{stage}.tsv", stage)
            rows.writerow(row)


def _cost(benchmark: Path, stage: str) -> dict[str, str]:
    """Seconds and peak memory as Snakemake measured them; nothing where it did not."""
    if not benchmark.exists():
        return {}
    with open(benchmark, encoding="utf-8", newline="") as stream:
        last = list(csv.DictReader(stream, delimiter="\t"))[-1]
    found = {f"{stage}_seconds": last["s"]}
    # It looks every half second. Of a job that ended sooner it saw the shell that starts it, idle.
    if last["cpu_time"] not in ("NA", "0.00"):
        found[f"{stage}_memory_mb"] = last["max_rss"]
    return found


def _write_provenance(
    path: Path,
    lock: Path,
    recipes: dict[str, dict[str, Any]],
    settings: dict[str, Any],
    sidecars: dict[str, dict[str, dict[str, Any]]],
) -> None:
    """What the numbers depend on. No paths: the sheet alone says which scan a case is."""
    inputs = {
        case: {stage: said[stage]["inputs"] for stage in ("ingest", "segment")}
        for case, said in sidecars.items()
    }
    write_json(
        path,
        {
            "command": os.environ.get("SCANMILL_COMMAND", ""),
            "settings": settings,
            "software": _used_software(sidecars),
            "lock_sha256": checksum(lock),
            "recipes": recipes,
            "inputs": inputs,
        },
    )


def _used_software(sidecars: dict[str, dict[str, dict[str, Any]]]) -> list[dict[str, str]]:
    """The sets of versions that any result was made with: one, unless a run was half redone."""
    used: list[dict[str, str]] = []
    for said in sidecars.values():
        used += [s["software"] for s in said.values() if s["software"] not in used]
    return [versions for n, versions in enumerate(used) if versions not in used[:n]]


def _write_parquet(path: Path, measurements: Path, extra: list[str]) -> None:
    """The table with types: texts as they are (`n/a` is one), numbers that are missing as null."""
    import pandas as pd

    text = [column for column in (*STATE, *extra) if column != "label"]
    numbers = [column for column in COLUMNS if column not in text]
    table = pd.read_csv(
        measurements,
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={column: [""] for column in numbers},
    )
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


if __name__ == "__main__":
    print_to(snakemake.log[0])
    collect(
        [Path(path) for path in snakemake.input.measurements],
        Path(snakemake.input.lock),
        {name: Path(path) for name, path in snakemake.output.items()},
        snakemake.params.cases,
        snakemake.params.recipes,
        snakemake.params.settings,
        Path(snakemake.params.benchmarks),
    )
