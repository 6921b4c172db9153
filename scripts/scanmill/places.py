"""What the cells of a sheet point at: scans, supplied labels and phantoms."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from scanmill import disk, site
from scanmill.pacs.query import STARTS, QueryError, parse
from scanmill.problem import Problem, SettingsError, known_names, shown
from scanmill.recipe import Recipe
from scanmill.seed_file import BACKGROUND, Seed, read_seeds

PHANTOM = "phantom:"
MASK_SUFFIX = ".nii.gz"
PAIRS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\s*=")

Labels = tuple[tuple[str | None, str], ...]


class CellError(Exception):
    """A cell cannot be used; each argument is a sentence that says why."""


@dataclass
class Places:
    """What a sheet may point at: files, phantoms and a PACS; each path is looked up on disk once.

    folder: where relative paths start, absolute. phantoms: the names that `phantom:` may precede.
    """

    folder: Path
    phantoms: frozenset[str]
    _kinds: dict[Path, str] = field(default_factory=dict)
    _listings: dict[Path, frozenset[str]] = field(default_factory=dict)

    def scan(self, text: str) -> str:
        """`phantom:<name>`, the query of a PACS, or the absolute path of an existing file or folder.

        Raises CellError, and SettingsError where a PACS is named and the site file is wrong.
        """
        if not text:
            raise CellError("nothing was found; a file or a DICOM folder would be right")
        if text.startswith(PHANTOM):
            return self._phantom(text)
        if text.startswith(STARTS):
            return self._query(text)
        self._kind(self.folder / text)
        return str(self.folder / text)

    def labels(self, text: str, recipe: Recipe | None, is_atlas: bool) -> Labels:
        """The supplied masks: (structure, path) of each, or (None, path) of a map of all.

        recipe: None where it is wrong, so that only the paths are checked. Raises CellError, also
        where a mask is missing that the recipe takes from supplied labels.
        """
        wanted = _wanted(recipe, is_atlas)
        if not text:
            return _no_labels(wanted, is_atlas)
        found = self._given(text, recipe, wanted)
        if recipe and not is_atlas and not wanted:
            text = f"labels were found, and the recipe '{recipe.name}' takes none"
            raise CellError(f"{text}; an empty cell or another recipe would be right")
        return found

    def reference(self, text: str, recipe: Recipe | None) -> Labels:
        """Masks to compare with, as those of `labels`, for any of the recipe's structures.

        recipe: None where it is wrong, so that only the paths are checked. Raises CellError.
        """
        return self._given(text, recipe, [])

    def seeds(self, text: str, recipe: Recipe | None, is_atlas: bool) -> str:
        """The absolute path of a file of seeds whose structures the recipe knows, or nothing.

        recipe: None where it is wrong, so that only the file is checked. Raises CellError, also where
        the recipe needs seeds and there are none.
        """
        wanted = recipe.seeded() if recipe else []
        if not text:
            if wanted and not is_atlas:
                names = ", ".join(wanted)
                found = f"nothing was found, and the recipe grows {names} from seeds"
                raise CellError(f"{found}; the path of a file of seeds would be right")
            return ""
        path = self.folder / text
        if self._kind(path) == disk.FOLDER:
            raise CellError(f"{str(path)!r} is a folder; a file of seeds would be right")
        if recipe and not wanted:
            found = f"seeds were found, and the recipe '{recipe.name}' takes none"
            raise CellError(f"{found}; an empty cell or another recipe would be right")
        try:
            found = read_seeds(path)
        except SettingsError as error:
            raise CellError(*map(str, error.problems)) from None
        faults = _strangers(found, wanted) if recipe else []
        if faults:
            raise CellError(*(str(Problem(str(path), line, 1, fault)) for line, fault in faults))
        return str(path)

    def _given(self, text: str, recipe: Recipe | None, wanted: list[str]) -> Labels:
        if text.startswith(PHANTOM):
            return ((None, self._phantom(text)),)
        if text.startswith(STARTS):
            return ((None, self._query(text)),)
        if PAIRS.match(text) and disk.kind(self.folder / text) not in (disk.FILE, disk.FOLDER):
            return self._pairs(text, recipe, wanted)
        path = self.folder / text
        if self._kind(path) == disk.FILE:
            return ((None, str(path)),)
        return self._mask_folder(path, recipe, wanted)

    def _pairs(self, text: str, recipe: Recipe | None, wanted: list[str]) -> Labels:
        faults: list[str] = []
        masks: dict[str, str] = {}
        for part in filter(str.strip, text.split(";")):
            name, _, place = (piece.strip() for piece in part.partition("="))
            if not place:
                faults.append(f"{shown(part)} was found; structure=path would be right")
            elif name in masks:
                faults.append(f"'{name}' was found twice; one mask a structure would be right")
            else:
                masks[name] = str(self.folder / place)
                try:
                    if self._kind(self.folder / place) == disk.FOLDER:
                        faults.append(f"{masks[name]!r} is a folder; a mask's file would be right")
                except CellError as error:
                    faults += error.args
        faults += _unknown(recipe, masks)
        if recipe and wanted:
            faults += _found_otherwise(recipe, wanted, masks)
        faults += _missing(wanted, masks, "structure=path for each would be right")
        if faults:
            raise CellError(*faults)
        return tuple(masks.items())

    def _mask_folder(self, path: Path, recipe: Recipe | None, wanted: list[str]) -> Labels:
        files = self._listing(path)
        if files and not any(name.endswith(MASK_SUFFIX) for name in files):
            # No masks: what a DICOM SEG or RTSTRUCT lies in, perhaps beside its images.
            return ((None, str(path)),)
        names = [structure["name"] for structure in recipe.structures] if recipe else []
        masks = {n: str(path / (n + MASK_SUFFIX)) for n in names if n + MASK_SUFFIX in files}
        right = f"<structure>{MASK_SUFFIX} in {str(path)!r} would be right"
        faults = _missing(wanted, masks, right)
        if recipe and not masks and not faults:
            faults = [f"no mask was found for any structure of the recipe; {right}"]
        if faults:
            raise CellError(*faults)
        return tuple(masks.items())

    def _phantom(self, text: str) -> str:
        name = text.removeprefix(PHANTOM).strip()
        if name not in self.phantoms:
            right = known_names(name, sorted(self.phantoms))
            raise CellError(f"the phantom {shown(name)} is unknown; {right} would be right")
        return PHANTOM + name

    def _query(self, text: str) -> str:
        try:
            server = parse(text).server
        except QueryError as error:
            raise CellError(*error.args) from None
        if getattr(self._site, server) is None:
            found = f"a {server} source was found, and the site file describes no such server"
            raise CellError(f"{found}; '{server}' in it would be right")
        return text

    @cached_property
    def _site(self) -> site.Site:
        return site.load()

    def _kind(self, path: Path) -> str:
        if set("{}") & set(str(path)):
            text = f"{str(path)!r} has braces, which Snakemake takes for a wildcard"
            raise CellError(f"{text}; a path without would be right")
        if path not in self._kinds:
            self._kinds[path] = disk.kind(path)
        kind = self._kinds[path]
        if kind not in (disk.FILE, disk.FOLDER):
            raise CellError(f"{str(path)!r} {kind}; an existing file or folder would be right")
        return kind

    def _listing(self, path: Path) -> frozenset[str]:
        if path not in self._listings:
            try:
                self._listings[path] = frozenset(entry.name for entry in path.iterdir())
            except OSError as error:
                raise CellError(f"{str(path)!r} cannot be read ({error.strerror})") from None
        return self._listings[path]


def _strangers(seeds: list[Seed], wanted: list[str]) -> list[tuple[int | None, str]]:
    """The seeds of no structure that the recipe grows from the sheet's seeds: line, and why."""
    known = [*wanted, BACKGROUND]
    return [
        (
            seed.line,
            f"a seed of {shown(seed.structure)} was found, which the recipe does not grow; "
            f"{known_names(seed.structure, known)} would be right",
        )
        for seed in seeds
        if not any(map(seed.is_of, known))
    ]


def _wanted(recipe: Recipe | None, is_atlas: bool) -> list[str]:
    """The structures that come from the labels of a row."""
    if recipe is None:
        return []
    return recipe.taught() if is_atlas else recipe.supplied()


def _no_labels(wanted: list[str], is_atlas: bool) -> Labels:
    if is_atlas:
        raise CellError("nothing was found; an atlas needs labels, whose path would be right")
    if wanted:
        text = f"nothing was found, and the recipe takes {', '.join(wanted)} from supplied labels"
        raise CellError(f"{text}; their path would be right")
    return ()


def _unknown(recipe: Recipe | None, masks: dict[str, str]) -> list[str]:
    names = [structure["name"] for structure in recipe.structures] if recipe else masks
    return [
        f"'{name}' is no structure of the recipe; {known_names(name, names)} would be right"
        for name in masks
        if name not in names
    ]


def _found_otherwise(recipe: Recipe, wanted: list[str], masks: dict[str, str]) -> list[str]:
    methods = {s["name"]: s["segment"]["method"] for s in recipe.structures}
    return [
        f"'{name}' is found by {methods[name]} in the recipe '{recipe.name}'; no mask for it would be "
        "right"
        for name in masks
        if name in methods and name not in wanted
    ]


def _missing(wanted: list[str], masks: dict[str, str], right: str) -> list[str]:
    without = [name for name in wanted if name not in masks]
    return [f"no mask was found for {', '.join(without)}; {right}"] if without else []
