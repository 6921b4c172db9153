"""Structures of the left and the right, and on which side of each other they lie."""

from collections.abc import Iterator

from scanmill.checks.cases import Cases
from scanmill.checks.quantity import Flag

LEFT, RIGHT = "left", "right"


def pairs(structures: list[dict]) -> list[tuple[str, str]]:
    """Names of structures that are the left and the right one of a pair, in the recipe's order.

    Their names differ by `left` and `right` alone; or they have one code, and the recipe says their
    laterality.
    """
    names = {structure["name"] for structure in structures}
    by_code = {_kind(s): s["name"] for s in structures if s["laterality"] == RIGHT}
    found = []
    for structure in structures:
        name = structure["name"]
        mirrored = name.replace(LEFT, RIGHT)
        if mirrored != name and mirrored in names:
            found.append((name, mirrored))
        elif structure["laterality"] == LEFT and _kind(structure) in by_code:
            found.append((name, by_code[_kind(structure)]))
    return found


def swapped(cases: Cases) -> Iterator[Flag]:
    """A flag for each left structure whose centroid lies to the right of that of the right one."""
    for left, right in pairs(cases.structures):
        for case, rows in cases.rows.items():
            if all(rows[name]["status"] == "ok" for name in (left, right)):
                apart = float(rows[left]["centroid_x_mm"]) - float(rows[right]["centroid_x_mm"])
                if apart < 0:
                    yield {
                        "case": case,
                        "structure": left,
                        "check": "sides",
                        "value": apart,
                        "low": 0.0,
                        "unit": "mm",
                        "message": f"{left} lies {-apart:.3g} mm to the patient's right of {right}",
                    }


def _kind(structure: dict) -> tuple[str, str]:
    return structure["code"]["scheme"], structure["code"]["value"]
