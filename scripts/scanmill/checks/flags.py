"""All flags of a cohort, in the order of its sheet."""

from itertools import chain
from typing import Any

from scanmill.checks.absences import missing, shared_labels
from scanmill.checks.cases import Cases, Row
from scanmill.checks.expected import unexpected_scans, unexpected_structures
from scanmill.checks.pairs import swapped
from scanmill.checks.quantities import quantities
from scanmill.checks.quantity import Flag
from scanmill.checks.shapes import Loaded, distances, without_correspondence


def flags_of(
    cases: Cases, inputs: dict[str, dict[str, Any]], errors: list[Row], loaded: Loaded
) -> list[Flag]:
    """The flags of the cases of one recipe, sorted by case as in its rows.

    inputs: as for `shared_labels`. errors: of shapes, rows of reconstruction.csv. loaded: as for
    `distances`.
    """
    every = (*quantities(cases), *distances(cases, errors, loaded))
    compared = [quantity for quantity in every if quantity.limits(1)]
    unusual = chain.from_iterable(q.flags(len(compared)) for q in compared)
    sure = [*swapped(cases), *shared_labels(cases, inputs), *missing(cases)]
    sure += [*unexpected_scans(cases), *unexpected_structures(cases)]
    found = [*sure, *without_correspondence(cases, errors), *unusual]
    order = {case: n for n, case in enumerate(cases.rows)}
    return sorted(found, key=lambda flag: order[flag["case"]])
