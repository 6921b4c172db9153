"""What the page of a cohort is to show: a YAML file, checked before any job starts."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from scanmill import yaml_file
from scanmill.agreement.columns import AGREEMENT, REFERENCE
from scanmill.change import CHANGES
from scanmill.checks.columns import FLAGS, SHAPES
from scanmill.columns import COLUMNS, STATE, distance_columns
from scanmill.group_comparison.columns import GROUPS
from scanmill.problem import SettingsError, known_names, shown
from scanmill.yaml_file import Fault, Keys

NAME = "cohort_page"
SHIPPED = Path(__file__).parents[3] / "config" / f"{NAME}.yaml"
# The tables that rules of the cohort write, and their columns.
TABLES = {
    "flags.csv": FLAGS,
    "shapes.csv": SHAPES,
    "agreement.csv": AGREEMENT,
    "changes.csv": CHANGES,
    "groups.csv": GROUPS,
}
# Columns of measurements.csv that have words.
WORDS = {
    *STATE,
    *("volume_method", "touches_border", "watertight", "manifold"),
    *("simulation_code", "simulation_solver", "reference_status"),
}
TABLE = "table"
QUANTITY = {"unit": "", "factor": 1, "modality": None}
OUTLIERS = {"cutoff": 3.5, "least": 8}
OF_TABLES = ("file", "title", "said", "columns", "mark")


def read(
    path: Path, structures: list[dict[str, Any]] | None, groups: Collection[str] | None
) -> dict[str, Any]:
    """A checked specification with its defaults filled in, of JSON types.

    structures: of the recipes; groups: further columns of the sheet. Where these are not known, for
    they are wrong themselves, what names them is not checked. Raises SettingsError with all that is
    wrong.
    """
    document = yaml_file.read(path)
    faults = yaml_file.check(document.content, NAME)
    if not faults:
        faults = list(_unknown(document.content, structures, groups))
    if faults:
        problems = [document.problem(fault) for fault in faults]
        raise SettingsError(sorted(problems, key=lambda p: (p.line, p.column)))
    content = document.content
    quantities = [QUANTITY | quantity for quantity in content["quantities"]]
    return {
        "quantities": quantities,
        "structures": content.get("structures"),
        "groups": content.get("groups"),
        "outliers": OUTLIERS | content.get("outliers", {}),
        "sections": content["sections"],
    }


def _unknown(
    content: Mapping[str, Any],
    structures: list[dict[str, Any]] | None,
    groups: Collection[str] | None,
) -> Iterator[Fault]:
    asked = {("quantities", i, "column"): q["column"] for i, q in enumerate(content["quantities"])}
    if structures is not None:
        columns = COLUMNS | REFERENCE | distance_columns(structures)
        known = [column for column in columns if column not in WORDS]
        yield from _not_among(asked, "column of numbers in measurements.csv", known)
        names = list(dict.fromkeys(structure["name"] for structure in structures))
        yield from _not_among(_each(content, "structures"), "structure of these recipes", names)
    if groups is not None:
        yield from _not_among(_each(content, "groups"), "further column of this sheet", groups)
    for i, section in enumerate(content["sections"]):
        yield from _section_faults(section, ("sections", i))


def _section_faults(section: Mapping[str, Any], keys: Keys) -> Iterator[Fault]:
    if section["show"] != TABLE:
        for key in (key for key in OF_TABLES if key in section):
            text = f"'{key}' was found in a section that is no table; 'show: table' would be right"
            yield Fault((*keys, key), text, at_key=True)
    elif section["file"] not in TABLES:
        yield from _not_among({(*keys, "file"): section["file"]}, "table of the cohort", TABLES)
    else:
        what = f"column of {section['file']}"
        yield from _not_among(_each(section, "columns", keys), what, TABLES[section["file"]])


def _each(content: Mapping[str, Any], key: str, keys: Keys = ()) -> dict[Keys, str]:
    """The entries of a list that may be missing, by where they stand."""
    return {(*keys, key, i): name for i, name in enumerate(content.get(key) or ())}


def _not_among(named: Mapping[Keys, str], what: str, known: Collection[str]) -> Iterator[Fault]:
    for keys, name in named.items():
        if name not in known:
            right = known_names(name, known)
            yield Fault(keys, f"{shown(name)} is no {what}; {right} would be right")
