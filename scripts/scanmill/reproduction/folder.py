"""The folder in which a run is done again: its sheet, recipes and config, made from its provenance."""

import json
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing
from scanmill.recipe_text import written
from scanmill.reproduction.inputs import Search

CONFIG, PAGE, SHAPES = "config.yaml", "cohort_page.yaml", "shapes"
COLUMNS = ("case", "scan", "series", "volume", "recipe", "labels", "seeds", "reference", "role")


def contents(provenance: dict[str, Any], search: Search) -> dict[str, str]:
    """The texts of the files to run from, by relative path; `search.missing` has what was not found."""
    texts = {}
    places = {}
    for name, told in provenance["recipes"].items():
        stem, _, number = name.partition("#")
        # Recipes of one name are told apart by their order, which is that of these folders.
        places[name] = f"recipes/{int(number or 1):03}/{stem}.yaml"
        texts[places[name]] = json.dumps(written(told, search.models(name)), ensure_ascii=False)
    lines = []
    for case, row in provenance["sheet"].items():
        known = {"case": case, "recipe": places[row["recipe"]], "role": row["role"]}
        lines.append(known | search.row(case) | row["extra"])
    header = [*COLUMNS, *(name for name in lines[0] if name not in COLUMNS)]
    table = [header, *([line[name] for name in header] for line in lines)]
    texts["scans.tsv"] = "".join("\t".join(cells) + "\n" for cells in table)
    settings = provenance["settings"]
    texts[PAGE] = json.dumps(settings["cohort_page"], ensure_ascii=False)
    places = {"cohort_page": PAGE, "shape_models": SHAPES if settings["shape_models"] else None}
    texts[CONFIG] = json.dumps({"scans": "scans.tsv"} | settings | places)
    return texts


def known_shapes(provenance: dict[str, Any], search: Search) -> dict[str, Path]:
    """What cases were held against of another cohort, by its path in the folder; as for `contents`."""
    return {
        f"{SHAPES}/{name}/shape.npz": search.shape(name, total)
        for name, total in provenance["settings"]["shape_models"].items()
    }


def write(folder: Path, texts: dict[str, str], links: dict[str, Path]) -> None:
    """Write the files, which name where scans lie, for their owner alone.

    links: to files of the run, by relative path. Raises FileExistsError where the folder holds
    anything but an earlier attempt at the same.
    """
    known = {name for name in texts if (folder / name).exists()}
    if folder.exists() and any(folder.iterdir()) and not known == texts.keys():
        raise FileExistsError("the folder to reproduce in is not empty; a new one would be right")
    for name, text in texts.items():
        if name in known:
            if (folder / name).read_text(encoding="utf-8") != text:
                raise FileExistsError(
                    "the folder to reproduce in holds another run; a new one would be right"
                )
            continue
        (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(folder / name) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(text, encoding="utf-8")
    for name, path in links.items():
        (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(path)
