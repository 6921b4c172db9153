"""All flags of a cohort, in the order of its sheet."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from scanmill.checks.absences import missing, shared_labels
from scanmill.checks.cases import Cases
from scanmill.checks.pairs import swapped
from scanmill.checks.quantities import quantities
from scanmill.checks.quantity import Flag, Quantity


def flags_of(
    cases: Cases, inputs: dict[str, dict[str, Any]], shapes: Iterable[Quantity] = ()
) -> list[Flag]:
    """The flags of the cases of one recipe, sorted by case as in its rows.

    inputs: as for `shared_labels`. shapes: what shape models tell of the cases.
    """
    compared = [q for q in (*quantities(cases), *shapes) if q.limits(1)]
    unusual = chain.from_iterable(q.flags(len(compared)) for q in compared)
    found = [*swapped(cases), *shared_labels(cases, inputs), *missing(cases), *unusual]
    order = {case: n for n, case in enumerate(cases.rows)}
    return sorted(found, key=lambda flag: order[flag["case"]])
