"""The trained networks that a recipe names: are they there, and do they find what it wants?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scanmill import disk, model_folder, yaml_file
from scanmill.model_folder import Model
from scanmill.problem import SettingsError, collected, known_names, shown
from scanmill.yaml_file import Fault, Keys


def folders(structures: list[dict[str, Any]]) -> list[str]:
    """The folders of networks that structures of a recipe name, as written, each once."""
    found = [s["segment"]["folder"] for s in structures if s["segment"]["method"] == "model"]
    return list(dict.fromkeys(found))


def classes(structure: dict[str, Any]) -> list[str]:
    """The classes of its network that a structure is made of: by default, the one of its name."""
    named = structure["segment"].get("class", structure["name"])
    return named if isinstance(named, list) else [named]


def check(path: Path, models: list[Path]) -> None:
    """Hold a recipe to the networks that it names.

    path: of a recipe that is right in itself. models: its folders, in its order. Raises SettingsError
    with all that is wrong in the recipe because of them, or in their manifests.
    """
    if not models:
        return
    document = yaml_file.read(path)
    content = document.content
    found: dict[str, Model] = {}
    problems, faults = [], []
    for written, folder in zip(folders(content["structures"]), models, strict=True):
        kind = disk.kind(folder)
        if kind == disk.FOLDER:
            with collected(problems):
                found[written] = model_folder.check(folder)
        else:
            text = f"the model {shown(written)} {disk.ending(kind)}; its folder would be right"
            faults.append(Fault(_first_use(written, content["structures"]), text))
    for number, structure in enumerate(content["structures"]):
        model = found.get(structure["segment"].get("folder"))
        if model:
            faults += _class_faults(structure, ("structures", number, "segment"), model)
    faults += _modality_faults(content["modality"], found)
    problems = [*map(document.problem, faults), *problems]
    if problems:
        raise SettingsError(problems)


def _first_use(written: str, structures: list[dict[str, Any]]) -> Keys:
    uses = (n for n, s in enumerate(structures) if s["segment"].get("folder") == written)
    return ("structures", next(uses), "segment", "folder")


def _class_faults(structure: dict[str, Any], keys: Keys, model: Model) -> Iterator[Fault]:
    place = (*keys, "class") if "class" in structure["segment"] else keys
    for name in classes(structure):
        if name not in model.classes:
            right = known_names(name, model.classes)
            text = f"the model has no class {shown(name)}; 'class' with {right} would be right"
            yield Fault(place, text)


def _modality_faults(modality: str, found: dict[str, Model]) -> Iterator[Fault]:
    for written, model in found.items():
        if model.modality not in ("any", modality):
            text = f"'{modality}' was found, and the model {shown(written)} is for {model.modality}"
            yield Fault(("modality",), f"{text}; '{model.modality}' would be right")
