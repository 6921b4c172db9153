"""What a recipe says of the shape models of its structures."""

from collections.abc import Iterator
from typing import Any

from scanmill.recipe_steps import not_earlier
from scanmill.yaml_file import Fault

METHOD = "shape"


def modelled(structures: list[dict[str, Any]]) -> list[str]:
    """Names of the structures whose shapes models are made of, each once."""
    found = [s["segment"]["of"] for s in structures if s["segment"]["method"] == METHOD]
    return list(dict.fromkeys(found))


def faults(content: dict[str, Any]) -> Iterator[Fault]:
    """What no schema can see. content: of a recipe that breaks none."""
    structures = content["structures"]
    names = [s["name"] for s in structures]
    for n, structure in enumerate(structures):
        segment, keys = structure["segment"], ("structures", n, "segment", "of")
        if segment["method"] != METHOD:
            continue
        if segment["of"] not in names[:n]:
            text = not_earlier("of", segment["of"], structure["name"], names[:n], names)
            yield Fault(keys, text)
        elif structures[names.index(segment["of"])]["segment"]["method"] == METHOD:
            text = f"'of' names '{segment['of']}', which is completed by a shape model itself"
            yield Fault(keys, f"{text}; the structure that it is made of would be right")
