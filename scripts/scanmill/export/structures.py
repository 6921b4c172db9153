"""The structures that go into the objects of a case."""

from dataclasses import dataclass
from typing import Any

from scanmill.label_map import Region

# How each method of the recipe finds a structure. Nobody says who or what drew supplied labels, and a
# recipe may clean them up.
ALGORITHMS = {
    "rules": "AUTOMATIC",
    "labels": "SEMIAUTOMATIC",
    "seeded": "SEMIAUTOMATIC",
    "atlas": "AUTOMATIC",
    "learn": "AUTOMATIC",
    "model": "AUTOMATIC",
    "shape": "AUTOMATIC",
}


@dataclass(frozen=True)
class Exported:
    """A structure of the recipe and its whole region on the grid of the source.

    code: {scheme, value, meaning}. category, laterality: keys of `snomed`. colour: sRGB, #rrggbb.
    algorithm: Segment Algorithm Type (0062,0008).
    """

    name: str
    code: dict[str, str]
    category: str
    laterality: str | None
    colour: str
    algorithm: str
    region: Region


def exported(structures: list[dict[str, Any]], regions: dict[int, Region]) -> list[Exported]:
    """The recipe's structures, in its order, that have a region."""
    return [
        Exported(
            name=s["name"],
            code=s["code"],
            category=s["category"],
            laterality=s["laterality"],
            colour=s["colour"],
            algorithm=ALGORITHMS[s["segment"]["method"]],
            region=regions[s["label"]],
        )
        for s in structures
        if s["label"] in regions
    ]
