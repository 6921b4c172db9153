"""The inputs of a run found again by their checksums, whatever their names are and wherever they lie.

They are looked for on the cards of the run, where these exist, and below a folder. Networks of recipes,
which are on no card, also where the workflow keeps its own.
"""

from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from scanmill import disk
from scanmill.card import read_card
from scanmill.lineage import ROOT
from scanmill.places import PHANTOM
from scanmill.sidecar import checksum, checksum_of_parts
from scanmill.source import files_of

SHOWN = 16


@dataclass
class Search:
    """Finds what a run read, and notes in `missing` what it does not find.

    provenance: of the run. sources: the folder of its cards, which need not exist. folder: where files
    may lie now, or None. shapes: the folder of the run's own shapes.
    """

    provenance: dict[str, Any]
    sources: Path
    folder: Path | None
    shapes: Path = Path()
    missing: list[str] = field(default_factory=list)

    def row(self, case: str) -> dict[str, str]:
        """What a sheet says of a case: scan, series, volume, labels, seeds and reference."""
        row = self.provenance["sheet"][case]
        read = self.provenance["inputs"][case]
        scans = _sums(read["ingest"], "scan")
        of_case = {"scan": self._source(case, "scan", row["scan"], scans, scans)}
        of_case |= dict(zip(("series", "volume"), self._chosen(case, row), strict=True))
        labels = _sums(read["segment"], "supplied")
        of_case["labels"] = self._masks(case, "labels", row["labels"], labels)
        compared = _sums(read.get("agreement", []), "reference")
        of_case["reference"] = self._masks(case, "reference", row.get("reference", []), compared)
        seeds = _sums(read["segment"], "seeds")
        found = [self._source(case, "seeds", "file", seeds, seeds)] if row["seeds"] else [""]
        return of_case | {"seeds": found[0]}

    def _masks(self, case: str, part: str, masks: list[dict[str, Any]], sums: list[str]) -> str:
        """The cell of a sheet for label files. masks: structure and source of each, as told."""
        paths = [
            self._source(case, part, mask["source"], sums[n : n + 1], sums)
            for n, mask in enumerate(masks)
        ]
        return ";".join(
            f"{mask['structure']}={path}" if mask["structure"] else path
            for mask, path in zip(masks, paths, strict=True)
        )

    def models(self, recipe: str) -> list[Path]:
        """The folders of a recipe's networks, in its order; an empty path for what is not found."""
        known = self.provenance
        users = (case for case, row in known["sheet"].items() if row["recipe"] == recipe)
        read = (_sums(known["inputs"][case]["segment"], "models") for case in users)
        wanted = len(known["recipes"][recipe]["models"])
        sums = next((sums for sums in read if len(sums) == wanted), [""] * wanted)
        lacking = [total for total in sums if total not in self._below]
        self.missing += [_lacking(f"a network of recipe {recipe}", total) for total in lacking]
        return [self._below.get(total, [Path()])[0] for total in sums]

    def shape(self, name: str, total: str) -> Path:
        """The shape.npz of another cohort; vary copies what it is given. name: recipe/structure."""
        path = self.shapes.absolute() / name / "shape.npz"
        if not path.exists() or _sum(path) != total:
            self.missing.append(_lacking(f"the shape model {name}", total))
        return path

    def _source(
        self, case: str, part: str, source: str, sums: list[str], all_sums: list[str]
    ) -> str:
        """The cell of a sheet for a scan, label or seed file.

        sums: of the file itself, first, and of what it must be with. all_sums: of what it may be with:
        a header is the one of the run only with its own file of voxels.
        """
        if source.startswith(PHANTOM):
            return source
        total = sums[0] if sums else ""
        on_cards = self._on_cards(case, part)
        for path in (*on_cards, *self._below.get(total, [])):
            if _sum(path) == total and {*sums} <= {*map(_sum, files_of(path))} <= {*all_sums}:
                return str(path)
        query = self._said(case, f"{part}-query").get("query", "")
        if not query:
            other = " (where the run read it, something else lies now)" if on_cards else ""
            self.missing.append(_lacking(f"{part} of {case}{other}", total))
        return query

    def _chosen(self, case: str, row: dict[str, Any]) -> tuple[str, str]:
        said = self._said(case, "scan")
        if row["chosen"] and not said:
            self.missing.append(
                f"which series or volume {case} is was not found: that may name the patient, so only a "
                "card of the run tells it; the run's own sources/ beside its results would be right"
            )
        return said.get("wanted_series", ""), said.get("wanted_volume", "")

    def _said(self, case: str, part: str) -> dict[str, str]:
        card = self.sources / case / f"{part}.card"
        return read_card(card)[1] if card.exists() else {}

    def _on_cards(self, case: str, part: str) -> list[Path]:
        card = self.sources / case / f"{part}.card"
        files = read_card(card)[0] if card.exists() else []
        # What jobs make or download has a path in the folder of the run.
        return [path for path in files if path.is_absolute() and path.exists()]

    @cached_property
    def _below(self) -> dict[str, list[Path]]:
        """Files and folders below the folder, and the workflow's own networks, by checksum."""
        found: dict[str, list[Path]] = {}
        for folder in filter(None, (self.folder, ROOT / "models")):
            for path, total in _checksums(folder.absolute()).items():
                found.setdefault(total, []).append(path)
        return found


@cache
def _sum(path: Path) -> str:
    return checksum(path)


def _checksums(folder: Path) -> dict[Path, str]:
    """SHA-256 of the files below a folder, and of all folders with such."""
    files = {path: _sum(path) for path, _ in disk.files(folder)}
    parts: dict[Path, dict[Path, str]] = {}
    for path, total in files.items():
        for above in (above for above in path.parents if above.is_relative_to(folder)):
            parts.setdefault(above, {})[path.relative_to(above)] = total
    return files | {above: checksum_of_parts(sums) for above, sums in parts.items()}


def _sums(inputs: list[dict[str, str]], name: str) -> list[str]:
    return [entry["sha256"] for entry in inputs if entry["name"] == name]


def _lacking(what: str, total: str) -> str:
    if not total:
        return f"{what} was not found: the run did not read it either, so no checksum tells it"
    return (
        f"{what} was not found: a file or folder with the SHA-256 {total[:SHOWN]}… would be right"
    )
