"""Results that are not what the present sheet, recipes, code, lock and versions would give.

A whole run leaves none: Snakemake does again what depends on a change. One that was limited does, by
`--rerun-triggers` or `--touch`, and so does another Python, which Snakemake does not see.
"""

from pathlib import Path
from typing import Any

from scanmill.sidecar import software

LEFT = {
    "status": "stale",
    "code": "not-in-sheet",
    "reason": "the sheet no longer asks for this case: it is in no table of the cohort, and its "
    "results lie in its folder until that is removed",
}


def stale_stages(
    sidecars: dict[str, dict[str, Any]],
    recipe: dict[str, Any],
    settings: dict[str, Any],
    libraries: dict[str, str],
) -> str:
    """The stages of a case that were done otherwise than now, and what was other, as text.

    sidecars: by stage. recipe, settings: as in provenance. libraries: fingerprints of the stages' code
    and of what it needs of the lock, as they are now.
    """
    asked = recipe | {
        "allow_uneven": recipe["uneven_slices"] == "resample",
        "formats": list(settings["formats"]),
        "kinds": list(settings["export"]),
        "identity": settings["export_identity"],
    }
    told = []
    for stage, said in sidecars.items():
        others = {
            "recipe or config": _asked_otherwise(said["parameters"], asked),
            "code or lock": said.get("library") != libraries[stage],
            "versions": said["software"] != software(),
        }
        why = " and ".join(what for what, other in others.items() if other)
        told += [f"{stage}: {why}"] if why else []
    return "; ".join(told)


def left_over(cases: Path, sheet: dict[str, Any]) -> list[str]:
    """The names of cases that have a folder of results and are not needed by the sheet."""
    folders = (path.name for path in cases.iterdir() if path.is_dir())
    return sorted(name for name in folders if name not in sheet)


def _asked_otherwise(parameters: dict[str, Any], asked: dict[str, Any]) -> bool:
    known = {key: value for key, value in parameters.items() if key in asked}
    now = {key: asked[key] for key in known}
    if "structures" in known and len(known["structures"]) == len(asked["structures"]):
        # A stage is told of structures what it needs to know.
        pairs = zip(known["structures"], asked["structures"], strict=True)
        now["structures"] = [{key: new[key] for key in old} for old, new in pairs]
    return known != now
