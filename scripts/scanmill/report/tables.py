"""The tables of a case's page: measurements with their intervals, and the ledger of volumes."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scanmill.columns import COLUMNS

SPECIFICATION = Path(__file__).with_name("case.yaml")
# Digits that are shown of a measurement, and places of a percentage.
DIGITS, PLACES = 4, 1
Row = dict[str, str]


@dataclass(frozen=True)
class Quantity:
    """A column of a table. unit: as it is shown. meaning: of the column that it shows."""

    title: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Entry:
    """A cell: the value and its interval as text, empty where there is none."""

    value: str
    interval: str


@dataclass(frozen=True)
class Table:
    """Cells by structure; of structures that were measured."""

    quantities: list[Quantity]
    rows: list[tuple[str, list[Entry]]]


def read_rows(measurements: Path) -> list[Row]:
    """The rows of a case's measurements.csv."""
    with open(measurements, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def tables(rows: list[Row], hounsfield: bool) -> dict[str, Table]:
    """The tables that case.yaml asks for, by name. hounsfield: whether the scan's values are HU."""
    specified = yaml.safe_load(SPECIFICATION.read_text(encoding="utf-8"))
    return {name: _table(asked, rows, hounsfield) for name, asked in specified.items()}


def _table(asked: list[dict[str, Any]], rows: list[Row], hounsfield: bool) -> Table:
    """Of what any structure has."""
    kept = [each for each in asked if any(row[each["column"]] for row in rows)]
    measured = [row for row in rows if any(row[each["column"]] for each in kept)]
    return Table(
        [_quantity(each, hounsfield) for each in kept],
        [(row["structure"], [_entry(each, row) for each in kept]) for row in measured],
    )


def _quantity(asked: dict[str, Any], hounsfield: bool) -> Quantity:
    unit = asked["unit"] if asked["unit"] != "image" else "HU" * hounsfield
    return Quantity(asked["title"], unit, COLUMNS[asked["column"]].meaning)


def _entry(asked: dict[str, Any], row: Row) -> Entry:
    value = row[asked["column"]]
    low, high = (row[asked[end]] if end in asked else "" for end in ("low", "high"))
    percent = asked["unit"] == "%"
    value, low, high = (
        number(float(text) * asked["factor"], percent) if text else ""
        for text in (value, low, high)
    )
    return Entry(value, f"{low} to {high}" if low and high else "")


def number(value: float, percent: bool) -> str:
    """A number as it is shown: DIGITS digits, and all that are before the point."""
    if percent:
        return f"{round(value, PLACES) + 0.0:.{PLACES}f}"
    if abs(value) < 1:
        return f"{value:.{DIGITS}g}"
    return f"{value:.{max(0, DIGITS - len(str(int(abs(value)))))}f}"
