"""What shape models of the cohort tell of its cases."""

from collections.abc import Iterator, Mapping

from scanmill.checks.cases import Cases, Row
from scanmill.checks.quantity import LOG, Flag, Quantity

# Of structures whose models are another cohort's, by name: the distances of its own cases.
Loaded = Mapping[str, tuple[float, ...]]
# The column of reconstruction.csv that tells.
FAR = "reconstruction_p95_mm"
# Of logarithms of distances, what voxels make them vary by.
FLOOR = 0.05
# The code of those that registration could not use.
LOST = "registration-failed"
WORDS = "How far {}, but for 5 % of its surface, lies from what the shapes of the other cases make"


def distances(cases: Cases, errors: list[Row], loaded: Loaded) -> Iterator[Quantity]:
    """Quantities of the structures that have a model. errors: rows of reconstruction.csv."""
    for name in cases.names:
        own = [row for row in _own(cases, errors) if row["structure"] == name]
        values = {row["case"]: float(row[FAR]) for row in own if row["status"] == "ok"}
        if values:
            yield distance(name, values, loaded.get(name))


def distance(name: str, values: dict[str, float], told: tuple[float, ...] | None) -> Quantity:
    """How far cases are from what others tell of a structure. values: FAR of each case, mm.

    told: of the cases of another cohort's model; None: these are of one cohort.
    """
    # A shape that the others tell better than theirs is not wrong.
    return Quantity("shape", name, WORDS.format(name), "mm", LOG, FLOOR, values, told, above=True)


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
