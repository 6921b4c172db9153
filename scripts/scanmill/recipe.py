"""A recipe: which structures an anatomy has, and how each is found in a scan."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanmill import (
    disk,
    recipe_learning,
    recipe_models,
    recipe_shapes,
    recipe_simulation,
    snomed,
    yaml_file,
)
from scanmill.problem import Problem, SettingsError, collected, known_names, shown
from scanmill.recipe_labels import from_labels
from scanmill.recipe_steps import not_earlier, step_faults
from scanmill.seed_file import BACKGROUND
from scanmill.yaml_file import Fault, Keys

# Where the seeds of a structure are that neither names another nor lists points.
FROM_FILE = "file"
# What the labels of atlases are needed for.
TEACHABLE = ("atlas", recipe_learning.METHOD)
PATH_LIKE = re.compile(r"[/\\]|\.ya?ml$", re.IGNORECASE)
SNOMED_CT = "SCT"
# Of those tried, the one that measures the area of smooth and sharp bodies alike within 2 %.
PASS_BAND = 0.1
# Beyond what sound structures show that are not small, and short of a mask that is another's.
LEDGER_LIMIT = 10.0
# A voxel of most scans; what tolerance is right depends on the structure and the use.
SURFACE_DICE_TOLERANCE = 1.0
# What is done about each challenge where a recipe does not say.
CORRECTIONS = {"metal": "mark", "bias": "off", "noise": "off"}


class UnknownRecipeError(Exception):
    """No recipe has that name or path; the text says what was found and what would be right."""


@dataclass(frozen=True)
class Recipe:
    """A checked recipe with its defaults filled in.

    modality: CT, MR or any. spacing: mm, or `native`. pass_band: of the surfaces' smoothing.
    ledger_limit: %, by which a structure's volumes may differ before its case is flagged.
    surface_dice_tolerance: of agreement with references, mm.
    uneven_slices: refuse or resample. correct: what is done about each challenge, metal: off, mark
    or inpaint, bias: off or n4, noise: off or diffusion. expect: of scans, what of it the recipe says
    (`expectations.unexpected`). structures: plain dictionaries of JSON
    types, in the order of the file: name, label, code {scheme, value, meaning}, category (a key of
    snomed.CATEGORIES), laterality (of snomed.LATERALITIES, or None), colour, segment {method,
    steps; for `labels`, `atlas` and `learn` value, in a label map, and named, patterns of the name in
    a DICOM object, both of the case's own labels or of the atlases'; for `seeded` seeds, radius,
    reach, mm, and inside, a structure or None; for `shape` of, a structure, and tolerance, mm or
    None; for `model` and `learn` its number in `models`, after
    which the learned one comes, and classes, names},
    triangles (None: as many as the surface has), distances_to (names of other structures) and drawn
    (a margin says where its boundary is, not the image), centreline (True where it is asked for),
    expect (whole, volume_ml, mean, as far as they are said),
    shape_check (likewise: shapes are compared over the cohort) and simulate (None, or all keys of
    recipe_simulation.filled). models: the folders of trained networks. learn: how the networks of the
    recipe's own are trained: folds, iterations (None: by how many labelled scans there are) and batch.
    """

    name: str
    description: str
    modality: str
    spacing: float | str
    pass_band: float
    ledger_limit: float
    surface_dice_tolerance: float
    uneven_slices: str
    correct: dict[str, str]
    expect: dict[str, float]
    structures: list[dict[str, Any]]
    models: list[Path]
    learn: dict[str, int | None]

    def supplied(self) -> list[str]:
        """Names of the structures that come from supplied labels."""
        return [s["name"] for s in self.structures if s["segment"]["method"] == "labels"]

    def taught(self) -> list[str]:
        """Names of the structures that atlases teach: by themselves, a network or a shape model."""
        by_method = {s["name"] for s in self.structures if s["segment"]["method"] in TEACHABLE}
        teachable = by_method.union(self.modelled())
        return [s["name"] for s in self.structures if s["name"] in teachable]

    def modelled(self) -> list[str]:
        """Names of the structures whose shapes models are made of."""
        return recipe_shapes.modelled(self.structures)

    def has_method(self, method: str) -> bool:
        """Is any structure found by that method?"""
        return any(s["segment"]["method"] == method for s in self.structures)

    def has_centrelines(self) -> bool:
        """Is the centreline of any structure asked for?"""
        return any(s["centreline"] for s in self.structures)

    def has_simulations(self) -> bool:
        """Is the simulation of any structure asked for?"""
        return any(s["simulate"] for s in self.structures)

    def shape_checked(self) -> list[str]:
        """Names of the structures whose shapes are compared over the cohort."""
        return [s["name"] for s in self.structures if s["shape_check"]]

    def learned(self) -> dict[str, int]:
        """Labels, by name, of the structures that a network is trained for."""
        places = recipe_learning.learned(self.structures)
        return {self.structures[n]["name"]: self.structures[n]["label"] for n in places}

    def of_atlas(self) -> list[dict[str, Any]]:
        """The structures that atlases teach, taken from the labels of one."""
        taught = [s for s in self.structures if s["name"] in self.taught()]
        return [s | {"segment": from_labels(s)} for s in taught]

    def seeded(self) -> list[str]:
        """Names of the structures that grow from seeds which the sheet supplies."""
        return [s["name"] for s in self.structures if s["segment"].get("seeds") == FROM_FILE]


@dataclass
class Shelf:
    """The recipes that a run names, each read once.

    folder: where recipes lie that are named, not pointed at. recipes: by the key that `find` gives;
    None where a recipe is wrong, for which `problems` says why.
    """

    folder: Path
    recipes: dict[str, Recipe | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _found: dict[tuple[str, Path], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = sorted(path.stem for path in self.folder.glob("*.yaml"))

    def find(self, reference: str, base: Path) -> str:
        """The key of a recipe: its name, or its absolute path where `reference` is a path.

        base: the folder that a relative path starts from. Raises UnknownRecipeError.
        """
        if (reference, base) not in self._found:
            key, path = self._locate(reference, base)
            if key not in self.recipes:
                self.recipes[key] = None
                with collected(self.problems):
                    recipe = load(path)
                    recipe_models.check(path, recipe.models)
                    recipe_learning.check(path)
                    self.recipes[key] = recipe
            self._found[reference, base] = key
        return self._found[reference, base]

    def _locate(self, reference: str, base: Path) -> tuple[str, Path]:
        if PATH_LIKE.search(reference):
            path = base / reference
            kind = disk.kind(path)
            if kind != disk.FILE:
                raise UnknownRecipeError(
                    f"{str(path)!r} {disk.ending(kind)}; a recipe's file would be right"
                )
            return str(path), path
        if reference not in self._names:
            right = known_names(reference, self._names)
            raise UnknownRecipeError(
                f"the recipe {shown(reference)} is unknown; {right} would be right"
            )
        return reference, self.folder / f"{reference}.yaml"


def load(path: Path) -> Recipe:
    """Read and check a recipe, but for the networks that it names (`recipe_models.check`).

    Raises SettingsError with everything that is wrong in it.
    """
    document = yaml_file.read(path)
    faults = yaml_file.check(document.content, "recipe")
    faults += _disagreements(document, {fault.keys[:2] for fault in faults})
    if not faults:
        content = document.content
        faults = [*recipe_learning.faults(content), *recipe_shapes.faults(content)]
        faults += recipe_simulation.faults(content)
    if faults:
        problems = [document.problem(fault) for fault in faults]
        raise SettingsError(sorted(problems, key=lambda p: (p.line, p.column)))
    content = document.content
    spacing = content["spacing"]
    folders = recipe_models.folders(content["structures"])
    return Recipe(
        Path(path).stem,
        content["description"],
        content["modality"],
        spacing if spacing == "native" else float(spacing),
        float(content.get("pass_band", PASS_BAND)),
        float(content.get("ledger_limit", LEDGER_LIMIT)),
        float(content.get("surface_dice_tolerance", SURFACE_DICE_TOLERANCE)),
        content.get("uneven_slices", "refuse"),
        CORRECTIONS | content.get("correct", {}),
        content.get("expect", {}),
        [_filled(structure, folders) for structure in content["structures"]],
        [Path(path).parent / folder for folder in folders],
        recipe_learning.DEFAULTS | content.get("learn", {}),
    )


def _filled(structure: dict[str, Any], folders: list[str]) -> dict[str, Any]:
    return {
        "name": structure["name"],
        "label": structure["label"],
        "code": dict(structure["code"]),
        "category": structure.get("category", "anatomical"),
        "laterality": structure.get("laterality"),
        "colour": structure["colour"].lower(),
        "segment": _filled_segment(structure, folders),
        "triangles": structure.get("triangles"),
        "distances_to": structure.get("distances_to", []),
        "drawn": _is_drawn(structure["segment"].get("steps", [])),
        "centreline": structure.get("centreline", False),
        "expect": structure.get("expect", {}),
        "shape_check": structure.get("shape_check", False),
        "simulate": recipe_simulation.filled(structure.get("simulate")),
    }


def _is_drawn(steps: list[dict[str, Any]]) -> bool:
    """Does a margin, and no intensity after it, say where the boundary is?"""
    kinds = [kind for step in steps for kind in step if kind in ("margin", "window")]
    return kinds[-1:] == ["margin"]


def _filled_segment(structure: dict[str, Any], folders: list[str]) -> dict[str, Any]:
    segment = structure["segment"]
    if segment["method"] == "model":
        # Not the folder: where networks lie on a machine is in no result.
        own = {"method": "model", "model": folders.index(segment["folder"])}
        own["classes"] = recipe_models.classes(structure)
        return own | {"steps": segment.get("steps", [])}
    defaults = {
        "labels": {"value": structure["label"], "named": [structure["name"]]},
        "atlas": {"value": structure["label"], "named": [structure["name"]]},
        "learn": {
            "value": structure["label"],
            "named": [structure["name"]],
            "model": len(folders),
            "classes": [structure["name"]],
        },
        "rules": {},
        "shape": {"of": None, "tolerance": None},
        "seeded": {"seeds": FROM_FILE, "radius": 0.0, "reach": None, "inside": None},
    }[segment["method"]]
    filled = {key: segment.get(key, default) for key, default in defaults.items()}
    return {"method": segment["method"], **filled, "steps": segment.get("steps", [])}


def _disagreements(document: yaml_file.Document, broken: set[Keys]) -> list[Fault]:
    """What no schema can see; only names and labels are read from a structure that broke it."""
    content = document.content
    structures = content.get("structures") if isinstance(content, dict) else None
    if not isinstance(structures, list):
        return []
    bias = [] if ("correct",) in {keys[:1] for keys in broken} else _bias_faults(content)
    at = {("structures", i): s for i, s in enumerate(structures) if isinstance(s, dict)}
    faults = [*bias, *_repeated(document, at, "name", str)]
    faults += _repeated(document, at, "label", int)
    names = [s["name"] for s in at.values() if isinstance(s.get("name"), str)]
    earlier: list[str] = []
    for keys, structure in at.items():
        if keys not in broken:
            faults += _code_faults(structure["code"], (*keys, "code"))
            faults += _distance_faults(structure, (*keys, "distances_to"), names)
            steps = structure["segment"].get("steps", [])
            faults += _seed_faults(structure, (*keys, "segment"), earlier, names)
            for i, step in enumerate(steps):
                place = (*keys, "segment", "steps", i)
                faults += step_faults(step, place, structure["name"], earlier, names)
        earlier.append(structure.get("name"))
    return faults


def _bias_faults(content: dict[str, Any]) -> Iterator[Fault]:
    if content.get("modality") == "CT" and content.get("correct", {}).get("bias") == "n4":
        text = "'n4' was found in a recipe for CT, which has no bias field; 'off' would be right"
        yield Fault(("correct", "bias"), text)


def _repeated(
    document: yaml_file.Document, at: dict[Keys, dict[str, Any]], key: str, kind: type
) -> Iterator[Fault]:
    lines: dict[Any, int] = {}
    for keys, structure in at.items():
        value = structure.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            continue
        # Names become file names, which some file systems tell apart by letters alone, not by case.
        taken = value.lower() if isinstance(value, str) else value
        if taken in lines:
            found = f"the {key} {shown(value)} is taken in line {lines[taken]}"
            yield Fault((*keys, key), f"{found}; another would be right")
        lines.setdefault(taken, document.value_positions[*keys, key][0])


def _seed_faults(
    structure: dict[str, Any], keys: Keys, earlier: list[str], names: list[str]
) -> Iterator[Fault]:
    segment = structure["segment"]
    if segment["method"] == "seeded" and structure["name"] == BACKGROUND:
        text = f"'{BACKGROUND}' is what seeds of no structure are called; another would be right"
        yield Fault((*keys[:-1], "name"), text)
    for key in ("seeds", "inside"):
        other = segment.get(key)
        if isinstance(other, str) and other not in (*earlier, FROM_FILE):
            text = not_earlier(key, other, structure["name"], earlier, names)
            yield Fault((*keys, key), text)


def _distance_faults(structure: dict[str, Any], keys: Keys, names: list[str]) -> Iterator[Fault]:
    others = [name for name in names if name != structure["name"]]
    for i, other in enumerate(structure.get("distances_to", [])):
        found = f"'distances_to' names {shown(other)}"
        if other == structure["name"]:
            yield Fault((*keys, i), f"{found}, the structure itself; another would be right")
        elif other not in others:
            right = f"{known_names(other, others)} would be right"
            yield Fault((*keys, i), f"{found}, which is no structure; {right}")


def _code_faults(code: dict[str, str], keys: Keys) -> Iterator[Fault]:
    if code["scheme"] == SNOMED_CT and not snomed.is_identifier(code["value"]):
        text = f"{shown(code['value'])} is no SNOMED CT identifier; its last digit is a check digit"
        yield Fault((*keys, "value"), f"{text}: the exact code would be right")
