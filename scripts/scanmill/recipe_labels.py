"""How structures are told apart in label files that others made."""

from typing import Any


def from_labels(structure: dict[str, Any]) -> dict[str, Any]:
    """How a structure is found in the labels of an atlas or a reference, however it is in a scan."""
    named = {"value": structure["label"], "named": [structure["name"]]} | structure["segment"]
    return {key: named[key] for key in ("value", "named")} | {"method": "labels", "steps": []}
