"""How much there is to do, as far as a plan knows: the amounts that what jobs take is counted by.

An amount has a name, by which config/costs.yaml says what each unit of it takes. Voxels are counted in
millions.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from scanmill import model_folder, recipe_learning
from scanmill.recipe import Recipe
from scanmill.scan_size import ScanSize
from scanmill.settings import Settings

Work = dict[str, float]
# The cases that teach those of a recipe, by its key.
Atlases = Mapping[str, Sequence[str]]


def of_cohort(settings: Settings) -> Work:
    """Of every job. start: 1. cases: how many are to be measured. rows: of the cohort's table."""
    used = [settings.recipes[row.recipe] for row in settings.scans.values() if row.role == "scan"]
    rows = sum(len(recipe.structures) for recipe in used)
    return {"start": 1, "cases": len(used), "rows": rows}


def of_scan(size: ScanSize) -> Work:
    """Of the scan alone. acquired: its voxels."""
    return {"acquired": size.voxels("native")}


def of_case(settings: Settings, case: str, atlases: Atlases) -> Work:
    """Of a case's stages.

    isotropic: its voxels where structures are found. structures: their number. Then its voxels as
    acquired by what is done about them, under the words of the recipe, `CT` and `MR` among them; its
    isotropic voxels by each method of finding structures, and for each atlas, `atlases`; `networks_mb`,
    what the largest of its networks is said to take; `solve_mb`, what solving its simulations may.
    surface: grows with the isotropic voxels as the boundary of a body does; rough: that for each
    structure that is found by rules, by which tissues have larger boundaries than organs.
    """
    row, size = settings.scans[case], settings.sizes[case]
    recipe = settings.recipes[row.recipe]
    structures = recipe.of_atlas() if row.role == "atlas" else recipe.structures
    work = of_scan(size) | {"structures": len(structures), "isotropic": size.voxels(recipe.spacing)}
    work |= dict.fromkeys((recipe.modality, *recipe.correct.values()), work["acquired"])
    methods = [structure["segment"]["method"] for structure in structures]
    work |= dict.fromkeys(methods, work["isotropic"])
    work["surface"] = work["isotropic"] ** (2 / 3)
    work["rough"] = work["surface"] * methods.count("rules")
    if row.role != "atlas":
        work["atlases"] = len(atlases.get(row.recipe, ())) * work["isotropic"]
        work["networks_mb"] = _networks_mb(recipe)
        simulations = [own for s in structures for own in (s["simulate"] or {}).values()]
        asked = [own["memory_mb"] for own in simulations]
        work["solve_mb"] = max(asked, default=0)
    return work


def of_recipe(settings: Settings, recipe: str, atlases: Atlases) -> Work:
    """Of what is learned from a recipe's atlases. isotropic: voxels of all. windows: to be learned."""
    asked, cases = settings.recipes[recipe], atlases[recipe]
    course = recipe_learning.course(asked.learn, len(cases))
    voxels = sum(settings.sizes[case].voxels(asked.spacing) for case in cases)
    windows = course["iterations"] * course["batch"]
    return {"isotropic": voxels, "atlases": len(cases), "windows": windows}


def of_shapes(settings: Settings, recipe: str) -> Work:
    """Of shapes that are compared between a recipe's cases. largest: voxels of the largest of them."""
    spacing = settings.recipes[recipe].spacing
    cases = [case for case, row in settings.scans.items() if row.recipe == recipe]
    return {"largest": max(settings.sizes[case].voxels(spacing) for case in cases)}


def atlases_of(settings: Settings) -> dict[str, list[str]]:
    """The cases that teach, by the key of their recipe."""
    found: dict[str, list[str]] = {}
    for case, row in settings.scans.items():
        if row.role == "atlas":
            found.setdefault(row.recipe, []).append(case)
    return found


def _networks_mb(recipe: Recipe) -> int:
    known = [_network_mb(folder) for folder in recipe.models]
    return max([*known, *([model_folder.MEMORY_MB] if recipe.learned() else [])], default=0)


@cache
def _network_mb(folder: Path) -> int:
    return model_folder.read(folder).memory_mb
