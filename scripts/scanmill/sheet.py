"""The sheet of a cohort: one line a case, checked as a whole before any job starts."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanmill import recipe_simulation, tab_table, visits
from scanmill.pacs.query import STARTS
from scanmill.places import PHANTOM, CellError, Labels, Places
from scanmill.problem import SettingsError, known_names, shown
from scanmill.recipe import Recipe, Shelf, UnknownRecipeError
from scanmill.shape_model import FEWEST
from scanmill.tab_table import Line, Table

REQUIRED = ("case", "scan")
KNOWN = (*REQUIRED, "series", "volume", "recipe", "labels", "seeds", "reference", "role")
ROLES = ("scan", "atlas")
CASE = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
VOLUME = re.compile("[1-9][0-9]{0,4}|[A-Z][A-Za-z0-9]*=.*[^ ].*")
# Columns of the results that depend on what recipes ask for.
DISTANCE_COLUMN = re.compile("distance_to_.*_mm")
RESERVED_BY_WINDOWS = re.compile("con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One case.

    scan: absolute path of a file or DICOM folder, `phantom:<name>`, or `dicomweb:` or `dimse:` and
    what to ask the PACS for. series: description, number
    or UID of the DICOM series wanted, or empty. volume: which volume of a series that holds several,
    its number from 1 or `Keyword=value`, or empty. recipe: key on the shelf.
    labels: (structure, path) of each supplied mask, or one (None, path or `phantom:<name>`) for a
    map of all structures. seeds: absolute path of a file of seeds, or empty. reference: as labels, to
    compare the case's own with. extra: the further
    columns, in the sheet's order. line: in the sheet.
    """

    case: str
    scan: str
    series: str
    volume: str
    recipe: str
    labels: Labels
    seeds: str
    reference: Labels
    role: str
    extra: dict[str, str]
    line: int

    def told(self) -> dict[str, Any]:
        """What results may tell of the row: no path, query or name of a series, only that there is one.

        scan, and the source of each of labels and reference: `phantom:<name>`, `pacs` or `file`.
        """
        reference = {"reference": _sources(self.reference)} if self.reference else {}
        return {
            "role": self.role,
            "scan": _kind(self.scan),
            "labels": _sources(self.labels),
            "seeds": bool(self.seeds),
            "chosen": bool(self.series or self.volume),
            "extra": self.extra,
        } | reference


def _sources(files: Labels) -> list[dict[str, str | None]]:
    return [{"structure": name, "source": _kind(path)} for name, path in files]


def _kind(source: str) -> str:
    if source.startswith(PHANTOM):
        return source
    return "pacs" if source.startswith(STARTS) else "file"


def read(
    path: Path,
    shelf: Shelf,
    default_recipe: str | None,
    phantoms: frozenset[str],
    reserved: frozenset[str],
) -> dict[str, Row]:
    """The rows of a sheet by case, in its order. Paths in it are relative to its folder.

    default_recipe: key on the shelf for rows that name none (None where that recipe is unknown).
    phantoms: the names that `phantom:` may be followed by. reserved: names that a further column
    may not have. Raises SettingsError with everything that is wrong in the sheet.
    """
    table = tab_table.read(path)
    _check_header(table, reserved)
    checker = _Checker(table, Places(Path(path).absolute().parent, phantoms), shelf, default_recipe)
    for line in table.lines:
        checker.take(line)
    checker.check_atlases()
    checker.check_visits()
    if table.problems:
        raise SettingsError(sorted(table.problems, key=lambda p: (p.line, p.column)))
    return checker.rows


def _check_header(table: Table, reserved: frozenset[str]) -> None:
    header = table.header
    taken: set[str] = set()
    forbidden = {name.lower() for name in reserved} - set(KNOWN)
    for i, name in enumerate(header.cells):
        text = _column_fault(name, taken, forbidden)
        if text:
            table.problems.append(table.problem(header, i, text))
        taken.add(name.lower())
    for name in REQUIRED:
        if name not in taken:
            text = f"the column '{name}' is missing; it is required"
            table.problems.append(table.problem(header, 0, text))
    if not table.lines and not table.problems:
        text = "the sheet has a header and no case; a line per case would be right"
        table.problems.append(table.problem(header, 0, text))
    if any(problem.line == header.number for problem in table.problems):
        raise SettingsError(table.problems)


def _column_fault(name: str, taken: set[str], forbidden: set[str]) -> str | None:
    lower = name.lower()
    if not name:
        return "a column without a name was found; a name would be right"
    if lower in taken:
        return f"the column '{name}' was found twice; each name once would be right"
    if lower in KNOWN and name != lower:
        return f"the column '{name}' was found; '{lower}' would be right"
    if lower in forbidden or DISTANCE_COLUMN.fullmatch(lower):
        return f"the column '{name}' is one of the results' own; another name would be right"
    return None


@dataclass
class _Checker:
    table: Table
    places: Places
    shelf: Shelf
    default_recipe: str | None
    rows: dict[str, Row] = field(default_factory=dict)
    taken: dict[str, tuple[str, int]] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Check a line and keep it as a row."""
        given = dict(zip(self.table.header.cells, line.cells, strict=False))
        before = len(self.table.problems)
        case = self._checked(line, "case", self.case, given["case"], line.number)
        scan = self._checked(line, "scan", self.places.scan, given["scan"])
        volume = self._checked(line, "volume", _volume, given.get("volume", ""))
        key = self._checked(line, "recipe", self.recipe, given.get("recipe", ""))
        role = self._checked(line, "role", self.role, given.get("role", ""))
        recipe = self.shelf.recipes.get(key)
        cell = given.get("labels", "")
        labels = self._checked(line, "labels", self.places.labels, cell, recipe, role == "atlas")
        cell = given.get("seeds", "")
        seeds = self._checked(line, "seeds", self.places.seeds, cell, recipe, role == "atlas")
        cell = given.get("reference", "")
        reference = self._checked(line, "reference", self.reference, cell, recipe, role == "atlas")
        if recipe and role != "atlas":
            for column in recipe_simulation.columns(recipe.structures):
                # Columns with a meaning of their own are not carried along.
                cell = None if column in KNOWN else given.get(column)
                self._checked(line, column, _pressure, cell)
        if len(self.table.problems) == before:
            extra = {name: cell for name, cell in given.items() if name not in KNOWN}
            self.rows[case] = Row(
                case=case,
                scan=scan,
                series=given.get("series", ""),
                volume=volume,
                recipe=key,
                labels=labels,
                seeds=seeds,
                reference=reference,
                role=role,
                extra=extra,
                line=line.number,
            )

    def check_atlases(self) -> None:
        """Rows that teach need a recipe that learns, and rows that learn need some that teach."""
        lines = {line.number: line for line in self.table.lines}
        teaching = Counter(row.recipe for row in self.rows.values() if row.role == "atlas")
        for row in self.rows.values():
            recipe = self.shelf.recipes.get(row.recipe)
            if recipe:
                known = teaching[row.recipe]
                self._checked(lines[row.line], "role", _check_role, row.role, recipe, known)

    def check_visits(self) -> None:
        """Rows of one subject must be in an order, where the sheet tells subjects and timepoints."""
        lines = {line.number: line for line in self.table.lines}
        for line, column, text in visits.faults(self.rows.values()):
            self._checked(lines[line], column, _refuse, text)

    def _checked(self, line: Line, column: str, check: Callable[..., Any], *given: Any) -> Any:
        try:
            return check(*given)
        except CellError as fault:
            columns = self.table.header.cells
            cell = columns.index(column) if column in columns else 0
            for text in fault.args:
                self.table.problems.append(self.table.problem(line, cell, f"'{column}': {text}"))
            return None

    def case(self, text: str, number: int) -> str:
        """A name that can be a folder on any system, and is no other case's."""
        if not CASE.fullmatch(text):
            found = f"{shown(text)} was found" if text else "nothing was found"
            raise CellError(
                f"{found}; 1 to 64 letters a to z, digits, '-' and '_', the first of them a letter "
                "or digit, would be right"
            )
        if RESERVED_BY_WINDOWS.fullmatch(text):
            raise CellError(f"'{text}' cannot name a folder on Windows; another would be right")
        other, line = self.taken.setdefault(text.lower(), (text, number))
        if line != number:
            same = "is" if other == text else f"differs in case only from '{other}', which is"
            raise CellError(f"'{text}' {same} already in line {line}; another would be right")
        return text

    def recipe(self, text: str) -> str | None:
        """The key of the recipe on the shelf."""
        if not text:
            return self.default_recipe
        try:
            return self.shelf.find(text, self.places.folder)
        except UnknownRecipeError as error:
            raise CellError(str(error)) from None

    def reference(self, text: str, recipe: Recipe | None, is_atlas: bool) -> Labels:
        """The masks to compare with, as those of `labels`; none are needed."""
        if text and is_atlas:
            raise CellError(
                "a reference was found for an atlas, which is not measured; an empty "
                "cell would be right"
            )
        return self.places.reference(text, recipe) if text else ()

    def role(self, text: str) -> str:
        """What the case is for."""
        if text and text not in ROLES:
            right = known_names(text, ROLES)
            raise CellError(f"{shown(text)} was found; {right} would be right")
        return text or ROLES[0]


def _check_role(role: str, recipe: Recipe, atlases: int) -> None:
    taught = ", ".join(recipe.taught())
    if role == "atlas" and not taught:
        raise CellError(
            f"'atlas' was found, and the recipe '{recipe.name}' learns nothing from atlases; the "
            "recipe of the cases that it is an atlas for would be right"
        )
    if role == "scan" and recipe.modelled() and atlases < FEWEST:
        raise CellError(
            f"the recipe '{recipe.name}' learns the shape of {', '.join(recipe.modelled())} from "
            f"atlases, and {atlases} rows are atlases; {FEWEST} or more would be right"
        )
    if role == "scan" and taught and not atlases:
        raise CellError(
            f"the recipe '{recipe.name}' finds {taught} by atlases, and no row is one; rows with "
            "'atlas' here, the same recipe and labels would be right"
        )
    if role == "scan" and recipe.learned() and atlases < 2:
        raise CellError(
            f"the recipe '{recipe.name}' trains a network, and one row alone is an atlas; two or "
            "more would be right, so that each can be held back once"
        )


def _refuse(text: str) -> None:
    raise CellError(text)


def _pressure(text: str | None) -> None:
    """What a recipe simulates with; None where the sheet has no such column."""
    if text is None:
        raise CellError(
            "the recipe takes pressures from a further column of this name, and the sheet has none"
        )
    low, high = recipe_simulation.PRESSURES
    try:
        sound = low <= float(text) <= high
    except ValueError:
        sound = False
    if not sound:
        found = f"{shown(text)} was found" if text else "nothing was found"
        raise CellError(f"{found}; a pressure from {low} to {high} mmHg would be right")


def _volume(text: str) -> str:
    """Which volume of a series."""
    if text and not VOLUME.fullmatch(text):
        raise CellError(
            f"{shown(text)} was found; a number from 1, or a DICOM keyword and its value such as "
            "EchoTime=4.92, would be right"
        )
    return text
