"""What provenance says of a recipe, and the recipe as a file again."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from scanmill.recipe import Recipe

# What a file of a recipe has no key for.
DERIVED = ("drawn", "model", "classes")
# A recipe's words on itself change no result, and where networks lie is for no one to know.
UNTOLD = ("name", "description", "models")


def told(recipe: Recipe, models: list[str]) -> dict[str, Any]:
    """What a recipe asks for, defaults included, as plain data.

    models: what the manifests of its networks say of where they come from.
    """
    said = {f.name: getattr(recipe, f.name) for f in fields(Recipe) if f.name not in UNTOLD}
    return said | {"models": models}


def written(known: dict[str, Any], models: list[Path]) -> dict[str, Any]:
    """The content of a file that makes the same recipe, every default written out.

    known: as `told` tells it. models: where the folders of its networks lie now, in its order.
    """
    structures = [_structure(structure, models) for structure in known["structures"]]
    content = {"description": "As in the provenance of a run", **known, "structures": structures}
    del content["models"]
    trained = any(s["segment"]["method"] == "learn" for s in structures)
    learn = {key: value for key, value in content.pop("learn").items() if value is not None}
    return content | ({"learn": learn} if trained else {})


def _structure(structure: dict[str, Any], models: list[Path]) -> dict[str, Any]:
    segment = structure["segment"]
    found = _said(segment)
    if segment["method"] == "model":
        found |= {"folder": str(models[segment["model"]]), "class": segment["classes"]}
    if structure["simulate"]:
        structure = structure | {"simulate": _simulated(structure["simulate"])}
    return _said(structure) | {"segment": found}


def _simulated(asked: dict[str, Any]) -> dict[str, Any]:
    ((kind, own),) = asked.items()
    said = _said(own)
    if said.get("parts"):
        said["parts"] = {name: _said(part) for name, part in said["parts"].items()}
    return {kind: said}


def _said(known: dict[str, Any]) -> dict[str, Any]:
    """What was said, of what it is where nothing was: no key is for derived things or for nothing."""
    return {
        k: v for k, v in known.items() if k not in DERIVED and v is not None and v not in ([], {})
    }
