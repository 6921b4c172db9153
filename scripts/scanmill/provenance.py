"""What the numbers of a run depend on: enough of it to run it again, and no path or identity."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scanmill import lineage
from scanmill.cohort import Sidecars
from scanmill.sidecar import checksum, write_json

# Stages that read files of the user's.
READING = ("ingest", "segment")
# One more, for cases that have a reference.
COMPARING = "agreement"


def write_provenance(
    path: Path,
    sheet: dict[str, dict[str, Any]],
    recipes: dict[str, dict[str, Any]],
    settings: dict[str, Any],
    sidecars: dict[str, Sidecars],
) -> None:
    """Write the provenance of a run.

    sheet: what may be told of each row (`Row.told`), its recipe's name included, by case. recipes: by
    that name, with all defaults. settings: of the config. sidecars: of each row's READING stages,
    and COMPARING.
    """
    inputs = {
        case: {stage: said[stage]["inputs"] for stage in (*READING, COMPARING) if stage in said}
        for case, said in sidecars.items()
    }
    write_json(
        path,
        {
            "command": os.environ.get("SCANMILL_COMMAND", ""),
            "commit": lineage.commit(),
            "code": lineage.code(),
            "lock_sha256": checksum(lineage.LOCK),
            "software": _used(s["software"] for said in sidecars.values() for s in said.values()),
            "settings": settings,
            "recipes": recipes,
            "sheet": sheet,
            "inputs": inputs,
        },
    )


def _used(versions: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """The sets of versions that any result was made with: one, unless a run was half redone."""
    used: list[dict[str, str]] = []
    for found in versions:
        used += [found] if found not in used else []
    return used
