"""What the user asks for: the config, the sheet and the recipes, checked together and at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scanmill import costs, disk, scan_size, sheet, yaml_file
from scanmill.columns import distance_columns
from scanmill.costs import Costs
from scanmill.group_comparison import question
from scanmill.overview import specification
from scanmill.pacs.query import STARTS as PACS
from scanmill.places import PHANTOM
from scanmill.problem import Problem, SettingsError, collected, shown
from scanmill.recipe import Recipe, Shelf, UnknownRecipeError
from scanmill.scan_size import ScanSize
from scanmill.shape_model import loading
from scanmill.sheet import Row
from scanmill.yaml_file import Document, Fault

CONFIG = "config"


@dataclass(frozen=True)
class Settings:
    """A checked run.

    sheet: absolute path. scans: the rows by case, in the sheet's order, atlases included. recipes:
    by the key that rows carry; the default recipe is among them. formats: of the surface files.
    parquet: whether the cohort table is written as Parquet too. report: whether each case gets a page.
    cohort_page: what the cohort's page shows (`overview.specification`). check: whether the cases are
    checked against each other. shape_models: the folder of another cohort's shapes, which cases are
    held against. export: kinds of DICOM objects to write. export_identity:
    `de-identified`, or `return-to-pacs`.
    costs: what jobs take. statistics: what is asked of groups (`group_comparison.question`), if
    anything. sizes: of the scans, by case.
    """

    sheet: Path
    scans: dict[str, Row]
    recipes: dict[str, Recipe]
    formats: tuple[str, ...]
    parquet: bool
    report: bool
    cohort_page: dict[str, Any]
    check: bool
    shape_models: Path | None
    export: tuple[str, ...]
    export_identity: str
    costs: Costs
    statistics: question.Question | None
    sizes: dict[str, ScanSize]


def load(
    config: Mapping[str, Any],
    workflow_dir: Path,
    working_dir: Path,
    configfiles: Sequence[Path] = (),
    reserved: frozenset[str] = frozenset(),
) -> Settings:
    """Check everything that the user wrote, down to the existence of each scan.

    config: as Snakemake merged it. workflow_dir: the workflow's root, with its `config` folder.
    working_dir: where relative paths of the config start. configfiles: what `config` was merged
    from; they give a problem its line. reserved: columns of the cohort table.
    Raises SettingsError with all problems of the config, the sheet and every recipe they name.
    """
    workflow_dir, working_dir = Path(workflow_dir).absolute(), Path(working_dir).absolute()
    problems: list[Problem] = []
    source = _Source(_with_truth_values(config), _documents(configfiles, problems))
    values = source.values(problems)
    shelf = Shelf(workflow_dir / "config" / "recipes")
    default_recipe = None
    try:
        default_recipe = shelf.find(values["recipe"], working_dir)
    except UnknownRecipeError as error:
        problems.append(source.problem(Fault(("recipe",), f"'recipe': {error}")))
    phantoms: dict[str, Any] = {}
    with collected(problems):
        phantoms = _phantoms(workflow_dir / "config" / "phantoms.yaml")
    path = workflow_dir / "config" / "scans.tsv"
    if values["scans"]:
        path = working_dir / values["scans"]
    rows: dict[str, Row] = {}
    if source.names_file("scans", path, "a sheet", problems):
        with collected(problems):
            rows = sheet.read(path, shelf, default_recipe, frozenset(phantoms), reserved)
    problems += shelf.problems
    known = costs.SHIPPED
    if values["costs"]:
        known = working_dir / values["costs"]
    if source.names_file("costs", known, "costs", problems):
        with collected(problems):
            expected = costs.read(known)
    shown_page = specification.SHIPPED
    if values["cohort_page"]:
        shown_page = working_dir / values["cohort_page"]
    if source.names_file("cohort_page", shown_page, "a cohort's page", problems):
        names = (None, None) if problems else _names(rows, shelf)
        with collected(problems):
            asked = specification.read(shown_page, *names)
    statistics = values["statistics"]
    if statistics is not None:
        statistics = question.DEFAULTS | statistics
        problems += [
            source.problem(fault) for fault in _unanswerable(statistics, rows, shelf.recipes)
        ]
    shapes = None
    if values["shape_models"]:
        shapes = working_dir / values["shape_models"]
        compared = [] if problems else _compared_shapes(rows, shelf.recipes)
        problems += [
            source.problem(Fault(("shape_models",), f"'shape_models': {text}"))
            for text in loading.faults(shapes, working_dir, compared)
        ]
    if problems:
        raise SettingsError(problems)
    return Settings(
        path,
        rows,
        shelf.recipes,
        tuple(values["formats"]),
        values["parquet"],
        values["report"],
        asked,
        values["check"],
        shapes,
        tuple(values["export"]),
        values["export_identity"],
        expected,
        statistics,
        _sizes(rows, phantoms),
    )


def _compared_shapes(
    rows: Mapping[str, Row], recipes: Mapping[str, Recipe]
) -> list[tuple[str, str]]:
    """Names of recipe and structure of each shape that is compared over the cases."""
    used = dict.fromkeys(row.recipe for row in rows.values() if row.role == "scan")
    return [(recipes[key].name, name) for key in used for name in recipes[key].shape_checked()]


def _unanswerable(
    asked: question.Question, rows: Mapping[str, Row], recipes: Mapping[str, Recipe]
) -> list[Fault]:
    """What keeps the sheet from telling what is asked of groups; of no rows more was said already."""
    used = {row.recipe for row in rows.values() if row.role == "scan"}
    structures = [s for key in sorted(used) for s in recipes[key].structures]
    names = dict.fromkeys(structure["name"] for structure in structures)
    faults = question.faults(asked, rows.values(), names, distance_columns(structures))
    return list(faults) if rows else []


@dataclass
class _Source:
    """The merged config and the files that it comes from."""

    config: Mapping[str, Any]
    documents: list[Document]

    def values(self, problems: list[Problem]) -> dict[str, Any]:
        """The config with the defaults for what is not in it, or is wrong."""
        known = yaml_file.schema(CONFIG)["properties"]
        faults = yaml_file.check(dict(self.config), CONFIG)
        problems += [self.problem(fault) for fault in faults]
        wrong = {fault.keys[0] for fault in faults}
        return {
            key: self.config[key] if key in self.config and key not in wrong else part["default"]
            for key, part in known.items()
        }

    def names_file(self, key: str, path: Path, right: str, problems: list[Problem]) -> bool:
        """Whether a file lies at the path that a key names; else that is a problem."""
        kind = disk.kind(path)
        if kind != disk.FILE:
            text = f"'{key}': {str(path)!r} {disk.ending(kind)}; the file of {right} would be right"
            problems.append(self.problem(Fault((key,), text)))
        return kind == disk.FILE

    def problem(self, fault: Fault) -> Problem:
        """The fault in the file that it comes from; `config` where that is the command line."""
        key = fault.keys[0]
        for document in self.documents:
            content = document.content
            # Snakemake lists its files in no order that tells which one had the last word.
            if isinstance(content, dict) and content.get(key, ...) == self.config.get(key):
                return document.problem(fault)
        return Problem(CONFIG, None, None, fault.text)


def _with_truth_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config as it was meant: `--config parquet=true` reaches us as text, `=True` does not."""
    truths = {"true": True, "false": False}
    known = yaml_file.schema(CONFIG)["properties"]
    meant = dict(config)
    for key, part in known.items():
        if part["type"] == "boolean" and isinstance(meant.get(key), str):
            meant[key] = truths.get(meant[key], meant[key])
    return meant


def _phantoms(path: Path) -> dict[str, Any]:
    document = yaml_file.read(path)
    if not isinstance(document.content, dict):
        text = f"{shown(document.content)} was found; phantoms by name would be right"
        raise SettingsError([document.problem(Fault((), text))])
    return document.content


def _names(rows: Mapping[str, Row], shelf: Shelf) -> tuple[list[dict[str, Any]], list[str]]:
    """The structures of the recipes of all rows, and the further columns of the sheet."""
    keys = dict.fromkeys(row.recipe for row in rows.values())
    structures = [s for key in keys for s in shelf.recipes[key].structures]
    return structures, list(next(iter(rows.values())).extra)


def _sizes(rows: Mapping[str, Row], phantoms: Mapping[str, Any]) -> dict[str, ScanSize]:
    """The size of each case's scan; of one that several share, read once."""

    @cache
    def size(scan: str) -> ScanSize:
        if scan.startswith(PHANTOM):
            return scan_size.of_phantom(phantoms[scan.removeprefix(PHANTOM)])
        return scan_size.UNSEEN if scan.startswith(PACS) else scan_size.of_scan(Path(scan))

    return {case: size(row.scan) for case, row in rows.items()}


def _documents(paths: Sequence[Path], problems: list[Problem]) -> list[Document]:
    documents = []
    for path in paths:
        with collected(problems):
            documents.append(yaml_file.read(path))
    return documents
