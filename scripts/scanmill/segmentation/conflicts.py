"""What structures took from each other: later ones of a recipe lie on earlier ones."""

from typing import Any

import numpy as np

from scanmill.recipe import FROM_FILE
from scanmill.segmentation import Scene, Structure
from scanmill.segmentation.components import CUBIC_MM_PER_ML

# A structure that loses a larger part than this, and not by the recipe's word, is warned of: masks that
# are drawn one by one overlap along their boundaries, by less.
MOST_TAKEN = 0.05


def note(structures: list[Structure], scene: Scene) -> None:
    """Count in the record's details, `conflicts`, what later structures took from each one.

    structures: of the recipe, in order. Each entry: structure, taken_by, voxels, ml, share, of the
    whole structure, and in_recipe: whether the recipe says so, since the later one is, by `inside` or
    by its seeds, from the earlier one, or a margin draws one of the two. A large share that it does not
    say is warned of (`structures-overlap`).
    """
    origins = _origins(structures)
    names = {label: name for name, label in scene.labels.items()}
    drawn = {s["name"] for s in structures if _has(s, "margin")}
    found = []
    for name, label in scene.labels.items():
        for other, voxels in _taken(label, scene):
            by, of_all = names[other], scene.label_map.region(label).count()
            ml = round(voxels * scene.grid.voxel_volume / CUBIC_MM_PER_ML, 4)
            share = round(voxels / of_all, 4)
            said = name in origins[by] or bool({name, by} & drawn)
            entry = {"structure": name, "taken_by": by, "voxels": voxels, "ml": ml, "share": share}
            found.append(entry | {"in_recipe": said})
            if voxels > MOST_TAKEN * of_all and not said:
                scene.record.warn(
                    "structures-overlap",
                    f"{100 * share:.1f} % of it, {ml:g} mL, is also of '{by}', which comes later and "
                    f"has these voxels in the label map; a step 'inside: {name}' or 'outside: {name}' "
                    f"of '{by}' would say which is right",
                    name,
                )
    scene.record.details["conflicts"] = found


def _taken(label: int, scene: Scene) -> list[tuple[int, int]]:
    """Which labels lie on the covered structure of a label, and on how many of its voxels."""
    region = scene.label_map.covered.get(label)
    if region is None:
        return []
    labels, voxels = np.unique(scene.label_map.array[region.box][region.array], return_counts=True)
    return [(o, n) for o, n in zip(labels.tolist(), voxels.tolist(), strict=True) if o != label]


def _origins(structures: list[Structure]) -> dict[str, set[str]]:
    """Of each structure, the earlier ones that it lies in, grows from or completes, and theirs."""
    origins: dict[str, set[str]] = {}
    for structure in structures:
        segment = structure["segment"]
        named = {segment.get("inside"), segment.get("of"), *_values(structure, "inside")}
        if isinstance(segment.get("seeds"), str) and segment["seeds"] != FROM_FILE:
            named.add(segment["seeds"])
        own = named - {None}
        origins[structure["name"]] = own.union(*(origins[name] for name in own))
    return origins


def _values(structure: Structure, kind: str) -> list[Any]:
    return [step[kind] for step in structure["segment"]["steps"] if kind in step]


def _has(structure: Structure, kind: str) -> bool:
    return bool(_values(structure, kind))
