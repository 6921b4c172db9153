"""Two runs of the same cohort, file by file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scanmill.places import PHANTOM
from scanmill.reproduction.differences import how

COLUMNS = ["file", "status", "how"]
STATUSES = IDENTICAL, DIFFERS, MISSING, NEW = "identical", "differs", "missing", "new"


def compared(
    first: Path, second: Path, sheet: dict[str, dict[str, Any]]
) -> Iterator[dict[str, str]]:
    """A row for each file that a run (first: its results) or its reproduction (second) has.

    sheet: of the provenance. Only what these rows made counts: results of cases that an earlier sheet
    had are none of the run.
    """
    one, other = _files(first, sheet), _files(second, sheet)
    for name in sorted(one | other):
        if name not in other:
            yield {"file": name, "status": MISSING, "how": ""}
        elif name not in one:
            yield {"file": name, "status": NEW, "how": ""}
        else:
            said = how(first / name, second / name)
            yield {"file": name, "status": DIFFERS if said else IDENTICAL, "how": said}


def _files(results: Path, sheet: dict[str, dict[str, Any]]) -> set[str]:
    sources = {row["scan"] for row in sheet.values()}
    masks = (mask for row in sheet.values() for mask in (*row["labels"], *row.get("reference", [])))
    sources |= {mask["source"] for mask in masks}
    phantoms = [s.removeprefix(PHANTOM) for s in sources if s.startswith(PHANTOM)]
    folders = ["cohort", *(f"cases/{case}" for case in sheet), *(f"phantoms/{p}" for p in phantoms)]
    found = [path for folder in folders for path in (results / folder).rglob("*") if path.is_file()]
    found += results.glob("*.json")
    names = (path.relative_to(results) for path in found)
    return {
        name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)
    }
