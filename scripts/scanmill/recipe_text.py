"""A recipe as a file again, from what provenance says of it."""

from pathlib import Path
from typing import Any

# What a file of a recipe has no key for.
DERIVED = ("drawn", "model", "classes")


def written(told: dict[str, Any], models: list[Path]) -> dict[str, Any]:
    """The content of a file that makes the same recipe, every default written out.

    told: as in provenance. models: where the folders of its networks lie now, in its order.
    """
    structures = [_structure(structure, models) for structure in told["structures"]]
    content = {"description": "As in the provenance of a run", **told, "structures": structures}
    del content["models"]
    trained = any(s["segment"]["method"] == "learn" for s in structures)
    learn = {key: value for key, value in content.pop("learn").items() if value is not None}
    return content | ({"learn": learn} if trained else {})


def _structure(structure: dict[str, Any], models: list[Path]) -> dict[str, Any]:
    segment = structure["segment"]
    found = _said(segment)
    if segment["method"] == "model":
        found |= {"folder": str(models[segment["model"]]), "class": segment["classes"]}
    return _said(structure) | {"segment": found}


def _said(told: dict[str, Any]) -> dict[str, Any]:
    """What was said, of what it is where nothing was: no key is for derived things or for nothing."""
    return {k: v for k, v in told.items() if k not in DERIVED and v is not None and v != []}
