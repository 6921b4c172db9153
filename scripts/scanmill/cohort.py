"""The tables of a cohort: how each case ended, and what columns mean."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing
from scanmill.columns import ON_REQUEST, STAGES, STATE, Column, case_columns
from scanmill.sidecar import read_sidecar, write_json
from scanmill.staleness import LEFT

Sidecars = dict[str, dict[str, Any]]
RESULTS = dict(
    zip(
        (*STAGES, *ON_REQUEST),
        (
            "volume.nii.gz",
            "isotropic.nii.gz",
            "labels.nii.gz",
            "surfaces",
            "measurements.csv",
            "centrelines",
            "simulation",
            "agreement.csv",
            "dicom",
            "report.html",
        ),
        strict=True,
    )
)


def stages_of(
    row: dict[str, Any], structures: list[dict[str, Any]], settings: dict[str, Any]
) -> tuple[str, ...]:
    """The stages of a case.

    row: what may be told of it (`Row.told`). structures: of its recipe, settings: of the config, as in
    provenance.
    """
    asked = {
        "centreline": any(s["centreline"] for s in structures),
        "simulate": any(s["simulate"] for s in structures),
        "agreement": "reference" in row,
        "export": bool(settings["export"]),
        "report": settings["report"],
    }
    return (*STAGES, *(stage for stage in ON_REQUEST if asked[stage]))


def read_sidecars(folder: Path, stages: tuple[str, ...]) -> Sidecars:
    """What each stage of a run said of its main result; folder: of the case."""
    return {stage: read_sidecar(folder / RESULTS[stage]) for stage in stages}


@contextmanager
def table_of(path: Path, columns: list[str], delimiter: str) -> Iterator[csv.DictWriter]:
    """A writer of rows; columns that a row lacks stay empty. The file appears when all are written."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        rows = csv.DictWriter(stream, columns, delimiter=delimiter, lineterminator="\n")
        rows.writeheader()
        yield rows


def write_found(
    path: Path, columns: dict[str, Column], rows: Iterable[Mapping[str, str | float]]
) -> None:
    """Write what was found in the cohort's table as a table of its own, numbers to ten digits."""
    with table_of(path, list(columns), ",") as table:
        for row in rows:
            table.writerow({key: _text(value) for key, value in row.items()})


def _text(value: str | float) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def rows_of(
    case: str, structures: list[dict[str, Any]], folder: Path, sidecars: Sidecars
) -> Iterator[dict[str, str]]:
    """A case's rows; for a refused case one per structure of its recipe, with the reason."""
    compared = _compared(structures, folder, sidecars.get("agreement"))
    for row in _measured(case, structures, folder, sidecars["measure"]):
        yield row | compared.get(row["structure"], {})


def _measured(
    case: str, structures: list[dict[str, Any]], folder: Path, said: dict[str, Any]
) -> Iterator[dict[str, str]]:
    if said["status"] == "ok":
        with open(folder / RESULTS["measure"], encoding="utf-8", newline="") as stream:
            yield from csv.DictReader(stream)
        return
    why = {key: said[key] for key in ("status", "stage", "code", "reason")}
    for structure in structures:
        yield {"case": case, "structure": structure["name"], "label": structure["label"]} | why


def _compared(
    structures: list[dict[str, Any]], folder: Path, said: dict[str, Any] | None
) -> dict[str, dict[str, str]]:
    """What the comparison with a reference adds to the rows, by structure; said is None without one."""
    if said is None:
        return {}
    if said["status"] != "ok":
        return {s["name"]: {"reference_status": said["code"]} for s in structures}
    with open(folder / RESULTS["agreement"], encoding="utf-8", newline="") as stream:
        return {row["structure"]: row for row in csv.DictReader(stream)}


def write_dictionary(path: Path, columns: dict[str, Column], extra: list[str]) -> None:
    """Write what each column means; extra: those of the sheet."""
    described = {name: column._asdict() for name, column in columns.items()}
    carried = {name: {"meaning": "As in the sheet", "source": "sheet"} for name in extra}
    write_json(path, described | carried)


def write_cases(
    path: Path,
    cases: dict[str, dict[str, Any]],
    extra: list[str],
    sidecars: dict[str, Sidecars],
    benchmarks: Path,
    stale: dict[str, str],
    left: list[str],
) -> None:
    """Write how each case ended, and what each of its stages cost.

    cases: recipe and further columns (named in extra) of each. sidecars: by case and stage.
    benchmarks: Snakemake's, in a folder for each case. stale: by case, its stages that are, and why
    (`staleness`). left: cases that have results and are not in the sheet. Not all cases have all
    stages. What a stage on request refuses is no refusal of the case: its code is among the warnings.
    """
    known = {stage for said in sidecars.values() for stage in said}
    stages = tuple(stage for stage in (*STAGES, *ON_REQUEST) if stage in known)
    with table_of(path, [*case_columns(stages), *extra], "\t") as rows:
        for case, described in cases.items():
            said = sidecars[case]
            row = {key: said["measure"][key] for key in ("status", "stage", "code", "reason")}
            if row["status"] == "ok":
                row["stage"] = ""
            codes = {w["code"] for sidecar in said.values() for w in sidecar["warnings"]}
            if row["status"] == "ok":
                codes |= {sidecar["code"] for sidecar in said.values()} - {None}
            row |= {"case": case, "recipe": described["recipe"], "stale": stale[case]}
            row |= {"warnings": " ".join(sorted(codes))} | described["extra"]
            for stage in said:
                row[f"{stage}_status"] = said[stage]["status"]
                row |= _cost(benchmarks / case / f"{stage}.tsv", stage)
            rows.writerow(row)
        rows.writerows({"case": case} | LEFT for case in left)


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


def write_parquet(
    path: Path, measurements: Path, columns: dict[str, Column], extra: list[str]
) -> None:
    """The table with types: texts as they are (`n/a` is one), numbers that are missing as null."""
    import pandas as pd

    text = [column for column in (*STATE, *extra) if column != "label"]
    numbers = [column for column in columns if column not in text]
    table = pd.read_csv(
        measurements,
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={column: [""] for column in numbers},
    )
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)
