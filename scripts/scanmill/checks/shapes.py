"""What shape models of the cohort tell of its cases."""

from collections.abc import Iterator, Mapping

from scanmill.checks.cases import Cases, Row
from scanmill.checks.quantity import LOG, Flag, Quantity

# Of structures whose models are another cohort's, by name: the columns of its own cases.
Loaded = Mapping[str, Mapping[str, tuple[float, ...]]]
# Of logarithms of distances, what voxels make them vary by.
FLOOR = 0.05
# The code of those that registration could not use.
LOST = "registration-failed"
WORDS = {
    "reconstruction_mm": "The mean distance of {} from what the shapes of the other cases make",
    "reconstruction_max_mm": "The largest distance of {} from what the shapes of the other cases make",
}


def distances(cases: Cases, errors: list[Row], loaded: Loaded) -> Iterator[Quantity]:
    """Quantities of the structures that have a model. errors: rows of reconstruction.csv."""
    for name in cases.names:
        own = [row for row in _own(cases, errors) if row["structure"] == name]
        for column, words in WORDS.items():
            values = {row["case"]: float(row[column]) for row in own if row["status"] == "ok"}
            told = loaded[name][column] if name in loaded else None
            if values:
                yield Quantity("shape", name, words.format(name), "mm", LOG, FLOOR, values, told)


def without_correspondence(cases: Cases, errors: list[Row]) -> Iterator[Flag]:
    """A flag for each structure that registration could not bring onto the others'."""
    for row in _own(cases, errors):
        if row["code"] == LOST:
            yield {
                "case": row["case"],
                "structure": row["structure"],
                "check": "shape",
                "message": f"{row['structure']} is too unlike those of the other cases to be compared "
                "with them point by point",
            }


def _own(cases: Cases, errors: list[Row]) -> list[Row]:
    return [row for row in errors if row["case"] in cases.rows]
