"""What the tables of a cohort tell of its cases: how each ended, and what was measured of each."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.overview.outliers import Usual, outside, usual
from scanmill.staleness import LEFT

Row = dict[str, str]
# Different values of a column of the sheet by which cases are grouped.
FEWEST, MOST = 2, 12
# Structures in the table of cases.
SHOWN = 4


@dataclass(frozen=True)
class Measure:
    """A quantity of a structure over the cohort. values: of each case, in its unit, NaN without one."""

    structure: str
    quantity: Mapping[str, Any]
    values: np.ndarray
    usual: Usual | None
    outliers: list[int]


@dataclass
class Cohort:
    """cases: rows of cases.tsv. rows: of measurements.csv. extra: columns of the sheet, by case.

    modalities: of recipes.
    """

    cases: list[Row]
    rows: list[Row]
    extra: dict[str, dict[str, str]]
    modalities: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The cases in the order of the sheet."""
        return [row["case"] for row in self.cases]

    def groups(self, asked: list[str] | None) -> dict[str, list[str]]:
        """Columns of the sheet that group cases, with each case's value. asked: None for all fit."""
        known = list(next(iter(self.extra.values()), {}))
        cells = {name: [self.extra[case][name] for case in self.names] for name in known}
        if asked is not None:
            return {name: cells[name] for name in asked}
        return {
            name: found for name, found in cells.items() if FEWEST <= len(set(found) - {""}) <= MOST
        }

    def structures(self) -> dict[tuple[str, str], str]:
        """What structures are called here, by recipe and name; only shared names tell the recipe."""
        of_case = {row["case"]: row["recipe"] for row in self.cases}
        found = list(dict.fromkeys((of_case[row["case"]], row["structure"]) for row in self.rows))
        recipes = Counter(name for _, name in found)
        return {
            (recipe, name): name if recipes[name] == 1 else f"{name} ({recipe})"
            for recipe, name in found
        }

    def measures(self, specification: Mapping[str, Any]) -> list[Measure]:
        """Each quantity of each structure that has a value of it, by structure."""
        places = {case: n for n, case in enumerate(self.names)}
        of_case = {row["case"]: row["recipe"] for row in self.cases}
        by_structure: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            by_structure.setdefault((of_case[row["case"]], row["structure"]), []).append(row)
        found = []
        for key, name in self.structures().items():
            for quantity in specification["quantities"]:
                if quantity["modality"] not in (None, self.modalities[key[0]]):
                    continue
                values = np.full(len(places), np.nan)
                for row in by_structure[key]:
                    cell = row.get(quantity["column"], "")
                    if cell:
                        values[places[row["case"]]] = float(cell) * quantity["factor"]
                if not np.isnan(values).all():
                    within = usual(values, **specification["outliers"])
                    far = outside(values, within) if within else []
                    found.append(Measure(name, quantity, values, within, far))
        return found

    def main_structures(self, asked: list[str] | None) -> list[str]:
        """Structures in the table of cases, as they are called here. asked: None for the commonest."""
        called = self.structures()
        if asked is not None:
            return [name for wanted in asked for (_, own), name in called.items() if own == wanted]
        of_case = {row["case"]: row["recipe"] for row in self.cases}
        counts = Counter(
            (of_case[row["case"]], row["structure"]) for row in self.rows if row["status"] == "ok"
        )
        # Of each recipe the first before of any the second.
        ranks: Counter[str] = Counter()
        ranked = []
        for recipe, name in sorted(counts, key=lambda key: -counts[key]):
            ranked.append((ranks[recipe], called[recipe, name]))
            ranks[recipe] += 1
        first = {name for _, name in sorted(ranked, key=lambda entry: entry[0])[:SHOWN]}
        return [name for name in called.values() if name in first]


def read_table(path: Path) -> list[Row]:
    """The rows of a table of the cohort, .csv or .tsv."""
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if path.suffix == ".tsv" else ","))


def read_cohort(cases: Path, measurements: Path, provenance: Mapping[str, Any]) -> Cohort:
    """The cohort of cases.tsv and measurements.csv."""
    # What lies in the folder of a case that left the sheet is none of the run.
    known = [row for row in read_table(cases) if row["status"] != LEFT["status"]]
    extra = {row["case"]: provenance["sheet"][row["case"]]["extra"] for row in known}
    modalities = {name: recipe["modality"] for name, recipe in provenance["recipes"].items()}
    return Cohort(known, read_table(measurements), extra, modalities)
