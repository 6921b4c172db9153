"""Check: the cases of the cohort against each other, for those that cannot be right.

In: the cohort's measurements.csv and provenance.json, what each case's measurements.json says of
structures that touch, and the shape models of structures with how far each case is from them. Out:
flags.csv, a row a finding, by case in the order of the sheet; where there are shape models, shapes.csv,
what they are worth, and reconstruction.csv, the cases' distances from them. .json files say what the
columns mean. Cases are compared with those of the same recipe.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scanmill import cohort, used
from scanmill.atomic import sole_writer
from scanmill.checks.cases import COLUMNS, Cases, Row
from scanmill.checks.columns import FLAGS, RECONSTRUCTION, SHAPES
from scanmill.checks.flags import flags_of
from scanmill.checks.quantity import Flag
from scanmill.checks.shapes import Loaded
from scanmill.columns import Column
from scanmill.shape_model.known_shape import read_known_shape
from scanmill.sidecar import read_sidecar
from scanmill.stage import print_to


def check(
    measurements: Path,
    provenance: Path,
    cases: list[Path],
    shapes: list[Path],
    outputs: dict[str, Path],
) -> None:
    """Write the tables that are asked for, `flags`, `shapes`, `reconstruction`, and their dictionaries.

    cases: measurements of each case, with their sidecars beside them. shapes: reconstruction.csv of
    each structure with a model, likewise, and shape.npz beside it, in a folder of its name in one of
    its recipe's.
    """
    known = json.loads(provenance.read_text(encoding="utf-8"))
    told = {path.parent.name: _told(path) for path in cases}
    errors = [row for path in shapes for row in _rows(path)]
    flags = (
        flag
        for recipe, group in groups(measurements, known, told).items()
        for flag in flags_of(group, known["inputs"], errors, loaded(recipe, shapes))
    )
    _write(outputs, "flags", FLAGS, flags)
    if "shapes" in outputs:
        _write(outputs, "shapes", SHAPES, map(_model, shapes))
        _write(outputs, "reconstruction", RECONSTRUCTION, errors)


def groups(
    measurements: Path, provenance: dict[str, Any], told: dict[str, dict[str, Any]]
) -> dict[str, Cases]:
    """The cases by recipe. told: contacts and warnings of each case, by name."""
    rows: dict[str, dict[str, dict[str, Row]]] = {name: {} for name in provenance["recipes"]}
    for row in _rows(measurements):
        recipe = provenance["sheet"][row["case"]]["recipe"]
        kept = {column: row[column] for column in COLUMNS}
        rows[recipe].setdefault(row["case"], {})[row["structure"]] = kept
    return {
        name: Cases(
            recipe["modality"],
            recipe["structures"],
            own := rows[name],
            {case: told[case]["contacts"] for case in own},
            {case: told[case]["warnings"] for case in own},
        )
        for name, recipe in provenance["recipes"].items()
    }


def loaded(recipe: str, shapes: list[Path]) -> Loaded:
    """What the loaded models among those of a recipe tell of their own cases."""
    found = {}
    for path in shapes:
        said = read_sidecar(path)
        own = path.parents[1].name == recipe and said["status"] == "ok"
        if own and said["shape"]["source"] == "loaded":
            told = read_known_shape(path.with_name("shape.npz")).told
            found[path.parent.name] = tuple(told.far.tolist())
    return found


def _told(measurements: Path) -> dict[str, Any]:
    """What a case's sidecar says of contacts and warnings; where it was refused, of no contacts."""
    said = read_sidecar(measurements)
    return {"contacts": said.get("contacts", {}), "warnings": said["warnings"]}


def _rows(table: Path) -> Iterator[Row]:
    with open(table, encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _model(reconstruction: Path) -> dict[str, Any]:
    """A row of shapes.csv."""
    said = read_sidecar(reconstruction)
    row = {"recipe": reconstruction.parents[1].name, "structure": reconstruction.parent.name}
    return row | {"status": said["status"], "code": said["code"] or ""} | said.get("shape", {})


def _write(
    outputs: dict[str, Path], name: str, columns: dict[str, Column], rows: Iterable[Flag]
) -> None:
    cohort.write_found(outputs[name], columns, rows)
    cohort.write_dictionary(outputs[f"{name}_dictionary"], columns, [])


if __name__ == "__main__":
    print_to(snakemake.log[0])
    outputs = {name: Path(path) for name, path in snakemake.output.items()}
    with sole_writer(outputs["flags"].parent, "check"):
        check(
            Path(snakemake.input.measurements),
            Path(snakemake.input.provenance),
            [Path(path) for path in snakemake.params.cases],
            [Path(path) for path in snakemake.input.shapes],
            outputs,
        )
    used.tell()
