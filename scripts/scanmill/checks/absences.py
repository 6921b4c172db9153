"""Structures that a case lacks and nearly all others have; label files that two cases share."""

from collections.abc import Iterator
from typing import Any

from scanmill.checks import FEWEST
from scanmill.checks.cases import Cases
from scanmill.checks.quantity import Flag

# Of the other cases, the part that lacks a structure at most where its lack is worth a flag.
RARE = 0.05


def missing(cases: Cases) -> Iterator[Flag]:
    """A flag for each structure that was not found, though the cases that lack it are rare.

    Cases of which nothing was found were refused, and have no flags.
    """
    measured = [
        c for c, rows in cases.rows.items() if any(r["status"] == "ok" for r in rows.values())
    ]
    for name in cases.names:
        found = set(cases.found(name))
        lacking = [case for case in measured if case not in found]
        if len(measured) < FEWEST or len(lacking) > max(1, RARE * len(measured)):
            continue
        for case in lacking:
            yield {
                "case": case,
                "structure": name,
                "check": "missing",
                "message": f"{name} was not found ({cases.rows[case][name]['code']}); "
                f"{len(found)} of {len(measured)} cases have it",
            }


def shared_labels(cases: Cases, inputs: dict[str, dict[str, Any]]) -> Iterator[Flag]:
    """A flag for each case whose supplied labels another case has too, of another scan.

    inputs: checksums of what was read, by case and stage, as in provenance.
    """
    owners: dict[tuple[str, ...], list[str]] = {}
    for case in (c for name in cases.names for c in cases.found(name)):
        labels = _sums(inputs[case]["segment"], "supplied")
        if labels and case not in owners.setdefault(labels, []):
            owners[labels].append(case)
    for sharing in owners.values():
        scans = {case: _sums(inputs[case]["ingest"], "scan") for case in sharing}
        for case in sharing:
            others = [other for other in sharing if scans[other] != scans[case]]
            if others:
                yield {
                    "case": case,
                    "check": "labels-shared",
                    "message": f"its supplied labels are those of {', '.join(others)}, too, whose scan "
                    "is another; one of them has the wrong labels",
                }


def _sums(read: list[dict[str, str]], name: str) -> tuple[str, ...]:
    return tuple(part["sha256"] for part in read if part["name"] == name)
